"""WebRTC by WHEP (draft-ietf-wish-whep): the offer goes to a go2rtc (answering.py), its answer back; the media do not pass this server.

go2rtc names no session and has no call that ends one. So nothing here can end what a viewer watches by WebRTC when the viewer's
rights end, and `why_not_webrtc` offers it only to those whose rights do not hang on grants for sites.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from litestar import Controller, Request, Response, delete, post

from novavms_camera.go2rtc import SDP_MAX, is_sdp
from novavms_protocol.live import Tier
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationError,
)
from novavms_server.kit.http import PUBLIC, FromPath, FromQuery, NamedDependency
from novavms_server.live.answering import OFFLINE, Answerer, Readiness
from novavms_server.live.errors import WebRtcAway
from novavms_server.live.models import LiveCamera, LiveExcluded
from novavms_server.live.plan import plan_of
from novavms_server.live.rights import Rights
from novavms_server.live.tickets import Tickets

SDP: Final = "application/sdp"
OFFERED: Final = frozenset({"h264"})
SILENCE_SEC: Final = 10.0
SESSIONS_MAX: Final = 1000
"""So many can be named by DELETE; older ones are forgotten."""


def why_not_webrtc(
    caller: Caller, camera: LiveCamera, codec: str | None, readiness: Readiness
) -> LiveExcluded | None:
    """Why WebRTC is not for this caller and camera, whose stream is of `codec`; None: it is. What stays comes before what passes."""
    reason = message = ""
    if readiness == "no_go2rtc":
        where = (
            "the server" if camera.gateway_id is None else "the camera's gateway (NOVAVMS_GATEWAY_GO2RTC_URL)"
        )
        reason, message = "no_go2rtc", f"WebRTC needs a go2rtc beside {where}; none is set."
    elif codec != "h264":
        reason, message = "codec", "WebRTC is for H.264; the camera sends another codec, or none yet."
    elif caller.role < Role.operator:
        reason = "rights_not_enforceable"
        message = (
            "A running WebRTC view can't be ended when a grant is withdrawn: it is for operators and above."
        )
    elif readiness == "gateway_offline":
        reason, message = OFFLINE
    return LiveExcluded(type="webrtc", reason=reason, message=message) if reason else None


class WhepDoor:
    """One for the server."""

    def __init__(self, tickets: Tickets, rights: Rights, answerer: Answerer) -> None:
        self._tickets = tickets
        self._rights = rights
        self._answerer = answerer
        self._sessions: dict[str, str] = {}
        """Session to the holder and camera that may name it."""

    async def begin(self, request: Request[Any, Any, Any], text: str, tier: Tier) -> tuple[str, bytes]:
        """(session, go2rtc's answer to the offer in the body). Raises what `Rights.look_up` does, Forbidden, Conflict or WebRtcAway with
        the `reason` of `why_not_webrtc`, UnsupportedMediaType, PayloadTooLarge, and what `Answerer.answer` does."""
        ticket, camera, caller = await self._rights.look_up(text)
        plan = plan_of(camera, tier, OFFERED)
        without = why_not_webrtc(caller, camera, plan.codec, self._answerer.readiness(camera))
        if without is not None:
            if without.reason == OFFLINE[0]:
                raise WebRtcAway(*OFFLINE)
            kind = Forbidden if without.reason == "rights_not_enforceable" else Conflict
            raise kind(without.message, extra={"reason": without.reason})
        answer = await self._answerer.answer(camera, plan.tier, await _offer(request))
        session = secrets.token_urlsafe(16)
        self._sessions[session] = f"{ticket.holder} {ticket.camera_id}"
        while len(self._sessions) > SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        return session, answer

    def end(self, text: str, session: str) -> None:
        """Forgets the session; what ends the media is the viewer's own closing of the connection. Raises TicketRefused, NotFound."""
        ticket = self._tickets.open(text, begun=True)
        if self._sessions.get(session) != f"{ticket.holder} {ticket.camera_id}":
            raise NotFound("There is no such session.")
        del self._sessions[session]


async def _offer(request: Request[Any, Any, Any]) -> bytes:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != SDP:
        raise UnsupportedMediaType(f"Send the offer as {SDP}.")
    body = b""
    try:
        async with asyncio.timeout(SILENCE_SEC):
            while True:
                message = await request.receive()
                if message["type"] != "http.request":
                    raise ValidationError("The client went away before its request was whole.")
                body += message.get("body", b"")
                if len(body) > SDP_MAX:
                    raise PayloadTooLarge("An offer is 64 KiB at most.", headers={"Connection": "close"})
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise ValidationError("The request's body stopped coming.") from None
    if not is_sdp(body):
        raise ValidationError.of("sdp", "sdp must be a session description that begins with v=0")
    return body


class WhepController(Controller):
    """The address is the credential; see tickets.py. No PATCH: there is neither trickle ICE nor a restart."""

    path = "/live/{ticket:str}/whep"
    include_in_schema = False

    @post("/", opt=PUBLIC, status_code=201)
    async def begin(
        self,
        request: Request[Any, Any, Any],
        live_whep: NamedDependency[WhepDoor],
        ticket: FromPath[str],
        tier: FromQuery[Tier] = "main",
    ) -> Response[bytes]:
        session, answer = await live_whep.begin(request, ticket, tier)
        headers = {"Location": f"/api/v1/live/{ticket}/whep/{session}", "Cache-Control": "no-store"}
        return Response(answer, status_code=201, media_type=SDP, headers=headers)

    @delete("/{session:str}", opt=PUBLIC, status_code=200)
    async def end(
        self, live_whep: NamedDependency[WhepDoor], ticket: FromPath[str], session: FromPath[str]
    ) -> None:
        live_whep.end(ticket, session)
