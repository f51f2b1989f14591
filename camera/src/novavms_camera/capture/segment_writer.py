"""One segment being written: its fragments, its marks, its hash, its facts."""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

from novavms_camera.capture.fmp4 import FragmentBuilder, init_part
from novavms_camera.capture.model import AudioSample, Jump, Loss, StreamFormat, VideoSample
from novavms_camera.capture.segment import (
    ClockMark,
    EndMark,
    JumpMark,
    KeyEntry,
    LossMark,
    SegmentFacts,
    SegmentFormat,
    SegmentNote,
    hash_box,
    mark_box,
)

MAX_MARKS: Final = 256
"""A segment with more marks ends at the next key frame; leaps beyond that are not noted. A hostile camera makes no endless list."""
_CLOCK_STEP_SEC: Final = 0.05
"""A time of day that is off by more than this from what the file says so far is written anew."""
_CAMERA_STEP_SEC: Final = 1.0
"""So is how far the camera's clock is from ours, which trembles by what the network takes."""


class SegmentFile(Protocol):
    """Where a segment's bytes go: SyncedFile, or a test's disk. It syncs at its own pace."""

    def write(self, data: bytes) -> None:
        """Appends all of it. Raises OSError."""

    async def close(self) -> None:
        """Makes all of it durable and closes. Raises OSError."""


class OpenSegment:
    """One segment being written. Raises OSError from all that writes; then the file is good up to `size_bytes`."""

    def __init__(self, file: SegmentFile, note: SegmentNote, fmt: StreamFormat, kind: SegmentFormat) -> None:
        self.file = file
        self._note = note
        self._kind = kind
        self._builder = FragmentBuilder(fmt)
        self._hash = hashlib.sha256()
        self._marks: list[bytes] = []
        self._clocks = [note.clock]
        self._keys: list[KeyEntry] = []
        self._losses: list[Loss] = []
        self._jumps: list[Jump] = []
        self._frames = 0
        self._end_reason: str | None = None
        self.failed = False
        """The disk did not take something: what is in the file behind `size_bytes` is not known."""
        self.size_bytes = 0
        self.end_90k = note.start_90k
        init = init_part(fmt, note.to_box())
        self._append([init])
        self._init_bytes = len(init)

    @property
    def start_90k(self) -> int:
        return self._note.start_90k

    @property
    def is_full(self) -> bool:
        """Whether its lists are as long as they may become."""
        return max(len(self._losses), len(self._clocks), len(self._jumps), len(self._keys) // 16) >= MAX_MARKS

    def add_video(self, sample: VideoSample) -> bool:
        """Takes a frame; True when that made a fragment be written."""
        due = self._builder.add_video_parts(sample)
        if due is None:
            return False
        self._write(due)
        return True

    def add_audio(self, sample: AudioSample) -> None:
        """Takes an audio frame."""
        self._builder.add_audio(sample)

    def mark_loss(self, loss: Loss) -> None:
        """Pictures were lost after the last frame."""
        self._losses.append(loss)
        self._marks.append(mark_box(LossMark(loss)))

    def mark_jump(self, jump: Jump) -> None:
        """The camera's timestamps leap with the next frame."""
        if len(self._jumps) >= MAX_MARKS:
            return
        self._jumps.append(jump)
        self._marks.append(mark_box(JumpMark(jump)))

    def mark_clock(self, mark: ClockMark) -> None:
        """Another word on the time of day, from the next frame on; passed over where it says what the last one said."""
        last = self._clocks[-1]
        off = (mark.at - last.wall_clock(mark.at_90k).at).total_seconds()
        if mark.source != last.source or abs(off) > _CLOCK_STEP_SEC or _camera_clock_moved(last, mark):
            self._clocks.append(mark)
            self._marks.append(mark_box(mark))

    def end(self, reason: str, end_90k: int | None) -> None:
        """Writes what is left; the last frame lasts to `end_90k`, or as long as the one before, or as its loss."""
        if self.failed:
            return
        if end_90k is None and self._losses and self._losses[-1].end_90k > self._builder.last_dts:
            end_90k = self._losses[-1].end_90k
        rest = self._builder.flush_parts(end_90k)
        if rest is not None:
            self._write(rest)
        self._append([*self._marks, mark_box(EndMark(self.end_90k, reason))])
        self._end_reason = reason

    def facts(self) -> SegmentFacts:
        """As far as it was written."""
        note = self._note
        return SegmentFacts(
            note.camera,
            note.stream,
            note.timeline,
            note.session,
            note.number,
            self._kind,
            note.start_90k,
            self.end_90k,
            tuple(self._clocks),
            self._frames,
            tuple(self._keys),
            tuple(self._losses),
            tuple(self._jumps),
            self._init_bytes,
            self.size_bytes,
            self._hash.hexdigest() if self._end_reason and not self.failed else None,
            "disk_failed" if self.failed else self._end_reason,
        )

    def _write(self, fragment: list[bytes]) -> None:
        """One fragment with the marks before it."""
        builder = self._builder
        offset = self.size_bytes
        if self._marks:
            offset += sum(map(len, self._marks))
            fragment = self._marks + fragment
            self._marks = []
        self._append(fragment)
        self._frames += builder.count
        self.end_90k = builder.end_90k
        if builder.starts_on_key:
            self._keys.append(KeyEntry(offset, builder.start_90k))

    def _append(self, parts: list[bytes]) -> None:
        """Writes them, and the hash of all so far behind them."""
        digest = self._hash
        for part in parts:
            digest.update(part)
        seal = hash_box(digest.digest())
        parts.append(seal)
        data = b"".join(parts)
        try:
            self.file.write(data)
        except OSError:
            self.failed = True
            raise
        digest.update(seal)
        self.size_bytes += len(data)


def _camera_clock_moved(before: ClockMark, now: ClockMark) -> bool:
    """Whether how far the camera's clock is from ours is known only now, or is another."""
    if now.camera_offset_sec is None:
        return False
    last = before.camera_offset_sec
    return last is None or abs(now.camera_offset_sec - last) > _CAMERA_STEP_SEC
