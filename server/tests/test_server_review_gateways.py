"""A hostile gateway harms nobody but itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from nova_wire import greeted, pair, telemetry
from nova_world import World

from novavms_protocol import Applied

pytestmark = pytest.mark.anyio


async def heartbeat(world: World, gateway_id: UUID) -> datetime:
    rows = await world.sql("SELECT last_heartbeat_at FROM gateways WHERE id = %s", gateway_id)
    found: datetime = rows[0][0]
    return found


@pytest.mark.parametrize(
    "poison",
    [
        {"version": "1\x00"},
        {"version": "x" * 100_000},
        {"memory_bytes": -1},
        {"disk_free_bytes": 10**400},
        {"cpu_percent": 1e300},
    ],
    ids=["nul", "long", "negative", "huge", "float"],
)
async def test_no_heartbeat_of_one_gateway_spoils_those_of_others(
    world: World, poison: dict[str, Any]
) -> None:
    good_id, good_token = await pair(world.client("operator", other=True), world.other_site)
    bad_id, bad_token = await pair(world.client("operator"), world.site)
    async with greeted(world, good_id, good_token) as good, greeted(world, bad_id, bad_token) as bad:
        await bad.report(telemetry(**poison))
        await bad.report(Applied(state_version=-(10**30)))
        before = await heartbeat(world, good_id)
        assert (await good.report(telemetry(cpu_percent=7.0))).refused is None
        await world.server.presence.flush()
        assert await heartbeat(world, good_id) > before
        kept = await world.sql(
            "SELECT coalesce(length(telemetry::text), 0) FROM gateways WHERE id = %s", bad_id
        )
        assert kept[0][0] < 1000
        read = await world.client("viewer").get(f"/api/v1/gateways/{bad_id}/telemetry")
        assert read.status_code == 200, read.text
        assert (await world.client("viewer").get("/api/v1/gateways")).status_code == 200
