"""Rows of a ledger laid out on one line of time, whatever they are."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_server.recordings.timeline import Row, Timeline, background, lay_out, percent

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def at(sec: float) -> datetime:
    return T0 + timedelta(seconds=sec)


def row(kind: str, start: float, end: float, stream: Any = "main", reason: Any = None, size: int = 0) -> Row:
    if kind == "gap":
        return Row(
            stream, kind, at(start), at(end), reason or "camera_offline", 0, 0.0, None, None, None, False
        )
    return Row(stream, kind, at(start), at(end), None, size, 0.0, "h264", 640, 360, True)


def told(line: Timeline) -> list[tuple[float, float, str]]:
    """All of it in order, with the stream or the reason."""
    spans = [(each.start, each.end, each.stream) for each in line.spans]
    gaps = [(each.start, each.end, each.reason) for each in line.gaps]
    return [((a - T0).total_seconds(), (b - T0).total_seconds(), str(c)) for a, b, c in sorted(spans + gaps)]


def test_rows_are_cut_to_the_window_and_holes_are_said() -> None:
    rows = [row("span", -50, 50, size=1000), row("gap", 50, 60, reason="frozen"), row("span", 70, 200)]
    line = lay_out(rows, at(0), at(100), "main")
    assert told(line) == [(0, 50, "main"), (50, 60, "frozen"), (60, 70, "unknown"), (70, 100, "main")]
    assert line.spans[0].size_bytes == 500, "the share of it"


def test_the_wanted_streams_footage_wins_then_the_others_then_gaps_then_the_servers_word() -> None:
    rows = [
        *(row("span", 0, 40, "main"), row("gap", 40, 100, "main", "disabled")),
        *(
            row("gap", 0, 30, "sub", "disabled"),
            row("span", 30, 60, "sub"),
            row("gap", 60, 120, "sub", "auth"),
        ),
        background(at(0), at(200), "no_camera"),
    ]
    assert told(lay_out(rows, at(0), at(200), "main")) == [
        *(
            (0, 40, "main"),
            (40, 60, "sub"),
            (60, 100, "disabled"),
            (100, 120, "auth"),
            (120, 200, "no_camera"),
        ),
    ]
    assert told(lay_out(rows, at(0), at(70), "sub"))[:2] == [(0, 30, "main"), (30, 60, "sub")]


def test_what_touches_and_is_alike_is_one() -> None:
    rows = [row("span", 0, 10, size=5), row("span", 10, 20, size=7), row("gap", 20, 25), row("gap", 25, 30)]
    line = lay_out(rows, at(0), at(30), "main")
    assert told(line) == [(0, 20, "main"), (20, 30, "camera_offline")]
    assert line.spans[0].size_bytes == 12
    other = row("span", 10, 20)._replace(codec="h265")
    assert len(lay_out([rows[0], other], at(0), at(20), "main").spans) == 2


def test_where_pictures_are_missing_the_span_is_one_and_the_loss_is_told() -> None:
    lossy = row("span", 20, 30)._replace(lossy_sec=0.4)
    rows = [
        *(row("span", 0, 20), lossy, row("span", 30, 50), row("gap", 50, 52, reason="network")),
        *(row("span", 52, 60)._replace(lossy_sec=0.25), row("span", 60, 64)._replace(lossy_sec=0.1)),
    ]
    line = lay_out(rows, at(25), at(100), "main")
    assert told(line)[:2] == [(25, 50, "main"), (50, 52, "network")]
    assert [(loss.start, loss.end, loss.duration_sec, loss.lossy_sec) for loss in line.losses] == [
        (at(25), at(30), 5.0, 0.2),  # the share of it
        (at(52), at(64), 12.0, 0.35),
    ]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["span", "gap"]),
            st.integers(-20, 120),
            st.integers(0, 60),
            st.sampled_from(["main", "sub"]),
        ),
        max_size=25,
    )
)
def test_every_moment_is_there_once_and_is_the_best_that_was_said(
    drawn: list[tuple[str, int, int, Any]],
) -> None:
    """Held against the plain way: ask every second by itself."""
    rows = [row(kind, start, start + length, stream) for kind, start, length, stream in drawn]
    found = told(lay_out(rows, at(0), at(100), "main"))
    assert found[0][0] == 0
    assert found[-1][1] == 100
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    for second in range(100):
        said = [each for each in rows if each.start <= at(second) < each.end]
        spans = {each.stream for each in said if each.kind == "span"}
        wanted = "main" if "main" in spans else "sub" if spans else "camera_offline" if said else "unknown"
        (shown,) = [what for start, end, what in found if start <= second < end]
        assert shown == wanted, second


def test_a_hundred_per_cent_is_said_of_nothing_with_a_gap() -> None:
    whole = timedelta(days=366)
    assert percent(whole, whole) == 100
    assert percent(whole - timedelta(milliseconds=1), whole) == 99.99
    assert percent(timedelta(0), whole) == 0
