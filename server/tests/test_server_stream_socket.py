"""The same by WebSocket: who gets in, what is said, how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nova_people import HandClock, add_user, client_of
from nova_stream import streaming
from nova_wire import until
from nova_world import World, make_world
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from novavms_server.feed.log import NewItem, tell
from novavms_server.stream import doors

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def say(world: World, number: int, site: Any = None) -> None:
    async with world.server.database.org(world.org) as connection:
        item = NewItem("camera_status", site or world.site, {"number": number})
        await tell(connection, world.org, world.server.clock.now(), item)


@asynccontextmanager
async def knocking(world: World, token: str | None, query: str = "") -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"ws{world.base_url.removeprefix('http')}/api/v1/stream{query}"
    async with connect(url, additional_headers=headers, proxy=None, close_timeout=1) as socket:
        yield socket


async def hear(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    return socket.close_code, socket.close_reason


async def test_the_same_items_as_by_events(world: World) -> None:
    async with knocking(world, world.keys["viewer"]) as socket, streaming(world.client("viewer")) as reader:
        assert (await hear(socket))["type"] == "hello"
        await say(world, 1, world.ungranted_site)
        await say(world, 2)
        message = await hear(socket)
        item = await reader.expect("camera_status", number=2)
        assert message.keys() == {"id", "type", "at", "data"}
        at = item["data"].pop("at")
        assert message == {**item, "at": at}
        await say(world, 3)
        assert (await hear(socket))["data"] == {"number": 3}
    async with knocking(world, world.keys["viewer"], f"?last_event_id={message['id']}") as again:
        await hear(again)
        assert (await hear(again))["data"] == {"number": 3}


async def test_a_browser_shows_its_token_in_the_first_message(world: World) -> None:
    async with knocking(world, None, "?types=camera_status") as socket:
        await socket.send(json.dumps({"type": "auth", "token": world.keys["viewer"]}))
        assert (await hear(socket))["type"] == "hello"
        await say(world, 1)
        assert (await hear(socket))["data"] == {"number": 1}
        await socket.send("anything")  # is not listened to
        await say(world, 2)
        assert (await hear(socket))["data"] == {"number": 2}


@pytest.mark.parametrize(
    ("first", "word"),
    [
        ('{"type": "auth", "token": "sk_live_wrong"}', "invalid_token"),
        ('{"type": "auth"}', "auth_required"),
        ('{"token": "x"}', "auth_required"),
        ("[1", "auth_required"),
        (b"\xff\x00", "auth_required"),
        ("x" * 10_000, "auth_required"),
    ],
)
async def test_a_wrong_first_message_is_told_so(shared_world: World, first: str | bytes, word: str) -> None:
    async with knocking(shared_world, None) as socket:
        await socket.send(first)
        refusal = await hear(socket)
        assert refusal["error"] == word
        assert refusal["request_id"].startswith("req_")
        assert await closed(socket) == (1008, word)


async def test_who_says_nothing_is_let_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "AUTH_SEC", 0.05)
    async with knocking(world, None) as socket:
        assert (await closed(socket))[0] is not None


async def test_a_wrong_header_or_query_is_an_http_answer(shared_world: World) -> None:
    key = shared_world.keys["viewer"]
    for token, query, status, word in (
        ("sk_live_wrong", "", 401, "invalid_token"),
        (key, "?colour=red", 400, "validation_error"),
        (key, "?camera_id=7", 400, "validation_error"),
        (key, "?types=event&types=clip", 400, "validation_error"),
        (key, "?last_event_id=7", 400, "validation_error"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with knocking(shared_world, token, query):
                pass
        assert refused.value.response.status_code == status, query
        assert json.loads(refused.value.response.body or b"")["error"] == word


async def test_it_counts_against_the_rate(database_url: str, tmp_path: Path) -> None:
    async with make_world(database_url, tmp_path, rate_burst=2, rate_per_min=1, clock=HandClock()) as world:
        for _ in range(2):
            async with knocking(world, world.keys["viewer"]) as socket:
                await hear(socket)
        with pytest.raises(InvalidStatus) as refused:
            async with knocking(world, world.keys["viewer"]):
                pass
        assert refused.value.response.status_code == 429
        assert int(refused.value.response.headers["retry-after"]) >= 1
        for _ in range(2):  # strangers, by their address
            async with knocking(world, None):
                pass
        with pytest.raises(InvalidStatus):
            async with knocking(world, None):
                pass


async def test_it_ends_with_a_reason_and_a_code(world: World) -> None:
    user, email = await add_user(world, "operator")
    client = await client_of(world, email)
    token = client.headers["authorization"].removeprefix("Bearer ")
    async with knocking(world, token) as socket:
        await hear(socket)
        await world.client("admin").patch(f"/api/v1/users/{user}", json={"enabled": False})
        end = await hear(socket)
        assert (end["id"], end["type"], end["data"]) == (None, "end", {"reason": "revoked"})
        assert await closed(socket) == (1008, "revoked")
    async with knocking(world, world.keys["viewer"]) as socket:
        await hear(socket)
        world.server.say_goodbye()
        assert (await hear(socket))["data"] == {"reason": "shutting_down"}
        assert (await closed(socket))[0] == 1012
        with pytest.raises(InvalidStatus) as refused:
            async with knocking(world, world.keys["viewer"]):
                pass
        assert refused.value.response.status_code == 503


async def test_a_ping_is_a_message_with_a_place(database_url: str, tmp_path: Path) -> None:
    clock = HandClock()
    async with make_world(database_url, tmp_path, clock=clock) as world:
        async with knocking(world, world.keys["viewer"]) as socket:
            await hear(socket)
            hearing = asyncio.create_task(hear(socket))
            while not (await asyncio.wait([hearing], timeout=0.05))[0]:
                clock.move(seconds=1)
            ping = hearing.result()
            assert (ping["type"], ping["data"]) == ("ping", {})
        await say(world, 1)
        async with knocking(world, world.keys["viewer"], f"?last_event_id={ping['id']}") as again:
            await hear(again)
            assert (await hear(again))["data"] == {"number": 1}


async def test_who_goes_is_forgotten(world: World) -> None:
    async with knocking(world, world.keys["viewer"]) as socket, streaming(world.client("viewer")):
        await hear(socket)
        text = world.server.services.metrics.render().decode()
        assert "novavms_streams_open 2.0" in text

    async def forgotten() -> bool:
        return not world.server.services.streams._readers

    await until(forgotten)
    assert world.server.services.streams.follower.channels == {}
    assert not world.server.services.streams._open
    assert "novavms_streams_open 0.0" in world.server.services.metrics.render().decode()
