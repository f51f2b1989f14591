"""Decoding times for pictures that come in decoding order but with presentation times."""

from __future__ import annotations

import heapq
from typing import Final

_MAX_REORDER: Final = 16


class DecodeOrder:
    """Decoding times for frames that come in decoding order with presentation times (B-frames are late ones).

    A frame's decoding time is the smallest presentation time not given out yet, `depth` frames behind.
    """

    def __init__(self, depth: int | None, *, after: int = -(1 << 62)) -> None:
        self._depth = depth or 0
        self._heap: list[int] = []
        self._last = self._highest = after

    @property
    def last(self) -> int:
        """The decoding time given last."""
        return self._last

    def next(self, pts: int, frame_90k: int) -> tuple[int, int]:
        """(dts, pts) of the next frame; dts goes up by at least 1, pts is never before it."""
        if not self._depth and pts > self._last:  # the way of nearly all cameras
            self._last = self._highest = pts
            return pts, pts
        if pts < self._highest and not self._depth:
            self._depth = 1
        self._highest = max(self._highest, pts)
        heapq.heappush(self._heap, pts)
        if len(self._heap) > self._depth:
            dts = heapq.heappop(self._heap)
        else:
            dts = self._heap[0] - (self._depth + 1 - len(self._heap)) * frame_90k
        dts = self._last = max(dts, self._last + 1)
        if pts < dts and self._depth < _MAX_REORDER:
            self._depth += 1  # the stream reorders more than it said
        return dts, max(pts, dts)
