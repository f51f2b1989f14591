"""Who answers a viewer's WebRTC offer: the go2rtc beside this server for direct cameras, the one beside the gateway for its own.

A gateway is asked by one request on its socket, its answer is in the reply; the media never come here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal
from uuid import UUID

from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused, Go2rtcUnknown, is_sdp
from novavms_protocol import AnswerOffer, Reply
from novavms_protocol.live import Tier
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout
from novavms_server.kit.errors import ValidationError
from novavms_server.live.errors import WebRtcAway
from novavms_server.live.hub import Hub
from novavms_server.live.models import LiveCamera

log = logging.getLogger("novavms.live")

ASK_SEC: Final = 15.0
"""A gateway that works on it says so within 12."""
Readiness = Literal["ready", "no_go2rtc", "gateway_offline"]
Repair = Callable[[Go2rtc], Awaitable[None]]
BAD_DATA: Final = ("bad_data", "The gateway's answer is no session description; watch another way.")
OFFLINE: Final = ("gateway_offline", "The gateway is not connected; try again, or watch another way.")
TIMEOUT: Final = ("gateway_timeout", "The gateway did not answer in time; try again, or watch another way.")
_REFUSED: Final = {
    "go2rtc_away": (
        "go2rtc_away",
        "The gateway's go2rtc can't be reached right now; try again, or watch another way.",
    ),
    "unknown_camera": (
        "unknown_camera",
        "The gateway does not run this camera now: it is disabled, or just added.",
    ),
    "not_online": ("offline", "The camera shows no pictures now; try again when it is back."),
    "busy": ("busy", "The gateway answers as many offers as it can; try again."),
    "unsupported": ("unsupported", "The gateway's software can't do it (any more); watch another way."),
}
_FAILED: Final = ("internal", "The gateway could not do it; try again, or watch another way.")


class Answerer:
    """One for the server. `repair` puts back what the server's own go2rtc has forgotten."""

    def __init__(self, hub: Hub, go2rtc: Go2rtc | None, repair: Repair) -> None:
        self._hub = hub
        self._go2rtc = go2rtc
        self._repair = repair

    def readiness(self, camera: LiveCamera) -> Readiness:
        """Whether there is a go2rtc for the camera, now."""
        if camera.gateway_id is None:
            return "no_go2rtc" if self._go2rtc is None or camera.stream_name is None else "ready"
        socket = self._hub.find(camera.gateway_id)
        if socket is None:
            return "gateway_offline"
        return "ready" if socket.has_go2rtc else "no_go2rtc"

    async def answer(self, camera: LiveCamera, tier: Tier, offer: bytes) -> bytes:
        """go2rtc's answer, a session description. `offer` is UTF-8, and the camera `ready`. Raises WebRtcAway, ValidationError."""
        if camera.gateway_id is not None:
            return await self._of_gateway(camera.gateway_id, camera.id, tier, offer)
        if self._go2rtc is None or camera.stream_name is None:
            raise WebRtcAway
        return await self._of_our_own(self._go2rtc, camera.stream_name, offer)

    async def _of_our_own(self, go2rtc: Go2rtc, name: str, offer: bytes) -> bytes:
        try:
            try:
                return await go2rtc.webrtc(name, offer)
            except Go2rtcUnknown:
                await self._repair(go2rtc)
                return await go2rtc.webrtc(name, offer)
        except Go2rtcRefused:
            raise _not_taken() from None
        except (Go2rtcAway, Go2rtcUnknown):
            raise WebRtcAway from None

    async def _of_gateway(self, gateway_id: UUID, camera_id: UUID, tier: Tier, offer: bytes) -> bytes:
        ask = AnswerOffer(camera_id=camera_id, tier=tier, sdp=offer.decode())
        try:
            reply = await self._hub.request(gateway_id, ask, timeout_sec=ASK_SEC)
        except GatewayOffline:
            raise WebRtcAway(*OFFLINE) from None
        except GatewayTimeout:
            raise WebRtcAway(*TIMEOUT) from None
        if reply.ok:
            return _sdp_of(gateway_id, reply)
        if reply.error == "refused":
            raise _not_taken()
        raise WebRtcAway(*_REFUSED.get(reply.error or "", _FAILED))


def _sdp_of(gateway_id: UUID, reply: Reply) -> bytes:
    """What a gateway says is not believed: it goes to a browser."""
    said = (reply.result or {}).get("sdp")
    answer = said.encode("utf-8", "replace") if isinstance(said, str) else b""
    if not is_sdp(answer):
        log.warning("gateway %s: its answer to an offer is no session description", gateway_id)
        raise WebRtcAway(*BAD_DATA)
    return answer


def _not_taken() -> ValidationError:
    return ValidationError.of(
        "sdp", "sdp was not taken: it is no offer that go2rtc understands, or it can't reach the camera"
    )
