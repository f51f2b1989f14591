"""All that recordings are made of, put together for `server`."""

from __future__ import annotations

from dataclasses import dataclass

from novavms_server.clips.service import ClipService
from novavms_server.events.service import EventService
from novavms_server.gateways.hub import GatewayHub
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.jobs import Jobs
from novavms_server.kit.pages import Cursors
from novavms_server.kit.seal import Sealer
from novavms_server.recordings.door import Gateways, RelayDoor
from novavms_server.recordings.footage import Footage
from novavms_server.recordings.holds import Holds
from novavms_server.recordings.ledger import Ledgers
from novavms_server.recordings.past_clips import PastClips
from novavms_server.recordings.playback import Playback
from novavms_server.recordings.relay import Relays
from novavms_server.recordings.service import RecordingService
from novavms_server.recordings.thumbnails import Thumbnails
from novavms_server.recordings.tickets import Tickets
from novavms_server.settings import Settings
from novavms_server.sites.service import SiteService


@dataclass(frozen=True, slots=True)
class RecordingParts:
    service: RecordingService
    ledgers: Ledgers
    relays: Relays
    relay_door: RelayDoor
    footage: Footage
    playback: Playback
    past_clips: PastClips
    holds: Holds
    thumbnails: Thumbnails


def build_recordings(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    cursors: Cursors,
    sites: SiteService,
    hub: GatewayHub,
    gateways: Gateways,
    sealer: Sealer,
    jobs: Jobs,
    events: EventService,
    clips: ClipService,
) -> RecordingParts:
    """Nothing is started yet; from now on gateways' ledgers are kept."""
    ledgers = Ledgers(database, clock)
    ledgers.register(hub, jobs)
    holds = Holds(database, clock, hub, jobs, clips)
    holds.register()
    events.holds = holds
    base_url = settings.public_url or ""
    service = RecordingService(cursors, sites)
    relays = Relays()
    footage = Footage(hub, relays)
    tickets = Tickets(sealer.derive("playback"), database, clock)
    return RecordingParts(
        service=service,
        ledgers=ledgers,
        relays=relays,
        relay_door=RelayDoor(relays, gateways),
        footage=footage,
        playback=Playback(service, footage, tickets, base_url),
        past_clips=PastClips(service, footage, events),
        holds=holds,
        thumbnails=Thumbnails(service, footage, relays, clock),
    )
