"""The ledger in the index: acts for a transaction, around the logic in `ledger`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from novavms_gateway.storage.index import get_meta, set_meta
from novavms_gateway.storage.ledger import NO_GAP_US, Row, closing, following, lay

_ROW = ", ".join(Row._fields)


def find_camera(db: sqlite3.Connection, camera_id: UUID) -> int | None:
    """The camera's number in the index."""
    row = db.execute("SELECT key FROM camera WHERE camera_id = ?", (str(camera_id),)).fetchone()
    return None if row is None else int(row[0])


def camera_key(db: sqlite3.Connection, camera_id: UUID) -> int:
    """The same; made where there is none."""
    found = find_camera(db, camera_id)
    if found is not None:
        return found
    made = db.execute("INSERT INTO camera (camera_id) VALUES (?)", (str(camera_id),))
    assert made.lastrowid is not None, "an INSERT has one"
    return made.lastrowid


def tail(db: sqlite3.Connection, camera: int) -> Row | None:
    """The camera's newest row."""
    found = db.execute(
        f"SELECT {_ROW} FROM ledger WHERE camera = ? ORDER BY start_us DESC LIMIT 1",  # noqa: S608
        (camera,),
    ).fetchone()
    return None if found is None else Row._make(found)


def head(db: sqlite3.Connection, camera: int) -> Row | None:
    """The camera's oldest row."""
    found = db.execute(
        f"SELECT {_ROW} FROM ledger WHERE camera = ? ORDER BY start_us LIMIT 1",  # noqa: S608
        (camera,),
    ).fetchone()
    return None if found is None else Row._make(found)


def rows_between(
    db: sqlite3.Connection, camera: int, start_us: int, end_us: int, limit: int = -1
) -> list[Row]:
    """Rows that overlap or touch [start, end], in order."""
    found = db.execute(
        f"""SELECT {_ROW} FROM ledger WHERE camera = :camera AND start_us <= :end AND end_us >= :start
            AND start_us >= coalesce((SELECT max(start_us) FROM ledger WHERE camera = :camera AND start_us < :start), 0)
            ORDER BY start_us LIMIT :limit""",  # noqa: S608
        {"camera": camera, "start": start_us, "end": end_us, "limit": limit},
    )
    return [Row._make(row) for row in found]


def lay_fact(db: sqlite3.Connection, camera: int, fact: Row, *, hole: str) -> bool:
    """Makes the ledger say `fact`; a hole beside it becomes a gap `hole`. Gives whether a row was begun: that is news."""
    is_news = False
    around = rows_between(db, camera, fact.start_us - NO_GAP_US, fact.end_us + NO_GAP_US)
    fact = closing(around, fact)
    for part in following(head(db, camera), tail(db, camera), fact, hole=hole):
        change = lay(rows_between(db, camera, part.start_us, part.end_us), part)
        is_news |= _write(db, camera, change.put, change.removed)
    return is_news


def grow(
    db: sqlite3.Connection, camera: int, stream: str, reason: str, until_us: int, *, began_us: int
) -> bool:
    """There is nothing from the ledger's end (or `began` where it has no rows) up to `until`, for this reason. Too short a
    stretch after footage is none yet. Gives whether a row was begun."""
    last = tail(db, camera)
    start_us = began_us if last is None else last.end_us
    if until_us <= start_us or (last is not None and last.reason is None and until_us - start_us < NO_GAP_US):
        return False
    return lay_fact(db, camera, Row(start_us, until_us, stream, reason), hole=reason)


def forget(db: sqlite3.Connection, before_us: int) -> None:
    """Ledgers begin no earlier than this, unless with footage. Nobody is told: the server forgets by itself."""
    for (camera,) in db.execute("SELECT key FROM camera").fetchall():
        oldest = db.execute(
            "SELECT id, end_us, reason FROM ledger WHERE camera = ? ORDER BY start_us LIMIT 100", (camera,)
        )
        for row_id, end_us, reason in oldest.fetchall():
            if reason is None or end_us >= before_us:
                break
            db.execute("DELETE FROM ledger WHERE id = ?", (row_id,))


def _write(db: sqlite3.Connection, camera: int, put: Iterable[Row], removed: Iterable[Row]) -> bool:
    seq = int(get_meta(db, "seq") or 0)
    is_news = False
    for row in removed:
        seq += 1
        db.execute("DELETE FROM ledger WHERE id = ?", (row.id,))
        db.execute(
            "INSERT INTO ledger_gone (id, camera, stream, start_us, end_us, reason, seq) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.id, camera, row.stream, row.start_us, row.end_us, row.reason, seq),
        )
        is_news = True
    for row in put:
        seq += 1
        values = (row.start_us, row.end_us, row.size, row.lossy_us, seq)
        if row.id:
            db.execute(
                "UPDATE ledger SET start_us = ?, end_us = ?, size = ?, lossy_us = ?, seq = ? WHERE id = ?",
                (*values, row.id),
            )
        else:
            db.execute(
                "INSERT INTO ledger (start_us, end_us, size, lossy_us, seq, camera, stream, reason, format)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, camera, row.stream, row.reason, row.format),
            )
            is_news = True
    set_meta(db, "seq", str(seq))
    return is_news


# ---- told to the server ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TellableRow:
    """A row as the server is told it."""

    id: int
    seq: int
    camera_id: str
    stream: str
    start_us: int
    end_us: int
    reason: str | None
    size: int = 0
    lossy_us: int = 0
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    has_audio: bool = False
    is_gone: bool = False


def changed_since(db: sqlite3.Connection, seq: int, limit: int) -> list[TellableRow]:
    """Rows that changed after `seq`, lowest first."""
    standing = db.execute(
        """SELECT l.id, l.seq, c.camera_id, l.stream, l.start_us, l.end_us, l.reason, l.size, l.lossy_us,
                  f.codec, f.width, f.height, coalesce(f.has_audio, 0) AS has_audio
           FROM ledger l JOIN camera c ON c.key = l.camera LEFT JOIN format f ON f.key = l.format
           WHERE l.seq > ? ORDER BY l.seq LIMIT ?""",
        (seq, limit),
    )
    rows = [TellableRow(**{**dict(row), "has_audio": bool(row["has_audio"])}) for row in standing]
    gone = db.execute(
        """SELECT g.id, g.seq, c.camera_id, g.stream, g.start_us, g.end_us, g.reason
           FROM ledger_gone g JOIN camera c ON c.key = g.camera WHERE g.seq > ? ORDER BY g.seq LIMIT ?""",
        (seq, limit),
    )
    rows += [TellableRow(**dict(row), is_gone=True) for row in gone]
    rows.sort(key=lambda row: row.seq)
    return rows[:limit]


def newest_seq(db: sqlite3.Connection) -> int:
    return int(get_meta(db, "seq") or 0)


def true_until(db: sqlite3.Connection) -> int | None:
    """Up to when every ledger that still grows is written; None without one."""
    found = db.execute(
        """SELECT min((SELECT end_us FROM ledger l WHERE l.camera = c.key ORDER BY start_us DESC LIMIT 1))
           FROM camera c WHERE c.is_here"""
    ).fetchone()[0]
    return None if found is None else int(found)
