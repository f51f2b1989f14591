"""An item of the feed on its way out: read once, encoded once for each form, for however many readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

Form = Literal["sse", "json"]
"""`sse`: a server-sent event, its type and id in fields of their own. `json`: a WebSocket's message."""


def encode(form: Form, item_id: str | None, kind: str, at: datetime, data: str) -> str:
    """`data` is a JSON object already."""
    if form == "json":
        head = msgspec.json.encode({"id": item_id, "type": kind, "at": at})[:-1].decode()
        return f'{head},"data":{data}}}'
    mark = "" if item_id is None else f"id: {item_id}\n"
    told = msgspec.json.encode({"at": at})[:-1].decode()
    rest = "}" if data == "{}" else "," + data[1:]
    return f"{mark}event: {kind}\ndata: {told}{rest}\n\n"


class Item:
    """One row."""

    __slots__ = ("_forms", "at", "camera_id", "data", "left_site_id", "position", "site_id", "type")

    def __init__(
        self,
        position: int,
        at: datetime,
        kind: str,
        site_id: UUID,
        left_site_id: UUID | None,
        camera_id: UUID | None,
        data: str,
    ) -> None:
        self.position = position
        self.at = at
        self.type = kind
        self.site_id = site_id
        self.left_site_id = left_site_id
        self.camera_id = camera_id
        self.data = data
        self._forms: dict[tuple[Form, bool], str] = {}

    def complete(self, base_url: str) -> None:
        """Addresses as readers get them elsewhere. In JSON, `url":"` can only be the end of a name: in texts, quotes are
        escaped."""
        self.data = self.data.replace('url":"/api/', f'url":"{base_url}/api/')

    def encoded(self, form: Form, gone: bool, name: Callable[[Item], str]) -> str:
        """`gone`: as told to who sees only the site that the object has left. `name` makes its id."""
        found = self._forms.get((form, gone))
        if found is None:
            data = self._gone() if gone else self.data
            found = encode(form, name(self), self.type, self.at, data)
            self._forms[form, gone] = found
        return found

    def _gone(self) -> str:
        plain: dict[str, Any] = {"change": "deleted", "camera_id": self.camera_id}
        return msgspec.json.encode({**plain, "site_id": self.left_site_id, "camera": None}).decode()
