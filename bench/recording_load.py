"""A gateway that records 100 cameras while 10 clips a minute are cut and 10 viewers play: is every picture there, and what does a camera take?

Server (on its PostgreSQL), gateway and simulated cameras (2 Mbit/s, 15 pictures a second, a key frame every 2 s, RTSP over TCP) are
processes of their own, as people start them. No packet lost means: no camera had to drop a frame because it was read too slowly, between
the first and the last picture of each session none is missing in the files, and no ledger has a gap. Memory is the gateway's
resident size over that of itself without cameras.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench import Result
from bench._site import Site, make_site
from bench.record import make_footage
from novavms_camera.capture.fmp4_reader import read_fragmented

COUNTS = (50, 100)
SETTLE_SEC = 25
"""Until pre-roll and queues are as full as they get."""
LOAD_SEC = 60
VIEWERS = 10
CLIP_EVERY_SEC = 6
CLIP_SEC = 20
FRAME_90K = 90_000 // 15


@dataclass
class Load:
    """Ten viewers and a clip every six seconds."""

    site: Site
    clips: list[str] = field(default_factory=list)
    files: int = 0
    late: int = 0
    failures: list[str] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        work = [asyncio.ensure_future(self._view(number)) for number in range(VIEWERS)]
        work.append(asyncio.ensure_future(self._cut()))
        await asyncio.sleep(seconds)
        for task in work:
            task.cancel()
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, httpx.HTTPStatusError):  # its own text has the address, which is a ticket
                self.failures.append(f"{outcome.response.status_code} {outcome.response.text}")
            elif isinstance(outcome, Exception):
                self.failures.append(repr(outcome))

    async def _view(self, number: int) -> None:
        """Plays what was recorded half a minute ago, a file in the time that it lasts; `late` is one that came later."""
        await asyncio.sleep(number)  # they do not all begin at once
        camera = self.site.cameras[number * len(self.site.cameras) // VIEWERS]
        while True:
            until = datetime.now(UTC) - timedelta(seconds=15)
            address, names = await self.site.playlist(camera, until - timedelta(seconds=20), until)
            for name in dict.fromkeys(names):
                began = time.monotonic()
                (await self.site.client.get(address.join(name))).raise_for_status()
                took = time.monotonic() - began
                self.files += 1
                self.late += took > 10
                await asyncio.sleep(max(0.0, 10 - took))

    async def _cut(self) -> None:
        while True:
            camera = self.site.cameras[len(self.clips) * 7 % len(self.site.cameras)]
            self.clips.append(
                await self.site.cut(camera, datetime.now(UTC) - timedelta(seconds=15), CLIP_SEC)
            )
            await asyncio.sleep(CLIP_EVERY_SEC)

    async def not_ready(self) -> int:
        """Clips that did not come within half a minute, or have a hole."""
        deadline = time.monotonic() + 30
        while True:
            states = [await self.site.clip(event_id) for event_id in self.clips]
            bad = [clip for clip in states if clip["status"] != "ready" or clip["gap_sec"]]
            if not bad or time.monotonic() > deadline:
                return len(bad)
            await asyncio.sleep(1)


@dataclass(frozen=True)
class Footage:
    """What the files have."""

    pictures: int
    missing: int
    gaps: int
    """With sessions that broke off and went on: too short a break is no gap."""
    lossy_ms: int


def look_at_footage(site: Site, since: datetime) -> Footage:
    """Reads the heads of all whole segments, each session's in the order of its time."""
    paths = {int(path.stem.rsplit("-", 1)[1]): path for path in site.volume.rglob("*.mp4")}
    with closing(sqlite3.connect(f"file:{site.index}?mode=ro", uri=True, timeout=10)) as db:
        rows = db.execute("SELECT id, camera, session FROM segment ORDER BY camera, session, start_90k")
        known = rows.fetchall()
        gaps, lossy = db.execute(
            "SELECT (SELECT count(*) FROM ledger WHERE reason IS NOT NULL AND end_us > ?),"
            " (SELECT coalesce(sum(lossy_us), 0) / 1000 FROM segment)",
            (int(since.timestamp() * 1e6),),
        ).fetchone()
    pictures = missing = 0
    before: tuple[Any, int] | None = None
    for segment_id, camera, session in known:
        video = read_fragmented(paths[segment_id]).video
        for sample in video.samples if video is not None else []:
            if before is not None and before[0] == (camera, session):
                missing += max(0, round((sample.dts - before[1]) / FRAME_90K) - 1)
            before = ((camera, session), sample.dts)
            pictures += 1
    breaks = len({row[1:] for row in known}) - len({row[1] for row in known})
    return Footage(pictures, missing, gaps + breaks, lossy)


