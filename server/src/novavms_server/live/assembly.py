"""All that live view is made of, put together for `server`."""

from __future__ import annotations

from dataclasses import dataclass

from novavms_server.cameras.direct.assembly import DirectMode
from novavms_server.gateways.hub import GatewayHub
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.limits import Limiter
from novavms_server.kit.metrics import Metrics
from novavms_server.kit.seal import Sealer
from novavms_server.live.answering import Answerer
from novavms_server.live.direct import DirectFeed
from novavms_server.live.door import LiveDoor
from novavms_server.live.hls_door import HlsDoor
from novavms_server.live.inlet import Inlets
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.rights import Rights
from novavms_server.live.service import LiveService
from novavms_server.live.tickets import Tickets
from novavms_server.live.upstream import Upstreams
from novavms_server.live.watchers import Watchers
from novavms_server.live.whep import WhepDoor
from novavms_server.recordings.door import Gateways
from novavms_server.settings import Settings


@dataclass(frozen=True, slots=True)
class LiveParts:
    service: LiveService
    tickets: Tickets
    rights: Rights
    watchers: Watchers
    inlets: Inlets
    upstreams: Upstreams
    door: LiveDoor
    hls: HlsDoor
    whep: WhepDoor
    metrics: LiveMetrics
    memory: LiveMemory

    def start(self) -> None:
        self.rights.start()
        self.hls.start()

    def say_goodbye(self) -> None:
        """Before the HTTP server ends its connections: viewers hear it, gateways are hung up on."""
        self.door.say_goodbye()
        self.hls.say_goodbye()
        self.upstreams.say_goodbye()

    async def stop(self) -> None:
        await self.hls.stop()
        await self.rights.stop()
        await self.upstreams.stop()


def build_live(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    sealer: Sealer,
    hub: GatewayHub,
    gateways: Gateways,
    direct: DirectMode,
    metrics: Metrics,
    limiter: Limiter,
    anonymous: Limiter,
) -> LiveParts:
    """Nothing is started yet."""
    counted = LiveMetrics(metrics.registry)
    tickets = Tickets(sealer.derive("live"), clock)
    rights = Rights(tickets, database, clock)
    memory = LiveMemory(counted, max_bytes=settings.live_memory_mb * 1024 * 1024)
    watchers = Watchers(counted, memory)
    inlets = Inlets(gateways, counted)
    upstreams = Upstreams(hub, inlets, DirectFeed(direct.cameras, clock, counted), clock, counted, memory)
    answerer = Answerer(hub, direct.go2rtc, direct.mirror.repair)
    return LiveParts(
        service=LiveService(
            tickets,
            offered=frozenset({"mse", "hls", "webrtc"}),
            answerer=answerer,
            base_url=settings.public_url or "",
        ),
        tickets=tickets,
        rights=rights,
        watchers=watchers,
        inlets=inlets,
        upstreams=upstreams,
        hls=HlsDoor(rights, watchers, upstreams, counted, memory, clock),
        whep=WhepDoor(tickets, rights, answerer),
        door=LiveDoor(tickets, rights, watchers, upstreams, counted, memory, limiter, anonymous),
        metrics=counted,
        memory=memory,
    )
