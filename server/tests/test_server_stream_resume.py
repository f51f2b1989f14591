"""Reading on: after a lost connection, a slow client, a killed server, a day away."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from nova_people import HandClock
from nova_programs import ServerProgram, first_org
from nova_stream import PATH, SseReader, streaming
from nova_wire import until
from nova_world import World, make_org, make_world

from novavms_server.feed.log import NewItem, tell
from novavms_server.server import build_server
from novavms_server.serving import listen, serving
from novavms_server.settings import Settings
from novavms_server.stream import channels

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def say(world: World, *told: int, kind: str = "camera_status", padding: int = 0) -> None:
    async with world.server.database.org(world.org) as connection:
        data = [{"number": each, "padding": "x" * padding} for each in told]
        items = [NewItem(kind, world.site, each) for each in data]  # type: ignore[arg-type]
        await tell(connection, world.org, world.server.clock.now(), *items)


async def numbers(reader: SseReader, count: int) -> list[int]:
    found = [await reader.next() for _ in range(count)]
    return [item["data"]["number"] for item in found if item]


async def test_every_item_is_a_place_to_read_on_from(world: World) -> None:
    viewer = world.client("viewer")
    async with streaming(viewer) as reader:
        await say(world, *range(10))
        await numbers(reader, 10)
    greeting, *items = reader.seen
    for place, item in enumerate([greeting, *items[:-1]]):
        async with streaming(viewer, last_id=item["id"]) as again:
            assert again.seen[0]["id"] != items[-1]["id"], (
                "hello says where this reader is, not where the feed is"
            )
            assert await numbers(again, 10 - place) == list(range(place, 10))
    async with streaming(viewer, f"?last_event_id={items[7]['id']}&types=camera_status") as again:
        assert await numbers(again, 2) == [8, 9]


async def test_what_came_while_away_is_more_than_memory_holds(world: World) -> None:
    """Read page by page, and then on from memory, with nothing lost or twice where the two meet."""
    viewer = world.client("viewer")
    async with streaming(viewer) as reader:
        await say(world, 0)
        last = (await reader.expect("camera_status", number=0))["id"]
    many = channels.MOST_ITEMS + 2 * channels.PAGE + 7
    for start in range(1, many, 50):
        await say(world, *range(start, min(start + 50, many)))

    async def more() -> None:
        for number in range(many, many + 300, 10):
            await say(world, *range(number, number + 10))

    async with streaming(viewer, last_id=last) as again:
        telling = asyncio.create_task(more())
        assert await numbers(again, many + 300 - 1) == list(range(1, many + 300))
        await telling


async def test_a_slow_reader_costs_no_memory_and_nobody_else(world: World) -> None:
    """It takes nothing: its task waits for its socket. The others have long read all, when it begins to read, and then it gets
    all of it, too, from the feed."""
    client = world.client("viewer")
    host, port = world.base_url.removeprefix("http://").split(":")
    reading, writing = await asyncio.open_connection(host, int(port), limit=4096)
    request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.keys['viewer']}\r\n\r\n"
    writing.write(request.encode())
    await reading.readuntil(b"event: hello")
    async with streaming(client) as quick:
        for start in range(0, 600, 20):
            await say(world, *range(start, start + 20), padding=20_000)
        assert await numbers(quick, 600) == list(range(600))
    [channel] = world.server.services.streams.follower.channels.values()
    assert channel._chars <= channels.MOST_CHARS
    assert len(channel._items) < 60

    async def alone() -> bool:
        return len(world.server.services.streams._readers) == 1

    await until(alone)
    [slow] = world.server.services.streams._readers
    assert slow._task is not None, "it waits"
    assert slow._said == []
    seen: list[int] = []
    async with asyncio.timeout(20):
        while len(seen) < 600:
            line = await _line(reading)
            if line.startswith(b"data: ") and b"number" in line:
                seen.append(json.loads(line[6:])["number"])
    assert seen == list(range(600))
    writing.close()
    await writing.wait_closed()


async def _line(reading: asyncio.StreamReader) -> bytes:
    """Of any length: chunk sizes (RFC 9112, 7.1) stand on lines of their own, within an event, too."""
    found = b""
    while True:
        try:
            return found + await reading.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            found += await reading.readexactly(error.consumed)


async def test_an_id_too_old_or_of_a_lost_future_is_a_reset(database_url: str, tmp_path: Path) -> None:
    clock = HandClock()
    async with make_world(database_url, tmp_path, clock=clock) as world:
        viewer = world.client("viewer")
        async with streaming(viewer) as reader:
            await say(world, 1)
            last = (await reader.expect("camera_status"))["id"]
        clock.move(hours=23, minutes=59)
        await say(world, 2)
        async with streaming(viewer, last_id=last) as again:
            assert await numbers(again, 1) == [2]
        clock.move(minutes=2)
        future = world.server.services.streams._positions.make(world.org, 10**12, clock.now())
        for lost in (last, future):
            async with streaming(viewer, last_id=lost) as again:
                await again.expect("reset", reason="too_old")
                await say(world, 3)
                assert await numbers(again, 1) == [3], "and goes on from now"


async def test_an_id_of_another_org_is_refused(world: World) -> None:
    async with streaming(world.client("admin", other=True)) as reader:
        foreign = reader.seen[0]["id"]
    refused = await world.client("admin").get(PATH, headers={"Last-Event-ID": foreign})
    assert (refused.status_code, refused.json()["error"]) == (400, "validation_error")
    assert refused.json()["details"][0]["field"] == "last_event_id"


async def test_a_ping_keeps_the_place_of_a_quiet_stream_young(database_url: str, tmp_path: Path) -> None:
    clock = HandClock()
    async with make_world(database_url, tmp_path, clock=clock) as world:
        viewer = world.client("viewer")
        async with streaming(viewer, "?types=event") as reader:
            first = reader.last_id
            await say(world, 1)  # of no concern to it
            for _ in range(30):
                clock.move(hours=1)
                pinged = reader.comments
                await _ping(reader, pinged, clock)
            assert reader.last_id != first
        await say(world, 2, kind="event")
        async with streaming(viewer, last_id=reader.last_id) as again:
            assert await numbers(again, 1) == [2]


async def _ping(reader: SseReader, before: int, clock: HandClock) -> None:
    """Reads lines until there is one more ping, and its id."""
    async with asyncio.timeout(10):
        while reader.comments == before:
            waiting = asyncio.create_task(anext(reader._lines))
            while not (await asyncio.wait([waiting], timeout=0.05))[0]:
                clock.move(seconds=1)
            line = waiting.result()
            reader.comments += line.startswith(":")
        line = await anext(reader._lines)
        reader.last_id = line.removeprefix("id: ")


async def test_a_server_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """What was answered is told, by the server that comes after."""
    with ServerProgram(tmp_path) as server:
        key, site = await first_org(server)

        async def make(client: Any, name: str) -> None:
            body = {"name": name, "site_id": site["id"]}
            assert (await client.post("/gateways/generate-pairing-code", json=body)).status_code == 201

        async with server.client(key) as client:
            client.base_url = server.base_url
            async with streaming(client) as reader:
                client.base_url = server.base_url + "/api/v1"
                await make(client, "One")
                last = (await reader.expect("gateway", change="created", name="One"))["id"]
                await make(client, "Two")
                server.kill()
        server.start()
        async with server.client(key) as client:
            client.base_url = server.base_url
            async with streaming(client, last_id=last) as again:
                await again.expect("gateway", change="created", name="Two")
            log = server.log.read_text()
    assert key not in log


async def test_who_takes_nothing_does_not_hold_the_end_up(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that does not read can't be told. The grace is longer than this test may take."""
    server = build_server(Settings(data_dir=tmp_path), database_url=database_url)
    async with asyncio.timeout(60), serving(server, listen("127.0.0.1", 0), grace_sec=600) as base_url:
        org, [site], keys = await make_org(server, "Acme", 1)
        port = int(base_url.rsplit(":", 1)[1])
        reading, writing = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys['viewer']}\r\n\r\n"
        writing.write(request.encode())
        await reading.readuntil(b"\r\n\r\n")
        [reader] = server.services.streams._readers

        async def stuck() -> bool:
            async with server.database.org(org) as connection:
                item = NewItem("event", site, {"padding": "x" * 500_000})
                await tell(connection, org, server.clock.now(), *[item] * 10)
            return reader._task is not None and await _stays(reader)

        await until(stuck)
    writing.close()
    with suppress(ConnectionError):
        await writing.wait_closed()
    assert not [record for record in caplog.records if "Exception in ASGI" in record.getMessage()]


async def _stays(reader: Any) -> bool:
    task = reader._task
    await asyncio.wait([task], timeout=0.3)
    return reader._task is task and not task.done()


async def test_a_server_that_stops_says_so_and_waits_for_no_stream(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_world(database_url, tmp_path) as world:
        base_url, keys = world.base_url, world.keys
        greeted = asyncio.Event()

        async def hold() -> str:
            import httpx

            headers = {"Authorization": f"Bearer {keys['viewer']}"}
            async with (
                httpx.AsyncClient(base_url=base_url, headers=headers) as client,
                streaming(client) as reader,
            ):
                greeted.set()
                return await reader.ended()

        holding = [asyncio.create_task(hold()) for _ in range(3)]
        await greeted.wait()

        async def open_all() -> bool:
            return len(world.server.services.streams._readers) == 3

        await until(open_all)
    assert await asyncio.gather(*holding) == ["shutting_down"] * 3
    assert not [record for record in caplog.records if "graceful shutdown exceeded" in record.getMessage()]
