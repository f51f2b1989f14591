"""An event as the API shows it, and as callers ask for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.kit.validation import PRINTABLE, Body

TriggerType = Literal["motion", "ai_tag", "manual"]
AiStatus = Literal["pending", "completed", "skipped", "failed"]
ClipStatus = Literal["recording", "uploading", "ready", "failed"]
Note = Annotated[str, Meta(max_length=500, pattern=PRINTABLE)]


class Event(msgspec.Struct):
    """Something noticed or asked for. `site_id` is where the camera was then."""

    id: UUID
    camera_id: UUID
    camera_name: str
    camera_deleted: bool
    site_id: UUID
    trigger_type: TriggerType
    triggered_at: datetime
    summary: str | None
    tags: list[str]
    ai_status: AiStatus
    acknowledged: bool
    starred: bool
    snapshot_url: str | None


class EventRow(msgspec.Struct):
    """An event with all its columns."""

    id: UUID
    camera_id: UUID
    camera_name: str
    camera_deleted: bool
    site_id: UUID
    trigger_type: TriggerType
    triggered_at: datetime
    summary: str | None
    tags: list[str]
    ai_status: AiStatus
    acknowledged: bool
    starred: bool
    snapshot_key: str | None
    narrative: str | None
    note: str | None
    triggered_by: str | None
    acknowledged_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class Clip(msgspec.Struct):
    """A stretch of recording that belongs to an event. `url` is there as soon as there is something to play, which a
    `failed` clip may have, too: what was recorded before it broke off."""

    id: UUID
    status: ClipStatus
    url: str | None
    duration_sec: float | None
    gap_sec: float | None
    """Seconds within it of which there is no picture: the connection broke and came back, or packets were lost."""
    size_bytes: int | None
    sha256: str | None
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool | None
    started_at: datetime | None
    """Time of the first frame; before the clip is there: of the order."""
    failure_reason: str | None
    failure_message: str | None


class EventDetail(Event):
    """`prev_id` and `next_id` are its neighbours in the list, newest first: the newer and the older one."""

    narrative: str | None
    note: str | None
    triggered_by: str | None
    acknowledged_at: datetime | None
    clip: Clip | None
    prev_id: UUID | None
    next_id: UUID | None
    created_at: datetime
    updated_at: datetime


class EventUpdate(Body):
    acknowledged: bool | UnsetType = UNSET
    starred: bool | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET


class Trigger(Body, frozen=True):  # type: ignore[misc]  # frozen, for it is a default value; its base is not
    """What to record. All of it may be left out."""

    duration_sec: Annotated[int, Meta(ge=5, le=60)] = 15
    note: Note | None = None


class Triggered(msgspec.Struct):
    """The clip is being recorded; follow it at `GET /events/{event_id}`."""

    event_id: UUID
    started_at: datetime
    expected_clip_duration_sec: int


class EventFilter(msgspec.Struct, frozen=True):
    """What a list is narrowed to. The dates are as typed."""

    camera_id: UUID | None = None
    site_id: UUID | None = None
    date_from: str | None = None
    date_to: str | None = None
    trigger_type: TriggerType | None = None
    ai_status: AiStatus | None = None
    starred: bool | None = None
    acknowledged: bool | None = None
    tag: str | None = None
    q: str | None = None


class CameraNow(msgspec.Struct):
    """A camera that is to record."""

    site_id: UUID
    gateway_id: UUID | None
    status: str
