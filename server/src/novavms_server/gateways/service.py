"""What one can do with gateways."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from novavms_protocol import Discover, DiscoveredDevice
from novavms_server.audit.service import record
from novavms_server.feed.log import tell
from novavms_server.gateways import queries
from novavms_server.gateways.errors import GatewayInUse, GatewayRefused
from novavms_server.gateways.feed_models import gateway_item
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import (
    Discovered,
    DiscoverRequest,
    Gateway,
    GatewayRow,
    GatewayUpdate,
    TelemetryPoint,
)
from novavms_server.kit.database import Connection, run
from novavms_server.kit.errors import Forbidden, NotFound
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import etag, require_match
from novavms_server.kit.work import Work

MISSING = "There is no such gateway in your organization."
_REPLY_MARGIN_SEC = 3.0
_DEVICES_MAX = 1000


async def bump_state(connection: Connection, gateway_id: UUID) -> None:
    """The gateway's desired state changes in this transaction. Take the gateway's row (`hold`) before any camera's, as
    everybody does: no deadlock. After the commit: `hub.nudge`."""
    await connection.execute(
        "UPDATE gateways SET state_version = state_version + 1 WHERE id = %s", (gateway_id,), prepare=True
    )


async def hold_gateway(connection: Connection, org_id: UUID, gateway_id: UUID) -> GatewayRow | None:
    """As `GatewayService.hold`, for jobs."""
    cursor = await run(connection, queries.held(org_id, gateway_id))
    found: GatewayRow | None = await cursor.fetchone()
    return found


async def state_version(connection: Connection, gateway_id: UUID) -> int:
    """Of the desired state, for whoever describes it: read it first, the cameras after. 0 for a gateway that is gone."""
    cursor = await connection.execute(
        "SELECT state_version FROM gateways WHERE id = %s", (gateway_id,), prepare=True
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


class GatewayService:
    """Made once in `server`."""

    def __init__(self, cursors: Cursors, hub: GatewayHub, *, allow_loopback: bool) -> None:
        self._cursors = cursors
        self._hub = hub
        self._allow_loopback = allow_loopback

    async def list(
        self, work: Work, site_id: UUID | None, status: str | None, cursor: str | None, limit: int
    ) -> Page[Gateway]:
        """Newest first; a viewer's are those on sites it was granted."""
        belongs = ("gateways", work.caller.org_id, site_id, status)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, site_id, status, before, limit + 1),
            queries.total(work.caller, site_id, status),
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def get(self, work: Work, gateway_id: UUID) -> tuple[Gateway, str]:
        """With its ETag. NotFound outside the org, Forbidden outside a viewer's grants."""
        gateway, version = await self._get(work, gateway_id)
        return gateway, tag(gateway, version)

    async def _get(self, work: Work, gateway_id: UUID, *, lock: bool = False) -> tuple[Gateway, int]:
        found, versions = await work.read(
            queries.by_id(work.caller, gateway_id, lock=lock), queries.version(work.caller, gateway_id)
        )
        if not found:
            raise NotFound(MISSING)
        gateway: Gateway = found[0]
        if not work.caller.sees(gateway.site_id):
            raise Forbidden
        return gateway, versions[0][0]

    async def update(
        self, work: Work, gateway_id: UUID, asked: GatewayUpdate, if_match: str | None
    ) -> tuple[Gateway, str]:
        await work.write()
        before, version = await self._get(work, gateway_id, lock=True)
        require_match(if_match, version)
        if asked.name is msgspec.UNSET or asked.name == before.name:
            return before, tag(before, version)
        after = msgspec.structs.replace(before, name=asked.name, updated_at=work.now)
        await work.execute(
            "UPDATE gateways SET name = %s, updated_at = %s, version = version + 1 WHERE org_id = %s AND id = %s",
            (after.name, after.updated_at, work.caller.org_id, gateway_id),
        )
        await record(work, "gateway.updated", "gateway", gateway_id, before=before, after=after)
        item = gateway_item("updated", gateway_id, after.site_id, after.name)
        await tell(await work.write(), work.caller.org_id, work.now, item)
        return after, tag(after, version + 1)

    async def delete(self, work: Work, gateway_id: UUID, if_match: str | None) -> None:
        """Soft; its token and codes are dead at once and its socket closes. Refused while cameras are on it; whoever
        adds one holds the gateway's row (`hold`)."""
        await work.write()
        before, version = await self._get(work, gateway_id, lock=True)
        require_match(if_match, version)
        if (await work.list(queries.in_use(work.caller, gateway_id)))[0][0]:
            raise GatewayInUse
        await work.execute(
            "UPDATE gateways SET deleted_at = %s, updated_at = %s, status = 'offline', token_hash = NULL, connection_id = NULL"
            " WHERE org_id = %s AND id = %s",
            (work.now, work.now, work.caller.org_id, gateway_id),
        )
        await work.execute(
            "DELETE FROM pairing_codes WHERE org_id = %s AND gateway_id = %s",
            (work.caller.org_id, gateway_id),
        )
        await record(work, "gateway.deleted", "gateway", gateway_id, before=before)
        item = gateway_item("deleted", gateway_id, before.site_id, None)
        await tell(await work.write(), work.caller.org_id, work.now, item)
        work.after_commit(lambda: self._hub.drop(gateway_id, "revoked", "This gateway was removed."))

    async def look(self, work: Work, gateway_id: UUID) -> GatewayRow:
        """For whoever is about to ask the gateway something: no lock, no transaction. NotFound outside the org."""
        row: GatewayRow = await work.get(queries.row(work.caller, gateway_id, hold=False), MISSING)
        return row

    async def hold(self, work: Work, gateway_id: UUID) -> GatewayRow:
        """For whoever puts something on the gateway or changes what it is told: it lives, and nobody else does so before
        the transaction ends. Take it before any row of a camera."""
        await work.write()
        row: GatewayRow = await work.get(queries.row(work.caller, gateway_id, hold=True), MISSING)
        return row

    async def telemetry(
        self, work: Work, gateway_id: UUID, cursor: str | None, limit: int
    ) -> Page[TelemetryPoint]:
        """Newest first, one a minute, seven days back."""
        await self._get(work, gateway_id)
        belongs = ("telemetry", work.caller.org_id, gateway_id)
        position = self._cursors.read(cursor, belongs)
        before = datetime.fromisoformat(position[0]) if position else None
        rows, total = await work.read(
            queries.telemetry(work.caller, gateway_id, before, limit + 1),
            queries.telemetry_total(work.caller, gateway_id),
        )
        more = len(rows) > limit
        next_cursor = self._cursors.make(belongs, [rows[limit - 1][0].isoformat()]) if more else None
        points = [_point(at, data) for at, data in rows[:limit]]
        return Page(data=points, next_cursor=next_cursor, total=total[0][0])

    async def discover(self, work: Work, gateway_id: UUID, asked: DiscoverRequest) -> Discovered:
        """Asks the gateway, holding no connection. Raises GatewayOffline, GatewayTimeout, GatewayRefused."""
        await self.look(work, gateway_id)
        reply = await self._hub.request(
            gateway_id,
            Discover(
                timeout_sec=asked.timeout_sec,
                hosts=asked.hosts,
                ports=asked.ports,
                allow_loopback=self._allow_loopback,
            ),
            timeout_sec=asked.timeout_sec + _REPLY_MARGIN_SEC,
        )
        if not reply.ok:
            raise GatewayRefused(reply.message)
        try:
            devices = msgspec.convert((reply.result or {}).get("devices", []), list[DiscoveredDevice])
        except msgspec.ValidationError:
            raise GatewayRefused("The gateway's answer was not understood; update its software.") from None
        return Discovered(devices=devices[:_DEVICES_MAX])


def tag(gateway: Gateway, version: int) -> str:
    """The ETag: edits, and the newest life sign in milliseconds (their last ten digits)."""
    newest = max(gateway.status_at, gateway.last_heartbeat_at or gateway.status_at)
    return etag(version, int(newest.timestamp() * 1000) % 10**10)


def _point(at: datetime, data: dict[str, Any]) -> TelemetryPoint:
    return msgspec.convert({**data, "at": at}, TelemetryPoint)
