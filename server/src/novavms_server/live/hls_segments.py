"""What live HLS is cut into, and how long the pieces are (RFC 8216bis)."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from novavms_camera.capture.model import VIDEO_RATE

TARGET_SEC: Final = 6
"""EXT-X-TARGETDURATION: no segment is longer."""
_PART_LEAST_SEC: Final = 0.4
_PART_MOST_SEC: Final = 1.0
_EVEN: Final = 0.15
"""Frames that are no longer than this share of the target always fill a part to 85 %."""


@dataclass(frozen=True, slots=True)
class Part:
    """`is_independent`: there is a key frame in it."""

    number: int
    data: bytes
    duration_90k: int
    is_independent: bool


@dataclass(slots=True)
class Segment:
    """`at` is the time of day of its first picture. It grows until `is_whole`; `is_one_frame`: too long a one to be listed as a part."""

    number: int
    init: int
    at: datetime
    begins_on_key: bool
    is_discontinuity: bool
    parts: list[Part] = field(default_factory=list)
    duration_90k: int = 0
    size_bytes: int = 0
    is_whole: bool = False
    is_one_frame: bool = False


def part_target_90k(durations_90k: list[int]) -> int:
    """PART-TARGET for frames that last so long, a multiple of a millisecond: as many whole frames as need be."""
    frame = max(1, int(statistics.median(durations_90k)))
    wish = min(max(frame / _EVEN, _PART_LEAST_SEC * VIDEO_RATE), _PART_MOST_SEC * VIDEO_RATE)
    target = -(-wish // frame) * frame
    tick = VIDEO_RATE // 1000
    return int(min(-(-target // tick) * tick, TARGET_SEC * VIDEO_RATE))
