"""The soak's judgement. The bounds, and why:

Memory: 0.1 MB an hour and camera of the gateway. A camera makes 360 segments an hour, so a leak of 300 bytes a segment is seen, and one
of 2 bytes a frame; what the allocator and SQLite's page cache move by in a healthy hour is below it. The server has 5 MB an hour in all.
The first third of the run is warm-up: pools, caches and pre-roll fill. Open files: a segment's end opens the next beside it, so ten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from bench import Result
from bench._site import Site
from bench.soak.figures import MB, Ledger, Sample, grown_files, share_of_core, slope_per_hour
from bench.soak.life import Life

GATEWAY_MB_PER_HOUR_AND_CAMERA = 0.1
SERVER_MB_PER_HOUR = 5.0
FILES = 10
LAG_SEC = 90.0
OURS: frozenset[str] = frozenset({"retention"})


def steady(samples: Sequence[Sample]) -> list[Sample]:
    """Without the first third, and of the last process alone."""
    last = samples[-1].pid
    return [s for s in samples[len(samples) // 3 :] if s.pid == last]


def of_processes(gateway: Sequence[Sample], server: Sequence[Sample], cameras: int) -> list[Result]:
    results = []
    for name, samples, limit in (
        ("gateway", steady(gateway), GATEWAY_MB_PER_HOUR_AND_CAMERA * cameras),
        ("server", steady(server), SERVER_MB_PER_HOUR),
    ):
        slope, grown = slope_per_hour(samples) / MB, grown_files(samples)
        results += [
            Result(
                f"memory of the {name}, growth",
                f"{slope:+.2f} MB an hour, of {samples[-1].rss / MB:.0f} MB",
                f"{limit:g} MB an hour",
                slope / limit,
                1,
            ),
            Result(
                f"open files of the {name}, growth",
                f"{grown:+.1f} of {samples[-1].files}",
                f"{FILES}",
                grown / FILES,
                1,
            ),
        ]
    results.append(
        Result(
            "CPU of the gateway",
            f"{share_of_core(steady(gateway)):.1f} % of a core",
            "50 % of a core",
            share_of_core(steady(gateway)) / 50,
            1,
        )
    )
    return results


async def of_gaps(site: Site, life: Life, start: datetime, end: datetime) -> tuple[list[Result], list[str]]:
    """Every gap has a cause, and every cause its gap. Also sentences on those that have not."""
    unexplained: list[str] = []
    missing: list[str] = []
    explained = 0
    for number, camera_id in enumerate(site.cameras):
        gaps = await site.recordings(camera_id, start, end)
        mine = [trouble for trouble in life.troubles if trouble.number == number]
        for gap in gaps:
            if gap["reason"] in OURS:
                continue
            if any(trouble.explains(gap) for trouble in mine):
                explained += 1
            else:
                unexplained.append(
                    f"camera {number} has a gap that nothing explains: {gap}; done to it: {mine}"
                )
        missing += [
            f"camera {number}: not in the ledger: {trouble}"
            for trouble in mine
            if trouble.must_show
            and trouble.ended is not None
            and trouble.ended < end
            and not any(trouble.shows_in(gap) for gap in gaps)
        ]
    results = [
        Result(
            "gaps that nothing explains", f"{len(unexplained)}", f"{explained} explained", len(unexplained), 0
        ),
        Result(
            "troubles that the ledger hides",
            f"{len(missing)}",
            f"{len(life.troubles)} made",
            len(missing),
            0,
        ),
    ]
    return results, unexplained + missing


def of_footage(life: Life, ledgers: Sequence[Ledger], max_bytes: int) -> list[Result]:
    ready = sum(status == "ready" for status in life.clips.values())
    lag = max((each.lag_sec for each in ledgers), default=0.0)
    most = max((each.size for each in ledgers[len(ledgers) // 3 :]), default=0)
    lossy, dropped = (ledgers[-1].lossy_ms, ledgers[-1].dropped) if ledgers else (0, 0)
    return [
        Result(
            "clips that are not ready",
            f"{len(life.clips) - ready}",
            f"{len(life.clips)} ordered",
            len(life.clips) - ready,
            0,
        ),
        Result(
            "all else that failed", f"{len(life.failed)}", f"{life.played} playbacks", len(life.failed), 0
        ),
        Result("the server's ledger is behind, at most", f"{lag:.0f} s", f"{LAG_SEC:g} s", lag / LAG_SEC, 1),
        Result(
            "footage kept, at most",
            f"{most / MB:.0f} MB",
            f"{max_bytes / MB:.0f} MB and one look of 10 s",
            most / max_bytes,
            1.1,
        ),
        Result("frames dropped by cameras: read too slowly", f"{dropped}", f"lossy {lossy} ms", dropped, 0),
    ]


def of_disk(index: Path, volume: Path) -> tuple[list[Result], list[str]]:
    """After the gateway's end: every row has its file, of its size, and every file its row; no ledger has a hole or an overlap."""
    with closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)) as db:
        rows = {int(row[0]): int(row[1]) for row in db.execute("SELECT id, size FROM segment")}
        breaks = db.execute(
            "SELECT count(*) FROM (SELECT end_us, lead(start_us) OVER (PARTITION BY camera ORDER BY start_us) AS next_us FROM ledger)"
            " WHERE next_us <> end_us"
        ).fetchone()[0]
    files = {int(path.stem.rsplit("-", 1)[1]): path.stat().st_size for path in volume.rglob("*.mp4")}
    wrong = [
        f"segment {number}: {rows.get(number)} bytes in the index, {files.get(number)} on disk"
        for number in rows.keys() | files.keys()
        if rows.get(number) != files.get(number)
    ]
    results = [
        Result(
            "index and disk differ, after the end", f"{len(wrong)}", f"{len(rows)} segments", len(wrong), 0
        ),
        Result("holes and overlaps in the ledgers", f"{breaks}", "0", breaks, 0),
    ]
    return results, wrong


def table(sentences: Sequence[str]) -> list[str]:
    """At most twenty."""
    return [*sentences[:20], *([f"… and {len(sentences) - 20} more"] if len(sentences) > 20 else [])]
