"""What the live stream says, as objects."""

from __future__ import annotations

import json
from typing import Any, cast

from novavms._model import Model, Unreadable, is_object, read
from novavms._sse import ServerSentEvent
from novavms.types import STREAM_ITEMS, OtherItem, StreamItem


def item_of(event: ServerSentEvent) -> StreamItem:
    """Raises Unreadable for one that is not as the API says."""
    try:
        data = json.loads(event.data)
    except (ValueError, RecursionError):
        raise Unreadable("an item of the stream is not JSON") from None
    if not is_object(data):
        raise Unreadable("an item of the stream is not an object")
    item: dict[str, Any] = {"type": event.type, "id": event.id, "at": data.pop("at", None), "data": data}
    cls: type[Model] | None = STREAM_ITEMS.get(event.type)
    if cls is None:
        cls, item = OtherItem, {**item, "type": "other", "name": event.type}
    return cast("StreamItem", read(cls, item))
