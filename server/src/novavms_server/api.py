"""All routes on one page, and what every one of them gets."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, Litestar, MediaType, Request, Response, Router, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from novavms_server.accounts.login.routes import LoginController
from novavms_server.accounts.login.service import LoginService
from novavms_server.accounts.orgs.routes import OrgController
from novavms_server.accounts.orgs.service import OrgService
from novavms_server.accounts.service_accounts.routes import ServiceAccountController
from novavms_server.accounts.service_accounts.service import ServiceAccountService
from novavms_server.accounts.users.routes import UserController
from novavms_server.accounts.users.service import UserService
from novavms_server.cameras.moving import MoveService
from novavms_server.cameras.routes import CameraController
from novavms_server.cameras.service import CameraService
from novavms_server.cameras.watching import CheckWatches
from novavms_server.clips.routes import EventClipController, StoreController, UploadController
from novavms_server.clips.service import ClipService
from novavms_server.clips.serving import StoreDoor
from novavms_server.clips.uploads import Uploads
from novavms_server.document import VERSION, Documentation, document_controller
from novavms_server.events.routes import EventController, TriggerController
from novavms_server.events.service import EventService
from novavms_server.exports.routes import ExportController, SigningKeyController
from novavms_server.exports.service import ExportService
from novavms_server.gateways.link import GatewayDoor
from novavms_server.gateways.pairing import PairingService
from novavms_server.gateways.routes import GatewayController
from novavms_server.gateways.service import GatewayService
from novavms_server.grids.routes import GridController
from novavms_server.grids.service import GridService
from novavms_server.kit import errors
from novavms_server.kit.database import Database, Query
from novavms_server.kit.http import (
    PUBLIC,
    NamedDependency,
    check_declared,
    guard,
    provide_work,
    render,
    resolve_in_turn,
)
from novavms_server.kit.metrics import Metrics
from novavms_server.live.door import LiveDoor
from novavms_server.live.hls_door import HlsDoor
from novavms_server.live.hls_routes import HlsController
from novavms_server.live.inlet import Inlets
from novavms_server.live.routes import InletController, LiveController, WatchController
from novavms_server.live.service import LiveService
from novavms_server.live.whep import WhepController, WhepDoor
from novavms_server.recordings.door import RelayDoor
from novavms_server.recordings.past_clips import PastClips
from novavms_server.recordings.playback import Playback
from novavms_server.recordings.routes import (
    PlayController,
    RecordingController,
    RelayController,
    SiteRecordingController,
)
from novavms_server.recordings.service import RecordingService
from novavms_server.recordings.thumbnails import Thumbnails
from novavms_server.shares.routes import ShareController, SharedController
from novavms_server.shares.service import ShareService
from novavms_server.sites.routes import SiteController
from novavms_server.sites.service import SiteService
from novavms_server.stream.doors import StreamDoor
from novavms_server.stream.routes import StreamController
from novavms_server.stream.service import Streams

BASE_PATH = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes work with; made in `main`. A field's name is the name of the handlers' parameter."""

    database: Database
    metrics: Metrics
    metrics_token: str | None
    public_url: str | None
    login: LoginService
    users: UserService
    service_accounts: ServiceAccountService
    orgs: OrgService
    sites: SiteService
    gateways: GatewayService
    pairing: PairingService
    gateway_door: GatewayDoor
    cameras: CameraService
    checks: CheckWatches
    moves: MoveService
    events: EventService
    clips: ClipService
    uploads: Uploads
    store_door: StoreDoor
    recordings: RecordingService
    playback: Playback
    thumbnails: Thumbnails
    past_clips: PastClips
    relay_door: RelayDoor
    live: LiveService
    live_door: LiveDoor
    live_hls: HlsDoor
    live_whep: WhepDoor
    live_inlets: Inlets
    streams: Streams
    stream_door: StreamDoor
    shares: ShareService
    exports: ExportService
    grids: GridService


CONTROLLERS: list[type[Controller]] = [
    CameraController,
    TriggerController,
    EventController,
    EventClipController,
    ShareController,
    SharedController,
    ExportController,
    SigningKeyController,
    UploadController,
    StoreController,
    RecordingController,
    PlayController,
    RelayController,
    SiteRecordingController,
    LiveController,
    WatchController,
    HlsController,
    WhepController,
    InletController,
    GridController,
    StreamController,
    SiteController,
    GatewayController,
    LoginController,
    UserController,
    ServiceAccountController,
    OrgController,
]
"""In the order of the API document."""


class HealthController(Controller):
    path = "/"
    include_in_schema = False

    @get("/healthz", opt=PUBLIC)
    async def healthz(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/readyz", opt=PUBLIC)
    async def readyz(self, database: NamedDependency[Database]) -> dict[str, str]:
        """The database answers, too; else 503."""
        await database.look_everywhere(Query("SELECT 1"))
        return {"status": "ready"}

    @get("/metrics", opt=PUBLIC, media_type=MediaType.TEXT)
    async def show_metrics(
        self,
        request: Request[Any, Any, Any],
        metrics: NamedDependency[Metrics],
        metrics_token: NamedDependency[str | None],
    ) -> Response[bytes]:
        """Prometheus text. By token where one is set, else for this machine only."""
        if metrics_token is not None:
            given = request.headers.get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, f"Bearer {metrics_token}".encode()):
                raise errors.AuthRequired("Send the token of NOVAVMS_METRICS_TOKEN.")
        elif (
            request.client and request.client.host not in ("127.0.0.1", "::1")
        ) or "x-forwarded-for" in request.headers:
            raise errors.Forbidden("Metrics are for this machine only; NOVAVMS_METRICS_TOKEN opens them.")
        return Response(metrics.render(), media_type="text/plain; version=0.0.4")


def build_app(services: Services) -> Litestar:
    """The routed application; `main` puts the edge around it."""

    def give(value: Any) -> Provide:
        return Provide(lambda: value, use_cache=False, sync_to_thread=False)

    dependencies = {field: give(getattr(services, field)) for field in services.__slots__}
    router = Router(path=BASE_PATH, route_handlers=CONTROLLERS)
    app = Litestar(
        [HealthController, document_controller(Documentation(CONTROLLERS)), router],
        guards=[guard],
        dependencies={"work": Provide(provide_work, sync_to_thread=False), **dependencies},
        exception_handlers={Exception: render, msgspec.MsgspecError: render},
        openapi_config=OpenAPIConfig(
            title="NovaVMS", version=VERSION, path=BASE_PATH + "/_schema", render_plugins=[]
        ),
        logging_config=None,
        signature_types=[],
    )
    check_declared([handler for route in app.routes for handler in getattr(route, "route_handlers", [])])
    resolve_in_turn(app.routes)
    return app


__all__ = ["BASE_PATH", "CONTROLLERS", "Services", "build_app"]
