"""The gateway's index at full size: a year's ledger of one camera, three million segments, and what retention costs on them.

Seeded in SQL, as the recorder would have left it: 100 cameras, 30,000 segments of 10 s each, and for one of them a year of
ledger with ten gaps a day. Reading: the thread's processor time, median of 15 (all is in memory), rows made into objects.
Removing: by the clock on the wall, with its syncs.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from bench import Result
from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.kit.disk import Inline, Space, SystemDisk
from novavms_gateway.kit.sqlite import Sqlite, connect
from novavms_gateway.storage import index as index_module
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.retention import Limits, Retention, _begin
from novavms_gateway.storage.segment_rows import Format, Segment
from novavms_gateway.storage.volume import Volume

CAMERAS = 100
SEGMENTS = 30_000
SIZE = 2_500_000
DAY_US = 86_400 * SECOND_US
START_US = 1_770_000_000 * SECOND_US
NOW_US = START_US + SEGMENTS * 10 * SECOND_US
GAPS_A_DAY = 10
ROUNDS = 15


def run(quick: bool = False) -> list[Result]:
    """The year's ledger and a page of segments under 50 ms; what retention does in a second, under a tenth of it."""
    with tempfile.TemporaryDirectory() as folder:
        db = connect(Path(folder) / "recordings.db", index_module.MIGRATIONS)
        try:
            camera_id = seed(db, SEGMENTS // 10 if quick else SEGMENTS)
            return measure(db, camera_id, Path(folder))
        finally:
            db.close()


def seed(db: sqlite3.Connection, segments: int) -> UUID:
    """Gives the camera that has a year's ledger."""
    cameras = [uuid4() for _ in range(CAMERAS)]
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    keys = [ledger_rows.camera_key(db, camera) for camera in cameras]
    fmt = segment_rows.format_key(db, Format("avc1.640028", "h264", 1920, 1080, False))
    for place, key in enumerate(keys):
        db.executemany(
            "INSERT INTO segment VALUES (?, ?, 'main', ?, ?, ?, 1200, zeroblob(32), ?, 'a/0', ?, ?, 0, 0)",
            (
                (
                    place * segments + n + 1,
                    key,
                    at,
                    at + 10 * SECOND_US,
                    SIZE,
                    fmt,
                    n * 900_000,
                    (n + 1) * 900_000,
                )
                for n, at in enumerate(range(START_US, START_US + segments * 10 * SECOND_US, 10 * SECOND_US))
            ),
        )
        db.execute(
            "UPDATE camera SET size = ?, longest_us = ?, retention_days = 4000 WHERE key = ?",
            (segments * SIZE, 10 * SECOND_US, key),
        )
    step = DAY_US // GAPS_A_DAY
    first = NOW_US - 365 * DAY_US
    rows = []
    for n, at in enumerate(range(first, NOW_US, step)):
        rows += [(keys[0], at, at + 60 * SECOND_US, "camera_offline", None, 0, 2 * n + 1)]
        rows += [(keys[0], at + 60 * SECOND_US, at + step, None, fmt, 10**9, 2 * n + 2)]
    db.executemany(
        "INSERT INTO ledger (camera, stream, start_us, end_us, reason, format, size, seq) VALUES (?, 'main', ?, ?, ?, ?, ?, ?)",
        rows,
    )
    db.execute("COMMIT")
    db.execute("PRAGMA synchronous = FULL")
    return cameras[0]


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return statistics.median(times) * 1000


def measure(db: sqlite3.Connection, camera_id: UUID, folder: Path) -> list[Result]:
    camera = ledger_rows.camera_key(db, camera_id)
    count = db.execute("SELECT count(*) FROM segment").fetchone()[0]
    year = ledger_rows.rows_between(db, camera, NOW_US - 365 * DAY_US, NOW_US)
    year_ms = milliseconds(lambda: ledger_rows.rows_between(db, camera, NOW_US - 365 * DAY_US, NOW_US))
    middle = START_US + DAY_US // 4
    page_ms = milliseconds(
        lambda: segment_rows.between(db, camera, middle, middle + 5_000 * SECOND_US, limit=500)
    )
    retention = _retention(db, folder)
    space = Space(10**12, 10**13)
    idle_ms = milliseconds(lambda: retention._choose(db, NOW_US, space))
    db.execute("UPDATE camera SET retention_days = 0")
    due, _ = retention._choose(db, NOW_US, space)
    assert due is not None
    choose_ms = milliseconds(lambda: retention._choose(db, NOW_US, space))
    batches = [due.segments[n : n + 40] for n in range(0, 200, 40)]
    began = time.perf_counter()
    for batch in batches:
        _remove(db, batch)
    remove_ms = (time.perf_counter() - began) * 1000
    return [
        Result(
            f"a year's ledger of one camera ({len(year)} rows)",
            f"{year_ms:.1f} ms",
            "50 ms asked",
            year_ms / 50,
            1,
        ),
        Result(f"500 segments of {count:,}", f"{page_ms:.1f} ms", "50 ms asked", page_ms / 50, 1),
        Result("retention looks, nothing is due", f"{idle_ms:.1f} ms", "100 ms every 10 s", idle_ms / 100, 1),
        Result("retention finds 200 that are due", f"{choose_ms:.1f} ms", "100 ms", choose_ms / 100, 1),
        Result(
            "200 segments out of the index (100 cameras make them in 20 s)",
            f"{remove_ms:.0f} ms",
            "2 s, a tenth of that",
            remove_ms / 2000,
            1,
        ),
    ]


def _remove(db: sqlite3.Connection, segments: list[Segment]) -> None:
    db.execute("BEGIN IMMEDIATE")
    _begin(segments, "retention")(db)
    db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")
    segment_rows.delete(db, [segment.id for segment in segments])
    db.execute("COMMIT")


def _retention(db: sqlite3.Connection, folder: Path) -> Retention:
    clock = SystemClock()
    volume = Volume(folder, gateway_id=uuid4(), disk=SystemDisk(), off_loop=Inline(), clock=clock)
    index = asyncio.run(Index.open(Sqlite(db), clock))
    return Retention(index, volume, Limits(max_bytes=None, reserve_bytes=0, share_max=1.0), clock)
