"""The ledger's logic, and the same in SQLite: whatever happens, rows follow one another, and say what was laid last."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_camera.capture import Loss
from novavms_gateway.kit.sqlite import connect
from novavms_gateway.storage import index, ledger_rows
from novavms_gateway.storage.footage import rows_of
from novavms_gateway.storage.ledger import NO_GAP_US, SECOND_US, Change, Row, following, lay
from novavms_gateway.storage.segment_rows import Format, Segment

CAMERA = UUID(int=7)
kinds = st.sampled_from(
    [
        ("main", None, 1),
        ("main", None, 2),
        ("sub", None, 3),
        ("main", "schedule", None),
        ("main", "retention", None),
    ]
)
facts = st.builds(
    lambda start, length, kind, lossy: Row(
        start * SECOND_US // 2,
        (start + length) * SECOND_US // 2,
        kind[0],
        kind[1],
        kind[2],
        1000 if kind[2] else 0,
        lossy if kind[2] else 0,
    ),
    st.integers(0, 60),
    st.integers(1, 30),
    kinds,
    st.sampled_from([0, 0, 1, 400_000]),
)


def apply(rows: list[Row], change: Change, given: list[int]) -> list[Row]:
    """What SQL does, in memory."""
    by_id = {row.id: row for row in rows}
    for row in change.removed:
        del by_id[row.id]
    for row in change.put:
        number = row.id
        if not number:
            given[0] += 1
            number = given[0]
        by_id[number] = row._replace(id=number)
    return sorted(by_id.values(), key=lambda row: row.start_us)


def check(rows: Sequence[Row]) -> None:
    for row in rows:
        assert row.start_us < row.end_us
    for before, after in pairwise(rows):
        assert before.end_us == after.start_us, "no hole, no overlap"
        assert not before.is_like(after), "what would be one row is one"
    assert len({row.id for row in rows}) == len(rows)


def kind_at(rows: Sequence[Row], at_us: int) -> tuple[str, str | None, int | None] | None:
    return next(((r.stream, r.reason, r.format) for r in rows if r.start_us <= at_us < r.end_us), None)


@given(st.lists(facts, min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
def test_whatever_is_laid_rows_follow_one_another_and_say_it(sequence: list[Row]) -> None:
    rows: list[Row] = []
    given = [0]
    model: dict[int, tuple[str, str | None, int | None]] = {}
    for fact in sequence:
        tail = rows[-1] if rows else None
        for part in following(rows[0] if rows else None, tail, fact, hole="unknown"):
            touching = [r for r in rows if r.start_us <= part.end_us and r.end_us >= part.start_us]
            rows = apply(rows, lay(touching, part), given)
            for half_second in range(part.start_us, part.end_us, SECOND_US // 2):
                model[half_second] = (part.stream, part.reason, part.format)
        check(rows)
        assert kind_at(rows, fact.start_us) == (fact.stream, fact.reason, fact.format)
    assert {at: kind_at(rows, at) for at in model} == model


@given(st.lists(facts, min_size=1, max_size=25))
@settings(max_examples=60, deadline=None)
def test_sqlite_keeps_the_same_rows_and_tells_each_change_once(sequence: list[Row]) -> None:
    db = connect(":memory:", index.MIGRATIONS)
    try:
        camera = ledger_rows.camera_key(db, CAMERA)
        server: dict[int, ledger_rows.TellableRow] = {}
        told = 0
        for number, fact in enumerate(sequence):
            ledger_rows.lay_fact(db, camera, fact, hole="unknown")
            if number % 3 == 0:
                told = tell(db, server, told, limit=2)
        told = tell(db, server, told, limit=2)
        rows = ledger_rows.rows_between(db, camera, 0, 10**12)
        check(rows)
        assert told == ledger_rows.newest_seq(db)
        assert {(r.id, r.start_us, r.end_us, r.reason, r.size, r.lossy_us) for r in rows} == {
            (r.id, r.start_us, r.end_us, r.reason, r.size, r.lossy_us) for r in server.values()
        }
    finally:
        db.close()


def tell(db: sqlite3.Connection, server: dict[int, ledger_rows.TellableRow], told: int, *, limit: int) -> int:
    """As the server hears of it."""
    while rows := ledger_rows.changed_since(db, told, limit):
        for row in rows:
            assert row.seq > told
            told = row.seq
            if row.is_gone:
                server.pop(row.id, None)
            else:
                server[row.id] = row
    return told


def test_a_break_that_is_too_short_is_no_gap() -> None:
    span = Row(0, 10 * SECOND_US, "main", format=1, id=1, size=5)
    follows = Row(span.end_us + NO_GAP_US - 1, 20 * SECOND_US, "main", format=1, size=5)
    closing, again = following(span, span, follows, hole="camera_offline")
    assert (closing.reason, closing.end_us, again) == (None, follows.start_us, follows)
    late = Row(span.end_us + NO_GAP_US, 20 * SECOND_US, "main", format=1, size=5)
    hole, _ = following(span, span, late, hole="camera_offline")
    assert (hole.start_us, hole.end_us, hole.reason) == (span.end_us, late.start_us, "camera_offline")


def test_a_span_that_loses_its_middle_keeps_its_id_and_its_bytes() -> None:
    span = Row(0, 100, "main", format=1, id=1, size=1000)
    change = lay([span], Row(40, 60, "main", "network"))
    assert [(r.id, r.start_us, r.end_us, r.size) for r in change.put] == [
        (1, 0, 40, 400),
        (0, 40, 60, 0),
        (0, 60, 100, 400),
    ]
    assert change.removed == ()


def test_footage_with_losses_is_a_row_of_its_own_and_stays_one_when_it_is_cut() -> None:
    clean = Row(0, 100, "main", format=1, id=1, size=1000)
    lossy = Row(100, 200, "main", format=1, size=1000, lossy_us=4)
    change = lay([clean], lossy)
    assert [(r.id, r.start_us, r.end_us, r.lossy_us) for r in change.put] == [(0, 100, 200, 4)]
    more = lay([lossy._replace(id=2)], Row(200, 300, "main", format=1, size=10, lossy_us=3))
    assert [(r.id, r.start_us, r.end_us, r.lossy_us) for r in more.put] == [(2, 100, 300, 7)]
    cut = lay([lossy._replace(id=2)], Row(110, 190, "main", "retention"))
    assert [(r.start_us, r.end_us, r.reason, r.lossy_us) for r in cut.put] == [
        (100, 110, None, 1),
        (110, 190, "retention", 0),
        (190, 200, None, 1),
    ]


def test_an_index_of_before_losses_were_told_goes_on() -> None:
    db = connect(":memory:", index.MIGRATIONS[:1])
    try:
        db.execute("INSERT INTO camera (camera_id) VALUES (?)", (str(CAMERA),))
        db.execute(
            "INSERT INTO ledger (camera, stream, start_us, end_us, size, seq) VALUES (1, 'main', 0, 9, 7, 1)"
        )
        db.executescript(index.MIGRATIONS[1])
        ledger_rows.lay_fact(db, 1, Row(9, 20, "main", size=3), hole="unknown")
        assert [(r.end_us, r.size, r.lossy_us) for r in ledger_rows.rows_between(db, 1, 0, 99)] == [
            (20, 10, 0)
        ]
    finally:
        db.close()


def test_no_footage_grows_from_the_end_once_it_is_a_gap() -> None:
    db = connect(":memory:", index.MIGRATIONS)
    try:
        camera = ledger_rows.camera_key(db, CAMERA)
        at = 1_000 * SECOND_US
        assert ledger_rows.grow(db, camera, "main", "disabled", at + 1, began_us=at)
        assert not ledger_rows.grow(db, camera, "main", "disabled", at + 9 * SECOND_US, began_us=0), (
            "no new row"
        )
        end = at + 10 * SECOND_US
        ledger_rows.lay_fact(
            db, camera, Row(at + 9 * SECOND_US, end, "main", format=1, size=9), hole="unknown"
        )
        assert not ledger_rows.grow(db, camera, "main", "frozen", end + NO_GAP_US - 1, began_us=0)
        assert ledger_rows.grow(db, camera, "main", "frozen", end + NO_GAP_US, began_us=0)
        rows = ledger_rows.rows_between(db, camera, 0, 10**12)
        assert [row.reason for row in rows] == ["disabled", None, "frozen"]
        check(rows)
    finally:
        db.close()


def test_footage_closes_what_it_leaves_of_a_gap_beside_it() -> None:
    """A file that is found and mended after a crash begins, by its own clock, some microseconds after the one before it."""
    db = connect(":memory:", index.MIGRATIONS)
    try:
        camera = ledger_rows.camera_key(db, CAMERA)
        first = Row(0, 10 * SECOND_US, "main", format=1, size=9)
        restart = Row(10 * SECOND_US, 20 * SECOND_US, "main", "gateway_restart")
        mended = Row(first.end_us + 6, 13 * SECOND_US, "main", format=1, size=9)
        after = Row(restart.end_us, 30 * SECOND_US, "main", format=1, size=9)
        for fact in (first, restart, after, mended):
            ledger_rows.lay_fact(db, camera, fact, hole="unknown")
        rows = ledger_rows.rows_between(db, camera, 0, 10**12)
        check(rows)
        assert [row.reason for row in rows] == [None, "gateway_restart", None]
        late = Row(mended.end_us + NO_GAP_US, restart.end_us - 7, "main", format=1, size=9)
        ledger_rows.lay_fact(db, camera, late, hole="unknown")
        rows = ledger_rows.rows_between(db, camera, 0, 10**12)
        check(rows)
        assert [(row.start_us, row.reason) for row in rows] == [
            (0, None),
            (mended.end_us, "gateway_restart"),
            (late.start_us, None),
        ]
    finally:
        db.close()


def file_of(seconds: int, size: int = 1000) -> Segment:
    """Begins at 100 s, at 50 s of its stream's timeline."""
    return Segment(
        id=1,
        camera_id=CAMERA,
        stream="main",
        start_us=100 * SECOND_US,
        end_us=(100 + seconds) * SECOND_US,
        size=size,
        init_size=0,
        sha256=b"",
        format=Format("avc1.640028", "h264", 64, 64, False),
        session="t/1",
        start_90k=50 * 90_000,
        end_90k=(50 + seconds) * 90_000,
    )


