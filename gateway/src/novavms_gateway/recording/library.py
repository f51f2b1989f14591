"""What footage there is: lists it, finds its files, holds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from novavms_gateway.recording.continuous import CameraRecording
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.footage import micros, moment
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.segment_rows import Segment
from novavms_protocol import HoldFootage, ListSegments, SegmentInfo, StreamName

CUT: Final = "cut:"
"""Holds of our own, of clips that are being cut."""
LIST_MAX: Final = 1000
"""Segments in one answer, whatever was asked: 300 bytes each."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A file and how much of it there is. `path` in full."""

    path: Path
    size: int


class Library:
    """`recordings`: what cameras are writing now. `lost` is told of a segment whose file is not there."""

    def __init__(
        self,
        index: Index,
        root: Path,
        recordings: Callable[[], Collection[CameraRecording]],
        lost: Callable[[int], Awaitable[None]],
    ) -> None:
        self._index = index
        self._root = root
        self._recordings = recordings
        self.lost = lost

    async def list_segments(self, ask: ListSegments) -> dict[str, Any]:
        """The reply of ListSegments."""
        limit = max(1, min(ask.limit, LIST_MAX))
        found, before = await self.segments(
            ask.camera_id, micros(ask.start), micros(ask.end), stream=ask.stream, limit=limit + 1
        )
        infos: list[SegmentInfo] = []
        for segment in found[:limit]:
            infos.append(_info(segment, before))
            before = segment
        return {"segments": [msgspec.to_builtins(info) for info in infos], "more": len(found) > limit}

    async def segments(
        self, camera_id: UUID, start_us: int, end_us: int, *, stream: str | None = None, limit: int = -1
    ) -> tuple[list[Segment], Segment | None]:
        """Segments that overlap [start, end), oldest first, what is being written included; and the one before them."""
        # Before the index is read: one that is taken in meanwhile is then in both, and in neither never.
        writing = [
            segment
            for recording in self._recordings()
            if recording.config.camera_id == camera_id
            for segment in recording.writing()
        ]

        def read(db: sqlite3.Connection) -> tuple[list[Segment], Segment | None]:
            camera = ledger_rows.find_camera(db, camera_id)
            if camera is None:
                return [], None
            whole = segment_rows.between(db, camera, start_us, end_us, stream=stream, limit=limit)
            first = whole[0].start_us if whole else end_us
            return whole, segment_rows.before(db, camera, first, stream)

        whole, before = await self._index.read(read)
        known = {segment.id for segment in whole}
        late = [
            segment
            for segment in writing
            if segment.id not in known
            and segment.start_us < end_us
            and segment.end_us > start_us
            and stream in (None, segment.stream)
        ]
        found = sorted((*whole, *late), key=lambda segment: segment.start_us)
        return (found if limit < 0 else found[:limit]), before

    def is_behind(self, camera_id: UUID, end_us: int) -> bool:
        """Whether footage of before `end_us` is still on its way to the disk."""
        return any(
            recording.is_behind(end_us)
            for recording in self._recordings()
            if recording.config.camera_id == camera_id
        )

    async def find(self, segment_id: int) -> Readable | None:
        """None where it is no more."""
        for recording in self._recordings():
            for segment in recording.writing():
                if segment.id == segment_id:
                    return Readable(self._root / segment.path, segment.size)
        found = await self._index.read(lambda db: segment_rows.find(db, segment_id))
        return None if found is None else Readable(self._root / found.path, found.size)

    def path(self, segment: Segment) -> Path:
        """In full."""
        return self._root / PurePath(segment.path)

    async def hold(self, order: HoldFootage) -> dict[str, Any]:
        """The reply of HoldFootage; durable when it is given."""
        hold_id, start_us, end_us = str(order.hold_id), micros(order.start), micros(order.end)
        if order.is_held:
            await self._index.change(lambda db: _put_hold(db, hold_id, order.camera_id, start_us, end_us))
        else:
            await self._index.change(lambda db: _lift_hold(db, hold_id))
        return {}

    async def hold_cut(self, clip_id: UUID, camera_id: UUID, start: datetime, end: datetime) -> None:
        """Keeps the footage of a clip until it is cut."""
        hold_id, start_us, end_us = f"{CUT}{clip_id}", micros(start), micros(end)
        await self._index.change(lambda db: _put_hold(db, hold_id, camera_id, start_us, end_us))

    async def lift_cut(self, clip_id: UUID) -> None:
        """It was cut, or will not be."""
        await self._index.change(lambda db: _lift_hold(db, f"{CUT}{clip_id}"))

    def keep_cuts(self, cuts: dict[UUID, tuple[UUID, datetime, datetime]]) -> None:
        """Of the cuts that were going on before this life only these still do: (camera, start, end) of each clip. They are held
        also where the index was lost. Not waited for: the index may take nothing now."""
        names = {f"{CUT}{clip_id}": cut for clip_id, cut in cuts.items()}

        def act(db: sqlite3.Connection) -> None:
            for (hold_id,) in db.execute("SELECT hold_id FROM hold").fetchall():
                if hold_id.startswith(CUT) and hold_id not in names:
                    _lift_hold(db, hold_id)
            for hold_id, (camera_id, start, end) in names.items():
                _put_hold(db, hold_id, camera_id, micros(start), micros(end))

        self._index.submit(act)


def _put_hold(db: sqlite3.Connection, hold_id: str, camera_id: UUID, start_us: int, end_us: int) -> None:
    camera = ledger_rows.camera_key(db, camera_id)
    db.execute(
        """INSERT INTO hold (hold_id, camera, start_us, end_us) VALUES (?, ?, ?, ?) ON CONFLICT (hold_id)
           DO UPDATE SET camera = excluded.camera, start_us = excluded.start_us, end_us = excluded.end_us""",
        (hold_id, camera, start_us, end_us),
    )


def _lift_hold(db: sqlite3.Connection, hold_id: str) -> None:
    db.execute("DELETE FROM hold WHERE hold_id = ?", (hold_id,))


def _info(segment: Segment, before: Segment | None) -> SegmentInfo:
    return SegmentInfo(
        id=segment.id,
        stream=cast("StreamName", segment.stream),
        start=moment(segment.start_us),
        end=moment(segment.end_us),
        duration_sec=round((segment.end_90k - segment.start_90k) / 90_000, 6),
        size_bytes=segment.size,
        init_bytes=segment.init_size,
        codecs=segment.format.codecs,
        width=segment.format.width,
        height=segment.format.height,
        has_audio=segment.format.has_audio,
        sha256=segment.sha256.hex() or None,
        is_whole=bool(segment.sha256),
        continues=before is not None and segment.continues(before),
        lossy_sec=round(segment.lossy_us / SECOND_US, 3),
    )
