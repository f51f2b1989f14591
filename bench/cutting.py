"""Cutting a clip of 60 s out of a recording, against copying as many bytes.

The floor does what no cut can do without: it reads as many bytes as the clip has from the same segments, hashes them by SHA-256, writes
them, syncs the file, renames it and syncs the folder; in pieces of a second of footage, in this process, in a thread, as the cut does. What is left is ours:
finding the samples, making the index of the MP4. 2 Mbit/s, 15 pictures a second, a key frame every 2 s, with AAC at 32 kbit/s and without;
from the middle of one segment to the middle of another. Both take turns; all is in the page cache, the disk is the machine's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import Result
from novavms_camera.capture import (
    Growth,
    SampleSink,
    SegmentFacts,
    SegmentFile,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    SyncedFile,
    WallClock,
)
from novavms_camera.capture.cutting import cut_segments
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import VideoFormat

STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = 80
CLIP_SEC = 60
FPS = 15
FRAME = 2_000_000 // 8 // FPS
AUDIO_RATE = 16_000
AUDIO_FRAME = 256
ROUNDS = 15
VIDEO = VideoFormat("h264", 1920, 1080, 15.0, b"\x01" * 40, b"", "avc1.640028", 0)


@dataclass
class Camera:
    """Gives its samples when it is told. Noise: nobody decodes them."""

    fmt: StreamFormat
    sinks: list[SampleSink] = field(default_factory=list)

    def add_sink(self, sink: SampleSink) -> None:
        sink.on_format(self.fmt)
        self.sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self.sinks.remove(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        return WallClock(STARTED + timedelta(seconds=at_90k / VIDEO_RATE), "rtcp", 0.02)

    def second(self, number: int) -> None:
        for frame in range(number * FPS, (number + 1) * FPS):
            at = frame * VIDEO_RATE // FPS
            sample = VideoSample(at, at, frame % (2 * FPS) == 0, os.urandom(FRAME))
            for sink in tuple(self.sinks):
                sink.on_video(sample)
        if self.fmt.audio is not None:
            first, last = (n * AUDIO_RATE // 1024 for n in (number, number + 1))
            for index in range(first, last):
                for sink in tuple(self.sinks):
                    sink.on_audio(AudioSample(index * 1024, 1024, os.urandom(AUDIO_FRAME)))


@dataclass
class Keeper:
    folder: Path
    paths: list[Path] = field(default_factory=list)

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SegmentFile:
        self.paths.append(self.folder / f"{note.number:03}.mp4")
        return SyncedFile(self.paths[-1])

    def on_begun(self, file: SegmentFile, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: SegmentFile, growth: Growth) -> None: ...
    def on_ended(self, file: SegmentFile, facts: SegmentFacts) -> None: ...


async def record(folder: Path, *, with_sound: bool) -> list[Path]:
    """Segments of `SECONDS`, oldest first."""
    folder.mkdir()
    sound = AudioFormat("aac", AUDIO_RATE, 1, b"\x14\x08") if with_sound else None
    camera, keeper = Camera(StreamFormat(VIDEO, sound)), Keeper(folder)
    recording = asyncio.ensure_future(
        SegmentRecorder(camera, keeper, SegmentIdentity("1", "main", "bench")).run()
    )
    while not camera.sinks:
        await asyncio.sleep(0)
    for second in range(SECONDS):
        camera.second(second)
        await asyncio.sleep(0.01)
    recording.cancel()
    await asyncio.gather(recording, return_exceptions=True)
    return keeper.paths


def copy(paths: list[Path], target: Path, size: int) -> None:
    """The floor: `size` bytes of `paths`, from the middle of the first on."""
    temporary = target.with_name(target.name + ".tmp")
    digest = hashlib.sha256()
    left = size
    piece = FRAME * FPS
    with temporary.open("wb") as writer:
        for number, path in enumerate(paths):
            with path.open("rb") as reader:
                reader.seek(path.stat().st_size // 2 if number == 0 else 0)
                while left and (data := reader.read(min(piece, left))):
                    digest.update(data)
                    writer.write(data)
                    left -= len(data)
        writer.flush()
        os.fsync(writer.fileno())
    digest.hexdigest()
    temporary.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    if left:
        raise RuntimeError(f"{left} bytes were not there to copy")


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Processor and wall time in ms, all threads."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return 1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - wall)


async def measure(folder: Path, rounds: int, *, with_sound: bool) -> list[Result]:
    paths = await record(folder, with_sound=with_sound)
    start = STARTED + timedelta(seconds=5)
    target = folder / "clip.mp4"

    async def cut() -> None:
        if await cut_segments(paths, target, start, start + timedelta(seconds=CLIP_SEC)) is None:
            raise RuntimeError("nothing was cut")

    await cut()
    size = target.stat().st_size
    if size < CLIP_SEC * FPS * FRAME * 0.95:
        raise RuntimeError(f"a clip of {size} bytes measures nothing")
    ours: list[tuple[float, float]] = []
    floor: list[tuple[float, float]] = []
    for _ in range(rounds):
        ours.append(await timed(cut))
        floor.append(await timed(lambda: asyncio.to_thread(copy, paths, target, size)))
    what = f"a clip of {CLIP_SEC} s, {size / 1e6:.1f} MB{', with sound' if with_sound else ''}"
    results = []
    for place, kind in enumerate(("CPU", "wall")):
        one = statistics.median(each[place] for each in ours)
        other = statistics.median(each[place] for each in floor)
        results.append(
            Result(f"cutting {what}: {kind}", f"{one:.1f} ms", f"{other:.1f} ms copied", one / other, 2)
        )
    return results


def run(*, quick: bool = False) -> list[Result]:
    """At most twice the floor, in processor time and by the clock on the wall."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        for with_sound in (False, True):
            folder = Path(name) / f"sound-{with_sound}"
            results += asyncio.run(measure(folder, 5 if quick else ROUNDS, with_sound=with_sound))
    return results
