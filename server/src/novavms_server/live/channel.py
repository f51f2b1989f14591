"""What comes of one stream, for all who watch it: the newest init part, everything since the last key frame, and a bounded queue
for each reader. It never waits for anybody: a reader that is too slow loses whole GOPs, oldest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol, cast

from novavms_camera.capture.live import Fragment, Subscription
from novavms_protocol.live import LiveNote, Tier
from novavms_server.live.memory import LiveMemory, Queue

GOP_MAX: Final = 16 * 1024 * 1024
"""Kept for who joins, in bytes; of a longer GOP nothing is."""
READER_MAX: Final = 8 * 1024 * 1024
"""The most that waits for one reader, in bytes."""

LAG_SEC: Final = 10.0
"""A reader that is further behind goes on at a younger key frame."""


class Counter(Protocol):
    """Of Prometheus, as far as it is needed."""

    def inc(self, amount: float = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Piece(Fragment):
    """What readers get. An `init` piece has its `note`; without `codecs` in it, and without `data`, it says that nothing comes now."""

    note: LiveNote | None = None


class Reader(Subscription):
    """Use as `async with channel.read() as pieces: async for piece in pieces`. The first piece says how things stand."""

    def __init__(self, channel: Channel, max_bytes: int, dropped: Counter) -> None:
        super().__init__(channel, max_bytes, max_lag_sec=LAG_SEC)
        self._dropped = dropped

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self

    async def __anext__(self) -> Piece:
        return cast("Piece", await super().__anext__())

    def put(self, piece: Fragment) -> None:
        before = self.dropped
        super().put(piece)
        self._count(before)

    def catch_up(self) -> None:
        before = self.dropped
        super().catch_up()
        self._count(before)

    def _count(self, before: int) -> None:
        if self.dropped > before:
            self._dropped.inc(self.dropped - before)


class Channel:
    """`tier` is the one that was asked for; `note` says what comes."""

    def __init__(self, tier: Tier, dropped: Counter, memory: LiveMemory) -> None:
        self.tier = tier
        self._dropped = dropped
        self._memory = memory
        memory.streams.add(self)
        self._readers: list[Subscription] = []
        self._said: Piece | None = None
        self._init: Piece | None = None
        self._gop: list[Piece] = []
        self._gop_bytes = 0
        self._wants_key = True
        self.is_closed = False

    @property
    def note(self) -> LiveNote | None:
        """The newest; None before the first."""
        return self._said.note if self._said is not None else None

    @property
    def kept_bytes(self) -> int:
        """What is held for those who join."""
        return self._gop_bytes

    @property
    def queues(self) -> list[Queue]:
        """Of those who read."""
        return list(self._readers)

    @property
    def held_bytes(self) -> int:
        """In memory: what waits for several is there once, and so is what waits of the last GOP."""
        return max(self._gop_bytes, max((reader.queued_bytes for reader in self._readers), default=0))

    # ---- in

    def begin(self, note: LiveNote, init: bytes) -> None:
        """What follows is in this format, and begins on a key frame. `note` has `codecs`."""
        self._init = Piece("init", init, False, 0, note.codecs or "", note=note)
        self._forget_gop()
        self._say(self._init)

    def wait(self, note: LiveNote) -> None:
        """Nothing comes now; `note` has no `codecs`. Said once."""
        if self.note != note:
            self._forget_gop()
            self._say(Piece("init", b"", False, 0, note=note))

    def put(self, data: bytes, *, is_key: bool, start_90k: int) -> None:
        """A fragment. Those before the first key frame are left out."""
        if self._init is None or (self._wants_key and not is_key):
            return
        if self._said is not self._init:  # it stood still, and goes on as it was
            self._say(self._init)
        self._wants_key = False
        piece = Piece("media", data, is_key, start_90k)
        if is_key:
            self._gop, self._gop_bytes = [], 0
        if self._gop or is_key:
            self._gop.append(piece)
            self._gop_bytes += len(data)
            if self._gop_bytes > GOP_MAX:
                self._gop, self._gop_bytes = [], 0
        for reader in self._readers:
            reader.put(piece)
        self._memory.came(len(data))

    def _say(self, piece: Piece) -> None:
        self._said = piece
        for reader in self._readers:
            reader.put(piece)

    def _forget_gop(self) -> None:
        self._gop, self._gop_bytes, self._wants_key = [], 0, True

    # ---- out

    def read(self, max_bytes: int = READER_MAX) -> Reader:
        """Gets the last GOP at once, then all that comes."""
        return Reader(self, max_bytes, self._dropped)

    def join(self, reader: Subscription) -> None:
        if self._said is not None:
            reader.put(self._said)
        for piece in self._gop:
            reader.put(piece)
        self._readers.append(reader)
        if self.is_closed:
            reader.close()

    def leave(self, reader: Subscription) -> None:
        if reader in self._readers:
            self._readers.remove(reader)

    def close(self) -> None:
        """Nothing comes any more."""
        self.is_closed = True
        self._forget_gop()
        self._memory.streams.discard(self)
        for reader in self._readers:
            reader.close()
