"""Direct mode's parts, put together."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from novavms_camera.go2rtc import Go2rtc
from novavms_server.cameras.checking import Asks, CameraChecker
from novavms_server.cameras.direct import queries
from novavms_server.cameras.direct.fleet import DirectCameras
from novavms_server.cameras.direct.mirror import Mirror
from novavms_server.cameras.direct.registrar import DirectRegistrar, defer_retry
from novavms_server.cameras.direct.relay import Relay
from novavms_server.cameras.sources import AddressRules
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database
from novavms_server.kit.jobs import Jobs
from novavms_server.kit.seal import Sealer
from novavms_server.settings import Settings


@dataclass(frozen=True, slots=True)
class DirectMode:
    """`cameras` is what clips need. `go2rtc` is None where none is set."""

    cameras: DirectCameras
    mirror: Mirror
    go2rtc: Go2rtc | None
    relay: Relay

    def start(self) -> None:
        self.cameras.start()
        self.mirror.start()

    async def stop(self) -> None:
        await self.mirror.stop()
        await self.cameras.stop()


def build_direct(
    settings: Settings, *, database: Database, clock: Clock, sealer: Sealer, hub: Asks, jobs: Jobs
) -> DirectMode:
    """Nothing is started; the jobs are registered. Raises ValueError for a go2rtc URL that is none."""
    rules = AddressRules.of(
        allow_loopback=settings.allow_loopback_cameras, direct_networks=settings.direct_networks
    )
    go2rtc = None
    if settings.go2rtc_url:
        go2rtc = Go2rtc(settings.go2rtc_url, prefix=queries.NAME_PREFIX, setting="NOVAVMS_GO2RTC_URL")
    fleet = DirectCameras(database, clock, sealer, rules)

    async def look_again(connection: Connection, org_id: UUID, camera_id: UUID, reason: str) -> None:
        await defer_retry(connection, clock, org_id, camera_id, reason, 0)

    fleet.on_error = look_again
    checker = CameraChecker(hub, rules)
    relay = Relay(rules, clock)
    DirectRegistrar(database, clock, sealer, checker, go2rtc, relay, fleet).listen(jobs)
    return DirectMode(fleet, Mirror(database, clock, sealer, go2rtc, relay), go2rtc, relay)
