"""WebRTC by WHEP (draft-ietf-wish-whep): the offer goes to go2rtc, its answer back; the media do not pass this server.

go2rtc names no session and has no call that ends one. So nothing here can end what a viewer watches by WebRTC when the viewer's
rights end, and `why_not_webrtc` offers it only to those whose rights do not hang on grants for sites.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Controller, Request, Response, delete, post

from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused, Go2rtcUnknown
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
    ValidationError,
)
from novavms_server.kit.http import PUBLIC, FromPath, NamedDependency
from novavms_server.live.models import LiveCamera, LiveExcluded
from novavms_server.live.rights import Rights
from novavms_server.live.tickets import Tickets

SDP: Final = "application/sdp"
OFFER_MAX: Final = 64 * 1024
SILENCE_SEC: Final = 10.0
SESSIONS_MAX: Final = 1000
"""So many can be named by DELETE; older ones are forgotten."""
Repair = Callable[[Go2rtc], Awaitable[None]]


class WebRtcAway(Unavailable):
    """`reason` in the body: go2rtc_away."""

    sentence = "go2rtc can't be reached right now; try again, or watch another way."

    def __init__(self) -> None:
        super().__init__(retry_after_sec=5)
        self.extra["reason"] = "go2rtc_away"


def why_not_webrtc(
    caller: Caller, camera: LiveCamera, codec: str | None, *, has_go2rtc: bool
) -> LiveExcluded | None:
    """Why WebRTC is not for this caller and camera, whose main stream is of `codec`; None: it is."""
    reason = message = ""
    if camera.gateway_id is not None or camera.stream_name is None:
        reason, message = "not_direct", "The camera is behind a gateway, which no WebRTC leads through."
    elif not has_go2rtc:
        reason, message = "no_go2rtc", "WebRTC needs a go2rtc beside the server; none is set."
    elif codec != "h264":
        reason, message = "codec", "WebRTC is for H.264; the camera sends another codec, or none yet."
    elif caller.role < Role.operator:
        reason = "rights_not_enforceable"
        message = (
            "A running WebRTC view can't be ended when a grant is withdrawn: it is for operators and above."
        )
    return LiveExcluded(type="webrtc", reason=reason, message=message) if reason else None


class WhepDoor:
    """One for the server. `repair` puts back what go2rtc has forgotten."""

    def __init__(self, tickets: Tickets, rights: Rights, go2rtc: Go2rtc | None, repair: Repair) -> None:
        self._tickets = tickets
        self._rights = rights
        self._go2rtc = go2rtc
        self._repair = repair
        self._sessions: dict[str, str] = {}
        """Session to the holder and camera that may name it."""

    async def begin(self, request: Request[Any, Any, Any], text: str) -> tuple[str, bytes]:
        """(session, go2rtc's answer to the offer in the body). Raises what `Rights.look_up` does, Forbidden or Conflict with the
        `reason` of `why_not_webrtc`, UnsupportedMediaType, PayloadTooLarge, ValidationError, WebRtcAway."""
        ticket, camera, caller = await self._rights.look_up(text)
        without = why_not_webrtc(caller, camera, camera.codec, has_go2rtc=self._go2rtc is not None)
        if without is not None:
            kind = Forbidden if without.reason == "rights_not_enforceable" else Conflict
            raise kind(without.message, extra={"reason": without.reason})
        offer = await _offer(request)
        assert self._go2rtc is not None
        assert camera.stream_name is not None
        answer = await self._exchange(self._go2rtc, camera.stream_name, offer)
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

    async def _exchange(self, go2rtc: Go2rtc, name: str, offer: bytes) -> bytes:
        try:
            try:
                return await go2rtc.webrtc(name, offer)
            except Go2rtcUnknown:
                await self._repair(go2rtc)
                return await go2rtc.webrtc(name, offer)
        except Go2rtcRefused:
            raise ValidationError.of(
                "sdp",
                "sdp was not taken: it is no offer that go2rtc understands, or it can't reach the camera",
            ) from None
        except (Go2rtcAway, Go2rtcUnknown):
            raise WebRtcAway from None


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
                if len(body) > OFFER_MAX:
                    raise PayloadTooLarge("An offer is 64 KiB at most.", headers={"Connection": "close"})
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise ValidationError("The request's body stopped coming.") from None
    if not body.startswith(b"v=0"):  # RFC 8866, 5.1
        raise ValidationError.of("sdp", "sdp must be a session description that begins with v=0")
    return body


class WhepController(Controller):
    """The address is the credential; see tickets.py. No PATCH: there is neither trickle ICE nor a restart."""

    path = "/live/{ticket:str}/whep"
    include_in_schema = False

    @post("/", opt=PUBLIC, status_code=201)
    async def begin(
        self, request: Request[Any, Any, Any], live_whep: NamedDependency[WhepDoor], ticket: FromPath[str]
    ) -> Response[bytes]:
        session, answer = await live_whep.begin(request, ticket)
        headers = {"Location": f"/api/v1/live/{ticket}/whep/{session}", "Cache-Control": "no-store"}
        return Response(answer, status_code=201, media_type=SDP, headers=headers)

    @delete("/{session:str}", opt=PUBLIC, status_code=200)
    async def end(
        self, live_whep: NamedDependency[WhepDoor], ticket: FromPath[str], session: FromPath[str]
    ) -> None:
        live_whep.end(ticket, session)
