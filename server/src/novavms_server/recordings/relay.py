"""Bytes from a gateway to whoever waits for them here: poured, never stored.

1. `open` makes a relay with an address that is good once, and for its gateway only.  2. The gateway is asked to PUT there.
3. What comes in (`door`) waits until it is taken out (`pieces`): a few pieces lie between the two, so that a slow reader
slows the gateway and not our memory.  4. Either side's end is the other's: a reader that hangs up ends the PUT at once, a PUT
that breaks off ends the answer; a side that does nothing for a while is taken for gone.

Addresses are remembered by this server alone. Several servers will each have to give addresses of their own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final
from uuid import UUID

from novavms_server.recordings.errors import RelayBroken, RelayBusy, RelayEnded

PATH: Final = "/api/v1/relay/"
PIECES_WAITING: Final = 4
SILENCE_SEC: Final = 30.0
"""How long a PUT may bring nothing, and a reader take nothing."""
AT_ONCE: Final = 16
"""For each gateway; its uplink is shared by all who watch."""
TURN_SEC: Final = 5.0
"""How long one more waits for its turn."""


class Relay:
    """One transfer. `size_bytes` is what has to come; None: whatever comes, up to `most_bytes`."""

    def __init__(
        self, gateway_id: UUID, size_bytes: int | None, most_bytes: int, on_close: Callable[[Relay], None]
    ) -> None:
        self.gateway_id = gateway_id
        self.token = secrets.token_urlsafe(24)
        self.size_bytes = size_bytes
        self.most_bytes = most_bytes
        self.begun = asyncio.Event()
        """The gateway's PUT is here."""
        self.is_closed = False
        """The reader has all, or has gone; or nobody will ever come."""
        self._on_close = on_close
        self._pieces: deque[bytes] = deque()
        self._ended = False
        self._is_whole = False
        self._moved = asyncio.Event()
        """Something was put in or taken out, or ended: look again."""

    def __repr__(self) -> str:
        return f"Relay({self.gateway_id})"

    async def put(self, piece: bytes) -> None:
        """Waits for room. Raises RelayEnded when nobody reads any more."""
        while not self.is_closed and len(self._pieces) >= PIECES_WAITING:
            try:
                await self._look_again()
            except TimeoutError:
                self.close()
        if self.is_closed:
            raise RelayEnded
        self._pieces.append(piece)
        self._tell()

    def end(self, *, whole: bool) -> None:
        """Nothing more comes."""
        self._ended, self._is_whole = True, whole
        self._tell()

    def close(self) -> None:
        """Nobody reads any more. Safe to repeat."""
        if not self.is_closed:
            self.is_closed = True
            self._pieces.clear()
            self._tell()
            self._on_close(self)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, and then it is closed. Raises RelayBroken where it breaks off or falls silent."""
        try:
            while True:
                if self._pieces:
                    piece = self._pieces.popleft()
                    self._tell()
                    yield piece
                elif self._ended and self._is_whole:
                    return
                elif self._ended or self.is_closed:
                    raise RelayBroken
                else:
                    await self._look_again()
        except TimeoutError:
            raise RelayBroken from None
        finally:
            self.close()

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _look_again(self) -> None:
        async with asyncio.timeout(SILENCE_SEC):
            await self._moved.wait()


class Relays:
    """One for the server."""

    def __init__(self, *, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._open: dict[str, Relay] = {}
        self._turns: dict[UUID, asyncio.Semaphore] = {}

    def __len__(self) -> int:
        return len(self._open)

    def url(self, relay: Relay) -> str:
        """A secret: not logged. Without a host: the gateway's token goes with it, and gateways send that to the server that they know
        and to no other name of it."""
        return f"{PATH}{relay.token}"

    def find(self, token: str) -> Relay | None:
        return self._open.get(token)

    async def open(self, gateway_id: UUID, size_bytes: int | None = None, *, most_bytes: int = 0) -> Relay:
        """Waits a moment for its turn. Raises RelayBusy. Whoever opens one closes it, or reads `pieces` once it has begun: a
        sender that nobody listens to closes it, too."""
        turns = self._turns.setdefault(gateway_id, asyncio.Semaphore(self._at_once))
        try:
            async with asyncio.timeout(TURN_SEC):
                await turns.acquire()
        except TimeoutError:
            raise RelayBusy from None
        relay = Relay(gateway_id, size_bytes, size_bytes or most_bytes, self._closed)
        self._open[relay.token] = relay
        return relay

    def _closed(self, relay: Relay) -> None:
        del self._open[relay.token]
        self._turns[relay.gateway_id].release()
