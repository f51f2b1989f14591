"""What must go, and its going: by age, by a camera's bytes, by the volume's, and to keep the disk from filling.

R4  A removal writes its gap before the file goes:
    1. one transaction: the ledger says why, the row `is_going`   2. unlink   3. the row goes.  `Repair` ends what is cut short.
R5  Held footage goes by none of these. While an index is made anew, and for an hour after, only a disk that fills takes any: the holds
    were lost with the old one, and the server tells them again.
R6  An hour's removals are bounded by `share_max` of the volume's bytes, and as much again as was written in that hour; only a disk
    that fills may take more. A clock that leapt, a plan that was mistyped or an index that is wrong can so not wipe a volume in one go.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import Space
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.footage import micros
from novavms_gateway.storage.index import Index, get_meta
from novavms_gateway.storage.ledger import NO_GAP_US, SECOND_US, Row
from novavms_gateway.storage.repair import remove_files
from novavms_gateway.storage.segment_rows import Segment
from novavms_gateway.storage.volume import Volume

log = logging.getLogger(__name__)

BATCH: Final = 200
"""Segments removed in one transaction."""
BATCHES_MAX: Final = 50
"""In one pass; the next one goes on."""
DAY_US: Final = 86_400 * SECOND_US
YOUNG_US: Final = 3600 * SECOND_US
REASONS_KEPT_US: Final = 400 * DAY_US
"""Why there was no footage is known for so long (the server keeps it as long)."""
Why = Literal["retention", "disk_full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of the volume."""

    max_bytes: int | None
    """All footage together; None: as much as the disk takes."""
    reserve_bytes: int
    """Kept free on the volume's file system."""
    share_max: float
    """R6."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did. `is_held`: more was due than R6 allows. `is_short`: the disk still has less free than its reserve."""

    removed: int = 0
    removed_bytes: int = 0
    is_held: bool = False
    is_short: bool = False


@dataclass(slots=True)
class _Due:
    segments: list[Segment]
    why: Why
    is_pressed: bool = False


class Retention:
    """`run_pass` removes what is due; the caller sees to it that the volume is usable (R7)."""

    def __init__(self, index: Index, volume: Volume, limits: Limits, clock: Clock) -> None:
        self._index = index
        self._volume = volume
        self._limits = limits
        self._clock = clock

    async def run_pass(self) -> Pass:
        """Raises OSError, sqlite3.Error."""
        removed = removed_bytes = 0
        is_held = False
        for _ in range(BATCHES_MAX):
            space = await self._volume.space()
            now_us = micros(self._clock.now())
            due, allowed = await self._index.read(lambda db: self._choose(db, now_us, space))  # noqa: B023
            if due is None:
                await self._index.change(lambda db: ledger_rows.forget(db, now_us - REASONS_KEPT_US))  # noqa: B023
                return Pass(removed, removed_bytes, is_held, is_short=self._shortage(space) > 0)
            going = due.segments if due.is_pressed else _within(due.segments, allowed)
            is_held = len(going) < len(due.segments)
            if not going:
                break
            await self._remove(going, due.why)
            removed += len(going)
            removed_bytes += sum(segment.size for segment in going)
            if is_held:
                break
        return Pass(removed, removed_bytes, is_held, is_short=self._shortage(await self._volume.space()) > 0)

    def _shortage(self, space: Space) -> int:
        return self._limits.reserve_bytes - space.free_bytes

    def _choose(self, db: sqlite3.Connection, now_us: int, space: Space) -> tuple[_Due | None, int]:
        """The next batch of one kind, in the order of the design's table, and how many bytes may go without pressure."""
        shortage = self._shortage(space)
        total = segment_rows.total_size(db)
        written, gone = segment_rows.flow_of_the_hour(db, now_us)
        allowed = int(self._limits.share_max * (total + gone)) + written - gone
        cameras = db.execute("SELECT key, size, retention_days, retention_bytes FROM camera WHERE size > 0")
        known = [(int(r[0]), int(r[1]), int(r[2]), r[3]) for r in cameras]
        if _is_young(db, now_us) and shortage <= 0:
            return None, allowed
        aged: list[Segment] = []
        for key, _, days, _ in known:
            before_us = now_us - days * DAY_US
            aged += segment_rows.oldest_unheld(db, key, BATCH - len(aged), before_us=before_us)
            if len(aged) >= BATCH:
                break
        if aged:
            return _Due(aged, "retention", shortage > 0), allowed
        for key, size, _, limit in known:
            if limit is not None and size > limit and (over := _up_to(db, key, size - limit)):
                return _Due(over, "retention"), allowed
        needs: list[tuple[int, Why]] = [(shortage, "disk_full")]
        if self._limits.max_bytes is not None:
            needs.append((total - self._limits.max_bytes, "retention"))
        for need, why in needs:
            if need > 0 and (over := _furthest_over(db, known, need)):
                return _Due(over, why, why == "disk_full"), allowed
        return None, allowed

    async def _remove(self, segments: list[Segment], why: Why) -> None:
        now_us = micros(self._clock.now())
        await self._index.change(_begin(segments, why))
        paths = [Path(segment.path) for segment in segments]
        await self._volume.off_loop.run(lambda: remove_files(self._volume, paths))
        size = sum(segment.size for segment in segments)

        def ended(db: sqlite3.Connection) -> None:
            segment_rows.delete(db, [segment.id for segment in segments])
            segment_rows.flowed(db, now_us, removed=size)

        await self._index.change(ended)
        log.info("footage removed", extra={"facts": {"files": len(segments), "bytes": size, "why": why}})


