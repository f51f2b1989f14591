"""Continuous recording: one file of fragmented MP4 after the other, each beginning on a key frame.

Disk invariant: a file that was begun is whole up to its last hash box, wherever a crash or a power cut stopped it. Order: 1. the keeper
opens the file; 2. init part with note and hash; 3. fragments, one write each: marks, moof, mdat, hash; 4. end mark and hash; 5. sync and
close; 6. the keeper is told. A file that stops before 4 is for `repair_segment`.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from novavms_camera.capture.boxes import audio_entry, video_entry
from novavms_camera.capture.model import (
    VIDEO_RATE,
    AudioSample,
    Jump,
    Loss,
    SampleSource,
    StreamFormat,
    VideoSample,
)
from novavms_camera.capture.segment import (
    ClockMark,
    Growth,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    codecs_of,
    format_id,
)
from novavms_camera.capture.segment_writer import OpenSegment, SegmentFile
from novavms_camera.faults import Reason

MAX_SEGMENT_BYTES: Final = 1 << 30
"""A camera that sends no further key frame must not make a file without an end."""


class SegmentKeeper(Protocol):
    """Who keeps the segments: names their files and has the index. Called in the loop; must be quick. Only `open_segment` may raise."""

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SegmentFile:
        """A new, empty file for the segment that begins now. Raises OSError: recording then ends with it."""

    def on_begun(self, file: SegmentFile, facts: SegmentFacts) -> None:
        """The file has its init part, and no picture yet."""

    def on_grown(self, file: SegmentFile, growth: Growth) -> None:
        """A fragment was written, which may not be durable yet."""

    def on_ended(self, file: SegmentFile, facts: SegmentFacts) -> None:
        """The file was closed, and is durable unless `end_reason` is disk_failed. Files end in the order in which they began."""


class SegmentRecorder:
    """Records `stream` into segments of about `segment_sec` seconds while `run` runs. A disk that fails ends `run` with OSError.

    The counts `session` and `number` begin at 0 with each recorder: a keeper that makes a new one on the same stream gives a new
    `identity.timeline`, or takes the segments' order from their times.
    """

    def __init__(
        self,
        stream: SampleSource,
        keeper: SegmentKeeper,
        identity: SegmentIdentity,
        *,
        segment_sec: float = 10,
    ) -> None:
        self._stream = stream
        self._keeper = keeper
        self._identity = identity
        self._longest = int(segment_sec * VIDEO_RATE)
        self._format: StreamFormat | None = None
        self._kind = SegmentFormat("", "", "", 0, 0, None)
        self._next_format: StreamFormat | None = None
        self._open: OpenSegment | None = None
        self._session = 0
        self._failed: asyncio.Future[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self.segments = 0
        self.bytes_written = 0

    async def run(self) -> None:
        """Records until cancelled. When it is over, all files are closed and the keeper was told of each."""
        self._failed = asyncio.get_running_loop().create_future()
        self._stream.add_sink(self)
        try:
            await self._failed
        finally:
            self._stream.remove_sink(self)
            self._end_segment("stopped")
            while self._closing is not None and not self._closing.done():
                await asyncio.wait({self._closing})

    # ---- what the stream tells (SampleSink) --------------------------------------------------------------

    def on_format(self, fmt: StreamFormat) -> None:
        self._next_format = fmt

    def on_break(self, reason: Reason) -> None:
        self._end_segment(reason)
        self._session += 1

    def on_loss(self, loss: Loss) -> None:
        if self._open is not None:
            self._open.mark_loss(loss)

    def on_jump(self, jump: Jump) -> None:
        if self._open is not None:
            self._open.mark_jump(jump)

    def on_audio(self, sample: AudioSample) -> None:
        if self._open is not None:
            self._open.add_audio(sample)

    def on_video(self, sample: VideoSample) -> None:
        if self._failed is None or self._failed.done():
            return
        try:
            if sample.key:
                self._on_key(sample)
            segment = self._open
            if segment is None:
                return
            if segment.add_video(sample):
                self._keeper.on_grown(segment.file, Growth(segment.size_bytes, segment.end_90k))
                if segment.size_bytes > MAX_SEGMENT_BYTES:
                    self._end_segment("too_big")
        except OSError as error:
            self._fail(error)

    # ---- segments -----------------------------------------------------------------------------------------

    def _on_key(self, sample: VideoSample) -> None:
        """Where a segment may begin: the format changed, or the last one is long enough."""
        fmt, self._next_format = self._next_format, None
        if fmt is not None and fmt != self._format:
            self._end_segment("format_changed", sample.dts)
            self._format = fmt
            self._kind = _kind(fmt)
        segment = self._open
        if segment is not None and (sample.dts - segment.start_90k >= self._longest or segment.is_full):
            self._end_segment("next", sample.dts)
        if self._failed is None or self._failed.done() or self._format is None:
            return
        mark = ClockMark(sample.dts, *self._stream.wall_clock(sample.dts))
        if self._open is None:
            self._begin_segment(sample.dts, mark)
        else:
            self._open.mark_clock(mark)

    def _begin_segment(self, start_90k: int, clock: ClockMark) -> None:
        assert self._format is not None
        note = SegmentNote(
            camera=self._identity.camera,
            stream=self._identity.stream,
            timeline=self._identity.timeline,
            session=self._session,
            number=self.segments,
            start_90k=start_90k,
            clock=clock,
            codecs=self._kind.codecs,
        )
        file = self._keeper.open_segment(note, self._kind)
        try:
            segment = OpenSegment(file, note, self._format, self._kind)
        except OSError:
            self._close_later(file, None)
            raise
        self._open = segment
        self.segments += 1
        self._keeper.on_begun(file, segment.facts())

    def _end_segment(self, reason: str, end_90k: int | None = None) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        try:
            segment.end(reason, end_90k)
        except OSError as error:
            self._fail(error)
        self.bytes_written += segment.size_bytes
        self._close_later(segment.file, segment)

    def _close_later(self, file: SegmentFile, segment: OpenSegment | None) -> None:
        loop = asyncio.get_running_loop()
        self._closing = loop.create_task(self._close(file, segment, self._closing))

    async def _close(
        self, file: SegmentFile, segment: OpenSegment | None, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await before
        try:
            await file.close()
        except OSError as error:
            if segment is not None:
                segment.failed = True
            self._fail(error)
        if segment is not None:
            self._keeper.on_ended(file, segment.facts())

    def _fail(self, error: OSError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)


def _kind(fmt: StreamFormat) -> SegmentFormat:
    video = fmt.video
    audio = fmt.audio
    entries = [video_entry(video)] + ([audio_entry(audio)] if audio is not None else [])
    name = audio.codec if audio is not None else None
    return SegmentFormat(format_id(*entries), video.codec, codecs_of(fmt), video.width, video.height, name)
