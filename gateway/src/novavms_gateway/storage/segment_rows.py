"""The segments in the index: acts for a transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from novavms_gateway.storage.index import LAST_SEGMENT_ID, get_meta, set_meta

MINUTE_US: Final = 60_000_000
HOUR_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Format:
    """What a segment carries. `codecs` as RFC 6381 has it."""

    codecs: str
    codec: str
    width: int
    height: int
    has_audio: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One whole file. Times in µs since 1970 UTC; `_90k` on its session's own timeline; `sha256` of the file."""

    id: int
    camera_id: UUID
    stream: str
    start_us: int
    end_us: int
    size: int
    init_size: int
    sha256: bytes
    format: Format
    session: str
    start_90k: int
    end_90k: int
    lossy_us: int = 0

    @property
    def path(self) -> PurePosixPath:
        """Below the volume."""
        return segment_path(self.camera_id, self.stream, self.start_us, self.id)

    def continues(self, before: Segment) -> bool:
        """Times and format go on from `before`: a player needs no discontinuity."""
        return (
            self.session == before.session
            and self.format == before.format
            and self.start_90k == before.end_90k
        )


def segment_path(camera_id: UUID, stream: str, start_us: int, segment_id: int) -> PurePosixPath:
    """Camera, stream, day and time of day, and the id, so that the name alone gives them back."""
    at = datetime.fromtimestamp(start_us // 1000 / 1000, UTC)
    return PurePosixPath(
        str(camera_id),
        stream,
        f"{at:%Y-%m-%d}",
        f"{at:%H%M%S}.{start_us // 1000 % 1000:03d}Z-{segment_id}.mp4",
    )


def insert(db: sqlite3.Connection, camera: int, segment: Segment) -> bool:
    """False where the index has it already."""
    made = db.execute(
        """INSERT INTO segment (id, camera, stream, start_us, end_us, size, init_size, sha256, format, session,
                                start_90k, end_90k, lossy_us)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
        (
            segment.id,
            camera,
            segment.stream,
            segment.start_us,
            segment.end_us,
            segment.size,
            segment.init_size,
            segment.sha256,
            format_key(db, segment.format),
            segment.session,
            segment.start_90k,
            segment.end_90k,
            segment.lossy_us,
        ),
    )
    if not made.rowcount:
        return False
    db.execute(
        "UPDATE camera SET size = size + ?, longest_us = max(longest_us, ?) WHERE key = ?",
        (segment.size, segment.end_us - segment.start_us, camera),
    )
    return True


def format_key(db: sqlite3.Connection, fmt: Format) -> int:
    values = (fmt.codecs, fmt.codec, fmt.width, fmt.height, int(fmt.has_audio))
    found = db.execute(
        "SELECT key FROM format WHERE codecs = ? AND codec = ? AND width = ? AND height = ? AND has_audio = ?",
        values,
    ).fetchone()
    if found is not None:
        return int(found[0])
    made = db.execute(
        "INSERT INTO format (codecs, codec, width, height, has_audio) VALUES (?, ?, ?, ?, ?)", values
    )
    assert made.lastrowid is not None, "an INSERT has one"
    return made.lastrowid


_SELECT: Final = """SELECT s.id, c.camera_id, s.stream, s.start_us, s.end_us, s.size, s.init_size, s.sha256, s.session,
    s.start_90k, s.end_90k, s.lossy_us, f.codecs, f.codec, f.width, f.height, f.has_audio
    FROM segment s JOIN camera c ON c.key = s.camera JOIN format f ON f.key = s.format"""


def find(db: sqlite3.Connection, segment_id: int) -> Segment | None:
    """None where it is no more, or is going."""
    found = db.execute(f"{_SELECT} WHERE s.id = ? AND NOT s.is_going", (segment_id,)).fetchone()
    return None if found is None else _segment(found)


def between(
    db: sqlite3.Connection,
    camera: int,
    start_us: int,
    end_us: int,
    *,
    stream: str | None = None,
    limit: int = -1,
) -> list[Segment]:
    """Segments that overlap [start, end), oldest first."""
    found = db.execute(
        f"""{_SELECT} WHERE s.camera = ? AND s.start_us < ? AND s.start_us > ? - (SELECT longest_us FROM camera WHERE key = ?) - 1
            AND s.end_us > ? AND NOT s.is_going AND (? IS NULL OR s.stream = ?) ORDER BY s.start_us LIMIT ?""",  # noqa: S608
        (camera, end_us, start_us, camera, start_us, stream, stream, limit),
    )
    return [_segment(row) for row in found]


def before(db: sqlite3.Connection, camera: int, start_us: int, stream: str | None) -> Segment | None:
    """The one that begins last before `start_us`."""
    found = db.execute(
        f"""{_SELECT} WHERE s.camera = ? AND s.start_us < ? AND NOT s.is_going AND (? IS NULL OR s.stream = ?)
            ORDER BY s.start_us DESC LIMIT 1""",
        (camera, start_us, stream, stream),
    ).fetchone()
    return None if found is None else _segment(found)


def oldest_unheld(
    db: sqlite3.Connection, camera: int, limit: int, *, before_us: int = 1 << 62
) -> list[Segment]:
    """The camera's oldest segments that no hold overlaps, and that ended before `before_us`."""
    found = db.execute(
        f"""{_SELECT} WHERE s.camera = :camera AND NOT s.is_going
            AND s.start_us <= :before AND s.end_us <= :before
            AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.camera = s.camera
                            AND h.start_us < s.end_us AND h.end_us > s.start_us)
            ORDER BY s.start_us LIMIT :limit""",  # noqa: S608
        {"camera": camera, "before": before_us, "limit": limit},
    )
    return [_segment(row) for row in found]


def going(db: sqlite3.Connection) -> list[Segment]:
    """Those whose removal began: the ledger no longer speaks of them."""
    return [_segment(row) for row in db.execute(f"{_SELECT} WHERE s.is_going")]


def delete(db: sqlite3.Connection, segment_ids: list[int]) -> None:
    """The rows, once the files are gone. Their ids are never given again, also where the newest went."""
    last = max([int(get_meta(db, LAST_SEGMENT_ID) or 0), *segment_ids])
    set_meta(db, LAST_SEGMENT_ID, str(last))
    for segment_id in segment_ids:
        found = db.execute("SELECT camera, size FROM segment WHERE id = ?", (segment_id,)).fetchone()
        if found is not None:
            db.execute("DELETE FROM segment WHERE id = ?", (segment_id,))
            db.execute("UPDATE camera SET size = size - ? WHERE key = ?", (found["size"], found["camera"]))


def flowed(db: sqlite3.Connection, now_us: int, *, written: int = 0, removed: int = 0) -> None:
    """Notes bytes that came or went in this minute; forgets what is over an hour ago."""
    minute = now_us // MINUTE_US
    db.execute(
        """INSERT INTO flow (minute, written, removed) VALUES (?, ?, ?) ON CONFLICT (minute)
           DO UPDATE SET written = written + excluded.written, removed = removed + excluded.removed""",
        (minute, written, removed),
    )
    db.execute("DELETE FROM flow WHERE minute <= ? OR minute > ?", (minute - HOUR_MINUTES, minute))


def flow_of_the_hour(db: sqlite3.Connection, now_us: int) -> tuple[int, int]:
    """(bytes written, bytes removed) within the last hour."""
    minute = now_us // MINUTE_US
    found = db.execute(
        "SELECT coalesce(sum(written), 0), coalesce(sum(removed), 0) FROM flow WHERE minute > ? AND minute <= ?",
        (minute - HOUR_MINUTES, minute),
    ).fetchone()
    return int(found[0]), int(found[1])


def total_size(db: sqlite3.Connection) -> int:
    """All bytes of all segments."""
    return int(db.execute("SELECT coalesce(sum(size), 0) FROM camera").fetchone()[0])


def _segment(row: sqlite3.Row) -> Segment:
    return Segment(
        id=row["id"],
        camera_id=UUID(row["camera_id"]),
        stream=row["stream"],
        start_us=row["start_us"],
        end_us=row["end_us"],
        size=row["size"],
        init_size=row["init_size"],
        sha256=row["sha256"],
        session=row["session"],
        start_90k=row["start_90k"],
        end_90k=row["end_90k"],
        lossy_us=row["lossy_us"],
        format=Format(
            codecs=row["codecs"],
            codec=row["codec"],
            width=row["width"],
            height=row["height"],
            has_audio=bool(row["has_audio"]),
        ),
    )
