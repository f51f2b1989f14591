"""Live view of a gateway's camera: what a watcher gets, from one upstream however many watch, and how it ends."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from nova_live import ONVIF, Film, Scene, narrow, put, scene, until, watch
from nova_mp4 import decode
from nova_world import World
from prometheus_client import CollectorRegistry

from novavms_camera.capture.fmp4 import init_part
from novavms_protocol.live import LiveNote, note_frame
from novavms_server.kit import wire
from novavms_server.live import upstream
from novavms_server.live.channel import Channel
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def metric(world: World, name: str, **labels: str) -> float:
    registry = world.server.services.metrics.registry
    return registry.get_sample_value(name, labels) or 0.0


async def test_a_joiner_gets_init_and_the_last_gop_at_once(world: World) -> None:
    async with scene(world) as it, it.watching() as first:
        body = await it.sender.body()
        await first.hear("init")
        await body.send(it.sender.film.play(1.6))
        await first.see(14)
        async with it.watching() as late:
            said = await late.hear("init")
            assert said == {
                **{"type": "init", "mime": f'video/mp4; codecs="{it.sender.film.fmt.video.codec_string}"'},
                **{"codec": "h264", "width": 64, "height": 64, "has_audio": False},
                **{"tier": "main", "tier_reason": None},
            }
            movie = await late.see(4)
            seen = decode(movie)
            assert (seen.video_frames, seen.first_is_key, seen.monotonic) == (15, True, True)
            assert first.movie.endswith(movie.removeprefix(init_part(it.sender.film.fmt)))
        assert decode(first.movie).video_frames == 65
        assert len(it.sender.asked) == 1


async def test_a_hundred_watch_one_upstream_and_nothing_flows_when_nobody_does(world: World) -> None:
    world.server.live.watchers.per_camera = 1000
    async with scene(world) as it:
        address = await it.address()
        async with AsyncExitStack() as stack:
            watchers = [await stack.enter_async_context(watch(world, address)) for _ in range(100)]
            for each in watchers:
                await each.hear("init")
            body = await it.sender.body()
            await body.send(it.sender.film.play(1))
            for each in watchers:
                assert decode(await each.see(11)).video_frames == 50
            assert metric(world, "novavms_live_viewers", protocol="mse") == 100
            assert metric(world, "novavms_live_upstreams") == 1
            assert body.status is None
        assert await body.ended() == 410
        assert len(it.sender.asked) == 1
        await until(lambda: metric(world, "novavms_live_viewers", protocol="mse") == 0)
        assert len(world.server.live.upstreams) == len(world.server.live.inlets) == 0
        assert metric(world, "novavms_live_upstreams") == 0
        assert metric(world, "novavms_live_bytes_total", direction="out") > 100 * len(watchers[0].movie) - 1
        assert metric(world, "novavms_live_bytes_total", direction="in") > 0


async def test_a_reload_finds_the_stream_still_there(world: World) -> None:
    async with scene(world) as it:
        world.server.live.upstreams.linger_sec = 60
        for _ in range(3):
            async with it.watching() as watcher:
                await watcher.hear("init")
                await watcher.see(1)
        assert len(it.sender.asked) == 1


async def test_a_gateway_goes_and_comes(world: World) -> None:
    async with scene(world) as it:
        await it.drop()
        async with it.watching() as watcher:
            assert (await watcher.hear("waiting"))["reason"] == "gateway_offline"
            async with it.again():
                await watcher.hear("init")
                await (await it.sender.body()).break_off()
                assert (await watcher.hear("waiting"))["reason"] == "broken"
                await it.sender.body(2)
                await watcher.hear("init")
                assert decode(await watcher.see(6)).first_is_key


@pytest.mark.parametrize(
    ("word", "reason"),
    [("unknown_camera", "unknown_camera"), ("unsupported", "unsupported"), ("busy", "busy")],
)
async def test_a_gateway_that_refuses_is_asked_again(
    world: World, word: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "BACK_OFF_SEC", (0.01, 0.02))
    monkeypatch.setattr(upstream, "LOOK_SEC", 0.01)
    async with scene(world) as it:
        it.sender.refuse = word
        async with it.watching() as watcher:
            said = await watcher.hear("waiting")
            assert said["reason"] == reason
            assert said["message"].endswith(".")
            await until(lambda: len(it.sender.asked) > 3)
            it.sender.refuse = None
            await watcher.hear("init")


async def test_a_camera_that_is_not_online_says_why_and_follows(world: World) -> None:
    async with scene(world) as it:
        it.sender.opening = note_frame(LiveNote(tier="main", reason="frozen", message="No picture for 10 s."))
        async with it.watching() as watcher:
            said = await watcher.hear("waiting")
            assert (said["reason"], said["message"]) == ("frozen", "No picture for 10 s.")
            body = await it.sender.body()
            await body.send(it.sender.film.beginning() + it.sender.film.play(1))
            await watcher.hear("init")
            assert decode(await watcher.see(6)).video_frames == 25
            assert len(it.sender.asked) == 1


async def test_another_format_begins_anew(world: World) -> None:
    async with scene(world) as it, it.watching() as watcher:
        await watcher.hear("init")
        await watcher.see(6)
        film = Film(size=96)
        await (await it.sender.body()).send(film.beginning() + film.play(1))
        assert (await watcher.hear("init"))["width"] == 96
        assert decode(await watcher.see(5)).width == 96


async def test_the_tier_is_changed_without_another_socket(world: World) -> None:
    async with scene(world, **ONVIF) as it, it.watching() as watcher:
        assert (await watcher.hear("init"))["tier"] == "main"
        await watcher.see(6)
        await watcher.socket.send("nothing that it knows")
        await watcher.ask("sub")
        said = await watcher.hear("init")
        assert (said["tier"], said["tier_reason"]) == ("sub", None)
        assert decode(await watcher.see(6)).video_frames == 25
        assert [ask.tier for ask in it.sender.asked] == ["main", "sub"]
        assert await it.sender.bodies[0].ended() == 410, "nobody watches main any more"


async def test_the_tier_is_changed_also_while_nothing_comes(world: World) -> None:
    async with scene(world, **ONVIF) as it:
        it.sender.mute = True
        async with it.watching() as watcher:
            await until(lambda: it.sender.asked)
            it.sender.mute = False
            await watcher.ask("sub")
            assert (await watcher.hear("init"))["tier"] == "sub"


async def test_no_sub_stream_is_main_and_one_upstream(world: World) -> None:
    async with scene(world) as it, it.watching(query="?tier=sub") as watcher, it.watching() as other:
        said = await watcher.hear("init")
        assert (said["tier"], said["tier_reason"]) == ("main", "no_sub_stream")
        assert (await other.hear("init"))["tier_reason"] is None
        assert len(it.sender.asked) == 1


async def test_a_codec_that_the_viewer_lacks_is_the_sub_streams_or_the_end(world: World) -> None:
    async with scene(world, **ONVIF) as it:
        it.sender.opening = it.sender.film.beginning(codec="h265")
        async with it.watching() as watcher:
            await until(lambda: it.sender.bodies)
            said = await watcher.hear("end")
            assert said["reason"] == "codec_unsupported"
            assert "H.265" in said["message"]
            assert [ask.tier for ask in it.sender.asked] == ["main", "sub"]
            assert await watcher.closed() == (1008, "codec_unsupported")
        async with it.watching(query="?codecs=h264,h265") as watcher:
            assert (await watcher.hear("init"))["codec"] == "h265"


async def test_a_server_that_stops_says_come_again(world: World) -> None:
    async with scene(world) as it, it.watching() as watcher:
        await watcher.hear("init")
        body = await it.sender.body()
        world.server.say_goodbye()
        assert (await watcher.hear("end"))["reason"] == "shutting_down"
        assert await watcher.closed() == (1012, "shutting_down")
        assert await body.ended() == 410
        async with watch(world, await it.address()) as late:
            assert (await late.hear("end"))["reason"] == "shutting_down"


async def test_only_the_gateway_that_was_asked_may_send_and_once(world: World) -> None:
    async with scene(world) as it, scene(world) as foreign:
        it.sender.mute = True
        async with it.watching():
            await until(lambda: it.sender.asked)
            url = it.sender.asked[0].url
            assert it.sender.asked[0].url not in repr(it.sender.asked[0])
            assert await answer(world, url, foreign.sender.token) == 401
            assert await answer(world, url, "x") == 401
            assert await answer(world, url + "x", it.sender.token) == 404
            body = await put(world, url, it.sender.token)
            await body.send(it.sender.film.beginning())
            await until(lambda: len(world.server.live.inlets) and _begun(it))
            assert await answer(world, url, it.sender.token) == 404
            assert body.status is None
        assert await body.ended() == 410
        await body.close()
        assert await answer(world, url, it.sender.token) == 404


async def answer(world: World, url: str, token: str) -> int:
    body = await put(world, url, token)
    try:
        return await body.ended()
    finally:
        await body.close()


def _begun(it: Scene) -> bool:
    return any(inlet.begun.is_set() for inlet in it.world.server.live.inlets._open.values())


async def test_the_channel_takes_no_more_than_its_share() -> None:
    class Count:
        value = 0.0

        def inc(self, amount: float = 1) -> None:
            self.value += amount

    dropped = Count()
    channel = Channel("main", dropped, LiveMemory(LiveMetrics(CollectorRegistry()), max_bytes=1 << 30))
    film = Film(size=96)
    pieces = list(film.fragments(8))
    async with (
        channel.read(max_bytes=3 * max(len(data) for data, _, _ in pieces)) as slow,
        channel.read() as quick,
    ):
        channel.begin(film.note(), b"init")
        for data, key, at in pieces:
            channel.put(data, is_key=key, start_90k=at)
            assert slow.queued_bytes <= 3 * max(len(data) for data, _, _ in pieces)
        assert quick.dropped == 0
        assert slow.dropped == dropped.value > 0
        assert (await anext(slow)).note == film.note()
        assert (await anext(slow)).key, "it goes on at a key frame"
    assert channel.kept_bytes == sum(len(data) for data, _, _ in pieces[-5:])


async def test_pictures_are_not_compressed_again(world: World) -> None:
    async with scene(world) as it, it.watching() as watcher:
        assert watcher.socket.response is not None
        assert "Sec-WebSocket-Extensions" in watcher.socket.request.headers
        assert "Sec-WebSocket-Extensions" not in watcher.socket.response.headers


async def test_nobody_waits_for_a_watcher_that_reads_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.live.door.deaf_sec = 0.5
    monkeypatch.setattr(wire, "TAKE_SEC", 0.1)
    lost: list[object] = []
    connection_lost = wire.WebSocketProtocol.connection_lost

    def noted(self: wire.WebSocketProtocol, error: Exception | None) -> None:
        lost.append(self)
        connection_lost(self, error)

    monkeypatch.setattr(wire.WebSocketProtocol, "connection_lost", noted)
    async with scene(world) as it, it.watching() as quick:
        await quick.hear("init")
        address = await it.address()
        async with watch(world, address, max_queue=1, sock=narrow(world)) as deaf:
            await deaf.hear("init")
            body = await it.sender.body()
            film = it.sender.film
            await quick.see(1 + 5)
            for _ in range(20):
                await body.send(film.padded())
                await quick.see(1)
            assert len(quick.movie) > 20 * 1_000_000
            await until(lambda: metric(world, "novavms_live_viewers", protocol="mse") == 1)
            await until(lambda: len(lost) == 1)  # with all that waited for it
        assert body.status is None


async def test_no_word_of_an_address_in_any_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="novavms")
    async with scene(world) as it:
        address = await it.address()
        async with watch(world, address) as watcher:
            await watcher.hear("init")
            await (await it.sender.body()).send(b"\0garbage" * 100)
            await watcher.hear("waiting")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("novavms"))
    assert address.split("/")[4] not in ours
    assert it.sender.asked[0].url.rsplit("/", 1)[1] not in ours
    await asyncio.sleep(0)
