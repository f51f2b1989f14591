"""A camera's recording over its life, on a disk and a clock that the test owns: each reason of the ledger made to happen."""

from __future__ import annotations

import errno
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from nova_box import ROOT, Box, MadeCamera

from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.retention import Limits
from novavms_gateway.storage.volume import MARKER
from novavms_protocol import RecordClip, ScheduleWindow

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with Box() as made:
        yield made


async def online(box: Box, seconds: int = 12, **plan: Any) -> MadeCamera:
    camera = box.add(**plan)
    await box.reconcile()
    await box.play(seconds, camera)
    return camera


async def lengths(box: Box, camera: MadeCamera) -> list[tuple[str, int]]:
    """(what, whole seconds) of the ledger's rows."""
    return [
        (row.reason or "footage", round((row.end_us - row.start_us) / SECOND_US))
        for row in await box.rows(camera)
    ]


async def test_footage_follows_footage_and_continues(box: Box) -> None:
    camera = await online(box, 27)
    assert await box.reasons(camera) == ["footage"]
    segments = await box.segments(camera)
    assert len(segments) == 5
    assert all(after.continues(before) for before, after in itertools.pairwise(segments))
    await box.check()
    await box.check_server()


@pytest.mark.parametrize(
    ("ends_with", "said"),
    [
        ("connection_lost", "camera_offline"),
        ("refused", "camera_offline"),
        ("auth_failed", "auth"),
        ("frozen", "frozen"),
    ],
)
async def test_a_camera_that_goes_and_comes_back(box: Box, ends_with: Any, said: str) -> None:
    camera = await online(box)
    camera.breaks(ends_with)
    await box.play(20)
    await box.play(12, camera)
    rows = await lengths(box, camera)
    assert [what for what, _ in rows] == ["footage", said, "footage"]
    assert 18 <= rows[1][1] <= 21
    await box.check()
    await box.check_server()


async def test_a_freeze_is_a_gap_from_the_last_picture_on(box: Box) -> None:
    camera = await online(box)
    last = (await box.rows(camera))[-1].start_us + 12 * SECOND_US
    await box.play(10)  # no picture; the capture notices after ten seconds
    camera.breaks("frozen")
    await box.play(5)
    frozen = (await box.rows(camera))[-1]
    assert frozen.reason == "frozen"
    assert abs(frozen.start_us - last) <= SECOND_US


async def test_a_gap_reaches_the_server_within_seconds(box: Box) -> None:
    camera = await online(box)
    camera.breaks("connection_lost")
    at = box.clock.now()
    while not any(row.reason == "camera_offline" for row in box.server.standing):
        await box.play(1)
        assert box.clock.now() - at < timedelta(seconds=15)


async def test_a_break_under_a_second_is_no_gap(box: Box) -> None:
    camera = await online(box)
    camera.breaks("connection_lost")
    await box.play(12, camera)
    assert await box.reasons(camera) == ["footage"]
    segments = await box.segments(camera)
    assert any(not after.continues(before) for before, after in itertools.pairwise(segments))


async def test_pictures_lost_on_their_way_are_a_gap_or_counted(box: Box) -> None:
    camera = await online(box, 7)
    camera.lose(2.0)
    await box.play(9, camera)
    camera.lose(0.4)
    await box.play(12, camera)
    rows = await lengths(box, camera)
    assert [what for what, _ in rows] == ["footage", "network", "footage", "footage", "footage"], rows
    (network,) = [row for row in await box.rows(camera) if row.reason == "network"]
    assert network.end_us - network.start_us == 2 * SECOND_US
    lossy = [segment.lossy_us for segment in await box.segments(camera) if segment.lossy_us]
    assert lossy == [2 * SECOND_US, 400_000]
    found = [row for row in box.server.standing if row.lossy_sec]
    assert [row.lossy_sec for row in found] == [0.4]
    assert sum((row.end - row.start for row in found), timedelta()) < timedelta(seconds=12), (
        "the file's time, no more"
    )


async def test_what_a_person_wants_is_the_reason(box: Box) -> None:
    camera = await online(box, mode="off")
    assert await box.rows(camera) == [], "never recorded: nothing to account for"
    await box.plan(camera, mode="continuous")
    await box.play(12, camera)
    await box.plan(camera, mode="continuous", enabled=False)
    await box.play(8)
    await box.plan(camera, mode="continuous", schedule=[ScheduleWindow(days=["sun"])])
    await box.play(8, camera)
    await box.plan(camera, mode="events")
    await box.play(8, camera)
    assert await box.reasons(camera) == ["footage", "disabled", "schedule", "no_event"]
    await box.check()


async def test_a_schedule_turns_by_itself(box: Box) -> None:
    opens = ScheduleWindow(days=["mon"], start="12:01", end="12:02")
    camera = await online(box, 150, schedule=[opens])
    (before, closed), (open_, opened), (after, _) = await lengths(box, camera)
    assert (before, open_, after) == ("schedule", "footage", "schedule")
    assert abs(closed - 60) <= 2
    assert abs(opened - 60) <= 2


