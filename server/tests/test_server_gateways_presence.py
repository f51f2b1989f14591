"""Which gateways are there: heartbeats and what they bring, silence, grace, servers that died or came back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from nova_wire import becomes, greeted, pair, status, telemetry, until
from nova_world import World, make_world
from websockets.exceptions import ConnectionClosed

from novavms_protocol import (
    Applied,
    DesiredState,
    Goodbye,
    Ping,
    Pong,
)
from novavms_server.gateways.models import StorageState
from novavms_server.gateways.service import bump_state

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


@pytest.fixture
async def hasty(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose gateways are offline after 2 s of silence, 0.5 s after their socket closed."""
    async with make_world(database_url, tmp_path, gateway_offline_after_sec=2.0) as world:
        yield world


async def test_the_state_is_told_anew_and_never_older(hasty: World) -> None:
    world = hasty
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token) as gateway:
        for wanted in (1, 2):
            async with world.server.database.org(world.org) as connection:
                await bump_state(connection, gateway_id)
            for _ in range(20):
                world.server.hub.nudge(gateway_id)
            assert (await gateway.expect(DesiredState)).version == wanted
        async with world.server.database.org(world.org) as connection:
            await bump_state(connection, gateway_id)
        assert (await gateway.expect(DesiredState)).version == 3, "a lost nudge is made good by the heartbeat"
        await gateway.report(Applied(state_version=3))
        versions = [message.version for message in gateway.seen if isinstance(message, DesiredState)]
        assert versions == [0, 1, 2, 3]

        async def applied() -> bool:
            return (await world.sql("SELECT applied_version FROM gateways"))[0][0] == 3

        await until(applied)


async def test_telemetry_is_acknowledged_and_thinned(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token) as gateway:
        for number in range(5):
            assert (await gateway.report(telemetry(cpu_percent=float(number)))).refused is None
        await world.server.presence.flush()

        async def written() -> Any:
            return (await world.client("operator").get(f"/api/v1/gateways/{gateway_id}/telemetry")).json()[
                "data"
            ]

        points = await written()
        assert points[0]["cpu_percent"] == 4.0
        for _ in range(3):
            await gateway.report(telemetry(cpu_percent=9.0))
            await world.server.presence.flush()
        assert len(await written()) <= 2
        newest = (await world.sql("SELECT telemetry FROM gateways"))[0][0]
        assert newest["cpu_percent"] == 9.0
        assert (datetime.now(UTC) - datetime.fromisoformat(points[0]["at"])).total_seconds() < 70


async def test_what_a_gateway_says_of_its_disk_is_shown_told_and_on_record(world: World) -> None:
    """Footage that goes before its time, or is not recorded any more, is said so, with what to do."""
    operator = world.client("operator")
    gateway_id, token = await pair(operator, world.site)
    url = f"/api/v1/gateways/{gateway_id}"

    async def said(state: str | None, **more: Any) -> dict[str, Any]:
        await gateway.report(telemetry(storage_state=state, **more))
        await world.server.presence.flush()
        shown: dict[str, Any] = (await operator.get(url)).json()
        return shown

    async def turns() -> list[Any]:
        return await world.sql("SELECT after FROM audit_log WHERE action = 'gateway.storage' ORDER BY id")

    async with greeted(world, gateway_id, token) as gateway:
        assert (await operator.get(url)).json()["storage_state"] is None
        fine = await said("ok", recording_cameras=3, recordings_bytes=10**12)
        assert (fine["storage_state"], fine["storage_message"]) == ("ok", None)
        assert (fine["recording_cameras"], fine["recordings_bytes"]) == (3, 10**12)
        assert await turns() == []
        before = await world.sql("SELECT count(*) FROM feed_items")
        full = await said("recording_stopped")
        assert full["storage_state"] == "recording_stopped"
        assert "free some room" in full["storage_message"]
        assert (await said("recording_stopped"))["storage_state"] == "recording_stopped"
        assert await turns() == [({"storage_state": "recording_stopped", "before": "ok"},)], "once"
        assert (await world.sql("SELECT count(*) FROM feed_items"))[0][0] == before[0][0] + 1
        assert (await said("made up\x00"))["storage_state"] is None
        for state in get_args(StorageState)[1:]:
            assert (await said(state))["storage_message"], state
        assert (await said("ok"))["storage_message"] is None
        listed = (await operator.get("/api/v1/gateways")).json()["data"][0]
        assert listed["storage_state"] == "ok"
        points = (await operator.get(f"{url}/telemetry")).json()["data"]
        assert points[0]["storage_state"] in get_args(StorageState)


@pytest.mark.slow
async def test_offline_a_grace_after_the_socket_closed(database_url: str, tmp_path: Path) -> None:
    async with make_world(database_url, tmp_path, gateway_offline_after_sec=8.0) as world:  # the grace: 2 s
        await _offline_after_a_grace(world)


async def _offline_after_a_grace(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    gone: list[UUID] = []

    async def offline(connection: Any, gateway: Any) -> None:
        gone.append(gateway.id)

    world.server.hub.on_offline(offline)
    async with greeted(world, gateway_id, token):
        await becomes(world, gateway_id, "online")

    async def closed() -> bool:
        return not world.server.hub.is_connected(gateway_id)

    await until(closed)
    await world.server.presence.tick()
    async with greeted(world, gateway_id, token):  # a quick return does not flap
        await world.server.presence.tick()
        assert gone == []
        assert (await status(world, gateway_id))["status"] == "online"
    await becomes(world, gateway_id, "offline")
    assert gone == [gateway_id]
    async with greeted(world, gateway_id, token):
        await becomes(world, gateway_id, "online")
    actions = [
        row[0] for row in await world.sql("SELECT action FROM audit_log WHERE actor = 'system' ORDER BY id")
    ]
    assert actions == ["gateway.online", "gateway.offline", "gateway.online"]


@pytest.mark.slow
async def test_a_silent_socket_is_asked_and_then_given_up(hasty: World) -> None:
    world = hasty
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token) as gateway:
        await gateway.expect(Ping)
        await gateway.send(Pong())
        await gateway.expect(Ping)  # and now nothing any more
        await becomes(world, gateway_id, "offline")
        with pytest.raises(ConnectionClosed):
            await gateway.expect(Goodbye)


@pytest.mark.slow
async def test_gateways_of_a_dead_server_go_offline(hasty: World) -> None:
    world = hasty
    gateway_id, _ = await pair(world.client("operator"), world.site)
    await world.sql(  # as a server leaves it that was killed
        "UPDATE gateways SET status = 'online', connection_id = %s, last_heartbeat_at = now() - interval '3 s'",
        uuid4(),
    )
    await becomes(world, gateway_id, "offline")


async def test_a_restarted_server_is_found_again(database_url: str, tmp_path: Path) -> None:
    async with make_world(database_url, tmp_path) as world:
        gateway_id, token = await pair(world.client("operator"), world.site)
        async with greeted(world, gateway_id, token) as gateway:
            world.server.presence.say_goodbye()
            assert await gateway.closed() == 1012
            assert gateway.seen[-1].reason == "shutting_down"
        org = world.org
    async with make_world(database_url, tmp_path) as world, greeted(world, gateway_id, token) as gateway:
        rows = await world.sql("SELECT status, org_id FROM gateways")
        assert rows == [("online", org)]
        assert isinstance(gateway.seen[0], DesiredState)
