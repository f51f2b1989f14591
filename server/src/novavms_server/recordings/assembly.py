"""All that recordings are made of, put together for `server`."""

from __future__ import annotations

from dataclasses import dataclass

from novavms_server.gateways.hub import GatewayHub
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.jobs import Jobs
from novavms_server.kit.pages import Cursors
from novavms_server.recordings.ledger import Ledgers
from novavms_server.recordings.service import RecordingService
from novavms_server.sites.service import SiteService


@dataclass(frozen=True, slots=True)
class RecordingParts:
    service: RecordingService
    ledgers: Ledgers


def build_recordings(
    *,
    database: Database,
    clock: Clock,
    cursors: Cursors,
    sites: SiteService,
    hub: GatewayHub,
    jobs: Jobs,
) -> RecordingParts:
    """Nothing is started yet; from now on gateways' ledgers are kept."""
    ledgers = Ledgers(database, clock)
    ledgers.register(hub, jobs)
    return RecordingParts(service=RecordingService(cursors, sites), ledgers=ledgers)
