"""Segments as a gateway has them, without a camera: greys that tell their number, written by the real SegmentRecorder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from novavms_camera.capture import (
    Growth,
    SampleSink,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    WallClock,
)
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, Loss, StreamFormat, VideoSample
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import ParameterSets

STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FPS = 25
TICK = VIDEO_RATE // FPS
SOUND = AudioFormat("pcma", 8000, 1)
DARKEST = 20
"""Luma of the first picture; each following one is a step lighter, eight seconds long, then it begins anew."""
PERIOD = 200


@lru_cache
def pictures(size: int = 64) -> tuple[StreamFormat, list[tuple[bool, bytes]]]:
    """Eight seconds, a key frame each second."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = size, size, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.options = {"x264-params": f"scenecut=0:keyint={FPS}:min-keyint={FPS}:bframes=0:qp=10"}
    packets: list[av.Packet] = []
    for number in range(PERIOD):
        frame = av.VideoFrame(size, size, "yuv420p")
        for index, plane in enumerate(frame.planes):
            plane.update(bytes((DARKEST + number if index == 0 else 128,)) * plane.buffer_size)
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets = ParameterSets("h264")
    frames = []
    for packet in packets:
        units = [
            u
            for u in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
            if u and not sets.take(u)
        ]
        frames.append((packet.is_keyframe, b"".join(len(u).to_bytes(4, "big") + u for u in units)))
    return StreamFormat(sets.format(), SOUND), frames


@dataclass
class Film:
    """A source of samples whose clock the test sets. `at_90k` is its time now. `off_sec`: its clock minus ours, as it tells."""

    started: datetime = STARTED
    off_sec: float | None = None
    at_90k: int = 900_000
    sinks: list[SampleSink] = field(default_factory=list)
    number: int = 0

    def add_sink(self, sink: SampleSink) -> None:
        self.sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self.sinks.remove(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        at = self.started + timedelta(seconds=(at_90k - 900_000) / VIDEO_RATE)
        return WallClock(at, "rtcp", 0.02, self.off_sec)

    def begin(self, size: int = 64) -> None:
        for sink in self.sinks:
            sink.on_format(pictures(size)[0])

    def play(self, seconds: float, size: int = 64) -> None:
        """With sound."""
        frames = pictures(size)[1]
        for _ in range(round(seconds * FPS)):
            key, data = frames[self.number % PERIOD]
            self.number += 1
            for sink in self.sinks:
                sink.on_video(VideoSample(self.at_90k, self.at_90k, key, data))
                sink.on_audio(AudioSample(self.at_90k * 8 // 90, 320, b"\xd5" * 320))
            self.at_90k += TICK

    def lose(self) -> None:
        """What is left of the second does not arrive whole: nothing can be decoded up to its key frame."""
        start, frames = self.at_90k, -self.number % FPS
        self.number += frames
        self.at_90k += frames * TICK
        for sink in self.sinks:
            sink.on_loss(Loss(start, self.at_90k, 1, frames - 1))

    def pause(self, seconds: float) -> None:
        """The camera goes away and comes back; pictures go on with the next whole second's."""
        for sink in self.sinks:
            sink.on_break("connection_lost")
        self.at_90k += round(seconds * VIDEO_RATE)
        self.number = -(-self.number // FPS) * FPS
        self.begin()


class _File:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)

    async def close(self) -> None:
        self._file.close()


@dataclass
class _Keeper:
    folder: Path
    paths: list[Path] = field(default_factory=list)
    ended: list[SegmentFacts] = field(default_factory=list)

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> Any:
        self.paths.append(self.folder / f"{note.timeline}-{note.number:03d}.mp4")
        return _File(self.paths[-1])

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...

    def on_grown(self, file: Any, growth: Growth) -> None: ...

    def on_ended(self, file: Any, facts: SegmentFacts) -> None:
        self.ended.append(facts)


async def film(
    folder: Path,
    script: Callable[[Film], None],
    *,
    timeline: str = "t1",
    segment_sec: float = 2,
    started: datetime = STARTED,
) -> tuple[list[Path], list[SegmentFacts]]:
    """Records `script` into segments below `folder`; their files, oldest first, and what the recorder says of them."""
    camera, keeper = Film(started), _Keeper(folder)
    recorder = SegmentRecorder(
        camera, keeper, SegmentIdentity("cam-1", "main", timeline), segment_sec=segment_sec
    )
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    script(camera)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return keeper.paths, keeper.ended
