"""A hostile gateway harms nobody but itself."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from nova_wire import greeted, hello, open_socket, pair, telemetry
from nova_world import World

from novavms_protocol import DesiredState, Goodbye, encode

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


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


@pytest.mark.parametrize("version", [-1, 10**30, 1.5])
async def test_a_greeting_that_makes_no_sense_gets_a_word(world: World, version: object) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with open_socket(world, gateway_id, token) as gateway:
        said = {**msgspec.json.decode(encode(hello())), "applied_version": version}
        await gateway.socket.send(msgspec.json.encode(said).decode())
        assert await gateway.closed() == 1008
        assert isinstance(gateway.seen[-1], Goodbye)
        assert gateway.seen[-1].reason == "protocol"


async def test_a_time_without_its_zone_gets_a_word(world: World) -> None:
    """A report that can't be compared with the clock would come again for ever."""
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with open_socket(world, gateway_id, token) as gateway:
        await gateway.send(hello())
        await gateway.expect(DesiredState)
        said = {"type": "camera_status", "camera_id": str(uuid4()), "revision": 1, "status": "online"}
        body = {**said, "at": "2026-01-31T12:00:00"}
        report = {"type": "report", "id": str(uuid4()), "body": body}
        await gateway.socket.send(msgspec.json.encode(report).decode())
        assert await gateway.closed() == 1008


async def test_a_search_needs_no_body(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token) as gateway:
        asked = asyncio.create_task(world.client("operator").post(f"/api/v1/gateways/{gateway_id}/discover"))
        await gateway.answer({"devices": []})
        answer = await asked
        assert (answer.status_code, answer.json()) == (200, {"devices": []})
