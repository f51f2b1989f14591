"""Server-sent events, read from bytes as they come (WHATWG HTML, 9.2.6)."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass, field
from typing import Any

from novavms._model import Unreadable, is_object

MOST_CHARACTERS = 4 << 20
"""Of one event: a server that never ends one is no such server."""
MOST_RETRY_SEC = 60.0


@dataclass(frozen=True)
class StreamItem:
    """Something that happened, as the live stream tells it."""

    type: str
    """`camera_status`, `gateway_status`, `event`, `clip`, `alert`, …; `reset`: the position that was asked for is too old to go
    on from, so read your lists again."""
    id: str | None
    """Its position: `last_event_id=` of a stream that goes on after it."""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the server says of it."""


class Decoder:
    """Bytes in, items out. What a cut leaves unfinished is not an item."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._line = ""
        self._after_return = False
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self.retry_sec: float | None = None
        """How long the server wants to be left alone after a cut."""

    def feed(self, data: bytes) -> list[StreamItem]:
        """Raises Unreadable for an event that is not JSON, or endless."""
        text = self._line + self._text.decode(data)
        items: list[StreamItem] = []
        start = 0
        for position, character in enumerate(text[len(self._line) :], len(self._line)):
            if character not in "\r\n":
                self._after_return = False
                continue
            if character == "\n" and self._after_return:  # the rest of \r\n
                self._after_return = False
                start = position + 1
                continue
            self._after_return = character == "\r"
            self._take(text[start:position], items)
            start = position + 1
        self._line = text[start:]
        if self._size + len(self._line) > MOST_CHARACTERS:
            raise Unreadable("an event without an end")
        return items

    def _take(self, line: str, items: list[StreamItem]) -> None:
        if not line:
            if self._data:
                items.append(self._item())
            self._event, self._data, self._size = "", [], 0
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value or None
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_sec = min(int(value[:9]) / 1000, MOST_RETRY_SEC)

    def _item(self) -> StreamItem:
        try:
            found = json.loads("\n".join(self._data))
        except (ValueError, RecursionError):
            raise Unreadable("an event is not JSON") from None
        return StreamItem(self._event or "message", self._id, found if is_object(found) else {"value": found})
