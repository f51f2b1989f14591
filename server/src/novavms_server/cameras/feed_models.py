"""What is told of cameras on the feed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from novavms_server.cameras.models import Camera, Status, Tier
from novavms_server.feed.log import Moment

Change = Literal["created", "updated", "deleted"]


class CameraStatusData(msgspec.Struct):
    """A camera's state, or the stream in use, or its picture's facts changed. `since` is when it got into this state."""

    camera_id: UUID
    site_id: UUID
    gateway_id: UUID | None
    status: Status
    reason: str | None
    message: str | None
    since: Moment
    active_tier: Tier
    codec: str | None
    width: int | None
    height: int | None
    has_audio: bool | None


class CameraData(msgspec.Struct, kw_only=True):
    """A camera was added, changed by a person, or deleted: then `camera` is null. To a viewer that sees only the site that a
    camera has left, it is told as deleted there."""

    change: Change
    camera_id: UUID
    site_id: UUID
    camera: Camera | None
