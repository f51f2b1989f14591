"""The items of a stream, for the API's document: what is sent is put together in items.py, its `data` where it is told."""

from __future__ import annotations

from typing import Literal

import msgspec

from novavms_server.cameras.feed_models import CameraData, CameraStatusData
from novavms_server.events.feed_models import ClipData, EventData
from novavms_server.feed.log import Moment
from novavms_server.gateways.feed_models import GatewayData, GatewayStatusData


class HelloData(msgspec.Struct):
    """`ping_sec`: a stream that is silent for much longer is broken. `kept_hours`: how long one may be away and miss nothing."""

    ping_sec: int
    kept_hours: int


class ResetData(msgspec.Struct):
    """Read your lists anew: the id that you gave is too old, what came after it can't be told any more."""

    reason: Literal["too_old"]


class EndData(msgspec.Struct):
    """`token_expired`: refresh it. `revoked`: the user, key, session or role is no more. `shutting_down`: connect again soon."""

    reason: Literal["token_expired", "revoked", "shutting_down"]


class PingData(msgspec.Struct):
    """Nothing."""


class HelloItem(msgspec.Struct, tag_field="type", tag="hello"):
    """The first item. What is read after it and what is told after it leave no gap between them."""

    id: str
    at: Moment
    data: HelloData


class ResetItem(msgspec.Struct, tag_field="type", tag="reset"):
    """Comes after `hello`, where something is lost."""

    id: str
    at: Moment
    data: ResetData


class EndItem(msgspec.Struct, tag_field="type", tag="end"):
    """The last item."""

    id: None
    at: Moment
    data: EndData


class PingItem(msgspec.Struct, tag_field="type", tag="ping"):
    """By WebSocket only; among server-sent events it is a comment with an id."""

    id: str
    at: Moment
    data: PingData


class CameraStatusItem(msgspec.Struct, tag_field="type", tag="camera_status"):
    """What a camera does."""

    id: str
    at: Moment
    data: CameraStatusData


class CameraItem(msgspec.Struct, tag_field="type", tag="camera"):
    """What people do to cameras."""

    id: str
    at: Moment
    data: CameraData


class GatewayStatusItem(msgspec.Struct, tag_field="type", tag="gateway_status"):
    """What a gateway does."""

    id: str
    at: Moment
    data: GatewayStatusData


class GatewayItem(msgspec.Struct, tag_field="type", tag="gateway"):
    """What people do to gateways."""

    id: str
    at: Moment
    data: GatewayData


class EventItem(msgspec.Struct, tag_field="type", tag="event"):
    """An event."""

    id: str
    at: Moment
    data: EventData


class ClipItem(msgspec.Struct, tag_field="type", tag="clip"):
    """An event's clip."""

    id: str
    at: Moment
    data: ClipData


StreamItem = (
    HelloItem
    | ResetItem
    | EndItem
    | PingItem
    | CameraStatusItem
    | CameraItem
    | GatewayStatusItem
    | GatewayItem
    | EventItem
    | ClipItem
)
"""New types may come: skip those that you do not know."""
