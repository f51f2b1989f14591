"""Objects of our own store over HTTP: a file out, by ranges; a part in. The link's signature is all the credential there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.response import Stream
from litestar.types import HTTPScope

from novavms_server.clips import ranges
from novavms_server.clips.errors import LinkRefused, WrongSize
from novavms_server.clips.links import PATH
from novavms_server.clips.store import Store, StoredObject, as_attachment
from novavms_server.clips.store_local import LocalStore
from novavms_server.kit.clock import Clock
from novavms_server.kit.errors import NotFound, ValidationError
from novavms_server.kit.http import INTEGER

_SILENCE_SEC: Final = 60.0
_KINDS: Final = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".zip": "application/zip"}


class StoreDoor:
    """Only a store that is a folder of this server has one; any other has addresses of its own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store if isinstance(store, LocalStore) else None
        self._clock = clock

    async def send(
        self,
        request: Request[Any, Any, Any],
        path: str,
        *,
        expires: int,
        signature: str,
        file_name: str = "",
    ) -> Response[Any]:
        """200, 206, 304 (made by the edge), 404 or 416; the file is streamed, not loaded. Raises LinkRefused."""
        store, key = self._open(), path.lstrip("/")
        store.links.check("GET", key, expires=expires, size_bytes=0, signature=signature, file_name=file_name)
        found = await store.find(key)
        if found is None:
            raise NotFound("There is no such file, or no more.")
        name = key.rsplit("/", 1)[-1]
        max_age_sec = max(0, expires - int(self._clock.now().timestamp()))
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": _tag(found),
            "Cache-Control": f"private, max-age={max_age_sec}",
            "Content-Disposition": as_attachment(file_name) if file_name else "inline",
        }
        if_range = request.headers.get("if-range")
        asked = request.headers.get("range") if if_range in (None, headers["ETag"]) else None
        part = ranges.wanted(asked, found.size_bytes)
        start, end = part or (0, found.size_bytes)
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size_bytes}"
        headers["Content-Length"] = str(end - start)
        kind = _KINDS.get("." + name.rsplit(".", 1)[-1], "application/octet-stream")
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(b"", status_code=status, headers=headers, media_type=kind)
        return Stream(store.read(key, start, end), status_code=status, headers=headers, media_type=kind)

    def signed(self, scope: HTTPScope) -> str | None:
        """See kit.edge: each file has a bucket of its own."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        numbers = [query.get("expires", ""), query.get("size", "0")]
        if self._store is None or not all(INTEGER.fullmatch(each) for each in numbers):
            return None
        key = scope["path"].removeprefix(PATH)
        method: Literal["GET", "PUT"] = "PUT" if scope["method"] == "PUT" else "GET"
        expires, size_bytes = map(int, numbers)
        try:
            size_bytes = size_bytes if method == "PUT" else 0
            self._store.links.check(
                *(method, key),
                expires=expires,
                size_bytes=size_bytes,
                signature=query.get("signature", ""),
                file_name=query.get("name", ""),
            )
        except LinkRefused:
            return None
        return f"{method} {key}"

    async def receive(
        self, request: Request[Any, Any, Any], path: str, *, expires: int, size_bytes: int, signature: str
    ) -> None:
        """The body is the object, and exactly so long. Raises LinkRefused, WrongSize, StoreAway."""
        store, key = self._open(), path.lstrip("/")
        store.links.check("PUT", key, expires=expires, size_bytes=size_bytes, signature=signature)
        announced = request.headers.get("content-length")
        if announced is not None and announced != str(size_bytes):
            raise WrongSize
        await store.put(key, _body(request), size_bytes=size_bytes)

    def _open(self) -> LocalStore:
        if self._store is None:
            raise NotFound
        return self._store


async def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """Raises ValidationError where the sender goes away or falls silent, so that nothing half is kept."""
    while True:
        try:
            async with asyncio.timeout(_SILENCE_SEC):
                message = await request.receive()
        except TimeoutError:
            raise ValidationError("The request's body stopped coming.") from None
        if message["type"] != "http.request":
            raise ValidationError("The client went away before its request was whole.")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


def _tag(found: StoredObject) -> str:
    """Objects at a key never change (a clip's key holds its id), so the key's end and size name the content."""
    name = found.key.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return f'"{name}-{found.size_bytes:x}"'
