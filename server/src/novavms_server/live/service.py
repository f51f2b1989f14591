"""How a camera can be watched: which ways there are, in which order, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from litestar.types import HTTPScope

from novavms_protocol.live import Tier
from novavms_server.accounts.holders import credential_of
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query
from novavms_server.kit.errors import Forbidden
from novavms_server.kit.work import Work
from novavms_server.live.answering import Answerer
from novavms_server.live.models import Live, LiveCamera, LiveExcluded, LiveProtocol, Protocol
from novavms_server.live.plan import Plan, plan_of, read_codecs
from novavms_server.live.rights import CAMERA, MISSING, live_camera
from novavms_server.live.tickets import Ticket, Tickets
from novavms_server.live.whep import OFFERED, why_not_webrtc

PATH: Final = "/api/v1/live/"
VALID: Final = timedelta(hours=1)
_ENDINGS: Final[dict[Protocol, str]] = {"mse": "mse", "hls": "hls/index.m3u8", "webrtc": "whep"}
_REASONS: Final[dict[Protocol, str]] = {
    "webrtc": "Straight from the camera's own packets: least behind it.",
    "mse": "Over one WebSocket, and every picture arrives: about half a second behind the camera.",
    "hls": "Plain HTTP, for where no WebSocket gets through: some seconds behind the camera.",
}
_TIERS: Final = {
    "no_sub_stream": " There is no sub stream, so this is the main one.",
    "codec": " The other stream's codec is none that you named.",
}
_FAR: Final = " It comes from the gateway's own network, which the viewer has to reach."
_SILENT: Final = " Without the camera's sound: WebRTC has no AAC."
_AAC: Final = "aac"


def order_for(camera: LiveCamera) -> tuple[Protocol, ...]:
    """Best first. WebRTC is least behind the camera, but opens a session of its own, shows nothing before the next key frame and has no AAC:
    it comes first only where it is near and takes no sound away."""
    if camera.gateway_id is None and camera.audio_codec != _AAC:
        return ("webrtc", "mse", "hls")
    return ("mse", "webrtc", "hls")


class LiveService:
    """Made once. `offered`: the ways that this server has doors for. `base_url` may be empty."""

    def __init__(
        self, tickets: Tickets, *, offered: frozenset[Protocol], answerer: Answerer, base_url: str = ""
    ) -> None:
        self._tickets = tickets
        self._offered = offered
        self._answerer = answerer
        self._base_url = base_url.rstrip("/")

    async def view(self, work: Work, camera_id: UUID, tier: Tier, codecs: str | None) -> Live:
        """Raises ValidationError, NotFound, Forbidden."""
        decodable = read_codecs(codecs)
        query = Query(CAMERA, (work.caller.org_id, camera_id), live_camera)
        camera: LiveCamera = await work.get(query, MISSING)
        if not work.caller.sees(camera.site_id):
            raise Forbidden
        kind, credential_id = credential_of(work.caller)
        expires_at = work.now + VALID
        token = self._tickets.make(Ticket(camera.org_id, camera.id, kind, credential_id, expires_at))
        plan = plan_of(camera, tier, decodable)
        protocols: list[LiveProtocol] = []
        excluded: list[LiveExcluded] = []
        for name in order_for(camera):
            without = self._without(name, work.caller, camera, plan)
            if without is None:
                protocols.append(self._protocol(name, token, plan, decodable, camera))
            else:
                excluded.append(without)
        return Live(
            protocols=protocols,
            excluded=excluded,
            token=token,
            expires_at=expires_at,
            message=plan.message,
        )

    def signed(self, scope: HTTPScope) -> str | None:
        """See kit.edge."""
        return self._tickets.whose(scope["path"].removeprefix(PATH).partition("/")[0])

    def _protocol(
        self, name: Protocol, token: str, plan: Plan, decodable: frozenset[str], camera: LiveCamera
    ) -> LiveProtocol:
        base = self._base_url.replace("http", "ws", 1) if name == "mse" else self._base_url
        asked = {"mse": "", "hls": _query(plan, decodable), "webrtc": _query(plan, OFFERED)}[name]
        notes = ""
        if name == "webrtc":
            notes += "" if camera.gateway_id is None else _FAR
            notes += _SILENT if camera.audio_codec == _AAC else ""
        return LiveProtocol(
            type=name,
            url=f"{base}{PATH}{token}/{_ENDINGS[name]}{asked}",
            tier=plan.tier,
            codec=plan.codec,
            reason=_REASONS[name] + notes + _TIERS.get(plan.tier_reason or "", ""),
        )

    def _without(self, name: Protocol, caller: Caller, camera: LiveCamera, plan: Plan) -> LiveExcluded | None:
        """Why a way is not offered; None: it is."""
        reason = message = ""
        if plan.message is not None:
            reason, message = "codec", plan.message
        elif name == "webrtc":
            return why_not_webrtc(caller, camera, plan.codec, self._answerer.readiness(camera))
        elif name not in self._offered:
            reason, message = "not_supported", "This server does not offer it yet."
        return LiveExcluded(type=name, reason=reason, message=message) if reason else None


def _query(plan: Plan, decodable: frozenset[str]) -> str:
    """What a player that is given nothing but an address can't ask for by itself; nothing where it is what is meant anyway."""
    asked = {"tier": plan.tier, "codecs": ",".join(sorted(decodable))}
    pairs = [
        f"{name}={value}"
        for name, value in asked.items()
        if (name, value) not in (("tier", "main"), ("codecs", "h264"))
    ]
    return "?" + "&".join(pairs) if pairs else ""
