"""A whole server, assembled: the one place where parts meet. `main` (the command line) and the tests build on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from litestar.types import ASGIApp

from novavms_server.accounts.assembly import build_accounts
from novavms_server.api import Services, build_app
from novavms_server.cameras.assembly import build_cameras, build_moves
from novavms_server.cameras.direct.assembly import DirectMode, build_direct
from novavms_server.cameras.watching import CheckWatches
from novavms_server.clips import links
from novavms_server.clips.assembly import ClipParts, build_clips
from novavms_server.events.service import EventService
from novavms_server.exports.footage import GatewayFootage
from novavms_server.exports.making import ExportMaker
from novavms_server.exports.service import ExportService
from novavms_server.gateways.arrivals import Arrivals
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.link import GatewayDoor
from novavms_server.gateways.pairing import PairingService
from novavms_server.gateways.presence import Presence
from novavms_server.gateways.service import GatewayService
from novavms_server.grids.service import GridService
from novavms_server.jobs import Housekeeping
from novavms_server.kit.clock import Clock, SystemClock
from novavms_server.kit.database import Connection, Database, EmbeddedPostgres
from novavms_server.kit.edge import Edge
from novavms_server.kit.idempotency import Idempotency
from novavms_server.kit.jobs import Jobs, defer
from novavms_server.kit.limits import LocalLimiter
from novavms_server.kit.metrics import Metrics
from novavms_server.kit.pages import Cursors
from novavms_server.kit.seal import Sealer, load_or_make_key
from novavms_server.kit.site import Site
from novavms_server.live import service as live_service
from novavms_server.live.assembly import LiveParts, build_live
from novavms_server.recordings import playback
from novavms_server.recordings.assembly import RecordingParts, build_recordings
from novavms_server.settings import Settings
from novavms_server.shares.service import ShareService
from novavms_server.sites.service import SiteService
from novavms_server.stream.doors import StreamDoor
from novavms_server.stream.service import Streams

CONSOLE = Path(__file__).with_name("console")
"""The web console as `make console` builds it; in the wheel, not in the repository."""
NOT_THE_CONSOLE = frozenset({"api", "docs", "healthz", "readyz", "metrics"})


@dataclass(slots=True)
class Server:
    """Its ASGI application, and the services that commands and tests reach directly."""

    settings: Settings
    clock: Clock
    database: Database
    sealer: Sealer
    services: Services
    hub: GatewayHub
    presence: Presence
    clips: ClipParts
    recordings: RecordingParts
    jobs: Jobs
    direct: DirectMode
    live: LiveParts
    app: ASGIApp

    async def start(self) -> None:
        """Open the pools, start what runs beside requests."""
        await self.database.open()
        await self.clips.start()
        self.presence.start()
        self.direct.start()
        self.services.streams.start()
        self.live.start()
        self.jobs.start()

    def say_goodbye(self) -> None:
        """Before the HTTP server ends its connections: those that have no end of their own come to one."""
        self.presence.say_goodbye()
        self.services.streams.say_goodbye()
        self.live.say_goodbye()

    async def stop(self) -> None:
        """The reverse, in reverse order."""
        await self.jobs.stop()
        await self.live.stop()
        await self.services.streams.stop()
        await self.direct.stop()
        await self.presence.stop()
        await self.clips.stop()
        await self.database.close()


def build_server(settings: Settings, *, database_url: str, clock: Clock | None = None) -> Server:
    """Nothing is opened or started yet. `database_url` is migrated already."""
    clock = clock or SystemClock()
    sealer = make_sealer(settings)
    database = Database(database_url)
    metrics = Metrics()
    cursors = Cursors(sealer.derive("cursors"))
    sites = SiteService(cursors)
    accounts = build_accounts(database, clock, sealer, cursors, sites.hold)
    hub = GatewayHub(metrics)
    arrivals = Arrivals(database, clock, hub)
    presence = Presence(database, clock, hub, arrivals, offline_after_sec=settings.gateway_offline_after_sec)
    gateways = GatewayService(cursors, hub, allow_loopback=settings.allow_loopback_cameras)
    jobs = Jobs(database, clock)
    Housekeeping(database, clock).register(jobs)
    cameras = build_cameras(
        settings,
        clock=clock,
        sealer=sealer,
        cursors=cursors,
        sites=sites,
        gateways=gateways,
        hub=hub,
        defer=_defer,
    )
    moves = build_moves(
        settings, database=database, clock=clock, sealer=sealer, gateways=gateways, hub=hub, jobs=jobs
    )
    clips = build_clips(settings, database=database, clock=clock, sealer=sealer, hub=hub, gateways=arrivals)
    events = EventService(cursors, clips.service)
    recordings = build_recordings(
        settings,
        database=database,
        clock=clock,
        cursors=cursors,
        sites=sites,
        hub=hub,
        gateways=arrivals,
        sealer=sealer,
        jobs=jobs,
        events=events,
        clips=clips.service,
    )
    direct = build_direct(settings, database=database, clock=clock, sealer=sealer, hub=hub, jobs=jobs)
    clips.orders.direct = direct.cameras
    cameras.direct_snapshot = direct.cameras.snapshot
    limits: dict[str, Any] = {"rate_per_min": settings.rate_per_min, "burst": settings.rate_burst}
    limiter, anonymous_limiter = LocalLimiter(clock, **limits), LocalLimiter(clock, **limits)
    live = build_live(
        settings,
        database=database,
        clock=clock,
        sealer=sealer,
        hub=hub,
        gateways=arrivals,
        direct=direct,
        metrics=metrics,
        limiter=limiter,
        anonymous=anonymous_limiter,
    )
    authenticator = accounts.authenticator
    streams = Streams(
        *(database, clock, authenticator, sealer.derive("stream"), metrics.registry),
        base_url=settings.public_url or "",
    )
    ExportMaker(
        database=database,
        store=clips.store,
        clock=clock,
        sealer=sealer,
        footage=GatewayFootage(recordings.service, recordings.footage),
        folder=settings.data_dir / "exports",
    ).register(jobs)
    services = Services(
        database=database,
        metrics=metrics,
        metrics_token=settings.metrics_token,
        public_url=settings.public_url,
        login=accounts.login,
        users=accounts.users,
        service_accounts=accounts.service_accounts,
        orgs=accounts.orgs,
        sites=sites,
        gateways=gateways,
        cameras=cameras,
        checks=CheckWatches(clock),
        moves=moves,
        events=events,
        clips=clips.service,
        uploads=clips.uploads,
        recordings=recordings.service,
        playback=recordings.playback,
        thumbnails=recordings.thumbnails,
        past_clips=recordings.past_clips,
        relay_door=recordings.relay_door,
        live=live.service,
        live_door=live.door,
        live_hls=live.hls,
        live_whep=live.whep,
        live_inlets=live.inlets,
        store_door=clips.door,
        streams=streams,
        stream_door=StreamDoor(streams, authenticator, limiter, anonymous_limiter),
        exports=ExportService(
            cursors,
            clips.store,
            sealer,
            jobs,
            recordings.service,
            recordings.holds,
            settings.public_url or "",
        ),
        grids=GridService(cursors),
        shares=ShareService(database, clock, cursors, events, clips.service, settings.public_url or ""),
        pairing=PairingService(database, clock, sites, hub, sealer.derive("pairing codes")),
        gateway_door=GatewayDoor(hub, arrivals, presence),
    )
    edge = Edge(
        build_app(services),
        database=database,
        authenticator=authenticator,
        clock=clock,
        limiter=limiter,
        anonymous_limiter=anonymous_limiter,
        idempotency=Idempotency(database, clock, sealer),
        metrics=metrics,
        signed={
            playback.PATH: recordings.playback.signed,
            links.PATH: clips.door.signed,
            live_service.PATH: live.service.signed,
        },
    )
    store = settings.store_url or "file://"
    site = Site(
        edge,
        CONSOLE,
        reserved=NOT_THE_CONSOLE,
        media_sources=() if store.startswith("file:") else ("https:",),
    )
    return Server(
        settings,
        clock,
        database,
        sealer,
        services,
        hub,
        presence,
        clips,
        recordings,
        jobs,
        direct,
        live,
        site,
    )


async def _defer(connection: Connection, name: str, arguments: dict[str, Any]) -> None:
    """The cameras' way to the jobs; of one camera one job runs at a time."""
    org_id, lock = UUID(arguments["org_id"]), f"camera:{arguments['camera_id']}"
    rest = {key: value for key, value in arguments.items() if key != "org_id"}
    await defer(connection, name, org_id=org_id, lock=lock, **rest)


def make_sealer(settings: Settings) -> Sealer:
    """From NOVAVMS_SECRET_KEYS, else from a key file in the data folder."""
    if settings.secret_keys:
        return Sealer([key.strip() for key in settings.secret_keys.split(",") if key.strip()])
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return Sealer([load_or_make_key(settings.data_dir / "secret.key")])


def find_database(settings: Settings) -> tuple[str, EmbeddedPostgres | None]:
    """The database's URL; and the embedded PostgreSQL, started, if that is where it is."""
    if settings.database_url:
        return settings.database_url, None
    embedded = EmbeddedPostgres(settings.data_dir.absolute() / "postgres")
    return embedded.start(), embedded
