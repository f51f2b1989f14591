"""`date_from` and `date_to`: an RFC 3339 time, or a day in the zone of each event's own site.

A time is a point: from it on, and up to but without it. A day is the whole day, first and last included, however many
hours it has: it begins at the first midnight there is (or where there is none, when the clocks have jumped over it).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from novavms_server.kit.errors import FieldProblem, ValidationError

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOST_PLUS: Final = re.compile(r" (?=\d{2}:\d{2}$)")
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)


class Span(NamedTuple):
    """From `start` to before `end`; None: open."""

    start: date | datetime | None
    end: date | datetime | None

    @property
    def has_days(self) -> bool:
        return any(_is_day(edge) for edge in self)

    def in_zone(self, zone: str) -> tuple[datetime, datetime]:
        """The two edges as points in time; a day is taken in `zone`."""
        start, end = self
        low = _FIRST if start is None else _midnight(start, zone)
        high = _LAST if end is None else _midnight(end + timedelta(days=1) if _is_day(end) else end, zone)
        return low, high


def read_span(
    date_from: str | None, date_to: str | None, names: tuple[str, str] = ("date_from", "date_to")
) -> Span:
    """Raises ValidationError, naming both if both are wrong. `names` are the fields'."""
    problems: list[FieldProblem] = []
    edges = [_read(*each, problems) for each in zip(names, (date_from, date_to), strict=True)]
    if problems:
        raise ValidationError(problems)
    span = Span(*edges)
    start, end = span
    if start is not None and end is not None and _is_day(start) == _is_day(end) and start > end:
        raise ValidationError.of(names[1], f"{names[1]} must not be before {names[0]}")
    return span


def _is_day(edge: date | datetime | None) -> bool:
    return isinstance(edge, date) and not isinstance(edge, datetime)


def _read(name: str, text: str | None, problems: list[FieldProblem]) -> date | datetime | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            if 1 < day.year < 9999:
                return day
        else:
            at = msgspec.convert(_LOST_PLUS.sub("+", text), datetime)  # a + in a URL is a blank
            if at.tzinfo is not None and 1 < at.year < 9999:
                return at
    except (ValueError, msgspec.ValidationError):
        pass
    problems.append(
        FieldProblem(
            name, f"{name} must be a day such as 2026-01-31 or an RFC 3339 time such as 2026-01-31T12:00:00Z"
        )
    )
    return None


def _midnight(edge: date | datetime, zone: str) -> datetime:
    if isinstance(edge, datetime):
        return edge.astimezone(UTC)
    # fold=0: the first of two midnights; of a midnight that the clocks skip, the moment they jump
    return datetime.combine(edge, time(fold=0), ZoneInfo(zone)).astimezone(UTC)
