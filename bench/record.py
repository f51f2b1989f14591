"""Recording many cameras in one process, against one `ffmpeg -c copy` per camera, in the same run.

Both record the same simulated cameras (1080p, H.264, 2 Mbit/s constant, 15 fps, key frame every 2 s, RTSP over TCP) to segments of
10 s. CPU is the process's own user and system time over the measured stretch, per camera; memory is resident size over that of
the same process without cameras (ours), and resident size per process (ffmpeg's).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil

from bench import Result
from novavms_camera.capture import (
    CaptureStream,
    Growth,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    SyncedFile,
)
from novavms_camera.source import StreamSource

FOOTAGE = Path(__file__).parent.parent / "simcam/src/novavms_simcam/footage/pedestrians-h264.mp4"
CAMERAS = 50
PEERS = 8
SECONDS = 20
WARM_UP = 8
SYNC_SEC: float | None = 1.0


def make_footage(folder: Path) -> Path:
    """2 Mbit/s constant, so that the figure means what it says."""
    out = folder / "2mbit.mp4"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-y",
        "-stream_loop",
        "-1",
        "-i",
        str(FOOTAGE),
        "-t",
        "12",
        "-an",
    ]
    command += [
        "-vf",
        "scale=1920:1080",
        "-r",
        "15",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ]
    command += [
        "-b:v",
        "2M",
        "-minrate",
        "2M",
        "-maxrate",
        "2M",
        "-bufsize",
        "2M",
        "-x264-params",
        "nal-hrd=cbr",
        str(out),
    ]
    subprocess.run(command, check=True)
    return out


@contextmanager
def cameras(folder: Path, count: int, media: Path) -> Iterator[list[str]]:
    """Simulated cameras in a process of their own; answers their RTSP URLs."""
    ready = folder / "ready.json"
    command = [
        str(Path(sys.executable).parent / "novavms-simcam"),
        "run",
        "--count",
        str(count),
        "--type",
        "rtsp",
        "--auth",
        "none",
    ]
    command += ["--audio", "none", "--media", str(media), "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise RuntimeError("the simulated cameras did not start")
            time.sleep(0.05)
        yield [camera["rtsp_url"] for camera in json.loads(ready.read_text())["cameras"]]
    finally:
        process.terminate()
        process.wait()


def cpu_sec(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class Folder:
    """Keeps segments by their numbers, synced each second as the gateway does; ffmpeg syncs nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SyncedFile:
        return SyncedFile(self.folder / f"{note.number:04}.mp4", sync_sec=SYNC_SEC)

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: Any, growth: Growth) -> None: ...
    def on_ended(self, file: Any, facts: SegmentFacts) -> None: ...


async def record(urls: list[str], folder: Path) -> None:
    """The measured process: prints its resident size before, then records until its parent kills it."""
    print(json.dumps({"rss": psutil.Process().memory_info().rss}), flush=True)
    tasks = []
    for number, url in enumerate(urls):
        stream = CaptureStream(StreamSource(url=url))
        target = folder / str(number)
        target.mkdir()
        tasks += [
            asyncio.create_task(stream.run()),
            asyncio.create_task(
                SegmentRecorder(stream, Folder(target), SegmentIdentity(str(number), "main", "bench")).run()
            ),
        ]
    await asyncio.gather(*tasks)


def measure_ours(urls: list[str], folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.record", str(folder), *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    try:
        assert process.stdout is not None
        base = json.loads(process.stdout.readline())["rss"]
        time.sleep(WARM_UP)
        watched = psutil.Process(process.pid)
        started, before = time.monotonic(), cpu_sec(watched)
        time.sleep(SECONDS)
        used, took, rss = cpu_sec(watched) - before, time.monotonic() - started, watched.memory_info().rss
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "cpu_percent": 100 * used / took / len(urls),
        "memory_mb": (rss - base) / len(urls) / 1e6,
        "mbit_per_sec": written * 8 / (took + WARM_UP) / len(urls) / 1e6,
    }


def measure_ffmpeg(urls: list[str], folder: Path) -> dict[str, Any]:
    processes = []
    for number, url in enumerate(urls):
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-rtsp_transport",
            "tcp",
            "-i",
            url,
            "-c",
            "copy",
            "-f",
            "segment",
        ]
        command += [
            "-segment_time",
            "10",
            "-segment_format_options",
            "movflags=frag_keyframe",
            str(folder / f"{number}-%03d.mp4"),
        ]
        processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
    try:
        time.sleep(WARM_UP)
        watched = [psutil.Process(process.pid) for process in processes]
        started, before = time.monotonic(), sum(map(cpu_sec, watched))
        time.sleep(SECONDS)
        used, took = sum(map(cpu_sec, watched)) - before, time.monotonic() - started
        rss = sum(process.memory_info().rss for process in watched)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return {"cpu_percent": 100 * used / took / len(urls), "memory_mb": rss / len(urls) / 1e6}


def run(*, quick: bool = False) -> list[Result]:
    """A minute and a half; `quick` halves the cameras."""
    count = CAMERAS // 2 if quick else CAMERAS
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        folder = Path(name)
        with cameras(folder, count, make_footage(folder)) as urls:
            for part in ("ours", "ffmpeg"):
                (folder / part).mkdir()
            ours = measure_ours(urls, folder / "ours")
            peer = measure_ffmpeg(urls[:PEERS], folder / "ffmpeg")
    if ours["mbit_per_sec"] < 1.5:
        raise RuntimeError(
            f"only {ours['mbit_per_sec']:.2f} Mbit/s per camera reached the disk: this measures nothing"
        )
    cpu = (f"{ours['cpu_percent']:.3f} % of a core", f"{peer['cpu_percent']:.3f} % ffmpeg -c copy")
    memory = (f"{ours['memory_mb']:.2f} MB", "4 MB asked")
    return [
        Result(
            f"CPU per camera, {count} recorded in one process",
            *cpu,
            ours["cpu_percent"] / peer["cpu_percent"],
            0.5,
        ),
        Result(f"memory per camera, {count} recorded in one process", *memory, ours["memory_mb"] / 4, 1),
        Result(
            "memory per camera",
            memory[0],
            f"{peer['memory_mb']:.1f} MB ffmpeg -c copy",
            ours["memory_mb"] / peer["memory_mb"],
            1,
        ),
    ]


if __name__ == "__main__":
    import uvloop

    uvloop.run(record(sys.argv[2:], Path(sys.argv[1])))
