"""The cameras' parts, put together and tied to the gateways' hub."""

from __future__ import annotations

from novavms_protocol import CameraMoved, CameraStatus
from novavms_server.cameras.checking import CameraChecker
from novavms_server.cameras.desired import DesiredCameras, tell_anew
from novavms_server.cameras.moves import MoveReports
from novavms_server.cameras.moving import MoveService
from novavms_server.cameras.service import CameraService, Defer
from novavms_server.cameras.sources import AddressRules
from novavms_server.cameras.status import StatusReports
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.service import GatewayService
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.jobs import Jobs
from novavms_server.kit.pages import Cursors
from novavms_server.kit.seal import Sealer
from novavms_server.settings import Settings
from novavms_server.sites.service import SiteService


def build_cameras(
    settings: Settings,
    *,
    clock: Clock,
    sealer: Sealer,
    cursors: Cursors,
    sites: SiteService,
    gateways: GatewayService,
    hub: GatewayHub,
    defer: Defer,
) -> CameraService:
    """From here on the hub tells gateways which cameras they run, and cameras follow what gateways report."""
    rules = AddressRules.of(
        allow_loopback=settings.allow_loopback_cameras, direct_networks=settings.direct_networks
    )
    reports = StatusReports(clock)
    hub.describe = DesiredCameras(sealer, allow_loopback=settings.allow_loopback_cameras).describe
    sites.on_timezone = lambda work, site_id: tell_anew(work, site_id, hub)
    hub.on_report(CameraStatus, reports.take_in)
    hub.on_offline(reports.gateway_offline)
    return CameraService(
        cursors=cursors,
        sealer=sealer,
        sites=sites,
        gateways=gateways,
        hub=hub,
        rules=rules,
        checker=CameraChecker(hub, rules),
        defer=defer,
    )


def build_moves(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    sealer: Sealer,
    gateways: GatewayService,
    hub: GatewayHub,
    jobs: Jobs,
) -> MoveService:
    """Cameras that gateways find at other addresses; its job is registered."""
    rules = AddressRules.of(
        allow_loopback=settings.allow_loopback_cameras, direct_networks=settings.direct_networks
    )
    hub.on_report(CameraMoved, MoveReports(clock, rules).take_in)
    moves = MoveService(
        database=database,
        clock=clock,
        sealer=sealer,
        rules=rules,
        checker=CameraChecker(hub, rules),
        gateways=gateways,
        hub=hub,
    )
    moves.listen(jobs)
    return moves
