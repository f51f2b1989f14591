"""The ledger's logic, without a disk: rows that follow one another, and what laying something over them changes.

A camera's rows cover its time without a hole or an overlap (R3). Everything that happens to a ledger is one act: some stretch of
time is now known to be something, a *fact*. `lay` says which rows that changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

SECOND_US: Final = 1_000_000
NO_GAP_US: Final = SECOND_US
"""A break shorter than this, between two things that are known, is no row of its own."""


class Row(NamedTuple):
    """[start, end) in µs since 1970 UTC. `reason` None: footage, of `format`; `lossy_us` of it without a picture, in breaks
    too short to be gaps. `id` 0: not yet given."""

    start_us: int
    end_us: int
    stream: str
    reason: str | None = None
    format: int | None = None
    size: int = 0
    lossy_us: int = 0
    id: int = 0

    def is_like(self, other: Row) -> bool:
        """The two would be one row where they meet. Footage with losses is a row beside footage without: it shows where they are."""
        return self._kind() == other._kind()

    def _kind(self) -> tuple[str, str | None, int | None, bool]:
        return self.stream, self.reason, self.format, self.lossy_us > 0


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to write (`id` 0: new ones) and rows that are no more."""

    put: tuple[Row, ...] = ()
    removed: tuple[Row, ...] = ()


def following(head: Row | None, tail: Row | None, fact: Row, *, hole: str) -> list[Row]:
    """What to lay, in order, so that `fact` may lie outside of the ledger, which runs from `head` to `tail`: the hole between them
    is filled with a gap `hole`, or, where it is too short to be one, closed by the row beside it."""
    if head is None or tail is None:
        return [fact]
    if fact.start_us > tail.end_us:
        return [_filling(tail.end_us, fact.start_us, tail, hole), fact]
    if fact.end_us < head.start_us:
        return [_filling(fact.end_us, head.start_us, head, hole), fact]
    return [fact]


def _filling(start_us: int, end_us: int, beside: Row, hole: str) -> Row:
    if end_us - start_us < NO_GAP_US:
        return beside._replace(
            start_us=start_us, end_us=end_us, size=0, lossy_us=min(1, beside.lossy_us), id=0
        )
    return Row(start_us, end_us, beside.stream, reason=hole)


def closing(rows: Sequence[Row], fact: Row) -> Row:
    """Footage closes what it would leave of a gap beside it, where that is too short to be one. `rows`: all in reach of NO_GAP_US."""
    if fact.reason is not None:
        return fact
    start_us, end_us = fact.start_us, fact.end_us
    for row, following_row in pairwise(rows):
        if following_row.reason is not None and row.end_us == following_row.start_us:
            is_cut = following_row.start_us < fact.start_us < following_row.end_us
            if is_cut and fact.start_us - following_row.start_us < NO_GAP_US:
                start_us = following_row.start_us
        if row.reason is not None and row.end_us == following_row.start_us:
            is_cut = row.start_us < fact.end_us < row.end_us
            if is_cut and row.end_us - fact.end_us < NO_GAP_US:
                end_us = row.end_us
    return fact._replace(start_us=start_us, end_us=end_us)


def lay(rows: Sequence[Row], fact: Row) -> Change:
    """Makes [fact.start, fact.end) what `fact` says. `rows`: all that touch that stretch, in order; only they may change.

    A row that is cut keeps its id with its earlier part; a span's bytes and losses are shared out by time.
    """
    if fact.end_us <= fact.start_us:
        return Change()
    if any(row.is_like(fact) and _covers(row, fact) for row in rows) and not fact.size:
        return Change()
    left: Row | None = None
    pieces: list[Row] = []
    removed: list[Row] = []
    merged = fact
    for row in rows:
        before, after = _before(row, fact.start_us), _after(row, fact.end_us)
        if row.is_like(fact):
            # The whole row and the fact become one, whichever way they meet; bytes and losses add up.
            merged = merged._replace(
                start_us=min(merged.start_us, row.start_us),
                end_us=max(merged.end_us, row.end_us),
                size=merged.size + row.size,
                lossy_us=merged.lossy_us + row.lossy_us,
            )
            if left is None:
                left = row
            else:
                removed.append(row)
            continue
        if before is not None:
            pieces.append(before)
        if after is not None:
            pieces.append(after if before is None else after._replace(id=0))
        if before is None and after is None:
            removed.append(row)
    merged = merged._replace(id=left.id if left is not None else 0)
    known = {row.id: row for row in rows}
    put = sorted((*pieces, merged), key=lambda row: row.start_us)
    return Change(tuple(row for row in put if known.get(row.id) != row), tuple(removed))


def _covers(row: Row, fact: Row) -> bool:
    return row.start_us <= fact.start_us and fact.end_us <= row.end_us


def _before(row: Row, at_us: int) -> Row | None:
    return _cut(row, row.start_us, min(row.end_us, at_us))


def _after(row: Row, at_us: int) -> Row | None:
    return _cut(row, max(row.start_us, at_us), row.end_us)


def _cut(row: Row, start_us: int, end_us: int) -> Row | None:
    if end_us <= start_us:
        return None
    if (start_us, end_us) == (row.start_us, row.end_us):
        return row
    part_us, whole_us = end_us - start_us, row.end_us - row.start_us
    return row._replace(
        start_us=start_us,
        end_us=end_us,
        size=row.size * part_us // whole_us,
        lossy_us=-(-row.lossy_us * part_us // whole_us),  # rounded up: what has losses goes on having some
    )
