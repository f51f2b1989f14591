"""The uplink's share for media: a token bucket, and who goes first where it is scarce.

Reports go by the socket and are not counted: a few kilobytes a minute, and the first that must get through. What is counted goes
in pieces of a quarter second. Somebody who waits for it (a viewer; a clip that was ordered just now) goes before what
is filled in later; but what has waited for some seconds gets one piece, so that no half-sent part ends in the store's time-out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import race

PIECES_A_SEC: Final = 4
LEAST_PIECE_BYTES: Final = 1024
BURST_SEC: Final = 1.0
"""What was not used may be made up for, as far as this."""
PATIENCE_SEC: Final = 3.0
"""Who has waited for this long goes next, whoever else is there."""


class Urgency(IntEnum):
    """Whom a piece is for."""

    NOW = 0
    """Somebody waits for it."""
    LATER = 1


@dataclass(slots=True, eq=False)
class _Waiting:
    urgency: Urgency
    since: float
    is_next: asyncio.Event = field(default_factory=asyncio.Event)


class Uplink:
    """`await take(size, …)` before each piece is sent. `max_kbps` in kbit/s (1000 bit); 0: no limit, and nobody waits."""

    def __init__(self, clock: Clock, *, max_kbps: int = 0) -> None:
        self._clock = clock
        self._rate = max_kbps * 1000 / 8
        self._free_at = clock.monotonic()
        self._waiting: list[_Waiting] = []
        """In the order in which they came."""

    def piece_bytes(self, most: int) -> int:
        """How much is to be sent at once."""
        return min(most, max(LEAST_PIECE_BYTES, int(self._rate / PIECES_A_SEC))) if self._rate else most

    async def take(self, size: int, urgency: Urgency) -> None:
        """Returns when `size` bytes may go."""
        if not self._rate:
            return
        own = _Waiting(urgency, self._clock.monotonic())
        self._waiting.append(own)
        self._wake()
        try:
            await self._turn(own)
        finally:
            self._waiting.remove(own)
            self._wake()
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now - BURST_SEC) + size / self._rate

    async def _turn(self, own: _Waiting) -> None:
        while True:
            own.is_next.clear()
            following = self._next()
            if following is not own:
                following.is_next.set()  # whose patience ended since it looked
                await own.is_next.wait()
                continue
            wait_sec = self._free_at - self._clock.monotonic()
            if wait_sec <= 0:
                return
            # Somebody more urgent may come meanwhile; it is looked at anew then.
            await race(self._clock.sleep(wait_sec), _happened(own.is_next))

    def _next(self) -> _Waiting:
        now = self._clock.monotonic()
        return min(
            self._waiting,
            key=lambda waiting: -1 if now - waiting.since >= PATIENCE_SEC else int(waiting.urgency),
        )

    def _wake(self) -> None:
        """All that wait look again: they are a handful."""
        for waiting in self._waiting:
            waiting.is_next.set()


async def _happened(event: asyncio.Event) -> None:
    await event.wait()