async def measure(folder: Path, counts: tuple[int, ...], settle_sec: float, load_sec: float) -> list[Result]:
    media = str(await asyncio.to_thread(make_footage, folder))
    settings = {"NOVAVMS_GATEWAY_RECORDINGS_RESERVE_BYTES": "0"}
    async with make_site(folder, counts[-1], media=media, audio="none", settings=settings) as site:
        gateway = psutil.Process(site.gateway.pid)
        base = gateway.memory_info().rss
        results = []
        since = datetime.now(UTC)
        for count in counts:
            await site.add(count - len(site.cameras))
            since = datetime.now(UTC)
            await asyncio.sleep(settle_sec)
            each = (gateway.memory_info().rss - base) / count / 1e6
            what = f"memory per camera, {count} recorded by a gateway"
            results.append(Result(what, f"{each:.2f} MB", "3 MB asked", each / 3, 1))
        load = Load(site)
        cpu, began = sum(gateway.cpu_times()[:2]), time.monotonic()
        await load.run(load_sec)
        share = 100 * (sum(gateway.cpu_times()[:2]) - cpu) / (time.monotonic() - began) / counts[-1]
        each = (gateway.memory_info().rss - base) / counts[-1] / 1e6
        results.append(Result("the same after the load", f"{each:.2f} MB", "3 MB asked", each / 3, 1))
        print(f"recording_load: {share:.3f} % of a core a camera under the load", file=sys.stderr)
        results += await judge(site, load, since, counts[-1])
    for failure in load.failures:
        print(f"recording_load: {failure}", file=sys.stderr)
    return results


async def judge(site: Site, load: Load, since: datetime, count: int) -> list[Result]:
    waiting = await load.not_ready()
    dropped = await site.dropped()
    seen = await asyncio.to_thread(look_at_footage, site, since)
    if seen.pictures < count * 15 * 20 or not load.files:
        raise RuntimeError(f"{seen.pictures} pictures and {load.files} files played: this measures nothing")
    beside = f"{len(load.clips)} clips cut, {VIEWERS} viewers"
    bad = len(load.failures)
    return [
        Result(
            f"pictures missing of {count} cameras'",
            f"{seen.missing} of {seen.pictures}",
            beside,
            seen.missing,
            0,
        ),
        Result("frames that cameras dropped: read too slowly", f"{dropped}", beside, dropped, 0),
        Result(
            "gaps and breaks in the recordings",
            f"{seen.gaps} and {seen.lossy_ms} ms lossy",
            beside,
            seen.gaps + seen.lossy_ms,
            0,
        ),
        Result(
            "clips that are not ready, or have a hole", f"{waiting}", f"{len(load.clips)} ordered", waiting, 0
        ),
        Result(
            "files that came later than they play",
            f"{load.late + bad}",
            f"{load.files} played",
            load.late + bad,
            0,
        ),
    ]


def run(*, quick: bool = False) -> list[Result]:
    """Two and a half minutes; `quick` takes 20 cameras and one."""
    counts, settle_sec, load_sec = ((20,), 25.0, 20.0) if quick else (COUNTS, SETTLE_SEC, LOAD_SEC)
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        try:
            return asyncio.run(measure(Path(name), counts, settle_sec, load_sec))
        except httpx.HTTPStatusError as error:
            raise RuntimeError(f"{error}: {error.response.text}") from None
