"""What is told of events and their clips on the feed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from novavms_server.events.models import Clip, Event, EventRow
from novavms_server.feed.log import NewItem

Change = Literal["created", "updated", "deleted"]


class EventData(msgspec.Struct, kw_only=True):
    """An event happened, was changed (acknowledged, starred, noted, got its picture) or deleted: then `event` is null."""

    change: Change
    event_id: UUID
    camera_id: UUID
    site_id: UUID
    event: Event | None


class ClipData(msgspec.Struct, kw_only=True):
    """An event's clip has another status: it is being recorded or uploaded, is ready, or failed with a reason."""

    event_id: UUID
    camera_id: UUID
    site_id: UUID
    clip: Clip


def event_item(change: Change, row: EventRow) -> NewItem:
    event = None
    if change != "deleted":
        shown = {name: getattr(row, name) for name in Event.__struct_fields__ if name != "snapshot_url"}
        url = f"/api/v1/events/{row.id}/snapshot" if row.snapshot_key is not None else None
        event = Event(**shown, snapshot_url=url)
    data = EventData(
        change=change, event_id=row.id, camera_id=row.camera_id, site_id=row.site_id, event=event
    )
    return NewItem("event", row.site_id, data, row.camera_id)


def clip_item(event_id: UUID, camera_id: UUID, site_id: UUID, clip: Clip) -> NewItem:
    data = ClipData(event_id=event_id, camera_id=camera_id, site_id=site_id, clip=clip)
    return NewItem("clip", site_id, data, camera_id)
