"""A gateway's desired state: the cameras it has to run, with their credentials."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from novavms_protocol import DesiredState
from novavms_server.cameras import queries
from novavms_server.cameras.sources import config_of
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef
from novavms_server.gateways.service import bump_state
from novavms_server.kit.database import Connection, run
from novavms_server.kit.seal import Sealer
from novavms_server.kit.work import Work


async def tell_anew(work: Work, site_id: UUID, hub: GatewayHub) -> None:
    """The site's clock changed, by which its cameras are recorded: their gateways' desired state is another. Part of the
    transaction that changes the clock."""
    await work.write()
    gateways = [row[0] for row in await work.list(queries.gateways_at(work.caller, site_id))]
    if not gateways:
        return
    await work.read(queries.revise_at(work.caller, site_id))
    for gateway_id in gateways:
        await bump_state(await work.write(), gateway_id)
        work.after_commit(partial(hub.nudge, gateway_id))


class DesiredCameras:
    """The hub's `describe`."""

    def __init__(self, sealer: Sealer, *, allow_loopback: bool) -> None:
        self._sealer = sealer
        self._allow_loopback = allow_loopback

    async def describe(self, connection: Connection, gateway: GatewayRef) -> DesiredState:
        """The caller puts in the version, which it read before: the cameras may be newer than that and are then told
        once more, never older."""
        rows = await (await run(connection, queries.of_gateway(gateway.org_id, gateway.id))).fetchall()
        cameras = [
            config_of(row, self._sealer, timezone=zone, allow_loopback=self._allow_loopback)
            for row, zone in rows
        ]
        return DesiredState(version=0, cameras=cameras)
