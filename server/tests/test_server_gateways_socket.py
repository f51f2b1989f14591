"""The gateway's socket: greeting, requests, reports, replacement, and one that does not read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_wire import greeted, hello, open_socket, pair, socket_url, status, until
from nova_world import World, make_world
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from novavms_protocol import (
    Ack,
    Check,
    CheckProgress,
    ClipFailed,
    ClipState,
    DesiredState,
    Discover,
    Goodbye,
    Ping,
    Pong,
    Reply,
    Report,
)
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def test_only_the_right_token_gets_a_socket(world: World) -> None:
    operator = world.client("operator")
    gateway_id, token = await pair(operator, world.site)
    other_id, other_token = await pair(operator, world.site)
    assert gateway_id != other_id
    for asked, authorization, wanted in (
        (gateway_id, None, 401),
        (gateway_id, "Bearer wrong", 401),
        (gateway_id, f"Bearer {other_token}", 401),
        (gateway_id, f"Basic {token}", 401),
        (gateway_id, f"Bearer {world.keys['admin']}", 401),
        (uuid4(), f"Bearer {token}", 401),
        ("nonsense", f"Bearer {token}", 401),
    ):
        headers = {"Authorization": authorization} if authorization else {}
        with pytest.raises(InvalidStatus) as refused:
            async with connect(socket_url(world.base_url, asked), additional_headers=headers, proxy=None):
                pass
        assert refused.value.response.status_code == wanted, (asked, authorization)


async def test_hello_makes_it_online_and_brings_the_state(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token, version="2.0.1", applied_version=0) as gateway:
        state = gateway.seen[0]
        assert isinstance(state, DesiredState)
        assert (state.version, state.cameras) == (0, [])
        read = await status(world, gateway_id)
        assert (read["status"], read["version"], read["local_ip"]) == ("online", "2.0.1", "192.0.2.7")
        assert read["last_heartbeat_at"]
        assert world.server.hub.is_connected(gateway_id)
        assert b"novavms_gateways_connected 1.0" in world.server.services.metrics.render()
        await gateway.send(Ping(nonce=7))
        assert (await gateway.expect(Pong)).nonce == 7


async def test_garbage_ends_the_socket_with_a_word(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    nested = '{"a":' * 100_000 + "1" + "}" * 100_000
    deep = f'{{"type":"reply","id":"{uuid4()}","ok":true,"result":{nested}}}'
    for greeting, frame in (
        (False, "not json"),
        (False, '{"type":"ping"}'),
        (False, '{"type":"hello","protocol":99,"version":"9","facts":{}}'),
        (True, "{}"),
        (True, "\x00\xff"),
        (True, b"\xff\xfe"),
        (True, '{"type":"report","id":"x","body":{}}'),
        (True, deep),
        (True, '"' + "x" * (1024 * 1024 + 1) + '"'),
        (True, '{"type":"hello","protocol":1,"version":"9","facts":{}}'),
    ):
        async with open_socket(world, gateway_id, token) as gateway:
            if greeting:
                await gateway.send(hello())
                await gateway.expect(DesiredState)
            await gateway.socket.send(frame)
            assert await gateway.closed() == 1008, frame[:60]
            assert isinstance(gateway.seen[-1], Goodbye)
            assert gateway.seen[-1].reason == "protocol"
    async with greeted(world, gateway_id, token):
        pass


async def test_facts_that_no_database_can_hold_do_no_harm(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with open_socket(world, gateway_id, token) as gateway:
        await gateway.socket.send(
            '{"type":"hello","protocol":1,"version":"1\\u0000","facts":{"hostname":"a\\u0000b","cpu_count":4}}'
        )
        await gateway.expect(DesiredState)
        assert (await status(world, gateway_id))["version"] == "1"


async def test_requests_find_their_reply_and_nobody_elses(world: World) -> None:
    operator = world.client("operator")
    gateway_id, token = await pair(operator, world.site)
    rival_id, rival_token = await pair(operator, world.site)
    hub = world.server.hub
    check = Check(kind="rtsp", rtsp_url="rtsp://192.0.2.1/", username="u", password="p")
    with pytest.raises(GatewayOffline):
        await hub.request(gateway_id, check, timeout_sec=5)
    async with greeted(world, gateway_id, token) as gateway, greeted(world, rival_id, rival_token) as rival:
        asked = asyncio.create_task(hub.request(gateway_id, check, timeout_sec=5))
        request = await gateway.answer({"ok": True})
        reply = await asked
        assert (reply.id, reply.result) == (request.id, {"ok": True})

        stages: list[dict[str, Any]] = []
        asked = asyncio.create_task(hub.request(gateway_id, check, timeout_sec=5, on_progress=stages.append))
        asked_id = (await gateway.expect(type(request))).id
        await gateway.send(CheckProgress(id=asked_id, stage={"name": "dns"}))
        await rival.send(Reply(id=asked_id, ok=False, error="stolen"))
        await rival.send(Ping())
        await rival.expect(Pong)
        assert not asked.done(), "another gateway's reply is not believed"
        await gateway.send(Reply(id=asked_id, ok=False, error="busy"))
        assert (await asked).error == "busy"
        assert stages == [{"name": "dns"}]

        with pytest.raises(GatewayTimeout):
            await hub.request(gateway_id, check, timeout_sec=0.05)
        late = await gateway.expect(type(request))
        await gateway.send(Reply(id=late.id, ok=True))
        await gateway.send(Ping())
        await gateway.expect(Pong)

        waiting = asyncio.create_task(hub.request(gateway_id, check, timeout_sec=30))
        await gateway.expect(type(request))
        await gateway.socket.close()
        with pytest.raises(GatewayOffline):
            await waiting


async def test_discover_asks_the_gateway(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    url = f"/api/v1/gateways/{gateway_id}/discover"
    async with greeted(world, gateway_id, token) as gateway:
        body = {"hosts": ["192.0.2.5"], "ports": [8000], "timeout_sec": 2}
        asked = asyncio.create_task(world.client("operator").post(url, json=body))
        device = {"host": "192.0.2.5", "port": 8000, "name": "Front door"}
        request = await gateway.answer({"devices": [device]})
        assert isinstance(request.body, Discover)
        assert (request.body.hosts, request.body.ports, request.body.allow_loopback) == (
            ["192.0.2.5"],
            [8000],
            True,
        )
        answer = await asked
        assert answer.status_code == 200, answer.text
        assert answer.json()["devices"][0]["name"] == "Front door"

        asked = asyncio.create_task(world.client("operator").post(url, json={}))
        await gateway.answer({"devices": "none"})
        assert (await asked).status_code == 503
        for bad, field in (({"timeout_sec": 60}, "timeout_sec"), ({"ports": [0]}, "ports")):
            refused = await world.client("operator").post(url, json=bad)
            assert (refused.status_code, refused.json()["details"][0]["field"]) == (400, field)


async def test_a_second_socket_replaces_the_first(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    async with greeted(world, gateway_id, token) as first, greeted(world, gateway_id, token) as second:
        assert await first.closed() == 1000
        assert first.seen[-1].reason == "replaced"
        asked = asyncio.create_task(world.server.hub.request(gateway_id, Discover(), timeout_sec=5))
        await second.answer({"devices": []})
        assert (await asked).ok
        assert (await status(world, gateway_id))["status"] == "online"


async def test_a_socket_on_another_server_replaces_the_first(database_url: str, tmp_path: Path) -> None:
    async with make_world(database_url, tmp_path, gateway_offline_after_sec=2.0) as world:
        gateway_id, token = await pair(world.client("operator"), world.site)
        async with greeted(world, gateway_id, token) as first:
            await world.sql("UPDATE gateways SET connection_id = %s", uuid4())  # as the other server does
            await first.closed()
            assert first.seen[-1].reason == "replaced"


async def test_removal_and_pairing_anew_end_the_socket(world: World) -> None:
    operator = world.client("operator")
    gateway_id, token = await pair(operator, world.site)
    async with greeted(world, gateway_id, token) as old:
        _, fresh = await pair(operator, world.site, gateway_id=str(gateway_id))
        await old.closed()
        assert old.seen[-1].reason == "revoked"
    with pytest.raises(InvalidStatus):
        async with open_socket(world, gateway_id, token):
            pass
    async with greeted(world, gateway_id, fresh) as gateway:
        assert (await operator.delete(f"/api/v1/gateways/{gateway_id}")).status_code == 204
        await gateway.closed()
        assert gateway.seen[-1].reason == "revoked"
    with pytest.raises(InvalidStatus):
        async with open_socket(world, gateway_id, fresh):
            pass


async def test_a_report_is_taken_in_once(world: World) -> None:
    operator = world.client("operator")
    gateway_id, token = await pair(operator, world.site)
    heard: list[UUID] = []

    async def take(connection: Any, gateway: Any, body: ClipState, report: Report) -> str | None:
        heard.append(body.clip_id)
        if body.status == "recording":
            raise RuntimeError("a bug of ours")
        await connection.execute("SELECT 1 FROM gateways WHERE id = %s", (gateway.id,))
        return "unknown_clip" if len(heard) == 1 else None

    world.server.hub.report_handlers[ClipState] = take
    report_id, clip = uuid4(), uuid4()
    async with greeted(world, gateway_id, token) as gateway:
        assert (
            await gateway.report(ClipState(clip_id=clip, status="uploading"), report_id)
        ).refused == "unknown_clip"
        assert (await gateway.report(ClipState(clip_id=clip, status="uploading"), report_id)).refused is None
    async with greeted(world, gateway_id, token) as gateway:
        assert (await gateway.report(ClipState(clip_id=clip, status="uploading"), report_id)).id == report_id
        assert heard == [clip]
        await gateway.report(ClipState(clip_id=clip, status="uploading"))
        assert len(heard) == 2


async def test_a_bug_in_taking_a_report_loses_nothing_and_stops_nothing(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    broken = True
    heard = []

    async def take(connection: Any, gateway: Any, body: ClipFailed, report: Report) -> str | None:
        heard.append(report.id)
        if broken:
            raise RuntimeError("a bug of ours")
        return None

    world.server.hub.report_handlers[ClipFailed] = take
    report = Report(id=uuid4(), body=ClipFailed(clip_id=uuid4(), reason="disk_full"))
    async with greeted(world, gateway_id, token) as gateway:
        await gateway.send(report)
        await gateway.send(Ping())
        await gateway.expect(Pong)
        assert not [message for message in gateway.seen if isinstance(message, Ack)]
        broken = False
        await gateway.send(report)
        assert (await gateway.expect(Ack)).id == report.id
        assert heard == [report.id, report.id]


async def test_what_the_database_cannot_hold_is_refused(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)

    async def take(connection: Any, gateway: Any, body: ClipFailed, report: Report) -> str | None:
        await connection.execute("SELECT %s::text", (body.message,))
        return None

    world.server.hub.report_handlers[ClipFailed] = take
    async with greeted(world, gateway_id, token) as gateway:
        body = ClipFailed(clip_id=uuid4(), reason="disk_full", message="a\x00b")
        assert (await gateway.report(body)).refused == "invalid"
        assert (await gateway.report(ClipFailed(clip_id=uuid4(), reason="x"))).refused is None


@pytest.mark.slow
async def test_a_gateway_that_does_not_read_cannot_grow_the_server(world: World) -> None:
    gateway_id, token = await pair(world.client("operator"), world.site)
    hub = world.server.hub
    async with open_socket(world, gateway_id, token) as gateway:
        await gateway.send(hello())
        await gateway.expect(DesiredState)
        gateway.socket.transport.pause_reading()
        big = Discover(hosts=["x" * 100_000])

        async def ask() -> None:
            with pytest.raises((GatewayOffline, GatewayTimeout)):
                await hub.request(gateway_id, big, timeout_sec=8)

        asked = [asyncio.create_task(ask()) for _ in range(600)]

        async def dropped() -> bool:
            return not hub.is_connected(gateway_id)

        await until(dropped)
        await asyncio.gather(*asked)
        gateway.socket.transport.abort()
