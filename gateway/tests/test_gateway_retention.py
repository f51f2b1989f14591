"""What goes, in which order, how much of it, and what never does."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from nova_box import Box, MadeCamera

from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.retention import Limits
from novavms_protocol import HoldFootage

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SEGMENT = 51_300
"""Bytes of five seconds of greys, about."""


def limits(**changed: float | None) -> Limits:
    return Limits(**{"max_bytes": None, "reserve_bytes": 0, "share_max": 1.0} | changed)  # type: ignore[arg-type]


async def recorded(box: Box, seconds: int, count: int = 1, **plan: object) -> list[MadeCamera]:
    """Cameras with so many seconds of footage, which then went offline."""
    cameras = [box.add(**plan) for _ in range(count)]
    await box.reconcile()
    await box.play(seconds, *cameras)
    for camera in cameras:
        camera.breaks("connection_lost")
    await box.play(2)
    return cameras


async def stored(box: Box) -> int:
    return sum(len(data) for data in box.files().values())


async def until(box: Box, condition: Callable[[], bool], within_sec: int = 200) -> None:
    for _ in range(within_sec):
        if condition():
            return
        await box.play(1)
    raise AssertionError("the condition did not come true in time")


async def test_footage_goes_by_age() -> None:
    async with Box() as box:
        (camera,) = await recorded(box, 42, retention_days=1)
        box.clock.began += timedelta(seconds=86_400 - 20)
        await until(box, lambda: len(box.files()) < 9)
        await box.check()
        assert (await box.reasons(camera))[:2] == ["retention", "footage"]
        box.clock.began += timedelta(days=1)
        await until(box, lambda: not box.files())
        assert (await box.reasons(camera))[0] == "retention"
        await box.check()
        await box.check_server()


async def test_footage_goes_by_a_cameras_bytes_and_by_the_volumes() -> None:
    async with Box(limits=limits(max_bytes=12 * SEGMENT)) as box:
        small, big = box.add(retention_bytes=3 * SEGMENT), box.add()
        await box.reconcile()
        await box.play(120, small, big)
        await box.play(30)
        sizes = {c: sum(s.size for s in await box.segments(c)) for c in (small, big)}
        assert SEGMENT < sizes[small] <= 3 * SEGMENT
        assert 6 * SEGMENT < sum(sizes.values()) <= 12 * SEGMENT
        assert (await box.reasons(big))[:2] == ["retention", "footage"]
        await box.check()
        await box.check_server()


async def test_held_footage_stays_until_it_is_released() -> None:
    async with Box() as box:
        (camera,) = await recorded(box, 42, retention_days=1)
        third = (await box.segments(camera))[2]
        start = box.clock.began + timedelta(
            seconds=third.start_us / SECOND_US - box.clock.began.timestamp() + 1
        )
        hold = HoldFootage(
            hold_id=uuid4(), camera_id=camera.camera_id, start=start, end=start + timedelta(seconds=2)
        )
        assert await box.recordings.library.hold(hold) == {}
        assert await box.recordings.library.hold(hold) == {}, "idempotent"
        box.clock.began += timedelta(days=2)
        await until(box, lambda: len(box.files()) == 1)
        await box.play(20)
        assert [segment.id for segment in await box.segments(camera)] == [third.id]
        assert (await box.reasons(camera))[:3] == ["retention", "footage", "retention"]
        await box.check()
        released = HoldFootage(
            hold_id=hold.hold_id, camera_id=hold.camera_id, start=hold.start, end=hold.end, is_held=False
        )
        await box.recordings.library.hold(released)
        await until(box, lambda: not box.files())


async def test_a_clock_that_leaps_cannot_wipe_a_volume_in_one_go() -> None:
    async with Box(limits=limits(share_max=0.1)) as box:
        (camera,) = await recorded(box, 105, retention_days=30)
        before = await stored(box)
        box.clock.began += timedelta(days=400)
        await box.play(60)
        assert box.recordings.state == "retention_held"
        assert before * 0.85 < await stored(box) < before
        assert (await box.reasons(camera))[:2] == ["retention", "footage"]
        for _ in range(3):
            box.clock.began += timedelta(hours=1)
            await box.play(20)
        assert before * 0.5 < await stored(box) < before * 0.8, "each hour its share"


async def test_what_comes_in_may_go_out_in_the_same_hour() -> None:
    async with Box(limits=limits(share_max=0.01)) as box:
        camera = box.add(retention_bytes=4 * SEGMENT)
        await box.reconcile()
        await box.play(200, camera)
        assert box.recordings.state == "ok"
        assert await stored(box) <= 7 * SEGMENT
        await box.check()


async def test_a_disk_that_fills_up_loses_its_oldest_footage_and_goes_on() -> None:
    async with Box(limits=limits(reserve_bytes=4 * SEGMENT, share_max=0.01), capacity=20 * SEGMENT) as box:
        busy, quiet = box.add(), box.add()
        await box.reconcile()
        await box.play(20, busy, quiet)
        await box.play(100, busy)
        assert box.clips_freed, "first of all what the server has"
        assert box.disk.space(box.volume.root).free_bytes >= 2 * SEGMENT
        assert (await box.reasons(busy))[:2] == ["disk_full", "footage"]
        assert (await box.reasons(quiet))[0] == "footage", "of the camera that has most"
        assert box.recordings.blocked is None
        await box.check()
        await box.check_server()


async def test_recording_stops_on_a_disk_that_others_filled_and_goes_on_when_there_is_room() -> None:
    async with Box(limits=limits(reserve_bytes=4 * SEGMENT)) as box:
        camera = box.add()
        await box.reconcile()
        await box.play(22, camera)
        await box.recordings.library.hold(
            HoldFootage(
                hold_id=uuid4(),
                camera_id=camera.camera_id,
                start=box.clock.began,
                end=box.clock.began + timedelta(days=1),
            )
        )
        kept = box.files().keys()
        box.disk.capacity = box.disk.used + SEGMENT
        await box.play(25, camera)
        assert box.recordings.state == "recording_stopped"
        assert (await box.reasons(camera))[-1] == "disk_full"
        assert kept <= box.files().keys(), "what is held is not given for it"
        box.disk.capacity += 3 * SEGMENT
        await box.play(15, camera)
        assert box.recordings.state == "recording_stopped", "not before the whole reserve is free"
        box.disk.capacity += 20 * SEGMENT
        await box.play(30, camera)
        assert box.recordings.state == "ok"
        assert [r for r in await box.reasons(camera) if r != "footage"] == ["disk_full"]
        await box.check()


async def test_a_disk_without_a_byte_left_ends_the_segment_in_order() -> None:
    async with Box() as box:
        camera = box.add()
        await box.reconcile()
        await box.play(12, camera)
        box.disk.fails_with = errno.ENOSPC
        await box.play(12, camera)
        assert box.recordings.state in ("recording_stopped", "ok")
        assert (await box.reasons(camera))[-1] == "disk_full"
        box.disk.fails_with = None
        await box.play(30, camera)
        assert (await box.reasons(camera)) == ["footage", "disk_full", "footage"]
        await box.check()


async def test_a_camera_that_left_keeps_its_footage_for_as_long_as_it_was_to_be_kept() -> None:
    async with Box() as box:
        (camera,) = await recorded(box, 22, retention_days=7)
        box.desired = []
        await box.reconcile()
        box.clock.began += timedelta(days=6)
        await box.play(30)
        assert len(box.files()) == 5
        box.clock.began += timedelta(days=2)
        await until(box, lambda: not box.files())
        assert (await box.reasons(camera))[0] == "retention"


async def test_the_id_of_a_segment_that_went_is_never_given_again() -> None:
    """Players and exports know a file by it."""
    async with Box() as box:
        (camera,) = await recorded(box, 12, retention_days=1)
        newest = max(segment.id for segment in await box.segments(camera))
        box.clock.began += timedelta(days=2)
        await until(box, lambda: not box.files())
        await box.stop()
        await box.start()
        assert box.index.take_segment_id() > newest
