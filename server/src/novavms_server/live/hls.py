"""Low-latency HLS of one stream: fragments go in, parts and segments are kept (draft-pantos-hls-rfc8216bis, "RFC 8216bis").

- A part is the longest run of frames that is not longer than `part_target_90k`, which is learnt from the first fragment: between 0.4 s
  and a second for cameras of more than one frame a second. It is at least 85 % of that (4.4.4.9) for all cameras whose frames are
  even, or shorter than 15 % of it; at other cameras' a part may be shorter.
- A segment begins on a key frame and is at least 2 s long, or as long as the GOP; after 6 s it ends also without one, the first of
  all after a second. A frame that is
  longer than any part may be is a segment of its own, listed without parts.
- Where the format changes, the time jumps or something could not be read, there is a discontinuity, and a key frame after it.
- Numbers never go back, nor does a name ever stand for other bytes: they begin at the time of day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from novavms_camera.capture.live import Fragment
from novavms_camera.capture.model import VIDEO_RATE
from novavms_server.live.hls_frames import FragmentError, Frame, Frames
from novavms_server.live.hls_segments import TARGET_SEC, Part, Segment, part_target_90k

SEGMENT_LEAST_SEC: Final = 2
FIRST_SEC: Final = 1
"""The first segment of all is no longer: players that do not know parts (FFmpeg) take no playlist without a segment."""
LISTED_SEC: Final = 3 * TARGET_SEC
"""What stays in the playlist (6.2.2: no less than three target durations)."""
KEPT_SEC: Final = TARGET_SEC
"""How much of what has left the playlist can still be fetched, by those who read it a moment ago."""
MAX_BYTES: Final = 24 * 1024 * 1024
SEGMENT_MAX_BYTES: Final = MAX_BYTES // 3
SEGMENTS_MAX: Final = 100
"""A camera's are at most half of that; of one that lies, each may be a moment long, and have an initialization section of its own."""
PART_MAX_FRAMES: Final = 1000
JUMP_SEC: Final = 0.25
"""A hole in the time that is larger is a discontinuity."""


