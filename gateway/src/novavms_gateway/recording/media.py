"""Bytes of recorded footage to somebody who waits for them: PUT to an address of the server's, straight from the disk."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx

from novavms_gateway.kit.disk import Disk, OffLoop
from novavms_gateway.kit.tasks import Tasks
from novavms_gateway.link.requests import RequestRefusedError, own_address
from novavms_gateway.link.uplink import Uplink, Urgency
from novavms_gateway.recording.library import Library, Readable
from novavms_gateway.storage.identity import Identity
from novavms_protocol import SendMedia

log = logging.getLogger(__name__)

SENDING_MAX: Final = 32
"""Answers at once; each holds one piece in memory."""
PIECE_BYTES: Final = 256 * 1024
TIMEOUT: Final = httpx.Timeout(10.0, read=30.0, write=30.0)
"""Who takes nothing for this long has gone."""


class MediaSender:
    """Answers SendMedia."""

    def __init__(
        self,
        *,
        library: Library,
        identity: Identity,
        http: httpx.AsyncClient,
        disk: Disk,
        off_loop: OffLoop,
        uplink: Uplink,
    ) -> None:
        self._uplink = uplink
        self._library = library
        self._identity = identity
        self._http = http
        self._disk = disk
        self._off_loop = off_loop
        self._sending = Tasks()

    async def send(self, ask: SendMedia) -> dict[str, Any]:
        """The reply of SendMedia, once it has begun: the file is there and has the bytes. Raises RequestRefusedError."""
        if len(self._sending) >= SENDING_MAX:
            raise RequestRefusedError("busy", "The gateway already sends as much as it can.")
        url = self.address(ask.url)
        found = await self._library.find(ask.segment_id)
        if found is None:
            raise RequestRefusedError("gone", "The segment is no more.")
        if ask.offset_bytes < 0 or ask.size_bytes <= 0 or ask.offset_bytes + ask.size_bytes > found.size:
            raise RequestRefusedError("unsupported", "The segment has no such bytes.")
        try:
            first = await self._read(
                found.path, ask.offset_bytes, min(self._uplink.piece_bytes(PIECE_BYTES), ask.size_bytes)
            )
        except FileNotFoundError:
            await self._library.lost(ask.segment_id)
            raise RequestRefusedError("gone", "The segment's file is no more.") from None
        self._sending.start(self._put(url, found, ask, first))
        return {}

    async def stop(self) -> None:
        """Breaks off what is being sent."""
        await self._sending.end()

    def address(self, url: str) -> str:
        """`own_address` of our server."""
        return own_address(self._identity.server_url, url)

    async def put(self, url: str, content: bytes, kind: str) -> None:
        """Sends what is whole in memory, to an `address`. Raises RequestRefusedError where it does not arrive."""
        headers = {"Authorization": self._identity.authorization, "Content-Type": kind}
        try:
            answer = await self._http.put(url, headers=headers, content=content, timeout=TIMEOUT)
        except httpx.HTTPError:
            raise RequestRefusedError("gone", "Nobody waits for it any more.") from None
        if not answer.is_success:
            raise RequestRefusedError("gone", "Nobody waits for it any more.")

    async def _put(self, url: str, found: Readable, ask: SendMedia, first: bytes) -> None:
        try:
            answer = await self._http.put(
                url,
                headers={
                    "Authorization": self._identity.authorization,
                    "Content-Type": "video/mp4",
                    "Content-Length": str(ask.size_bytes),
                },
                content=self._pieces(found.path, ask, first),
                timeout=TIMEOUT,
            )
            if not answer.is_success:
                log.info(
                    "media not taken",
                    extra={"facts": {"segment": ask.segment_id, "status": answer.status_code}},
                )
        except (httpx.HTTPError, OSError) as error:
            # Whoever watched has gone, or seeks: that is how most of these end.
            log.info(
                "media broken off",
                extra={"facts": {"segment": ask.segment_id, "error": type(error).__name__}},
            )

    async def _pieces(self, path: Path, ask: SendMedia, first: bytes) -> AsyncIterator[bytes]:
        await self._uplink.take(len(first), Urgency.NOW)
        yield first
        at, end = ask.offset_bytes + len(first), ask.offset_bytes + ask.size_bytes
        while at < end:
            piece = await self._read(path, at, min(self._uplink.piece_bytes(PIECE_BYTES), end - at))
            if not piece:
                raise OSError("the file is shorter than it was")
            at += len(piece)
            await self._uplink.take(len(piece), Urgency.NOW)
            yield piece

    async def _read(self, path: Path, offset: int, size: int) -> bytes:
        return await self._off_loop.run(lambda: self._disk.read(path, offset, size))
