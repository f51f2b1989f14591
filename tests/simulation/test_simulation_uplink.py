"""Store and forward, in made-up time: the uplink away for an hour, bounded, broken in the middle."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nova_simulation.clips import Clip
from nova_simulation.disk import ClipFolder
from nova_simulation.loop import VirtualLoop, run
from nova_simulation.world import World

from novavms_gateway.link.uplink import Uplink, Urgency
from novavms_protocol import RecordingPlan

CONTINUOUS = RecordingPlan(mode="continuous")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def play(story: Callable[[World], Awaitable[None]], **settings: Any) -> None:
    """A world in which nothing fails but what the story says."""
    with tempfile.TemporaryDirectory(prefix="nova-") as name:
        folder = ClipFolder(Path(name))

        async def main(loop: VirtualLoop) -> None:
            world = World(loop, Path(name), folder, 1, **({"recordings_reserve_bytes": 0} | settings))
            world.add_camera(CONTINUOUS)
            world.add_camera(CONTINUOUS)
            world.start()
            try:
                await asyncio.sleep(30)
                await story(world)
                world.check()
            finally:
                await world.end()

        run(1, main, fsync=folder.fsync)


async def until(world: World, condition: Callable[[], object], within_sec: float) -> float:
    """How long it took."""
    began = looked = world.loop.seconds
    while not condition():
        assert world.loop.seconds - began < within_sec, "not in time"
        await asyncio.sleep(0.1)
        if world.loop.seconds - looked > 5:
            looked = world.loop.seconds
            world.check()
    return world.loop.seconds - began


def some_clips(world: World, count: int, seconds: float = 4.0) -> list[Clip]:
    cameras = list(world.cameras.values())
    return [world.far_end.trigger(cameras[number % 2].camera_id, seconds) for number in range(count)]


def put_bytes(world: World, clip: Clip) -> int:
    return sum(size for _, path, size in world.sent if str(clip.id) in path and "store" in path)


@pytest.mark.slow
def test_an_hour_without_uplink_arrives_in_order_of_priority_once_each() -> None:
    async def story(world: World) -> None:
        far_end, (first, second) = world.far_end, world.cameras.values()
        clips = some_clips(world, 8)
        await asyncio.sleep(2)  # the orders are taken, and recorded while nobody can hear of it
        world.network.cut()
        for minute in range(60):
            await asyncio.sleep(60)
            if minute % 10 == 3:
                second.fault = "connection_lost"
            if minute % 10 == 5:
                second.fault = None
            world.check()
        second.fault = "frozen"
        await asyncio.sleep(20)
        assert not any(clip.is_over or clip.parts for clip in clips)
        world.network.bytes_per_sec = 4000
        before = len(far_end.order)
        world.network.heal()
        await until(world, lambda: world.far_end.is_connected, 90)
        fresh = far_end.trigger(first.camera_id, 3.0)
        await until(world, lambda: all(clip.is_over for clip in [*clips, fresh]), 300)
        await asyncio.sleep(40)
        world.check()

        told = far_end.order[before:]
        assert {clip.status for clip in [*clips, fresh]} == {"ready"}
        assert told.index("CameraStatus") < told.index("ClipState"), "what is true now comes first"
        assert told.index("ClipState") < told.index("LedgerUpdate"), "and the ledger after what happened"
        assert told.count("ClipState") == told.count("ClipReady") == 9, "once each"
        assert {count for clip in [*clips, fresh] for count in clip.puts.values()} == {1}, "once each"
        assert far_end.statuses[second.camera_id].reason == "frozen"
        ready_at = {clip.id: clip.ready_at for clip in clips}
        _, *rest = sorted(ready_at.values())  # the first one was being tried as the uplink came back
        assert [at for at in ready_at.values() if at in rest] == rest, "the oldest first"
        assert fresh.ready_at < ready_at[clips[-1].id], "who was ordered just now did not wait for the rest"
        rows = far_end.ledger.standing[second.camera_id]
        assert [row.reason for row in rows].count("camera_offline") == 6, "each gap of the hour"
        assert [row.reason for row in rows][-1] == "frozen"

    play(story, uploads_at_once=1)


def test_an_upload_goes_on_in_the_middle() -> None:
    async def story(world: World) -> None:
        (clip,) = some_clips(world, 1, 25.0)
        await until(world, lambda: clip.status == "uploading", 60)
        world.network.bytes_per_sec = 2000
        await until(world, lambda: len(clip.parts) >= 4, 60)
        world.network.cut()
        await asyncio.sleep(600)
        sent = len(clip.parts)
        assert clip.status == "uploading"
        world.network.heal()
        await until(world, lambda: clip.is_over, 120)
        assert clip.status == "ready"
        assert sent >= 4
        assert set(clip.puts.values()) == {1}, "no part was sent again"
        assert len(clip.puts) > sent + 3

    play(story)


def test_media_takes_no_more_of_the_uplink_than_it_may() -> None:
    async def story(world: World) -> None:
        clips = some_clips(world, 6, 15.0)
        await until(world, lambda: all(clip.is_over for clip in clips), 300)
        assert {clip.status for clip in clips} == {"ready"}
        times = [at for at, _, _ in world.sent]
        for at in times:
            within = sum(size for when, _, size in world.sent if at <= when < at + 5)
            assert within <= 2000 * (5 + 1) + 1024, "five seconds, what may be made up for, a piece"
        assert sum(size for _, _, size in world.sent) > 2000 * 20, "it was the bound that held it back"
        assert times[-1] - times[0] < 1.3 * sum(size for _, _, size in world.sent) / 2000, "and it is used"

    play(story, uplink_max_kbps=16)


def test_what_is_watched_goes_before_what_is_filled_in() -> None:
    async def story(world: World) -> None:
        clips = some_clips(world, 6, 15.0)
        await asyncio.sleep(2)
        world.network.cut()
        await asyncio.sleep(900)  # nothing of them is fresh any more
        world.network.heal()
        await until(world, lambda: world.far_end.is_connected, 90)
        await until(world, lambda: any(put_bytes(world, clip) for clip in clips), 120)
        db = world.index.connection
        segment_id, size = db.execute("SELECT id, size FROM segment ORDER BY id LIMIT 1").fetchone()
        ask = world.far_end.watch(segment_id, size)
        took = await until(world, lambda: ask in world.far_end.poured, 60)
        assert took < 1.5 * size / 2000 + 2, "as if it were alone, nearly"
        assert not all(clip.is_over for clip in clips), "they were still on their way"
        await until(world, lambda: all(clip.is_over for clip in clips), 300)

    play(story, uplink_max_kbps=16)


def test_a_cut_of_long_ago_that_is_ordered_now_is_fresh() -> None:
    async def story(world: World) -> None:
        camera = next(iter(world.cameras.values()))
        start = world.clock.now() - timedelta(seconds=25)
        clips = some_clips(world, 4, 15.0)
        await asyncio.sleep(2)
        world.network.cut()
        await asyncio.sleep(900)
        world.network.heal()
        await until(world, lambda: world.far_end.is_connected, 90)
        await until(world, lambda: any(put_bytes(world, clip) for clip in clips), 120)
        cut = world.far_end.cut(camera.camera_id, start, start + timedelta(seconds=5))
        await until(world, lambda: cut.is_over, 30)
        assert cut.status == "ready"
        assert not all(clip.is_over for clip in clips)

    play(story, uplink_max_kbps=16, uploads_at_once=1)


class TestUplink:
    def run(self, main: Callable[[VirtualLoop, Uplink], Awaitable[None]], max_kbps: int) -> None:
        async def on_loop(loop: VirtualLoop) -> None:
            await main(loop, Uplink(_LoopClock(loop), max_kbps=max_kbps))

        run(1, on_loop, fsync=lambda handle: None)

    def test_without_a_limit_nobody_waits(self) -> None:
        async def main(loop: VirtualLoop, uplink: Uplink) -> None:
            assert uplink.piece_bytes(256 * 1024) == 256 * 1024
            await asyncio.gather(*(uplink.take(1 << 30, Urgency.LATER) for _ in range(9)))
            assert loop.seconds < 1000.01

        self.run(main, 0)

    def test_who_is_urgent_goes_first_and_nobody_waits_for_ever(self) -> None:
        async def main(loop: VirtualLoop, uplink: Uplink) -> None:
            went: list[tuple[Urgency, float]] = []

            async def take(urgency: Urgency, count: int) -> None:
                for _ in range(count):
                    await uplink.take(250, urgency)
                    went.append((urgency, loop.seconds))

            await asyncio.gather(take(Urgency.LATER, 20), take(Urgency.NOW, 200))
            ends = {urgency: max(at for each, at in went if each is urgency) for urgency in Urgency}
            assert ends[Urgency.NOW] < 1000 + 1.15 * 50, "200 pieces of a quarter second, and little beside"
            later = [at for urgency, at in went if urgency is Urgency.LATER]
            gaps = [after - before for before, after in pairwise(later)]
            assert max(gaps) < 3.6, "one piece every three seconds, whoever else is there"

        self.run(main, 8)

    def test_who_gives_up_holds_nobody_up(self) -> None:
        async def main(loop: VirtualLoop, uplink: Uplink) -> None:
            await uplink.take(3000, Urgency.NOW)
            waiting = asyncio.create_task(uplink.take(1000, Urgency.NOW))
            other = asyncio.create_task(uplink.take(1000, Urgency.LATER))
            await asyncio.sleep(0.5)
            waiting.cancel()
            await other
            assert loop.seconds < 1003.01

        self.run(main, 8)


class _LoopClock:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.seconds

    def now(self) -> Any:
        raise AssertionError("an uplink does not ask for the time of day")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
