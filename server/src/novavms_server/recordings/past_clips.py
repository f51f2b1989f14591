"""Clips of any past moment, cut by the gateway out of what it has recorded."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from novavms_server.events.models import Triggered
from novavms_server.events.service import EventService
from novavms_server.kit.errors import NotFound, ValidationError
from novavms_server.kit.work import Work
from novavms_server.recordings.errors import FootageAway, NothingToCut
from novavms_server.recordings.footage import Footage
from novavms_server.recordings.models import ClipCreate
from novavms_server.recordings.service import NO_CAMERA, RecordingService

_LEAST_SEC: Final = 1.0


class PastClips:
    """Stateless; made once."""

    def __init__(self, recordings: RecordingService, footage: Footage, events: EventService) -> None:
        self._recordings = recordings
        self._footage = footage
        self._events = events

    async def create(self, work: Work, camera_id: UUID, asked: ClipCreate) -> Triggered:
        """Event and clip are one transaction, and the order to cut follows it. Raises NothingToCut where neither the ledger has
        footage in the range nor the gateway what it has not told of yet, FootageAway where the gateway is not there to cut it, or
        to say whether it has some."""
        start, end = asked.from_, asked.to
        if end > work.now:
            raise ValidationError.of("to", "to must not lie in the future")
        known = await self._recordings.between(work, camera_id, start, end)
        camera = known.camera
        if camera.deleted_at is not None:
            raise NotFound(NO_CAMERA)
        spans = [(span.start, span.end) for span in known.line.spans]
        if camera.gateway_id is not None:
            spans += await self._footage.fresh(camera.gateway_id, camera.id, known.fresh)
        footage_sec = sum((high - low).total_seconds() for low, high in spans)
        has_footage = footage_sec >= _LEAST_SEC
        is_away = camera.gateway_id is not None and camera.gateway_status != "online"
        if is_away and not has_footage and any(gap.reason == "gateway_offline" for gap in known.line.gaps):
            raise FootageAway(
                "gateway_offline", "The gateway that may have the footage is offline; try again."
            )
        if camera.gateway_id is None or not has_footage:
            raise NothingToCut(extra={"reason": known.reason})
        if is_away:
            raise FootageAway("gateway_offline", "The gateway that has the footage is offline; try again.")
        await work.write()
        event_id = await self._events.cut(
            work, camera.id, camera.site_id, camera.gateway_id, start, end, asked.note
        )
        return Triggered(event_id, min(spans)[0], round(footage_sec))
