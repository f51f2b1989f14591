"""A segment while it is being written: how far it came, and what of it can be read by now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from novavms_camera.capture import Growth, SegmentFacts
from novavms_gateway.recording.writer import QueuedFile
from novavms_gateway.storage.footage import VIDEO_RATE, format_of, micros
from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.segment_rows import Segment


@dataclass(slots=True)
class Writing:
    """The segment that is being written. `grown`: how far it came, oldest first."""

    id: int
    file: QueuedFile
    hole: str
    facts: SegmentFacts | None = None
    grown: deque[Growth] = field(default_factory=deque)

    def is_behind(self, end_us: int) -> bool:
        """Whether more of before `end_us` is to come, as far as can be known."""
        if self.facts is not None and micros(self.facts.started_at) >= end_us:
            return False
        found = self.so_far()
        return found is None or found.end_us < end_us

    def so_far(self) -> Segment | None:
        """What of it can be read from the disk by now."""
        while len(self.grown) > 1 and self.grown[1].size_bytes <= self.file.written:
            self.grown.popleft()
        facts = self.facts
        if facts is None or not self.grown or self.grown[0].size_bytes > self.file.written:
            return None
        newest = self.grown[0]
        start_us = micros(facts.started_at)
        return Segment(
            id=self.id,
            camera_id=UUID(facts.camera),
            stream=facts.stream,
            start_us=start_us,
            end_us=start_us + (newest.end_90k - facts.start_90k) * SECOND_US // VIDEO_RATE,
            size=newest.size_bytes,
            init_size=facts.init_bytes,
            sha256=b"",
            format=format_of(facts),
            session=f"{facts.timeline}/{facts.session}",
            start_90k=facts.start_90k,
            end_90k=newest.end_90k,
        )
