"""The gateway's continuous recording (index, ledger, queue, syncs) against the capture's bare segment recorder on the same disk.

Made-up cameras of 2 Mbit/s, 15 pictures a second, a key frame every 2 s, are driven without a network, in real time: all that differs is
what the gateway adds. Processor time of the process, threads included, per camera; memory beyond the same process without cameras.
"""

from __future__ import annotations

import asyncio
import importlib
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

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
    StreamStatus,
    SyncedFile,
    WallClock,
)
from novavms_camera.capture.model import VIDEO_RATE, StreamFormat, VideoSample
from novavms_camera.capture.ring import Gop
from novavms_camera.rtsp.parameter_sets import VideoFormat

CAMERAS = 100
SECONDS = 20
FPS = 15
FRAME = 2_000_000 // 8 // FPS
FORMAT = StreamFormat(VideoFormat("h264", 1920, 1080, 15.0, b"\x01" * 40, b"", "avc1.640028", 0), None)


class Camera:
    """One frame at a time, when it is told."""

    def __init__(self, number: int) -> None:
        self.id = UUID(int=number + 1)
        self.status = StreamStatus("online", None, None, datetime.now(UTC))
        self._sinks: list[SampleSink] = []
        self._frame = 0
        self._origin = time.time()

    def add_sink(self, sink: SampleSink) -> None:
        sink.on_format(FORMAT)
        self._sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self._sinks.remove(sink)

    def recent(self, seconds: float) -> tuple[StreamFormat | None, list[Gop]]:
        return None, []

    def wall_clock(self, at_90k: int) -> WallClock:
        return WallClock(datetime.fromtimestamp(self._origin + at_90k / VIDEO_RATE, UTC), "arrival", 0.5)

    def second(self) -> None:
        for _ in range(FPS):
            at = self._frame * VIDEO_RATE // FPS
            sample = VideoSample(at, at, self._frame % (2 * FPS) == 0, bytes(FRAME))
            self._frame += 1
            for sink in tuple(self._sinks):
                sink.on_video(sample)


class Keeper:
    """Files in a folder, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SegmentFile:
        return SyncedFile(self._folder / f"{note.number}.mp4")

    def on_begun(self, file: SegmentFile, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: SegmentFile, growth: Growth) -> None: ...
    def on_ended(self, file: SegmentFile, facts: SegmentFacts) -> None: ...


async def drive(cameras: list[Camera], seconds: int) -> None:
    """Each second of each camera at its own moment."""
    began = time.monotonic()
    for second in range(seconds):
        for number, camera in enumerate(cameras):
            await asyncio.sleep(max(0.0, began + second + number / len(cameras) - time.monotonic()))
            camera.second()


async def bare(cameras: list[Camera], folder: Path, seconds: int) -> None:
    recorders = [
        SegmentRecorder(camera, Keeper(folder / camera.id.hex), SegmentIdentity(str(camera.id), "main", "t"))
        for camera in cameras
    ]
    tasks = [asyncio.ensure_future(recorder.run()) for recorder in recorders]
    await drive(cameras, seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def gateway(cameras: list[Camera], folder: Path, seconds: int) -> None:
    from novavms_gateway.kit.clock import SystemClock
    from novavms_gateway.kit.disk import SystemDisk, Threads
    from novavms_gateway.link.outbox import Outbox
    from novavms_gateway.recording.recordings import Recordings
    from novavms_gateway.storage.journal import Journal
    from novavms_gateway.storage.opening import SystemIndexFile, open_storage
    from novavms_gateway.storage.retention import Limits
    from novavms_gateway.storage.volume import Volume
    from novavms_protocol import CameraConfig, RecordingPlan

    clock, disk, threads, gateway_id = SystemClock(), SystemDisk(), Threads(), uuid4()
    journal = await Journal.open(folder, gateway_id=gateway_id)
    volume = Volume(folder / "volume", gateway_id=gateway_id, disk=disk, off_loop=threads, clock=clock)
    index = await open_storage(SystemIndexFile(folder), volume, clock, gateway_id=gateway_id)

    async def nothing() -> None: ...

    recordings = Recordings(
        index=index,
        volume=volume,
        disk=disk,
        off_loop=threads,
        clock=clock,
        outbox=Outbox(journal, clock),
        limits=Limits(max_bytes=None, reserve_bytes=0, share_max=0.1),
        free_clips=nothing,
    )
    plain = CameraConfig(
        camera_id=uuid4(),
        revision=1,
        name="",
        kind="rtsp",
        host="192.0.2.1",
        port=554,
        recording=RecordingPlan(mode="continuous"),
    )
    by_id = {camera.id: camera for camera in cameras}
    running = asyncio.ensure_future(recordings.run())
    recordings.reconcile([msgspec.structs.replace(plain, camera_id=known) for known in by_id], by_id.get)
    await drive(cameras, seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await recordings.stop()
    await index.close()
    await journal.close()
    await threads.close()


def one(which: str, count: int, seconds: int) -> None:
    """In a process of its own: prints processor seconds and peak bytes."""
    work = {"bare": bare, "gateway": gateway, "none": bare}[which]
    importlib.import_module("novavms_gateway.recording.recordings")  # before the clock runs
    importlib.import_module("novavms_gateway.storage.opening")
    cameras = [] if which == "none" else [Camera(number) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        asyncio.run(work(cameras, Path(folder), seconds if cameras else 0))
        print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def run(quick: bool = False) -> list[Result]:
    """At most 1.5 times the bare recorder's processor time; at most 3 MB a camera."""
    count, seconds = (20, 6) if quick else (CAMERAS, SECONDS)
    seen: dict[str, tuple[float, int]] = {}
    for which in ("none", "bare", "gateway"):
        command = [sys.executable, "-m", "bench.continuous", which, str(count), str(seconds)]
        cpu, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seen[which] = (float(cpu), int(memory))
    share = {which: 100 * cpu / seconds / count for which, (cpu, _) in seen.items()}
    memory_mb = (seen["gateway"][1] - seen["none"][1]) / count / 1e6
    return [
        Result(
            f"recording by the gateway, {count} cameras without a network",
            f"{share['gateway']:.3f} % of a core a camera",
            f"{share['bare']:.3f} % bare segment recorder",
            share["gateway"] / share["bare"],
            1.5,
        ),
        Result("its memory, at its peak", f"{memory_mb:.2f} MB a camera", "3 MB asked", memory_mb / 3, 1),
    ]


if __name__ == "__main__":
    one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