def _is_young(db: sqlite3.Connection, now_us: int) -> bool:
    """The index was made anew, and what is held may not be known yet: the server tells it again."""
    rebuilt_us = int(get_meta(db, "rebuilt_us") or 0)
    return get_meta(db, "rebuild") == "1" or 0 <= now_us - rebuilt_us < YOUNG_US


def _within(segments: list[Segment], allowed: int) -> list[Segment]:
    """The first of them, as far as the bytes allow."""
    kept: list[Segment] = []
    for segment in segments:
        allowed -= segment.size
        if allowed < 0:
            break
        kept.append(segment)
    return kept


def _up_to(db: sqlite3.Connection, camera: int, size: int) -> list[Segment]:
    """The oldest, until `size` bytes are together."""
    found: list[Segment] = []
    for segment in segment_rows.oldest_unheld(db, camera, BATCH):
        found.append(segment)
        size -= segment.size
        if size <= 0:
            break
    return found


def _furthest_over(
    db: sqlite3.Connection, known: list[tuple[int, int, int, int | None]], need: int
) -> list[Segment]:
    """Of the camera that has most and something to give: down to where the next one is, or a fair part of the need."""
    by_size = sorted(known, key=lambda camera: camera[1], reverse=True)
    for place, (key, size, _, _) in enumerate(by_size):
        following = by_size[place + 1][1] if place + 1 < len(by_size) else 0
        if found := _up_to(db, key, min(need, max(size - following, need // len(known) + 1))):
            return found
    return []


def _begin(segments: list[Segment], why: Why) -> Callable[[sqlite3.Connection], None]:
    """Step 1. Where a clock was set back, another file may still show a moment of a file that goes: then it stays a span."""

    def act(db: sqlite3.Connection) -> None:
        for segment in segments:
            db.execute("UPDATE segment SET is_going = 1 WHERE id = ?", (segment.id,))
        for run in _runs(segments):
            camera = ledger_rows.camera_key(db, run[0].camera_id)
            start_us, end_us = run[0].start_us, max(segment.end_us for segment in run)
            following = segment_rows.between(db, camera, end_us, end_us + NO_GAP_US, limit=1)
            if following and end_us < following[0].start_us:
                end_us = following[0].start_us
            gap = Row(start_us, end_us, run[0].stream, why)
            ledger_rows.lay_fact(db, camera, gap, hole="unknown")
            for other in segment_rows.between(db, camera, start_us, end_us):
                fmt = segment_rows.format_key(db, other.format)
                shown = Row(
                    max(other.start_us, start_us), min(other.end_us, end_us), other.stream, format=fmt
                )
                ledger_rows.lay_fact(db, camera, shown, hole="unknown")

    return act


def _runs(segments: list[Segment]) -> list[list[Segment]]:
    """Segments of one camera and stream that follow one another."""
    runs: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.camera_id, s.stream, s.start_us)):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and (last.camera_id, last.stream) == (segment.camera_id, segment.stream)
            and segment.start_us - last.end_us + NO_GAP_US >= 0
            and segment.start_us - last.end_us < NO_GAP_US
        ):
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs
