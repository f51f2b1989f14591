"""Time, handed in."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


def is_storable(at: datetime) -> bool:
    """Whether the time that a foreign clock told survives being kept: near the ends of the calendar another zone leads out of it,
    and one row that can't be read spoils every list that it is in."""
    return 1 < at.year < 9999


class Clock(Protocol):
    """`now()` is aware UTC; `monotonic()` seconds from an arbitrary start."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
