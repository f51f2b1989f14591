"""Server-sent events, read from bytes as they come (WHATWG HTML, 9.2.6)."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from novavms._model import Unreadable

MOST_CHARACTERS = 4 << 20
"""Of one event: a server that never ends one is no such server."""
MOST_RETRY_SEC = 60.0


class ServerSentEvent(NamedTuple):
    """One of them."""

    type: str
    id: str | None
    data: str


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
        self.last_id: str | None = None
        """The position after all that was fed; it moves on in silence, too."""
        self.retry_sec: float | None = None
        """How long the server wants to be left alone after a cut."""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Raises Unreadable for an event without an end."""
        text = self._line + self._text.decode(data)
        items: list[ServerSentEvent] = []
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

    def _take(self, line: str, items: list[ServerSentEvent]) -> None:
        if not line:
            self.last_id = self._id
            if self._data:
                items.append(ServerSentEvent(self._event or "message", self._id, "\n".join(self._data)))
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
