"""Whether a camera counts its RTP timestamps at the rate that it says: some count milliseconds, some the frames of another frame rate."""

from __future__ import annotations

from typing import Final

from novavms_camera.rtsp.rtp import SenderReport

SETTLE_SEC: Final = 2.0
"""What a camera kept from before PLAY comes faster than it was made: not measured."""
WINDOW_SEC: Final = 3.0
_TOLERANCE: Final = 0.15
"""A clock that is off by less is left as it is: a network that slows down looks the same."""
_AGREEMENT: Final = 0.08
"""Two stretches that agree so well tell the truth."""
_REPORT_SEC: Final = 7.0
"""Cameras that report at all do so every 5 s."""
_LONGEST_SEC: Final = 600.0


class Pace:
    """Watches timestamps against arrivals. `rate` is the clock's true rate, by what is known; `told` what the camera says, `known` what
    an earlier session found out.
    """

    def __init__(self, told: int, known: float | None = None) -> None:
        self._told = told
        self._first: tuple[int, float] | None = None
        self._mark: tuple[int, float] | None = None
        self._report: SenderReport | None = None
        self._settled_at = 0.0
        self._suspect = 0.0
        self._window = WINDOW_SEC
        self.rate = known or float(told)
        self.next_look = 0.0
        """`look` has nothing to do before this arrival time."""

    def restart(self) -> None:
        """The timestamps leapt: what was measured up to now says nothing of what comes."""
        self._first = self._mark = None
        self._suspect = 0.0
        self._window = WINDOW_SEC
        self.next_look = 0.0

    def look(self, timestamp: int, arrival: float, report: SenderReport | None) -> bool:
        """Takes a frame that came at or after `next_look`; True when `rate` is another one now."""
        if self._mark is None:
            self._mark = (timestamp, arrival)
            self.next_look = arrival + SETTLE_SEC
            return False
        if self._first is None:  # settled
            self._begin(timestamp, arrival, report)
            return False
        rate = self._measure(self._mark, timestamp, arrival, report)
        if rate is None or self._fits(rate, self.rate, _TOLERANCE):
            self._suspect = 0.0
            refined = self._refine(timestamp, arrival)
            self._report = self._report or report
            self._next(timestamp, arrival)
            return refined
        if self._suspect and self._fits(rate, self._suspect, _AGREEMENT):
            right = self._fits(rate, self._told, _TOLERANCE)
            self.rate = float(self._told) if right else (rate + self._suspect) / 2
            self._begin(timestamp, arrival, report)
            return True
        self._suspect = rate
        self._window = WINDOW_SEC
        self._next(timestamp, arrival)
        return False

    def _begin(self, timestamp: int, arrival: float, report: SenderReport | None) -> None:
        self._first = (timestamp, arrival)
        self._settled_at = arrival
        self._report = report
        self._suspect = 0.0
        self._window = WINDOW_SEC
        self._next(timestamp, arrival)

    def _next(self, timestamp: int, arrival: float) -> None:
        self._mark = (timestamp, arrival)
        self.next_look = arrival + self._window

    def _measure(
        self, since: tuple[int, float], timestamp: int, arrival: float, report: SenderReport | None
    ) -> float | None:
        """Ticks a second: by arrival, or by the camera's own reports where these say that its clock is right after all."""
        elapsed = arrival - since[1]
        ticks = timestamp - since[0]
        if ticks <= 0 or elapsed <= 0:
            return None
        by_arrival = ticks / elapsed
        first = self._report
        if first is None or report is None:
            return by_arrival
        if report.utc - first.utc < 1:
            return None if arrival - self._settled_at < _REPORT_SEC else by_arrival
        by_report = (report.timestamp - first.timestamp) / (report.utc - first.utc)
        # late, not wrong, where the camera's own reports fit: the network holds it up
        return by_report if self._fits(by_report, self.rate, _TOLERANCE) else by_arrival

    def _refine(self, timestamp: int, arrival: float) -> bool:
        """The longer the stretch, the better is the rate known; only of a clock that is wrong."""
        assert self._first is not None
        if self.rate == self._told:
            return False
        span = arrival - self._first[1]
        if span < 2 * self._window:
            return False
        self._window = min(2 * self._window, _LONGEST_SEC)
        self.rate = max((timestamp - self._first[0]) / span, 1.0)
        return True

    @staticmethod
    def _fits(rate: float, other: float, tolerance: float) -> bool:
        return abs(rate - other) <= tolerance * other
