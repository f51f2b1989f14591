"""Recording many cameras in one process, against one `ffmpeg -c copy` per camera and a floor in C, all in the same seconds.

All record the same simulated cameras (1080p, H.264, 2 Mbit/s constant, 15 fps, key frame every 2 s, RTSP over TCP): we and ffmpeg to
segments of 10 s, ours hashed and synced each second; the floor (floor.c) each RTP packet by a write of its own. CPU is the processes' own
user and system time over the measured stretch, per camera; memory is resident size over that of the same process without cameras (ours),
and resident size per process (ffmpeg's). They run side by side, so that what else the machine does bears on all of them.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    SyncPace,
)
from novavms_camera.source import StreamSource

FOOTAGE = Path(__file__).parent.parent / "simcam/src/novavms_simcam/footage/pedestrians-h264.mp4"
FLOOR = Path(__file__).parent / "floor.c"
COUNTS = (50, 100)
PEERS = 8
SECONDS = 20
WARM_UP = 12
SYNC_SEC = 1.0


def make_footage(folder: Path) -> Path:
    """2 Mbit/s constant, so that the figure means what it says."""
    out = folder / "2mbit.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1"]
    command += ["-i", str(FOOTAGE), "-t", "12", "-an", "-vf", "scale=1920:1080", "-r", "15"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "30", "-sc_threshold", "0"]
    command += ["-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "2M"]
    command += ["-x264-params", "nal-hrd=cbr", str(out)]
    subprocess.run(command, check=True)
    return out


def make_floor(folder: Path) -> Path | None:
    """The floor's program; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    out = folder / "floor"
    subprocess.run([compiler, "-O2", "-D_GNU_SOURCE", "-o", str(out), str(FLOOR)], check=True)
    return out


@contextmanager
def cameras(folder: Path, count: int, media: Path) -> Iterator[list[str]]:
    """Simulated cameras in a process of their own; answers their RTSP URLs."""
    ready = folder / f"ready-{count}.json"
    command = [str(Path(sys.executable).parent / "novavms-simcam"), "run", "--count", str(count)]
    command += ["--type", "rtsp", "--auth", "none", "--audio", "none"]
    command += ["--media", str(media), "--ready-file", str(ready)]
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


class Folder:
    """Keeps segments by their numbers."""

    def __init__(self, folder: Path, pace: SyncPace) -> None:
        self.folder = folder
        self.pace = pace

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SyncedFile:
        return SyncedFile(self.folder / f"{note.number:04}.mp4", self.pace)

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: Any, growth: Growth) -> None: ...
    def on_ended(self, file: Any, facts: SegmentFacts) -> None: ...


async def record(urls: list[str], folder: Path) -> None:
    """The measured process: prints its resident size before, then records until its parent kills it."""
    print(json.dumps({"rss": psutil.Process().memory_info().rss}), flush=True)
    tasks = []
    pace = SyncPace(SYNC_SEC)
    for number, url in enumerate(urls):
        stream = CaptureStream(StreamSource(url=url))
        target = folder / str(number)
        target.mkdir()
        identity = SegmentIdentity(str(number), "main", "bench")
        tasks += [
            asyncio.create_task(stream.run()),
            asyncio.create_task(SegmentRecorder(stream, Folder(target, pace), identity).run()),
        ]
    await asyncio.gather(*tasks)


