"""An event as the API shows it, and as callers ask for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from novavms_server.kit.validation import PRINTABLE, Body

TriggerType = Literal["motion", "ai_tag", "manual"]
AiStatus = Literal["pending", "completed", "skipped", "failed"]
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


class EventDetail(Event):
    """`prev_id` and `next_id` are its neighbours in the list, newest first: the newer and the older one."""

    narrative: str | None
    note: str | None
    triggered_by: str | None
    acknowledged_at: datetime | None
    clip: Any
    prev_id: UUID | None
    next_id: UUID | None
    created_at: datetime
    updated_at: datetime


class EventUpdate(Body):
    acknowledged: bool | UnsetType = UNSET
    starred: bool | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET


class Trigger(Body, frozen=True):
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
