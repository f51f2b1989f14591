"""From what the capture tells of a segment's file to what the index says of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from novavms_camera.capture import Loss, SegmentFacts
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.ledger import SECOND_US, Row
from novavms_gateway.storage.segment_rows import Format, Segment

VIDEO_RATE: Final = 90_000
CLOCK_LEAP_US: Final = 2 * SECOND_US
"""A clock that was set while a segment was written: its length is then told by its frames alone."""
NETWORK_GAP_US: Final = SECOND_US // 2
"""Pictures lost for longer than this are a gap; shorter losses count in the span."""
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def micros(at: datetime) -> int:
    """µs since 1970 UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at_us: int) -> datetime:
    """The same as a time of day, UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def segment_of(segment_id: int, facts: SegmentFacts) -> Segment:
    """The row of a file that was ended in order, or mended."""
    assert facts.sha256 is not None, "a file that was ended has one"
    start_us = micros(facts.started_at)
    length_us = max(1, (facts.end_90k - facts.start_90k) * SECOND_US // VIDEO_RATE)
    end_us = micros(facts.ended_at)
    if abs(end_us - start_us - length_us) > CLOCK_LEAP_US or end_us <= start_us:
        end_us = start_us + length_us
    return Segment(
        id=segment_id,
        camera_id=UUID(facts.camera),
        stream=facts.stream,
        start_us=start_us,
        end_us=end_us,
        size=facts.size_bytes,
        init_size=facts.init_bytes,
        sha256=bytes.fromhex(facts.sha256),
        format=format_of(facts),
        session=f"{facts.timeline}/{facts.session}",
        start_90k=facts.start_90k,
        end_90k=facts.end_90k,
        lossy_us=facts.lost_90k * SECOND_US // VIDEO_RATE,
    )


def format_of(facts: SegmentFacts) -> Format:
    return Format(
        codecs=facts.format.codecs,
        codec=facts.format.codec,
        width=facts.format.width,
        height=facts.format.height,
        has_audio=facts.format.audio_codec is not None,
    )


def taking_in(
    segment: Segment, losses: tuple[Loss, ...], *, hole: str, now_us: int
) -> Callable[[sqlite3.Connection], bool]:
    """The act that makes a whole, synced file known: its row, and in the ledger its time (`rows_of`). True where that is news."""

    def act(db: sqlite3.Connection) -> bool:
        camera = ledger_rows.camera_key(db, segment.camera_id)
        if not segment_rows.insert(db, camera, segment):
            return False
        segment_rows.flowed(db, now_us, written=segment.size)
        fmt = segment_rows.format_key(db, segment.format)
        is_news = False
        for row in rows_of(segment, losses, fmt):
            is_news |= ledger_rows.lay_fact(db, camera, row, hole=hole)
        return is_news

    return act


def rows_of(segment: Segment, losses: tuple[Loss, ...], fmt: int) -> list[Row]:
    """What the ledger says of the file's time, in order: gaps where pictures were lost for long, footage between them, with what it
    has of shorter losses, and its share of the bytes."""
    stretches = [
        (_within(segment, loss.start_90k), _within(segment, loss.end_90k))
        for loss in sorted(losses, key=lambda loss: loss.start_90k)
    ]
    found: list[Row] = []
    at_us = segment.start_us
    short: list[tuple[int, int]] = []
    for start_us, end_us in [*stretches, (segment.end_us, segment.end_us)]:
        if end_us - start_us <= NETWORK_GAP_US and start_us < segment.end_us:
            short.append((start_us, end_us))
            continue
        if start_us > at_us:
            lossy_us = sum(end - max(start, at_us) for start, end in short if end > at_us)
            lossy_us = min(lossy_us, start_us - at_us)
            found.append(Row(at_us, start_us, segment.stream, format=fmt, lossy_us=lossy_us))
        short.clear()
        if end_us > max(start_us, at_us):
            found.append(Row(max(start_us, at_us), end_us, segment.stream, reason="network"))
        at_us = max(at_us, end_us)
    footage_us = sum(row.end_us - row.start_us for row in found if row.reason is None)
    return [
        row if row.reason else row._replace(size=segment.size * (row.end_us - row.start_us) // footage_us)
        for row in found
    ]


def _within(segment: Segment, at_90k: int) -> int:
    """A moment of the file's timeline as µs, never outside of the file's time."""
    at_us = segment.start_us + (at_90k - segment.start_90k) * SECOND_US // VIDEO_RATE
    return min(max(at_us, segment.start_us), segment.end_us)