@dataclass
class Runner:
    """Processes that record `count` cameras together."""

    processes: list[subprocess.Popen[str]]
    count: int

    def cpu_sec(self) -> float:
        times = [psutil.Process(process.pid).cpu_times() for process in self.processes]
        return float(sum(each.user + each.system for each in times))

    def rss(self) -> int:
        return sum(int(psutil.Process(process.pid).memory_info().rss) for process in self.processes)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def start_ours(urls: list[str], folder: Path) -> tuple[Runner, int]:
    """Also the resident size before the first camera."""
    command = [sys.executable, "-m", "bench.record", str(folder), *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    assert process.stdout is not None
    return Runner([process], len(urls)), int(json.loads(process.stdout.readline())["rss"])


def start_floor(program: Path, urls: list[str], folder: Path) -> Runner:
    command = [str(program), str(folder), *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return Runner([process], len(urls))


def start_ffmpeg(urls: list[str], folder: Path) -> Runner:
    processes = []
    for number, url in enumerate(urls):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-rtsp_transport", "tcp", "-i", url]
        command += ["-c", "copy", "-f", "segment", "-segment_time", "10"]
        command += ["-segment_format_options", "movflags=frag_keyframe", str(folder / f"{number}-%03d.mp4")]
        processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True))
    return Runner(processes, len(urls))


def measure(urls: list[str], folder: Path, floor: Path | None) -> dict[str, float]:
    """CPU in per cent of a core, memory in MB, each per camera, of all who record `urls` side by side."""
    runners: dict[str, Runner] = {}
    try:
        for name in ("ours", "ffmpeg", "floor"):
            (folder / name).mkdir(parents=True)
        runners["ours"], base = start_ours(urls, folder / "ours")
        runners["ffmpeg"] = start_ffmpeg(urls[:PEERS], folder / "ffmpeg")
        if floor is not None:
            runners["floor"] = start_floor(floor, urls, folder / "floor")
        time.sleep(WARM_UP)
        started, before = time.monotonic(), {name: runner.cpu_sec() for name, runner in runners.items()}
        size = sum(path.stat().st_size for path in (folder / "ours").rglob("*.mp4"))
        time.sleep(SECONDS)
        took = time.monotonic() - started
        found = {name: 100 * (r.cpu_sec() - before[name]) / took / r.count for name, r in runners.items()}
        found["memory"] = (runners["ours"].rss() - base) / len(urls) / 1e6
        found["ffmpeg memory"] = runners["ffmpeg"].rss() / PEERS / 1e6
        size = sum(path.stat().st_size for path in (folder / "ours").rglob("*.mp4")) - size
    finally:
        for runner in runners.values():
            runner.stop()
    rate = size * 8 / took / len(urls) / 1e6
    if rate < 1.5:
        raise RuntimeError(f"only {rate:.2f} Mbit/s per camera reached the disk: this measures nothing")
    return found


def run(*, quick: bool = False) -> list[Result]:
    """A minute and a half; `quick` takes the smaller number of cameras alone."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        folder = Path(name)
        media, floor = make_footage(folder), make_floor(folder)
        if floor is None:
            print("record: no C compiler, so the floor is left out", file=sys.stderr)
        for count in COUNTS[:1] if quick else COUNTS:
            with cameras(folder, count, media) as urls:
                results += _results(count, measure(urls, folder / str(count), floor))
    return results


def _results(count: int, found: dict[str, float]) -> list[Result]:
    ours, memory = found["ours"], found["memory"]
    cpu, many = f"{ours:.3f} % of a core", f"{count} recorded in one process"
    peer, heavy = found["ffmpeg"], found["ffmpeg memory"]
    results = [
        Result(f"CPU per camera, {many}", cpu, f"{peer:.3f} % ffmpeg -c copy", ours / peer, 0.4),
        Result(f"memory per camera, {many}", f"{memory:.2f} MB", "3 MB asked", memory / 3, 1),
        Result(
            f"memory per camera, {count}",
            f"{memory:.2f} MB",
            f"{heavy:.1f} MB ffmpeg -c copy",
            memory / heavy,
            1,
        ),
    ]
    if "floor" in found:
        floor = found["floor"]
        results.insert(
            1, Result(f"CPU per camera, {many}", cpu, f"{floor:.3f} % the floor in C", ours / floor, 5)
        )
    return results


if __name__ == "__main__":
    import uvloop

    uvloop.run(record(sys.argv[2:], Path(sys.argv[1])))
