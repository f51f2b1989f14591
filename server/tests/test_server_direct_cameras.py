"""Direct mode, end to end against a simulated camera: with go2rtc (its stand-in) and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
from go2rtc_standin import Go2rtcStandin
from nova_world import World, make_world

from novavms_camera.capture import CaptureStream, KeyFrame
from novavms_camera.faults import CameraFault
from novavms_server.cameras.direct import fleet, mirror
from novavms_server.kit.jobs import defer
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PASSWORD = "pä:ss@w/o#r?d%1"
DEADLINE_SEC = 30.0


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "EVERY_SEC", 0.5)
    monkeypatch.setattr(mirror, "EVERY_SEC", 0.3)


@pytest.fixture
async def cam() -> AsyncIterator[SimCam]:
    async with SimCam(SimCamConfig(password=PASSWORD)) as camera:
        yield camera


@pytest.fixture
async def go2rtc() -> AsyncIterator[Go2rtcStandin]:
    async with Go2rtcStandin(config_file=False) as it:
        yield it


@pytest.fixture
async def relayed(database_url: str, tmp_path: Path, go2rtc: Go2rtcStandin) -> AsyncIterator[World]:
    """A world with a go2rtc."""
    async with make_world(database_url, tmp_path, go2rtc_url=go2rtc.url) as world:
        yield world


async def until(condition: Any) -> Any:
    async with asyncio.timeout(DEADLINE_SEC):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
    return found


def asked(cam: SimCam, kind: str = "rtsp", password: str = PASSWORD) -> dict[str, Any]:
    body: dict[str, Any] = {"connection_mode": "direct", "type": kind}
    if kind == "rtsp":
        return body | {"rtsp_url": cam.rtsp_url, "rtsp_username": "admin", "rtsp_password": password}
    login = {"onvif_username": "admin", "onvif_password": password}
    return body | {"host": "127.0.0.1", "port": cam.onvif_port, **login}


async def add(world: World, cam: SimCam, kind: str = "rtsp", password: str = PASSWORD) -> str:
    body = {"site_id": str(world.site), "name": "Gate", **asked(cam, kind, password)}
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "pending"
    camera_id: str = made.json()["id"]
    return camera_id


async def read(world: World, camera_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.client("operator").get(f"/api/v1/cameras/{camera_id}")).json()
    return found


async def becomes(world: World, camera_id: str, *wanted: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        camera = await read(world, camera_id)
        return camera if camera["status"] in wanted else None

    found: dict[str, Any] = await until(there)
    return found


async def interval(world: World, camera_id: str) -> Any:
    """Between key frames, as measured."""
    return (await read(world, camera_id))["check"]["facts"]["keyframe_interval_sec"]


async def watched(world: World, camera_id: str) -> None:
    async def online() -> bool:
        return world.server.direct.cameras.is_online(UUID(camera_id))

    await until(online)


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_registered_at_go2rtc_checked_and_online(
    relayed: World, go2rtc: Go2rtcStandin, cam: SimCam, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    camera_id = await add(relayed, cam, kind)
    camera = await becomes(relayed, camera_id, "online", "error")
    assert (camera["status"], camera["codec"], camera["check"]["ok"]) == ("online", "h264", True)
    assert camera["last_seen_at"]
    ((name, urls),) = go2rtc.streams.items()
    assert name.startswith("nova_")
    assert len(name) >= 32
    assert urls[0].startswith("rtsp://admin:p%C3%A4%3Ass%40w%2Fo%23r%3Fd%251@127.0.0.1:")
    if kind == "onvif":
        assert (camera["manufacturer"], len(camera["profiles"])) == ("NovaVMS", 2)
        assert camera["rtsp_url"].startswith("rtsp://127.0.0.1:")
    await watched(relayed, camera_id)
    said = caplog.text + str(camera)
    assert PASSWORD not in said
    assert "p%C3%A4" not in said


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_the_same_stream_of_the_same_camera_is_named(world: World, cam: SimCam, kind: str) -> None:
    """By the job, and by a test without adding."""
    first = await add(world, cam, kind)
    camera = await becomes(world, first, "online", "error")
    assert (camera["status"], camera["check"]["warnings"]) == ("online", [])
    second = await becomes(world, await add(world, cam, kind), "online", "error")
    tested = await world.client("operator").post("/api/v1/cameras/test", json=asked(cam, kind))
    for report, twins in ((second["check"], [first]), (tested.json(), [first, second["id"]])):
        assert [warning["code"] for warning in report["warnings"]] == ["duplicate_device"] * len(twins)
        for warning, twin in zip(report["warnings"], twins, strict=True):
            assert f"Gate ({twin})" in warning["message"]
    for camera_id in (first, second["id"]):
        await world.client("operator").delete(f"/api/v1/cameras/{camera_id}")
    alone = await world.client("operator").post("/api/v1/cameras/test", json=asked(cam, kind))
    assert alone.json()["warnings"] == []


async def test_a_wrong_password_is_an_error_with_its_reason(
    relayed: World, go2rtc: Go2rtcStandin, cam: SimCam
) -> None:
    camera_id = await add(relayed, cam, password="wrong")
    camera = await becomes(relayed, camera_id, "online", "error")
    assert (camera["status"], camera["status_reason"]) == ("error", "auth_failed")
    assert camera["check"]["stages"][-1]["name"] == "describe"
    assert go2rtc.streams == {}
    ((wait,),) = await relayed.sql(
        "SELECT extract(epoch FROM run_at - now()) FROM jobs WHERE task = 'direct_camera.retry'"
    )
    assert 500 < wait < 700, "one try in ten minutes: cameras lock accounts"

    fixed = await relayed.client("operator").patch(
        f"/api/v1/cameras/{camera_id}", json={"rtsp_password": PASSWORD}
    )
    assert (fixed.status_code, fixed.json()["status"]) == (200, "pending")
    await becomes(relayed, camera_id, "online")


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_a_change_that_fails_its_check_leaves_the_camera_as_it_was(
    world: World, cam: SimCam, kind: str
) -> None:
    camera_id = await add(world, cam, kind)
    await becomes(world, camera_id, "online")
    await watched(world, camera_id)
    await until(lambda: interval(world, camera_id))  # the last word on it
    row = "SELECT c::text FROM cameras c WHERE id = %s"
    before, sessions = await world.sql(row, camera_id), cam.stats.sessions_total
    operator, url = world.client("operator"), f"/api/v1/cameras/{camera_id}"
    refused = await operator.patch(url, json={f"{kind}_password": "wrong"})
    assert (refused.status_code, refused.json()["reason"]) == (400, "auth_failed")
    assert refused.json()["check"]["hint"]
    assert await world.sql(row, camera_id) == before
    assert cam.stats.sessions_total == sessions, "and it plays on"

    cam.set_fault("max_sessions", 1)  # ours
    changed = await operator.patch(url, json={f"{kind}_password": PASSWORD})
    assert (changed.status_code, changed.json()["status"]) == (200, "pending"), changed.text
    await becomes(world, camera_id, "online")


async def test_an_unreachable_camera_is_an_error_until_it_answers(world: World, cam: SimCam) -> None:
    await cam.unplug()
    camera_id = await add(world, cam)
    camera = await becomes(world, camera_id, "online", "error", "offline")
    assert (camera["status"], camera["status_reason"]) == ("error", "refused")
    await cam.plug()
    await becomes(world, camera_id, "online")


async def test_unplugged_is_offline_and_comes_back(world: World, cam: SimCam) -> None:
    camera_id = await add(world, cam)
    await becomes(world, camera_id, "online")
    await watched(world, camera_id)
    await cam.unplug()
    async with asyncio.timeout(15):
        camera = await becomes(world, camera_id, "offline")
    assert camera["status_reason"] in ("connection_lost", "refused")
    await cam.plug()
    async with asyncio.timeout(15):
        await becomes(world, camera_id, "online")


async def test_a_snapshot_waits_for_the_session_that_is_being_opened(
    world: World, cam: SimCam, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`online` is the check's word: it is said before the session that pictures come from is there."""
    monkeypatch.setattr(fleet, "EVERY_SEC", 60)
    camera_id = await add(world, cam)
    await becomes(world, camera_id, "online")
    await watched(world, camera_id)
    await world.server.direct.cameras.drop(UUID(camera_id))  # as between the check and its watch
    viewer, url = world.client("viewer"), f"/api/v1/cameras/{camera_id}/snapshot"
    asking = asyncio.ensure_future(viewer.get(url))
    await asyncio.sleep(0.3)
    world.server.direct.cameras.nudge()
    picture = await asking
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg"), picture.text