async def test_events_have_footage_around_their_triggers_only(box: Box) -> None:
    camera = await online(box, 30, mode="events")
    assert box.files() == {}
    trigger = RecordClip(
        clip_id=camera.camera_id,
        event_id=camera.camera_id,
        camera_id=camera.camera_id,
        triggered_at=box.clock.now(),
        duration_sec=10,
        pre_roll_sec=4,
    )
    box.recordings.triggered(trigger)
    await box.play(40, camera)
    rows = await lengths(box, camera)
    assert [what for what, _ in rows] == ["no_event", "footage", "no_event"]
    assert 13 <= rows[1][1] <= 16
    before = (await box.rows(camera))[1].start_us
    at = int(trigger.triggered_at.timestamp() * SECOND_US)
    assert 3 * SECOND_US <= at - before <= 6 * SECOND_US, "from memory"
    await box.check()


async def test_a_disk_that_refuses_and_takes_again(box: Box) -> None:
    camera = await online(box)
    box.disk.fails_with = errno.EIO
    await box.play(12, camera)
    box.disk.fails_with = None
    await box.play(25, camera)
    assert await box.reasons(camera) == ["footage", "disk_full", "footage"]
    await box.check()


async def test_a_disk_that_is_too_slow_ends_the_segment_and_bounds_memory() -> None:
    async with Box() as box:
        camera = await online(box)
        box.recordings._writer.all_queues_max = 60_000  # a few seconds of greys
        release = box.off_loop.block()
        try:
            await box.play(30, camera)
            assert 0 < box.recordings._writer.queued <= 60_000
            assert box.recordings.state == "slow"
        finally:
            release()
        await box.play(25, camera)
        assert await box.reasons(camera) == ["footage", "disk_full", "footage"]
        await box.check()


async def test_a_volume_that_goes_away_is_not_written_and_nothing_is_removed() -> None:
    limits = Limits(max_bytes=1, reserve_bytes=0, share_max=1.0)  # everything is due at once
    async with Box(limits=limits) as box:
        marker = ROOT / MARKER
        kept = box.disk.files.pop(marker)
        camera = await online(box, 20)
        assert await box.reasons(camera) == ["storage_lost"]
        assert box.recordings.state == "lost"
        assert set(box.disk.files) == set(), "nothing is written where the marker is not"
        box.disk.files[marker] = kept
        await box.play(30, camera)
        assert (
            "footage" in {row.reason or "footage" for row in await box.rows(camera)}
            or box.recordings.recording_count
        )


async def test_the_marker_of_another_gateway_stops_all(box: Box) -> None:
    camera = await online(box, 20)
    files = box.files()
    marker = box.disk.files[ROOT / MARKER]
    marker.data[:] = marker.data.replace(str(box.gateway_id).encode(), str(camera.camera_id).encode())
    await box.play(20, camera)
    assert box.recordings.blocked == "storage_lost"
    assert (await box.reasons(camera))[-1] == "storage_lost"
    assert files.keys() <= box.files().keys()


async def test_a_clock_that_is_set_leaves_no_lie(box: Box) -> None:
    camera = await online(box, 17)
    box.clock.began += timedelta(days=400)
    await box.play(12, camera)
    box.clock.began -= timedelta(days=800)
    await box.play(12, camera)
    rows = await box.rows(camera)
    assert sum(row.end_us - row.start_us for row in rows if row.reason is None) < 60 * SECOND_US
    await box.check()


@pytest.mark.slow
async def test_two_cameras_and_fifty_segments_each(box: Box) -> None:
    one, two = box.add(), box.add()
    await box.reconcile()
    await box.play(251, one, two)
    assert [len(await box.segments(camera)) for camera in (one, two)] == [50, 50]
    assert await box.reasons(one) == await box.reasons(two) == ["footage"]
    await box.check()
    await box.check_server()


async def test_a_stream_that_was_begun_anew_is_recorded_on(box: Box) -> None:
    """Nobody tells the recording: a check that needed the camera's only session, say."""
    camera = await online(box)
    camera.breaks("connection_lost")
    another = MadeCamera(box.clock)
    another.camera_id = camera.camera_id
    box.streams[camera.camera_id] = another
    await box.play(2)
    await box.play(12, another)
    assert (await box.reasons(camera))[-1] == "footage"
    assert len(await box.segments(camera)) > 4
    await box.check()


async def test_a_camera_that_was_elsewhere_for_a_while(box: Box) -> None:
    camera = await online(box)
    desired, box.desired = box.desired, []
    await box.reconcile()
    await box.play(30)
    box.desired = desired
    await box.reconcile()
    await box.play(12, camera)
    rows = await lengths(box, camera)
    assert [what for what, _ in rows] == ["footage", "disabled", "footage"]
    assert 28 <= rows[1][1] <= 32


async def test_a_plan_that_changes_at_once_again_records_on(box: Box) -> None:
    """The recorder is cancelled before it began."""
    camera = await online(box, 0)
    for _ in range(3):
        box.desired = [camera.config(mode="continuous")]
        box.recordings.reconcile(box.desired, box.streams.get)  # type: ignore[arg-type]
        recording = box.recordings._cameras[camera.camera_id]
        recording.tick()
        recording.follow(camera.config(mode="off"), recording.stream)
        recording.tick()
    await box.plan(camera, mode="continuous")
    await box.play(12, camera)
    assert (await box.reasons(camera))[-1] == "footage"
    await box.check()
