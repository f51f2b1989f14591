"""Continuous recording: one file of fragmented MP4 after the other, each beginning on a key frame."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from novavms_camera.capture.fmp4 import FragmentBuilder, init_part
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.capture.stream import CaptureStream
from novavms_camera.faults import Reason


class SegmentRecorder:
    """Writes `folder/<UTC>.mp4` segments of about `segment_sec` seconds while `run` runs. A disk that fails ends `run` with OSError."""

    def __init__(self, stream: CaptureStream, folder: Path, *, segment_sec: float = 10) -> None:
        self._stream = stream
        self._folder = folder
        self._longest = int(segment_sec * VIDEO_RATE)
        self._format: StreamFormat | None = None
        self._builder: FragmentBuilder | None = None
        self._file = -1
        self._start = 0
        self._failed: asyncio.Future[None] | None = None
        self._closing: set[asyncio.Future[None]] = set()
        self.segments = 0
        self.bytes_written = 0

    async def run(self) -> None:
        """Records until cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._failed = asyncio.get_running_loop().create_future()
        self._stream.add_sink(self)
        try:
            await self._failed
        finally:
            self._stream.remove_sink(self)
            self._end_segment()
            await asyncio.gather(*self._closing, return_exceptions=True)

    def on_format(self, fmt: StreamFormat) -> None:
        self._end_segment()
        self._format = fmt

    def on_break(self, reason: Reason) -> None:
        self._end_segment()

    def on_audio(self, sample: AudioSample) -> None:
        if self._builder is not None:
            self._builder.add_audio(sample)

    def on_video(self, sample: VideoSample) -> None:
        try:
            if sample.key and (self._builder is None or sample.dts - self._start >= self._longest):
                self._end_segment(sample.dts)
                self._begin_segment(sample)
            if self._builder is not None:
                due = self._builder.add_video(sample)
                if due is not None:
                    self._write(due)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _begin_segment(self, sample: VideoSample) -> None:
        if self._format is None:
            return
        if self._failed is None or self._failed.done():
            return
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.mp4"
        self._file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        self._start = sample.dts
        self._builder = FragmentBuilder(self._format, base_90k=sample.dts)
        self.segments += 1
        self._write(init_part(self._format))

    def _end_segment(self, end_90k: int | None = None) -> None:
        builder, self._builder = self._builder, None
        file, self._file = self._file, -1
        if file < 0:
            return
        try:
            rest = builder.flush(end_90k) if builder is not None else None
            if rest is not None:
                self._write(rest, file)
        except OSError as error:
            self._fail(error)
        closing = asyncio.get_running_loop().run_in_executor(None, _sync_and_close, file)
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _write(self, data: bytes, file: int | None = None) -> None:
        view = memoryview(data)
        self.bytes_written += len(data)
        while view:
            view = view[os.write(self._file if file is None else file, view) :]


def _sync_and_close(file: int) -> None:
    try:
        os.fsync(file)
    finally:
        os.close(file)
