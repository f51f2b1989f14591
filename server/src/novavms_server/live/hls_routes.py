"""Live HLS: playlists and what they name. The address is the credential; see tickets.py."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Request, Response, get

from novavms_protocol.live import Tier
from novavms_server.kit.errors import FieldProblem, ValidationError
from novavms_server.kit.http import PUBLIC, FromPath, FromQuery, NamedDependency
from novavms_server.live.hls_door import HlsDoor
from novavms_server.live.hls_playlist import CONTENT_TYPE
from novavms_server.live.plan import read_codecs

DIRECTIVES: Final = ("_HLS_msn", "_HLS_part")
_DIGITS: Final = 18


class HlsController(Controller):
    path = "/live/{ticket:str}/hls"
    include_in_schema = False

    @get("/index.m3u8", opt=PUBLIC)
    async def get_index(
        self,
        live_hls: NamedDependency[HlsDoor],
        ticket: FromPath[str],
        tier: FromQuery[Tier] = "main",
        codecs: FromQuery[str | None] = None,
    ) -> Response[str]:
        return _playlist(await live_hls.index(ticket, tier, read_codecs(codecs)))

    # Players may send directives that we do not know (RFC 8216bis 6.2.5).
    @get("/{tier:str}/media.m3u8", opt={**PUBLIC, "any_query": True})
    async def get_playlist(
        self,
        request: Request[Any, Any, Any],
        live_hls: NamedDependency[HlsDoor],
        ticket: FromPath[str],
        tier: FromPath[Tier],
    ) -> Response[str]:
        segment, part = (_number(request, name) for name in DIRECTIVES)
        if part is not None and segment is None:
            raise ValidationError.of("_HLS_part", "_HLS_part needs _HLS_msn")
        return _playlist(await live_hls.playlist(ticket, tier, segment, part))

    @get("/{tier:str}/{name:str}", opt=PUBLIC)
    async def get_file(
        self,
        live_hls: NamedDependency[HlsDoor],
        ticket: FromPath[str],
        tier: FromPath[Tier],
        name: FromPath[str],
    ) -> Response[bytes]:
        data = await live_hls.file(ticket, tier, name)
        return Response(
            data, media_type="video/mp4", headers={"Cache-Control": "private, max-age=60, immutable"}
        )


def _playlist(text: str) -> Response[str]:
    return Response(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _number(request: Request[Any, Any, Any], name: str) -> int | None:
    """RFC 8216bis 6.2.5.2: a decimal-integer, once."""
    values = request.query_params.getall(name, [])
    if not values:
        return None
    if len(values) > 1 or not values[0].isascii() or not values[0].isdigit() or len(values[0]) > _DIGITS:
        raise ValidationError([FieldProblem(name, f"{name} must be a whole number, given once")])
    return int(values[0])
