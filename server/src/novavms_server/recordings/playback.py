"""Footage for players: an address to play by, the playlist behind it, the files that it names."""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from litestar import Request, Response
from litestar.types import HTTPScope

from novavms_protocol import SegmentInfo
from novavms_server.accounts.holders import credential_of
from novavms_server.clips import ranges
from novavms_server.kit.work import Work
from novavms_server.recordings import playlist
from novavms_server.recordings.door import Poured
from novavms_server.recordings.errors import FootageGone, NoFootage, PlaybackRefused
from novavms_server.recordings.footage import INIT_MAX, FileRef, Footage
from novavms_server.recordings.service import RecordingService
from novavms_server.recordings.tickets import Ticket, Tickets

PATH: Final = "/api/v1/play/"
VALID: Final = timedelta(hours=6)
RANGE_MAX: Final = timedelta(hours=24)
DEFAULT_RANGE: Final = timedelta(hours=1)
_NAME: Final = re.compile(r"(\d{1,18})-(\d{1,6})-(\d{1,10})-([A-Za-z0-9_-]{22})\.mp4")


class _File(NamedTuple):
    ref: FileRef
    init_bytes: int


class Playback:
    """Made once. `base_url` is put in front of addresses; it may be empty."""

    def __init__(
        self, recordings: RecordingService, footage: Footage, tickets: Tickets, base_url: str = ""
    ) -> None:
        self._recordings = recordings
        self._footage = footage
        self._tickets = tickets
        self._base_url = base_url.rstrip("/")

    async def address(self, work: Work, camera_id: UUID, range_from: str | None, range_to: str | None) -> str:
        """Where the playlist is, for some hours and as long as the caller may see the camera. Raises NoFootage."""
        known = await self._recordings.look(
            work, camera_id, range_from, range_to, longest=RANGE_MAX, default=DEFAULT_RANGE
        )
        camera = known.camera
        if camera.gateway_id is None or not (
            known.line.spans or await self._footage.fresh(camera.gateway_id, camera.id, known.fresh)
        ):
            raise NoFootage(extra={"reason": known.reason})
        kind, credential_id = credential_of(work.caller)
        ticket = Ticket(
            org_id=work.caller.org_id,
            camera_id=camera.id,
            gateway_id=camera.gateway_id,
            life=camera.life or 0,
            start=known.start,
            end=known.end,
            kind=kind,
            credential_id=credential_id,
            expires_at=work.now + VALID,
        )
        return f"{self._base_url}{PATH}{self._tickets.make(ticket)}/index.m3u8"

    def signed(self, scope: HTTPScope) -> str | None:
        """See kit.edge."""
        return self._tickets.whose(scope["path"].removeprefix(PATH).partition("/")[0])

    async def playlist(self, text: str) -> Response[str]:
        """Of the files that there are now. Raises PlaybackRefused, NoFootage, FootageAway."""
        ticket, stream = await self._tickets.read(text)
        segments = await self._footage.segments(
            ticket.gateway_id, ticket.camera_id, ticket.start, ticket.end, wanted=stream
        )
        if not segments:
            raise NoFootage
        body = playlist.render(segments, ticket.start, lambda segment: self._name(text, segment))
        return Response(body, media_type=playlist.CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    def _name(self, text: str, segment: SegmentInfo) -> str:
        facts = f"{segment.id}-{segment.init_bytes}-{segment.size_bytes}"
        return f"{facts}-{self._tickets.sign(f'{text}/{facts}')}.mp4"

    def _file(self, text: str, ticket: Ticket, name: str) -> _File:
        found = _NAME.fullmatch(name)
        if found is None:
            raise FootageGone
        right = self._tickets.sign(f"{text}/{'-'.join(found.group(1, 2, 3))}")
        if not hmac.compare_digest(right, found[4]):
            raise PlaybackRefused
        ref = FileRef(ticket.gateway_id, ticket.life, int(found[1]), int(found[3]))
        return _File(ref, int(found[2]))

    async def file(self, request: Request[Any, Any, Any], text: str, name: str) -> Poured:
        """200 or 206, 416; never the same name with other bytes. Raises PlaybackRefused, FootageGone, FootageAway."""
        ticket, _ = await self._tickets.read(text)
        file = self._file(text, ticket, name)
        size = file.ref.size_bytes
        part = ranges.wanted(request.headers.get("range"), size)
        start, end = part or (0, size)
        headers = {
            "Content-Type": "video/mp4",
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, max-age=3600, immutable",
            "Content-Length": str(end - start),
        }
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Poured(b"", status, headers)
        if end <= file.init_bytes <= INIT_MAX:
            body = (await self._footage.init_part(file.ref, file.init_bytes))[start:end]
            return Poured(body, status, headers)
        return Poured(await self._footage.read(file.ref, start, end), status, headers)
