"""From rows of a ledger to one line of time: every moment of the window once, as footage or as a gap with its reason.

The rows of one stream follow one another; main and sub may both be there, and a gateway may err. So each moment takes the
best that is said of it: footage of the wanted stream, footage of the other, the wanted stream's gap, the other's, and
where no row speaks what the server itself says (`background`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from novavms_server.cameras.models import Tier
from novavms_server.recordings.models import FootageGap, FootageLoss, FootageSpan, Reason

HOLE: Reason = "unknown"
_BACKGROUND = "background"


class Row(NamedTuple):
    """As the table has it; of a clip of a direct camera, made to look like one."""

    stream: Tier
    kind: str
    start: datetime
    end: datetime
    reason: Reason | None
    size_bytes: int
    lossy_sec: float
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool


def background(start: datetime, end: datetime, reason: Reason) -> Row:
    """What is said of moments that no row of the ledger speaks of. Of two, the one that is given first counts."""
    return Row("main", _BACKGROUND, start, end, reason, 0, 0.0, None, None, None, False)


class _Piece(NamedTuple):
    start: datetime
    end: datetime
    row: Row | None


class Timeline(NamedTuple):
    """Spans and gaps, each in order; together they are the window. `losses` lie within spans."""

    spans: list[FootageSpan]
    gaps: list[FootageGap]
    losses: list[FootageLoss]


def lay_out(
    rows: Iterable[Row], start: datetime, end: datetime, wanted: Tier, hole: Reason = HOLE
) -> Timeline:
    """`hole`: what is said of moments that no row speaks of."""
    spans: list[FootageSpan] = []
    gaps: list[FootageGap] = []
    losses: list[FootageLoss] = []
    for piece in _pieces(rows, start, end, wanted):
        row = piece.row
        if row is not None and row.kind == "span":
            share = _share(piece, row)
            _add_span(spans, piece, row, share)
            if row.lossy_sec:
                _add_loss(losses, piece, row.lossy_sec * share)
        else:
            reason = hole if row is None else row.reason or HOLE
            _add_gap(gaps, piece.start, piece.end, reason)
    return Timeline(spans, gaps, losses)


def _add_gap(gaps: list[FootageGap], start: datetime, end: datetime, reason: Reason) -> None:
    if gaps and gaps[-1].end == start and gaps[-1].reason == reason:
        start = gaps.pop().start
    gaps.append(FootageGap(start, end, seconds(end - start), reason))


def _share(piece: _Piece, row: Row) -> float:
    whole = (row.end - row.start).total_seconds()
    return (piece.end - piece.start).total_seconds() / whole if whole else 1.0


def _add_loss(losses: list[FootageLoss], piece: _Piece, lossy_sec: float) -> None:
    start = piece.start
    if losses and losses[-1].end == start:
        last = losses.pop()
        start, lossy_sec = last.start, lossy_sec + last.lossy_sec
    losses.append(FootageLoss(start, piece.end, seconds(piece.end - start), round(lossy_sec, 3)))


def _add_span(spans: list[FootageSpan], piece: _Piece, row: Row, share: float) -> None:
    size = round(row.size_bytes * share)
    start, last = piece.start, spans[-1] if spans else None
    kind = (row.stream, row.codec, row.width, row.height, row.has_audio)
    if (
        last is not None
        and last.end == start
        and kind == (*(last.stream, last.codec, last.width, last.height, last.has_audio),)
    ):
        spans.pop()
        start, size = last.start, size + last.size_bytes
    spans.append(
        FootageSpan(
            start=start,
            end=piece.end,
            duration_sec=seconds(piece.end - start),
            size_bytes=size,
            stream=row.stream,
            codec=row.codec,
            width=row.width,
            height=row.height,
            has_audio=row.has_audio,
        )
    )


def _pieces(rows: Iterable[Row], start: datetime, end: datetime, wanted: Tier) -> Iterator[_Piece]:
    """Touching pieces from `start` to `end`."""
    ranked = [
        (row.start, _rank(row, wanted), number, row)
        for number, row in enumerate(rows)
        if row.start < end and row.end > start and row.start < row.end
    ]
    ranked.sort(key=lambda item: item[:3])
    open_rows: list[tuple[int, int, Row]] = []
    at, index = start, 0
    while at < end:
        while index < len(ranked) and ranked[index][0] <= at:
            _, rank, number, row = ranked[index]
            heapq.heappush(open_rows, (rank, number, row))
            index += 1
        while open_rows and open_rows[0][2].end <= at:
            heapq.heappop(open_rows)
        best = open_rows[0] if open_rows else None
        until = min(end, best[2].end) if best else end
        # a better row that begins before this one ends
        for later in range(index, len(ranked)):
            if ranked[later][0] >= until:
                break
            if best is None or ranked[later][1:3] < best[:2]:
                until = ranked[later][0]
                break
        yield _Piece(at, until, best[2] if best else None)
        at = until


def _rank(row: Row, wanted: Tier) -> int:
    if row.kind == _BACKGROUND:
        return 4
    return (0 if row.kind == "span" else 2) + (row.stream != wanted)


def seconds(length: timedelta) -> float:
    return round(length.total_seconds(), 3)


def percent(part: timedelta, whole: timedelta) -> float:
    """Two places, cut off: 100 is said of nothing that has a gap."""
    return 100.0 if part >= whole else (10_000 * part // whole) / 100