def lost(start: float, end: float) -> Loss:
    """Seconds of the file."""
    return Loss(int((50 + start) * 90_000), int((50 + end) * 90_000), 1, 0)


def told(rows: Sequence[Row]) -> list[tuple[float, float, str | None, int, int]]:
    """(start and end in seconds of the file, reason, ms lost, bytes)."""
    zero = 100 * SECOND_US
    return [
        ((r.start_us - zero) / SECOND_US, (r.end_us - zero) / SECOND_US, r.reason, r.lossy_us // 1000, r.size)
        for r in rows
    ]


def test_a_file_is_told_as_footage_with_its_losses_and_gaps_where_they_are_long() -> None:
    assert told(rows_of(file_of(10), (), 1)) == [(0, 10, None, 0, 1000)]
    assert told(rows_of(file_of(10), (lost(2, 2.4), lost(9, 9.5)), 1)) == [(0, 10, None, 900, 1000)]
    found = rows_of(file_of(10), (lost(6.5, 6.75), lost(4, 6), lost(6.25, 6.5)), 1)
    assert told(found) == [
        (0, 4, None, 0, 500),
        (4, 6, "network", 0, 0),
        (6, 10, None, 500, 500),
    ]
    at_its_ends = rows_of(file_of(10), (lost(-1, 1), lost(9, 12)), 1)
    assert told(at_its_ends) == [(0, 1, "network", 0, 0), (1, 9, None, 0, 1000), (9, 10, "network", 0, 0)]
    assert told(rows_of(file_of(10), (lost(0, 10),), 1)) == [(0, 10, "network", 0, 0)]


@given(st.lists(st.tuples(st.integers(-20, 120), st.integers(0, 60)), max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_was_lost_a_files_rows_are_its_time(losses: list[tuple[int, int]]) -> None:
    file = file_of(10)
    rows = rows_of(file, tuple(lost(start / 10, (start + length) / 10) for start, length in losses), 1)
    assert (rows[0].start_us, rows[-1].end_us) == (file.start_us, file.end_us)
    for before, after in pairwise(rows):
        assert before.end_us == after.start_us
    for row in rows:
        assert row.start_us < row.end_us
        assert 0 <= row.lossy_us <= (0 if row.reason else row.end_us - row.start_us)
    assert sum(row.size for row in rows) <= file.size
