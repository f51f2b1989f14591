"""Objects of our own store over HTTP: a file out, by ranges; a part in. The link's signature is all the credential there is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import Request, Response
from litestar.response import Stream

from novavms_server.clips import ranges
from novavms_server.clips.errors import WrongSize
from novavms_server.clips.store import Store, StoredObject
from novavms_server.kit.errors import NotFound, ValidationError

_KINDS: Final = {".mp4": "video/mp4", ".jpg": "image/jpeg"}


async def send(request: Request[Any, Any, Any], store: Store, key: str, max_age_sec: int) -> Response[Any]:
    """200, 206, 304 (made by the edge), 404 or 416; the file is streamed, not loaded."""
    found = await store.find(key)
    if found is None:
        raise NotFound("There is no such file, or no more.")
    name = key.rsplit("/", 1)[-1]
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": _tag(found),
        "Cache-Control": f"private, max-age={max(0, max_age_sec)}",
        "Content-Disposition": f'inline; filename="{name}"',
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
        return Response(None, status_code=status, headers=headers, media_type=kind)
    return Stream(store.read(key, start, end), status_code=status, headers=headers, media_type=kind)


async def receive(request: Request[Any, Any, Any], store: Store, key: str, size_bytes: int) -> None:
    """The body is the object, and exactly so long."""
    announced = request.headers.get("content-length")
    if announced is not None and announced != str(size_bytes):
        raise WrongSize
    await store.put(key, _body(request), size_bytes=size_bytes)


async def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """Raises ValidationError where the sender goes away, so that nothing half is kept."""
    while True:
        message = await request.receive()
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
