"""A shared link as the API shows it to those who made it, and what it shows to those who have it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from novavms_server.events.models import ClipStatus
from novavms_server.kit.validation import Body

Lifetime = Annotated[Literal["1h", "24h", "7d", "30d"], Meta(description="How long the link works.")]
LIFETIMES: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


class ShareCreate(Body):
    expires_in: Lifetime = "24h"


class Share(msgspec.Struct):
    """A link to one event. `view_count` counts openings of the page or of what it is made of."""

    id: UUID
    event_id: UUID
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    view_count: int
    last_viewed_at: datetime | None


class ShareCreated(msgspec.Struct):
    """`url` is shown this once."""

    id: UUID
    event_id: UUID
    url: str
    created_at: datetime
    expires_at: datetime


class FoundShare(msgspec.Struct):
    """What a link's token leads to."""

    org_id: UUID
    id: UUID
    event_id: UUID
    expires_at: datetime
    epoch: int


class SharedClip(msgspec.Struct):
    status: ClipStatus
    url: str | None
    duration_sec: float | None
    width: int | None
    height: int | None


class SharedEvent(msgspec.Struct):
    """What a stranger with the link learns, and nothing more: no ids, no site, no people."""

    camera_name: str
    triggered_at: datetime
    summary: str | None
    expires_at: datetime
    snapshot_url: str | None
    clip: SharedClip | None
