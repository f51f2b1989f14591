"""When connections that play are read: many at a time, on a common beat, so that a hundred cameras wake the process as often as a few."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

_PHASES: Final = 4
"""A beat is spread, so that reading all of them does not hold up the loop in one piece."""
_beats: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, list[Beat]]] = WeakKeyDictionary()


class Beat:
    """Calls what waits for it, all at once, every `interval` seconds at its `phase`; stands still while nothing waits."""

    def __init__(self, interval: float, phase: float) -> None:
        self._interval = interval
        self._phase = phase
        self._waiting: list[Callable[[], None]] = []
        self.members = 0
        """Those who have it."""

    def wait(self, work: Callable[[], None]) -> None:
        """Has `work` called at the next beat, once. It must not raise."""
        if not self._waiting:
            loop = asyncio.get_running_loop()
            since = (loop.time() - self._phase) % self._interval
            loop.call_later(self._interval - since, self._strike)
        self._waiting.append(work)

    def _strike(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()


def join_beat(interval: float) -> Beat:
    """The running loop's beat of that interval with the fewest members. Count `members` down again when it is no more needed."""
    beats = _beats.setdefault(asyncio.get_running_loop(), {})
    of_interval = beats.setdefault(interval, [])
    if not of_interval:
        of_interval += (Beat(interval, interval * i / _PHASES) for i in range(_PHASES))
    beat = min(of_interval, key=lambda one: one.members)
    beat.members += 1
    return beat
