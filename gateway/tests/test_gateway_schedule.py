"""When to record, on the site's clock, over both changes of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from novavms_gateway.recording.plan import unwanted
from novavms_gateway.recording.schedule import is_open, stretches, zone
from novavms_protocol import RecordingPlan, ScheduleWindow

BERLIN = zone("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(days: str, start: str, end: str) -> ScheduleWindow:
    return ScheduleWindow(days=days.split(), start=start, end=end)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T06:59:59", False),  # Monday 07:59:59 in Berlin
        ("2026-03-02T07:00:00", True),
        ("2026-03-02T16:59:59", True),
        ("2026-03-02T17:00:00", False),
        ("2026-03-03T08:00:00", False),  # Tuesday
        ("2026-06-01T06:00:00", True),  # Monday 08:00 in summer
    ],
)
def test_a_window_is_told_by_the_sites_clock(moment: str, expected: bool) -> None:
    assert is_open([window("mon", "08:00", "18:00")], at(moment), BERLIN) is expected


def test_a_window_may_run_into_the_next_day() -> None:
    night = [window("fri", "22:00", "06:00")]
    assert not is_open(night, at("2026-03-06T20:59:00"), BERLIN)
    assert is_open(night, at("2026-03-06T21:00:00"), BERLIN)
    assert is_open(night, at("2026-03-07T04:59:00"), BERLIN)
    assert not is_open(night, at("2026-03-07T05:00:00"), BERLIN)
    assert not is_open(night, at("2026-03-07T22:00:00"), BERLIN), "Saturday night is not asked for"
    whole = [window("sun", "00:00", "24:00")]
    assert is_open(whole, at("2026-03-08T22:59:59"), BERLIN)
    assert not is_open(whole, at("2026-03-08T23:00:00"), BERLIN)
    assert is_open([window("sun", "08:00", "08:00")], at("2026-03-09T06:00:00"), BERLIN), "a whole day from 8"


def test_summer_time_begins_a_window_within_the_skipped_hour_does_not_happen() -> None:
    # 2026-03-29: 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
    skipped = stretches(
        [window("sun", "02:00", "03:00")], at("2026-03-28T20:00:00"), at("2026-03-29T20:00:00"), BERLIN
    )
    assert [part[2] for part in skipped] == [False]
    over = stretches(
        [window("sun", "01:00", "04:00")], at("2026-03-28T20:00:00"), at("2026-03-29T20:00:00"), BERLIN
    )
    assert [(b - a, opened) for a, b, opened in over][1] == (timedelta(hours=2), True)


def test_summer_time_ends_a_window_holds_the_hour_that_comes_twice() -> None:
    # 2026-10-25: 03:00 becomes 02:00 in Berlin, at 01:00 UTC.
    parts = stretches(
        [window("sun", "02:00", "03:00")], at("2026-10-24T20:00:00"), at("2026-10-25T20:00:00"), BERLIN
    )
    assert [(a, b) for a, b, opened in parts if opened] == [
        (at("2026-10-25T00:00:00"), at("2026-10-25T02:00:00"))
    ]


def test_stretches_cover_the_time_and_agree_with_the_question() -> None:
    windows = [window("mon tue wed thu fri", "08:00", "18:30"), window("sat", "23:00", "01:00")]
    start, end = at("2026-10-22T03:10:00"), at("2026-10-29T03:10:00")
    parts = stretches(windows, start, end, BERLIN)
    assert (parts[0][0], parts[-1][1]) == (start, end)
    moment = start
    while moment < end:
        (opened,) = [part[2] for part in parts if part[0] <= moment < part[1]]
        assert opened == is_open(windows, moment, BERLIN)
        moment += timedelta(minutes=10)


def test_an_unknown_zone_is_utc_and_no_schedule_is_always() -> None:
    assert is_open([window("mon", "08:00", "09:00")], at("2026-03-02T08:30:00"), zone("Not/There"))
    assert is_open(None, at("2026-03-02T08:30:00"), BERLIN)


def test_what_a_person_does_not_want_is_said_with_the_reason() -> None:
    now = at("2026-03-02T12:00:00")
    closed = RecordingPlan(mode="continuous", schedule=[window("tue", "00:00", "24:00")])
    cases = [
        (RecordingPlan(mode="off"), True, False, "disabled"),
        (RecordingPlan(mode="continuous"), False, False, "disabled"),
        (RecordingPlan(mode="continuous"), True, False, None),
        (closed, True, False, "schedule"),
        (RecordingPlan(mode="events"), True, False, "no_event"),
        (RecordingPlan(mode="events"), True, True, None),
    ]
    for plan, is_enabled, has_event, expected in cases:
        assert unwanted(plan, now, is_enabled=is_enabled, has_event=has_event) == expected
