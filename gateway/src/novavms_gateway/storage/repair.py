"""At start: makes files and index agree again after a power cut, a kill, or an index that was lost.

row `is_going`                     → its file is removed, then the row
file without a row, not this life's → mended (cut behind its last whole fragment) and taken in; one without a picture is removed
row without its file                → the ledger says `storage_lost`, the row goes

Only the days since the index was last written are looked at; an index that is new (`rebuild` in its meta) looks at all, newest first.
Everything here can be cut short and done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from novavms_camera.capture import SegmentFacts, repair_segment
from novavms_gateway.kit.clock import Clock
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.footage import micros, segment_of, taking_in
from novavms_gateway.storage.index import Index, get_meta, set_meta
from novavms_gateway.storage.ledger import Row
from novavms_gateway.storage.volume import Volume

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"\d{6}\.\d{3}Z-(\d{1,18})\.mp4")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_STREAMS: Final = ("main", "sub")
DAY: Final = timedelta(days=1)
TAKEN_AT_ONCE: Final = 200
"""Files that one transaction of the index takes in."""


@dataclass(frozen=True, slots=True)
class Found:
    """A segment's file. `path` below the volume."""

    id: int
    camera_id: UUID
    stream: str
    day: str
    path: Path


class Repair:
    """`look` first, before anything is recorded; then `mend`, while recording goes on."""

    def __init__(self, index: Index, volume: Volume, clock: Clock) -> None:
        self._index = index
        self._volume = volume
        self._clock = clock
        self._days: list[str] | None = []
        self._first_id = 0

    async def look(self) -> None:
        """Finds out which days to go through, and takes no segment id that a file has. Raises OSError, sqlite3.Error."""
        newest_us, is_rebuild = await self._index.read(_newest)
        now = self._clock.now()
        self._days = None if is_rebuild else _days(newest_us, now)
        if is_rebuild:
            # Of all files that may be there the ids are not known yet; this is above them.
            self._index.segment_id_seen(micros(now) // 1000)
        else:
            for found in await self._volume.off_loop.run(lambda: list(self._files(self._days))):
                self._index.segment_id_seen(found.id)
        self._first_id = self._index.take_segment_id()

    async def mend(self) -> None:
        """Everything in the table above. Raises OSError, sqlite3.Error."""
        await self.finish_removals()
        folders = await self._volume.off_loop.run(lambda: list(self._folders(self._days)))
        for camera_id, stream, day in folders:
            await self._mend_day(camera_id, stream, day)
        if self._days is None:
            rebuilt_us = micros(self._clock.now()) if folders else 0
            await self._index.change(lambda db: _rebuilt(db, rebuilt_us))
            log.info("index made anew from the files", extra={"facts": {"folders": len(folders)}})

    async def finish_removals(self) -> None:
        """Removals that were cut short."""
        going = await self._index.read(segment_rows.going)
        if going:
            await self._remove_files([Path(segment.path) for segment in going])
            await self._index.change(lambda db: segment_rows.delete(db, [segment.id for segment in going]))

    async def take_in(self, path: Path, segment_id: int, hole: str) -> bool:
        """Mends the file and makes it known; removes one that shows nothing. Gives whether the ledger has a new row."""
        taken = await self._begin_to_take(path, segment_id, hole)
        return taken is not None and await taken

    async def _begin_to_take(self, path: Path, segment_id: int, hole: str) -> asyncio.Future[bool] | None:
        root, disk = self._volume.root, self._volume.disk

        def work() -> SegmentFacts | None:
            facts = repair_segment(root / path, disk)
            if facts is None:
                disk.unlink(root / path)
                return None
            file = disk.append(root / path)
            try:
                file.sync()
            finally:
                file.close()
            disk.sync_folder(root / path.parent)
            return facts

        try:
            facts = await self._volume.off_loop.run(work)
        except FileNotFoundError:
            return None
        if facts is None:
            log.warning("segment without a picture removed", extra={"facts": {"file": path.name}})
            return None
        segment = segment_of(segment_id, facts)
        if Path(segment.path) != path:
            log.error(
                "segment in a place that is not its own left alone", extra={"facts": {"file": path.name}}
            )
            return None
        now_us = micros(self._clock.now())
        return self._index.submit(taking_in(segment, facts.losses, hole=hole, now_us=now_us))

    async def missing(self, segment_id: int) -> None:
        """The file of this row is not there."""
        await self._index.change(_losing([segment_id]))

    # ---- a day -------------------------------------------------------------------------------------------

    async def _mend_day(self, camera_id: UUID, stream: str, day: str) -> None:
        files = await self._volume.off_loop.run(lambda: list(self._files_of(camera_id, stream, day)))
        rows = await self._index.read(lambda db: _ids_of(db, camera_id, stream, day))
        strange = [found for found in files if found.id not in rows and found.id < self._first_id]
        taken = sorted(strange, key=lambda found: found.id, reverse=True)
        waiting: list[asyncio.Future[bool]] = []
        for found in taken:
            try:
                future = await self._begin_to_take(found.path, found.id, "unknown")
            except (OSError, ValueError) as error:
                log.error("segment not readable", extra={"facts": {"file": found.path.name, "error": error}})
                continue
            waiting += [] if future is None else [future]
            if len(waiting) >= TAKEN_AT_ONCE:
                await asyncio.gather(*waiting)
                waiting = []
        await asyncio.gather(*waiting)
        there = {found.id for found in files}
        gone = [segment_id for segment_id in rows if segment_id not in there and segment_id < self._first_id]
        if gone:
            log.error(
                "footage is gone from the disk", extra={"facts": {"camera": camera_id, "files": len(gone)}}
            )
            await self._index.change(_losing(gone))
        if taken:
            log.warning(
                "segments taken in", extra={"facts": {"camera": camera_id, "day": day, "files": len(taken)}}
            )

    async def _remove_files(self, paths: list[Path]) -> None:
        await self._volume.off_loop.run(lambda: remove_files(self._volume, paths))

    # ---- the volume's folders (blocking) ---------------------------------------------------------------------

    def _folders(self, days: list[str] | None) -> Iterator[tuple[UUID, str, str]]:
        """Days' folders, newest day first."""
        disk, root = self._volume.disk, self._volume.root
        found: list[tuple[str, str, str]] = []
        for camera in disk.names(root):
            if _uuid(camera) is None:
                continue
            for stream in _STREAMS:
                names = disk.names(root / camera / stream)
                found += [
                    (name, camera, stream)
                    for name in names
                    if _DAY.fullmatch(name) and (days is None or name in days)
                ]
        for day, camera, stream in sorted(found, reverse=True):
            yield UUID(camera), stream, day

    def _files(self, days: list[str] | None) -> Iterator[Found]:
        for camera_id, stream, day in self._folders(days):
            yield from self._files_of(camera_id, stream, day)

    def _files_of(self, camera_id: UUID, stream: str, day: str) -> Iterator[Found]:
        folder = Path(str(camera_id), stream, day)
        for name in self._volume.disk.names(self._volume.root / folder):
            match = _NAME.fullmatch(name)
            if match is not None:
                yield Found(int(match[1]), camera_id, stream, day, folder / name)


def remove_files(volume: Volume, paths: list[Path]) -> None:
    """Removes the files for good, and folders of days gone by that are empty then. Blocks. Raises OSError."""
    disk = volume.disk
    for path in paths:
        try:
            disk.unlink(volume.root / path)
        except FileNotFoundError:
            continue
    for folder in sorted({volume.root / path.parent for path in paths}):
        try:
            disk.sync_folder(folder)
        except FileNotFoundError:
            continue
        if not disk.names(folder):
            # Not empty any more: a segment began in it.
            with contextlib.suppress(OSError):
                disk.remove_folder(folder)


def _losing(segment_ids: list[int]) -> Callable[[sqlite3.Connection], None]:
    def act(db: sqlite3.Connection) -> None:
        for segment_id in segment_ids:
            segment = segment_rows.find(db, segment_id)
            if segment is None:
                continue
            camera = ledger_rows.camera_key(db, segment.camera_id)
            lost = Row(segment.start_us, segment.end_us, segment.stream, "storage_lost")
            ledger_rows.lay_fact(db, camera, lost, hole="unknown")
            segment_rows.delete(db, [segment_id])

    return act


def _rebuilt(db: sqlite3.Connection, rebuilt_us: int) -> None:
    set_meta(db, "rebuild", "")
    set_meta(db, "rebuilt_us", str(rebuilt_us))


def _newest(db: sqlite3.Connection) -> tuple[int | None, bool]:
    newest = db.execute("SELECT max(end_us) FROM ledger").fetchone()[0]
    return newest, get_meta(db, "rebuild") == "1"


def _days(newest_us: int | None, now: datetime) -> list[str]:
    """From the day before the index's last word to tomorrow; at most a month of them."""
    last = now if newest_us is None else datetime.fromtimestamp(newest_us / 1e6, UTC)
    first: date = min(last, now).astimezone(UTC).date() - DAY
    until: date = max(last, now).astimezone(UTC).date() + DAY
    return [str(first + DAY * number) for number in range(min((until - first).days + 1, 31))]


def _ids_of(db: sqlite3.Connection, camera_id: UUID, stream: str, day: str) -> set[int]:
    """Rows whose file is in the day's folder; those that are going are not asked for."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = db.execute(
        """SELECT s.id FROM segment s JOIN camera c ON c.key = s.camera
           WHERE c.camera_id = ? AND s.stream = ? AND s.start_us >= ? AND s.start_us < ?""",
        (str(camera_id), stream, micros(start), micros(start + DAY)),
    )
    return {int(row[0]) for row in found}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
