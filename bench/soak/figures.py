"""What the soak looks at: memory, open files and processor time of the processes, and what the gateway and the server say of the footage."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from bench._site import Site

MB = 1e6


class Sample(NamedTuple):
    """One process at one moment. `at`: monotonic seconds."""

    at: float
    pid: int
    rss: int
    files: int
    threads: int
    cpu_sec: float


class Ledger(NamedTuple):
    """The footage, as index and server have it at one moment."""

    segments: int
    size: int
    gaps: int
    lossy_ms: int
    dropped: int
    lag_sec: float
    """How long ago it is that the server was told all of it, of the camera that is furthest behind."""
    rows_waiting: int


def sample(pid: int) -> Sample:
    process = psutil.Process(pid)
    with process.oneshot():
        times = process.cpu_times()
        return Sample(
            time.monotonic(),
            pid,
            process.memory_info().rss,
            process.num_fds(),
            process.num_threads(),
            times.user + times.system,
        )


def database_of(server_data: Path) -> list[psutil.Process]:
    """The server's PostgreSQL with its children; empty while it is not running."""
    for file in server_data.rglob("postmaster.pid"):
        try:
            leader = psutil.Process(int(file.read_text().split("\n", 1)[0]))
            return [leader, *leader.children()]
        except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
            pass
    return []


def own_memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes that only they have: shared buffers count in none."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            pass
    return total


async def ledger(site: Site) -> Ledger:
    """Raises httpx.HTTPError while the server is away."""
    try:
        told_until = [
            datetime.fromisoformat(camera["as_of"]) if camera["as_of"] else datetime.fromtimestamp(0, UTC)
            for camera in await site.summary()
        ]
        lag = (datetime.now(UTC) - min(told_until)).total_seconds()
    except httpx.HTTPError:
        lag = -1.0
    waiting = site.look(
        "SELECT coalesce((SELECT max(seq) FROM ledger), 0)"
        " - coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'told'), 0)"
    )
    return Ledger(
        segments=site.look("SELECT count(*) FROM segment"),
        size=site.look("SELECT coalesce(sum(size), 0) FROM segment"),
        gaps=site.look("SELECT count(*) FROM ledger WHERE reason IS NOT NULL AND reason <> 'retention'"),
        lossy_ms=site.look("SELECT coalesce(sum(lossy_us), 0) / 1000 FROM segment"),
        dropped=await site.dropped(),
        lag_sec=lag,
        rows_waiting=waiting,
    )


def slope_per_hour(samples: Sequence[Sample]) -> float:
    """Least squares through resident size, in bytes an hour."""
    if len(samples) < 2:
        return 0.0
    fitted = statistics.linear_regression([s.at for s in samples], [float(s.rss) for s in samples])
    return fitted.slope * 3600


def share_of_core(samples: Sequence[Sample]) -> float:
    """Per cent, from the first to the last."""
    if len(samples) < 2 or samples[0].pid != samples[-1].pid:
        return 0.0
    first, last = samples[0], samples[-1]
    return 100 * (last.cpu_sec - first.cpu_sec) / (last.at - first.at)


def grown_files(samples: Sequence[Sample]) -> float:
    """Between the first third and the last, in the middle of each."""
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    return statistics.median(s.files for s in last) - statistics.median(s.files for s in first)
