"""The object store as clips need it, and which one it is.

A key is a path of letters, digits, `.`, `_` and `-`: `uploads/…` parts on their way in, `clips/…` finished MP4s,
`snapshots/…` JPEGs. What `put` has answered for is durable and whole; before that, nothing is at the key.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol
from urllib.parse import quote
from uuid import UUID

CHUNK_BYTES: Final = 256 * 1024
KEY: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class StoredObject(NamedTuple):
    key: str
    size_bytes: int


class Link(NamedTuple):
    """An address for one request on one object, good without a credential until it expires. A secret: not logged."""

    url: str
    method: Literal["GET", "PUT"]
    headers: dict[str, str]


class Store(Protocol):
    """All but `link` raise StoreAway while the store can't be reached, is full or refuses us."""

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
    ) -> None:
        """Replaces what was there. Raises WrongSize unless the chunks have exactly `size_bytes`; what `chunks` raises
        passes through; in either case nothing is changed. `file_name`: what it is saved under by whoever gets it (see `link`)."""

    async def find(self, key: str) -> StoredObject | None:
        """None: there is nothing at the key."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes from `start` to before `end`. Raises FileNotFoundError."""

    async def list_below(self, prefix: str) -> list[StoredObject]:
        """All objects below a prefix that ends in `/`."""

    async def delete(self, keys: Sequence[str]) -> None:
        """What is gone already is fine."""

    async def link(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires_at: datetime,
        size_bytes: int = 0,
        file_name: str = "",
    ) -> Link:
        """A PUT link is for a body of exactly `size_bytes` where the store can hold the sender to it. `file_name`: a browser that
        opens the GET link saves the object under it; the one that was given to `put`."""


def as_attachment(file_name: str) -> str:
    """Content-Disposition (RFC 6266; the name in full by RFC 8187, and in ASCII for whoever does not know that)."""
    plain = re.sub(r"[^ !#-\[\]-~]", "_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def clip_key(org_id: UUID, clip_id: UUID, at: datetime) -> str:
    return f"clips/{org_id}/{at:%Y}/{at:%m}/{clip_id}.mp4"


def snapshot_key(org_id: UUID, event_id: UUID, at: datetime) -> str:
    return f"snapshots/{org_id}/{at:%Y}/{at:%m}/{event_id}.jpg"


def uploads_prefix(clip_id: UUID) -> str:
    """All parts of a clip, of whatever attempt."""
    return f"uploads/{clip_id}/"


def part_key(clip_id: UUID, sha256: str, part_bytes: int, number: int) -> str:
    """Another file, or the same cut otherwise, is another folder: parts of two attempts never mix."""
    return f"{uploads_prefix(clip_id)}{sha256[:16]}-{part_bytes}/{number:05d}"
