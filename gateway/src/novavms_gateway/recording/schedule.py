"""When a camera is to be recorded: windows of the week on the site's clock, over changes to and from summer time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from novavms_protocol import ScheduleWindow

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def zone(name: str) -> ZoneInfo:
    """The site's time zone; UTC where this box does not know the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_open(windows: Sequence[ScheduleWindow] | None, at: datetime, site: ZoneInfo) -> bool:
    """Whether `at` lies in one of the windows; None is always.

    A window is told by the clock on the wall: where that skips an hour, a window within it does not happen; where it repeats one,
    the window holds both times.
    """
    if windows is None:
        return True
    wall = at.astimezone(site)
    today, before = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    minute = wall.hour * 60 + wall.minute
    for window in windows:
        start, end = _minutes(window.start), _minutes(window.end)
        if end > start:
            if today in window.days and start <= minute < end:
                return True
        elif (today in window.days and minute >= start) or (before in window.days and minute < end):
            return True
    return False


def stretches(
    windows: Sequence[ScheduleWindow] | None, start: datetime, end: datetime, site: ZoneInfo
) -> list[tuple[datetime, datetime, bool]]:
    """[start, end) cut where the schedule turns: (from, to, is open), at most ten days of it in detail."""
    if windows is None or end - start > timedelta(days=10):
        return [(start, end, True)]
    found: list[tuple[datetime, datetime, bool]] = []
    edges = sorted({start, *(edge for edge in _edges(windows, start, end, site) if start < edge < end)})
    for begin, stop in zip(edges, [*edges[1:], end], strict=True):
        opened = is_open(windows, begin, site)
        if found and found[-1][2] == opened:
            found[-1] = (found[-1][0], stop, opened)
        else:
            found.append((begin, stop, opened))
    return found


def _edges(
    windows: Sequence[ScheduleWindow], start: datetime, end: datetime, site: ZoneInfo
) -> list[datetime]:
    """Every moment at which a window may turn, in UTC; and every full hour, so that the clock's own leaps are among them."""
    found: list[datetime] = []
    day = start.astimezone(site).date() - timedelta(days=1)
    while datetime.combine(day, time(), site) < end:
        for window in windows:
            for minutes in (_minutes(window.start), _minutes(window.end)):
                wall = datetime.combine(day + timedelta(days=minutes // 1440), time(), site).replace(
                    hour=minutes % 1440 // 60, minute=minutes % 60
                )
                found += [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        day += timedelta(days=1)
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        found.append(hour)
        hour += timedelta(hours=1)
    return found


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
