"""What live view holds of the server's memory, all together: more than it may is taken from who is furthest behind."""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import randbytes

import pytest
from nova_live import MB, Film, narrow, scene, until, watch
from nova_world import World
from prometheus_client import CollectorRegistry
from websockets.exceptions import InvalidStatus

from novavms_server.live.channel import Channel
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics

pytestmark = pytest.mark.anyio


async def test_the_longest_queues_are_cut_first_and_the_others_not_at_all() -> None:
    metrics = LiveMetrics(CollectorRegistry())
    memory = LiveMemory(metrics, max_bytes=2 * MB)
    film = Film()
    busy, calm = (Channel("main", metrics.dropped, memory) for _ in range(2))
    async with busy.read() as far, busy.read() as near, calm.read() as beside:
        for channel in (busy, calm):
            channel.begin(film.note(), b"init")
        for number in range(40):  # a GOP is half a megabyte
            piece = randbytes(MB // 10)
            busy.put(piece, is_key=number % 5 == 0, start_90k=number * 18_000)
            if number < 6:
                calm.put(piece, is_key=number % 5 == 0, start_90k=number * 18_000)
            if number > 2:
                await anext(near)
            waiting = [max(each.queued_bytes for each in channel.queues) for channel in (busy, calm)]
            assert memory.held() == sum(waiting)
            assert memory.held() <= 2 * MB + memory.step_bytes
        assert far.dropped >= 10
        assert (near.dropped, beside.dropped) == (0, 0)
        assert (await anext(far)).note == film.note()
        assert (await anext(far)).key, "it goes on at a key frame"
    assert memory.held() == busy.kept_bytes + calm.kept_bytes
    for channel in (busy, calm):
        channel.close()
    assert (memory.held(), len(memory.streams)) == (0, 0)


@pytest.mark.slow
async def test_connections_that_take_nothing_are_cut_off_before_there_is_too_much(world: World) -> None:
    memory = world.server.live.memory
    memory.max_bytes, memory.step_bytes = 5 * MB, MB // 4
    async with scene(world) as it, it.watching() as quick, AsyncExitStack() as stack:
        await quick.hear("init")
        address = await it.address("operator")
        for _ in range(8):
            deaf = await stack.enter_async_context(watch(world, address, max_queue=1, sock=narrow(world)))
            await deaf.hear("init")
        body = await it.sender.body()
        await quick.see(1 + 5)
        for _ in range(12):
            await body.send(it.sender.film.padded())
            await quick.see(1)
            assert memory.held() <= 5 * MB + 2 * MB
        await until(lambda: len(world.server.live.watchers) < 1 + 5)
        assert len(quick.movie) > 12 * MB
        assert body.status is None


@pytest.mark.slow
async def test_nobody_new_is_let_in_until_there_is_room(world: World) -> None:
    memory = world.server.live.memory
    async with scene(world) as it, it.watching() as first:
        await first.hear("init")
        await first.see(1 + 5)
        room, memory.max_bytes = memory.max_bytes, 100
        memory.look()
        with pytest.raises(InvalidStatus) as refused:
            await it.watching().__aenter__()
        assert refused.value.response.status_code == 429
        assert b"as many live views as it can" in (refused.value.response.body or b"")
        body = await it.sender.body()
        await body.send(it.sender.film.play(1))
        await first.see(5)
        memory.max_bytes = room  # nothing need come for that to be seen
        async with it.watching() as second:
            await second.hear("init")


@pytest.mark.slow
async def test_what_hls_keeps_counts(world: World) -> None:
    memory = world.server.live.memory
    async with scene(world) as it:
        assert memory.held() == 0
        async with it.watching() as watcher:
            await watcher.see(1 + 5)
            gop = memory.held()
            assert gop > 0
            path = next(each["url"] for each in (await it.live())["protocols"] if each["type"] == "hls")
            assert (await world.client("viewer").get(path)).status_code == 200
            assert memory.held() > gop
        world.server.live.hls.idle_sec = -1.0
        await until(lambda: memory.held() == 0)
        assert (memory.streams, memory.connections, memory.stores) == (set(), set(), set())