class Window:
    """What a player can ask for now. `began_at` is the time of day; see the module's head."""

    def __init__(self, began_at: datetime) -> None:
        first = int(began_at.timestamp() * 10)
        self.segments: deque[Segment] = deque()
        self.first_listed = first
        """Number of the playlist's first segment."""
        self.discontinuities = int(began_at.timestamp()) // 15 % 10_000
        """Before the first segment of the playlist. Small, for hls.js (1.7) keeps a list as long as this, and walks it for each part;
        and another for each window of a stream, for they are 15 s apart."""
        self.part_target_90k = 0
        self.codecs = ""
        self._next_segment = first
        self._next_part = first
        self._inits: dict[int, bytes] = {}
        self._init = 0
        self._frames: Frames | None = None
        self._pending: list[Frame] = []
        self._pending_90k = 0
        self._pending_bytes = 0
        self._next_init = first
        self._is_broken = False
        """A discontinuity comes before the next segment."""
        self._last: Frame | None = None
        """The frame before the next; None: the next one has to be a key frame."""
        self._clock = (0, began_at)
        """A moment of the stream's time, and the time of day that it was."""
        self._now = began_at
        self._changed = asyncio.Event()

    # ---- in

    def add(self, piece: Fragment, now: datetime) -> None:
        """Takes what came. `now` gives the time of day of all pictures until the next discontinuity."""
        self._now = now
        if piece.kind == "init":
            self._begin(piece)
            return
        if self._frames is None:
            return
        try:
            frames = self._frames.take(piece.data)
        except FragmentError:
            self.interrupt()
            return
        if frames and not self.part_target_90k:
            self.part_target_90k = part_target_90k([each.duration_90k for each in frames])
        if frames and self._jumps(frames[0].sample.dts):
            self.interrupt()
        self._frames.keep_sound()
        ahead = sum(each.duration_90k for each in frames)
        for frame in frames:
            self._add(frame, ahead)
            ahead -= frame.duration_90k

    def _begin(self, piece: Fragment) -> None:
        if not piece.data or piece.data == self._inits.get(self._init):
            return
        self.interrupt()
        try:
            self._frames = Frames(piece.data)
        except FragmentError:
            self._frames = None
            return
        self._init = self._next_init
        self._next_init += 1
        self._inits[self._init] = piece.data
        self.codecs = piece.mime_codecs

    def interrupt(self) -> None:
        """What follows does not go on from what was."""
        self._publish()
        self._finish()
        self._last = None
        self._is_broken = bool(self.segments)
        if self._frames is not None:
            self._frames.forget_sound()

    def _jumps(self, start_90k: int) -> bool:
        last = self._last
        return last is not None and not (last.sample.dts < start_90k <= last.end_90k + JUMP_SEC * VIDEO_RATE)

    def _add(self, frame: Frame, ahead_90k: int) -> None:
        start = frame.sample.dts
        if self._last is None:
            if not frame.sample.key or self._frames is None:
                return
            self._frames.forget_sound(start - int(JUMP_SEC * VIDEO_RATE))
            self._clock = (start, self._now - timedelta(seconds=ahead_90k / VIDEO_RATE))
        is_jump = frame.duration_90k > TARGET_SEC * VIDEO_RATE
        if is_jump:
            frame = frame._replace(duration_90k=min(self.part_target_90k, VIDEO_RATE))
        self._make_room(frame)
        self._pending.append(frame)
        self._pending_90k += frame.duration_90k
        self._pending_bytes += len(frame.sample.data)
        self._last = frame
        if is_jump:
            self.interrupt()
        elif frame.duration_90k > self.part_target_90k:
            self._publish()
            self.segments[-1].is_one_frame = True
            self._finish()
        elif self._pending_90k + frame.duration_90k > self.part_target_90k:
            self._publish()  # rather than wait for the frame that would not fit
        if not self.is_begun and self._so_far_90k >= FIRST_SEC * VIDEO_RATE:
            self._publish()
            self._finish()

    def _make_room(self, frame: Frame) -> None:
        """Ends the part, and the segment, that the frame does not belong to any more."""
        segment = self._open
        so_far = self._so_far_90k
        starts_on_key = (
            segment.begins_on_key if segment else bool(self._pending) and self._pending[0].sample.key
        )
        is_due = frame.sample.key and (so_far >= SEGMENT_LEAST_SEC * VIDEO_RATE or not starts_on_key)
        is_full = (
            so_far + frame.duration_90k > TARGET_SEC * VIDEO_RATE
            or (segment.size_bytes if segment else 0) + self._pending_bytes > SEGMENT_MAX_BYTES
            or len(self._pending) >= PART_MAX_FRAMES
            or frame.duration_90k > self.part_target_90k
        )
        if is_due or is_full or self._pending_90k + frame.duration_90k > self.part_target_90k:
            self._publish()
        if is_due or is_full:
            self._finish()

    # ---- parts and segments

    @property
    def _open(self) -> Segment | None:
        return self.segments[-1] if self.segments and not self.segments[-1].is_whole else None

    @property
    def _so_far_90k(self) -> int:
        """Of the segment that grows."""
        return self._pending_90k + (self._open.duration_90k if self._open else 0)

    @property
    def is_begun(self) -> bool:
        """Whether there is a playlist that any player takes."""
        return bool(self.segments) and self.segments[0].is_whole

    def _publish(self) -> None:
        if not self._pending or self._frames is None:
            return
        frames, self._pending = self._pending, []
        duration, self._pending_90k, self._pending_bytes = self._pending_90k, 0, 0
        segment = self._open or self._open_segment(frames[0])
        is_independent = any(frame.sample.key for frame in frames)
        part = Part(self._next_part, self._frames.part(self._next_part, frames), duration, is_independent)
        self._next_part += 1
        segment.parts.append(part)
        segment.duration_90k += duration
        segment.size_bytes += len(part.data)
        self._forget()
        self.wake()

    def _open_segment(self, first: Frame) -> Segment:
        began_90k, at = self._clock
        segment = Segment(
            number=self._next_segment,
            init=self._init,
            at=at + timedelta(seconds=(first.sample.dts - began_90k) / VIDEO_RATE),
            begins_on_key=first.sample.key,
            is_discontinuity=self._is_broken,
        )
        self._is_broken = False
        self._next_segment += 1
        self.segments.append(segment)
        return segment

    def _finish(self) -> None:
        segment = self._open
        if segment is not None:
            segment.is_whole = True
            self._forget()
            self.wake()

    def _forget(self) -> None:
        """Lets go of what is too old, and of more where there are too many bytes."""
        listed = sum(segment.duration_90k for segment in self.listed() if segment.is_whole)
        for segment in list(self.listed()):
            if not segment.is_whole or listed - segment.duration_90k < LISTED_SEC * VIDEO_RATE:
                break
            listed -= segment.duration_90k
            self._unlist(segment)
        kept = sum(s.duration_90k for s in self.segments if s.number < self.first_listed)
        size = sum(segment.size_bytes for segment in self.segments)
        while len(self.segments) > 1:
            oldest = self.segments[0]
            is_full = size > MAX_BYTES or len(self.segments) > SEGMENTS_MAX
            is_wanted = (
                oldest.number >= self.first_listed or kept - oldest.duration_90k < KEPT_SEC * VIDEO_RATE
            )
            if is_wanted and not is_full:
                break
            if oldest.number >= self.first_listed:
                self._unlist(oldest)
            else:
                kept -= oldest.duration_90k
            size -= oldest.size_bytes
            self.segments.popleft()
        used = {segment.init for segment in self.segments} | {self._init}
        self._inits = {number: data for number, data in self._inits.items() if number in used}

    def _unlist(self, segment: Segment) -> None:
        self.first_listed = segment.number + 1
        self.discontinuities += segment.is_discontinuity

    def wake(self) -> None:
        """Whoever waits looks again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # ---- out

    def listed(self) -> Iterator[Segment]:
        """What the playlist names; the last of them may not be whole."""
        return (segment for segment in self.segments if segment.number >= self.first_listed)

    @property
    def next_part(self) -> int:
        """Number of the part that comes next."""
        return self._next_part

    @property
    def size_bytes(self) -> int:
        return sum(segment.size_bytes for segment in self.segments)

    def init_part(self, number: int) -> bytes | None:
        return self._inits.get(number)

    def segment(self, number: int) -> bytes | None:
        """A whole segment's bytes; None: not any more, or not yet."""
        found = next((each for each in self.segments if each.number == number and each.is_whole), None)
        return b"".join(part.data for part in found.parts) if found is not None else None

    def part(self, number: int) -> bytes | None:
        return next(
            (part.data for each in self.segments for part in each.parts if part.number == number), None
        )

    def has(self, segment: int, part: int | None) -> bool:
        """Whether the playlist has come so far (6.2.5.2). A part behind the last of a whole segment is the first of the next."""
        for each in self.segments:
            if each.number > segment:
                return True
            if each.number == segment and (each.is_whole if part is None else part < len(each.parts)):
                return True
        return False

    def is_too_far(self, segment: int, part: int | None) -> bool:
        """Whether it is so far ahead that asking for it is an error (6.2.5.2)."""
        growing = self._open
        number = growing.number if growing else self._next_segment
        if segment > number + 1:
            return True
        if part is None or segment < number:
            return False
        last = len(growing.parts) - 1 if growing and growing.number == segment else -1
        return part > last + self._advance_part_limit

    @property
    def _advance_part_limit(self) -> int:
        target = self.part_target_90k or VIDEO_RATE
        return 3 if target >= VIDEO_RATE else -(-3 * VIDEO_RATE // target)

    async def wait(self) -> None:
        """Until something has changed, or somebody calls `wake`."""
        await self._changed.wait()
