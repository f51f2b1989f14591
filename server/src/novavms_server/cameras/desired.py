"""A gateway's desired state: the cameras it has to run, with their credentials."""

from __future__ import annotations

from novavms_protocol import DesiredState
from novavms_server.cameras import queries
from novavms_server.cameras.sources import config_of
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.database import Connection, run
from novavms_server.kit.seal import Sealer


class DesiredCameras:
    """The hub's `describe`."""

    def __init__(self, sealer: Sealer, *, allow_loopback: bool) -> None:
        self._sealer = sealer
        self._allow_loopback = allow_loopback

    async def describe(self, connection: Connection, gateway: GatewayRef) -> DesiredState:
        """The caller puts in the version, which it read before: the cameras may be newer than that and are then told
        once more, never older."""
        rows = await (await run(connection, queries.of_gateway(gateway.org_id, gateway.id))).fetchall()
        cameras = [config_of(row, self._sealer, allow_loopback=self._allow_loopback) for row in rows]
        return DesiredState(version=0, cameras=cameras)
