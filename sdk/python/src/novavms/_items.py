"""What the live stream says, as objects."""

from __future__ import annotations

from typing import Any, cast

from novavms._model import Model, Unreadable, is_object, read
from novavms._sse import ServerSentEvent
from novavms.types import STREAM_ITEMS, OtherItem, StreamItem


def item_of(event: ServerSentEvent) -> StreamItem:
    """Raises Unreadable for one that is not as the API says."""
    if not is_object(event.data):
        raise Unreadable("an item of the stream is not an object")
    told: dict[str, Any] = {name: value for name, value in event.data.items() if name != "at"}
    item: dict[str, Any] = {"type": event.type, "id": event.id, "at": event.data.get("at"), "data": told}
    cls: type[Model] | None = STREAM_ITEMS.get(event.type)
    if cls is None:
        cls, item = OtherItem, {**item, "type": "other", "name": event.type}
    return cast("StreamItem", read(cls, item))
