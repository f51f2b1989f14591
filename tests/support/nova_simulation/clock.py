"""The gateway's clocks: one that only goes on, and one on the wall that leaps when somebody sets it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from nova_simulation.loop import VirtualLoop

BEGAN = datetime(2026, 3, 2, 23, 58, 30, tzinfo=UTC)
"""Shortly before midnight: folders of days change."""


class SimClock:
    """The gateway's `Clock`."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._zero = loop.seconds
        self.ahead_sec = 0.0
        """By how much the wall's clock is wrong."""

    def monotonic(self) -> float:
        return self._loop.seconds

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self._loop.seconds - self._zero + self.ahead_sec)

    def true_now(self) -> datetime:
        """What the server's clock says."""
        return BEGAN + timedelta(seconds=self._loop.seconds - self._zero)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
