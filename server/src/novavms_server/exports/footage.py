"""What exports need of the recordings, and how they get it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol
from uuid import UUID

from novavms_protocol import SegmentInfo
from novavms_server.kit.work import Work
from novavms_server.recordings.errors import FootageAway, FootageGone
from novavms_server.recordings.footage import FileRef
from novavms_server.recordings.footage import Footage as Relayed
from novavms_server.recordings.service import RecordingService

Gap = tuple[datetime, datetime, str]


class Footage(Protocol):
    """The recordings, as an export reads them. `segments` and `read` raise FootageAway for what cannot be had now and may be
    later."""

    async def segments(
        self, work: Work, camera_id: UUID, start: datetime, end: datetime
    ) -> list[SegmentInfo]:
        """Those that overlap [start, end), oldest first, of one stream."""

    def read(self, work: Work, camera_id: UUID, segment: SegmentInfo) -> AsyncIterator[bytes]:
        """The whole file."""

    async def gaps(self, work: Work, camera_id: UUID, start: datetime, end: datetime) -> list[Gap]:
        """(start, end, reason) of what is missing."""


class GatewayFootage:
    """From the gateway that has it, by relay. A direct camera has none."""

    def __init__(self, recordings: RecordingService, relayed: Relayed) -> None:
        self._recordings = recordings
        self._relayed = relayed

    async def segments(
        self, work: Work, camera_id: UUID, start: datetime, end: datetime
    ) -> list[SegmentInfo]:
        camera = await self._recordings.camera(work, camera_id)
        if camera.gateway_id is None:
            return []
        try:
            return await self._relayed.segments(
                camera.gateway_id, camera_id, start, end, wanted=camera.recording_stream
            )
        except FootageGone:
            return []

    async def read(self, work: Work, camera_id: UUID, segment: SegmentInfo) -> AsyncIterator[bytes]:
        camera = await self._recordings.camera(work, camera_id)
        assert camera.gateway_id is not None, "it listed the segment"
        file = FileRef(camera.gateway_id, camera.life or 0, segment.id, segment.size_bytes)
        try:
            async for piece in await self._relayed.read(file, 0, segment.size_bytes):
                yield piece
        except FootageGone:
            raise FootageAway("gone", "Footage was removed while it was exported; looking again.") from None

    async def gaps(self, work: Work, camera_id: UUID, start: datetime, end: datetime) -> list[Gap]:
        known = await self._recordings.between(work, camera_id, start, end)
        return [(gap.start, gap.end, gap.reason) for gap in known.line.gaps]
