"""Cursor pages: keyset order, so that no row comes twice and none is skipped while rows come and go."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from novavms_server.kit.errors import ValidationError

T = TypeVar("T")
_MAC_BYTES = 12


class Page(msgspec.Struct, Generic[T]):
    """One page. `next_cursor` is null on the last; `total` counts all rows that filters and scope match."""

    data: list[T]
    next_cursor: str | None
    total: int


class Cursors:
    """Makes and reads cursors. A cursor is the last row's sort key and a keyed hash over it and everything it belongs to
    (list, org, filters); used anywhere else it is a 400."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _mac(self, belongs_to: Sequence[Any], position: bytes) -> bytes:
        text = msgspec.json.encode(belongs_to)
        return hashlib.blake2b(text + b"\0" + position, key=self._key, digest_size=_MAC_BYTES).digest()

    def make(self, belongs_to: Sequence[Any], position: Sequence[Any]) -> str:
        packed = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(belongs_to, packed) + packed).decode().rstrip("=")

    def read(self, cursor: str | None, belongs_to: Sequence[Any]) -> list[Any] | None:
        """The position, or None without a cursor. Raises ValidationError on `cursor`."""
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise ValidationError.of("cursor", "cursor is not one of ours") from None
        mac, packed = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not packed or mac != self._mac(belongs_to, packed):
            raise ValidationError.of("cursor", "cursor belongs to another list, org or filter")
        position: list[Any] = msgspec.json.decode(packed)
        return position

    # ---- lists in the order of their ids, newest first

    def before(self, cursor: str | None, belongs_to: Sequence[Any]) -> UUID | None:
        """The id that the page begins below; None for the first page."""
        position = self.read(cursor, belongs_to)
        return UUID(position[0]) if position else None

    def page(self, belongs_to: Sequence[Any], rows: Sequence[Any], limit: int, total: int) -> Page[Any]:
        """The first `limit` of `rows`, of which one more was read to see whether there are more."""
        next_cursor = self.make(belongs_to, [rows[limit - 1].id]) if len(rows) > limit else None
        return Page(data=list(rows[:limit]), next_cursor=next_cursor, total=total)
