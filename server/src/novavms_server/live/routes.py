"""/cameras/{id}/live, and the addresses that it names"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, WebSocket, get, put, websocket
from litestar.params import QueryParameter

from novavms_protocol.live import Tier
from novavms_server.kit.http import PUBLIC, SOCKET, FromPath, NamedDependency, role
from novavms_server.kit.work import Work
from novavms_server.live.door import LiveDoor
from novavms_server.live.inlet import Inlets
from novavms_server.live.models import Live
from novavms_server.live.service import LiveService

WantedTier = Annotated[
    Tier, QueryParameter(description="`sub`: the smaller stream, where the camera has one.")
]
Codecs = Annotated[
    str | None,
    QueryParameter(
        description="What the viewer can decode, separated by commas: h264, h265. Unset: h264.",
    ),
]


class LiveController(Controller):
    path = "/cameras/{camera_id:str}/live"
    tags = ("Live",)

    @get(
        "/",
        opt=role("viewer"),
        operation_id="getCameraLive",
        summary="Watch a camera live",
        description=(
            "Ways to watch, best first for what the viewer can decode. Each address is good for an hour to begin, opens this camera and"
            " nothing else, and ends within 5 s with the caller's right to see it. `mse`: a WebSocket whose text messages say what"
            " comes, and whose binary ones are fragmented MP4 for MediaSource. `hls`: low-latency HLS. `webrtc`: WHEP. URLs are whole"
            " where NOVAVMS_PUBLIC_URL is set, else begin with `/`."
        ),
    )
    async def get_live(
        self,
        work: NamedDependency[Work],
        live: NamedDependency[LiveService],
        camera_id: FromPath[UUID],
        tier: WantedTier = "main",
        codecs: Codecs = None,
    ) -> Live:
        return await live.view(work, camera_id, tier, codecs)


class WatchController(Controller):
    """What viewers open. The address is the credential; see tickets.py."""

    path = "/live/{ticket:str}"
    include_in_schema = False

    @websocket("/mse", opt=SOCKET)
    async def watch(
        self, socket: WebSocket[Any, Any, Any], live_door: NamedDependency[LiveDoor], ticket: FromPath[str]
    ) -> None:
        await live_door.serve(socket, ticket)


class InletController(Controller):
    """Where gateways PUT what is watched; see inlet.py."""

    path = "/live-in"
    include_in_schema = False

    @put("/{token:str}", opt=PUBLIC, status_code=204)
    async def receive(
        self, request: Request[Any, Any, Any], live_inlets: NamedDependency[Inlets], token: FromPath[str]
    ) -> None:
        await live_inlets.receive(request, token)