async def test_a_picture_that_does_not_decode_is_told_as_none(
    world: World, cam: SimCam, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = KeyFrame("h264", b"\x00\x00\x00\x01\x65" + b"\x5a" * 500, datetime.now(UTC))
    camera_id = await add(world, cam)
    await becomes(world, camera_id, "online")
    monkeypatch.setattr(CaptureStream, "keyframe", lambda _: broken)
    answer = await world.client("viewer").get(f"/api/v1/cameras/{camera_id}/snapshot")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict"), answer.text


async def test_without_go2rtc_the_built_in_capture_records(world: World, cam: SimCam, tmp_path: Path) -> None:
    camera_id = await add(world, cam)
    await becomes(world, camera_id, "online")
    picture = await world.client("viewer").get(f"/api/v1/cameras/{camera_id}/snapshot?width=320")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg"), picture.text
    assert picture.content.startswith(b"\xff\xd8")
    path = tmp_path / "clip.mp4"
    clip = await world.server.direct.cameras.record_clip(UUID(camera_id), path, 2.0, 1.0)
    assert clip.failure_reason is None

    def decode() -> tuple[int, float]:
        with av.open(str(path)) as container:
            frames = [frame.time or 0.0 for frame in container.decode(video=0)]
        return len(frames), max(frames) - min(frames)

    count, seconds = await asyncio.to_thread(decode)
    assert count > 20
    assert 1.5 <= seconds <= 4.5
    with pytest.raises(CameraFault):
        await world.server.direct.cameras.record_clip(UUID(int=1), path, 1, 0)


async def test_what_go2rtc_forgot_is_put_back_and_orphans_go(
    relayed: World, go2rtc: Go2rtcStandin, cam: SimCam
) -> None:
    camera_id = await add(relayed, cam)
    await becomes(relayed, camera_id, "online")
    before = dict(go2rtc.streams)
    assert before
    await go2rtc.restart()
    assert go2rtc.streams == {}
    go2rtc.streams |= {"theirs": ["rtsp://192.0.2.1/"], "nova_orphan": ["rtsp://192.0.2.1/"]}
    wanted = {**before, "theirs": ["rtsp://192.0.2.1/"]}

    async def repaired() -> bool:
        return go2rtc.streams == wanted

    await until(repaired)
    go2rtc.streams[next(iter(before))] = ["rtsp://192.0.2.66/another"]
    await until(repaired)


async def test_deleted_disabled_and_enabled(relayed: World, go2rtc: Go2rtcStandin, cam: SimCam) -> None:
    camera_id = await add(relayed, cam)
    await becomes(relayed, camera_id, "online")
    await watched(relayed, camera_id)
    operator = relayed.client("operator")
    url = f"/api/v1/cameras/{camera_id}"

    async def let_go() -> bool:
        return (
            cam.sessions == 0
            and go2rtc.streams == {}
            and not relayed.server.direct.cameras.is_online(UUID(camera_id))
        )

    assert (await operator.patch(url, json={"enabled": False})).json()["status"] == "disabled"
    await until(let_go)
    assert (await operator.patch(url, json={"enabled": True})).json()["status"] == "pending"
    await becomes(relayed, camera_id, "online")
    await watched(relayed, camera_id)
    assert len(go2rtc.streams) == 1
    assert (await operator.delete(url)).status_code == 204
    await until(let_go)


async def test_how_far_key_frames_are_apart_is_known_after_a_while(world: World, cam: SimCam) -> None:
    camera_id = await add(world, cam)
    checked = await becomes(world, camera_id, "online", "error")
    assert checked["check"]["facts"]["keyframe_interval_sec"] is None
    assert await until(lambda: interval(world, camera_id)) == pytest.approx(2, abs=0.3)


async def test_a_rename_does_not_disturb_the_session(world: World, cam: SimCam) -> None:
    camera_id = await add(world, cam)
    await becomes(world, camera_id, "online")
    await watched(world, camera_id)
    plays = cam.stats.requests["PLAY"]
    assert (
        await world.client("operator").patch(f"/api/v1/cameras/{camera_id}", json={"name": "New"})
    ).status_code == 200
    await world.server.direct.cameras.reconcile()
    assert world.server.direct.cameras.is_online(UUID(camera_id)), "the same session goes on"
    assert cam.stats.requests["PLAY"] == plays
    await cam.unplug()
    await becomes(world, camera_id, "offline")


async def test_a_job_of_a_killed_server_runs_at_the_next_start(
    database_url: str, tmp_path: Path, cam: SimCam
) -> None:
    async with make_world(database_url, tmp_path) as world:
        await world.server.jobs.stop()  # what a kill between the commit and the job leaves: the row
        await world.server.direct.mirror.stop()
        camera_id = await add(world, cam)
        admin_key = world.keys["admin"]
    async with make_world(database_url, tmp_path) as second:
        camera_url = f"/api/v1/cameras/{camera_id}"
        client = second.client(token=admin_key)

        async def online() -> bool:
            return (await client.get(camera_url)).json()["status"] == "online"

        await until(online)


async def test_a_camera_whose_job_was_lost_is_found_again(world: World, cam: SimCam) -> None:
    await world.server.jobs.stop()
    camera_id = await add(world, cam)
    await world.sql("DELETE FROM jobs")
    world.server.jobs.start()
    await becomes(world, camera_id, "online")


async def test_go2rtc_away_does_not_hold_the_camera_up(
    relayed: World, go2rtc: Go2rtcStandin, cam: SimCam
) -> None:
    await go2rtc.stop()
    camera_id = await add(relayed, cam)
    await becomes(relayed, camera_id, "online")
    await go2rtc.start()

    async def mirrored() -> bool:
        return len(go2rtc.streams) == 1

    await until(mirrored)
    await go2rtc.stop()
    assert (await relayed.client("operator").delete(f"/api/v1/cameras/{camera_id}")).status_code == 204
    await go2rtc.start()

    async def forgotten() -> bool:
        return go2rtc.streams == {}

    await until(forgotten)


async def test_jobs_of_cameras_that_are_gone_do_nothing(world: World) -> None:
    async with world.server.database.org(world.org) as connection:
        for task in ("direct_camera.register", "direct_camera.retry", "direct_camera.remove"):
            await defer(connection, task, org_id=world.org, camera_id=UUID(int=7))

    async def empty() -> bool:
        return not await world.sql("SELECT 1 FROM jobs")

    await until(empty)
