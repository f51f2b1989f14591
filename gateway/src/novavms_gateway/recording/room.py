"""Room on the volume: watches the marker and the space, lets retention work, and says when recording must stop (`blocked`).

When the disk fills, in this order (docs/design/recording.md): clips that the server has; footage past its age; the oldest footage;
then recording stops, at half the reserve, and goes on when the whole reserve is free again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import race
from novavms_gateway.recording.writer import SlowDiskError
from novavms_gateway.storage.retention import Limits, Pass, Retention
from novavms_gateway.storage.volume import HINTS, Volume
from novavms_protocol import GapReason

log = logging.getLogger(__name__)

LOOK_EVERY_SEC: Final = 10.0
SLOW_SEC: Final = 60.0
"""How long a disk that was too slow is told of."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Room:
    """`free_clips` removes clips' files that the server has. `on_usable` is awaited before a volume is used first."""

    def __init__(
        self,
        volume: Volume,
        retention: Retention,
        limits: Limits,
        clock: Clock,
        *,
        free_clips: Callable[[], Awaitable[None]],
        on_usable: Callable[[], Awaitable[None]],
    ) -> None:
        self._volume = volume
        self._retention = retention
        self._limits = limits
        self._clock = clock
        self._free_clips = free_clips
        self._on_usable = on_usable
        self._is_ready = False
        self._is_full = False
        self._is_making_room = False
        self._was_slow_at: float | None = None
        self._last = Pass()
        self._look = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """The first look is over: the volume was made ready, or cannot be used."""
        return self._is_ready or not self._volume.is_usable

    @property
    def blocked(self) -> GapReason | None:
        """Why nothing can be written at this moment."""
        if not self._is_ready or not self._volume.is_usable:
            return "storage_lost"
        return "disk_full" if self._is_full else None

    @property
    def state(self) -> str:
        """For telemetry: the worst that is true now."""
        if not self._volume.is_usable:
            return "lost"
        if self._is_full:
            return "recording_stopped"
        if self._last.is_held:
            return "retention_held"
        if self._is_making_room:
            return "making_room"
        slow_at = self._was_slow_at
        return "slow" if slow_at is not None and self._clock.monotonic() - slow_at < SLOW_SEC else "ok"

    def disk_failed(self, error: OSError) -> None:
        """A segment's file could not be written."""
        if isinstance(error, SlowDiskError):
            self._was_slow_at = self._clock.monotonic()
        elif error.errno in FULL:
            self._is_full = True
        self._look.set()

    async def run(self) -> None:
        """For ever; cancel to stop."""
        while True:
            try:
                await self.look()
            except (OSError, sqlite3.Error) as error:
                log.error("volume not readable", extra={"facts": {"error": error}})
            self._look.clear()
            await race(self._look.wait(), self._clock.sleep(LOOK_EVERY_SEC))

    async def look(self) -> None:
        """Once: the marker (R7), then what must go, then whether there is room. Raises OSError, sqlite3.Error."""
        was_usable = self._volume.is_usable
        if not await self._volume.look():
            if was_usable and self._volume.trouble is not None:
                log.error("the volume is gone", extra={"facts": {"why": HINTS[self._volume.trouble]}})
            return
        if not self._is_ready:
            await self._on_usable()
            self._is_ready = True
        before, self._last = self._last, await self._make_room()
        if self._last.is_held and not before.is_held:
            log.error("retention held: more is due than may go in an hour")
        free = (await self._volume.space()).free_bytes
        reserve = self._limits.reserve_bytes
        if self._is_full and free >= reserve:
            log.warning("recording goes on: there is room again")
            self._is_full = False
        elif not self._is_full and free < reserve // 2:
            log.error("recording stops: the disk is full", extra={"facts": {"free_bytes": free}})
            self._is_full = True

    async def _make_room(self) -> Pass:
        space = await self._volume.space()
        self._is_making_room = space.free_bytes < self._limits.reserve_bytes
        if self._is_making_room:
            await self._free_clips()
        return await self._retention.run_pass()
