"""What exports need of the recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol
from uuid import UUID

from novavms_protocol import SegmentInfo


class FootageAway(Exception):
    """It cannot be had now, and may be later: the gateway is offline, the newest segment is still being written."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Footage(Protocol):
    """The recordings, as an export reads them. All but `gaps` raise FootageAway."""

    async def segments(
        self, org_id: UUID, camera_id: UUID, start: datetime, end: datetime
    ) -> list[SegmentInfo]:
        """Those that overlap [start, end), oldest first, of one stream."""

    def read(self, org_id: UUID, camera_id: UUID, segment: SegmentInfo) -> AsyncIterator[bytes]:
        """The whole file."""

    async def gaps(
        self, org_id: UUID, camera_id: UUID, start: datetime, end: datetime
    ) -> list[tuple[datetime, datetime, str]]:
        """(start, end, reason) of what is missing."""
