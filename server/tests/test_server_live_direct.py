"""Live view of direct cameras, from this server's own capture of a simulated one; and which ways to watch are offered of which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from go2rtc_standin import Go2rtcStandin
from nova_live import ONVIF, scene, until, watch
from nova_mp4 import decode
from nova_world import World, make_world

from novavms_server.cameras.direct import fleet
from novavms_server.live import direct
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PASSWORD = "pä:ss@w/o#r?d%1"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "EVERY_SEC", 0.3)
    monkeypatch.setattr(direct, "LOOK_SEC", 0.05)


@pytest.fixture
async def cam() -> AsyncIterator[SimCam]:
    async with SimCam(SimCamConfig(password=PASSWORD)) as camera:
        yield camera


async def add(world: World, cam: SimCam) -> str:
    body: dict[str, Any] = {
        **{"site_id": str(world.site), "connection_mode": "direct", "name": "Gate", "type": "rtsp"},
        **{"rtsp_url": cam.rtsp_url, "rtsp_username": "admin", "rtsp_password": PASSWORD},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    camera_id: str = made.json()["id"]
    async with asyncio.timeout(30):
        while (await of(world, camera_id))["codec"] is None or not world.server.direct.cameras.is_online(
            UUID(camera_id)
        ):
            await asyncio.sleep(0.05)
    return camera_id


async def of(world: World, camera_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.client("operator").get(f"/api/v1/cameras/{camera_id}")).json()
    return found


async def live(world: World, camera_id: str, *, role: str = "viewer", **query: Any) -> dict[str, Any]:
    answer = await world.client(role).get(f"/api/v1/cameras/{camera_id}/live", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def address(found: dict[str, Any], kind: str = "mse") -> str:
    (url,) = [each["url"] for each in found["protocols"] if each["type"] == kind]
    return str(url)


async def test_a_direct_camera_is_shown_comes_back_and_costs_one_session(
    world: World, cam: SimCam, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="novavms")
    world.server.live.upstreams.linger_sec = 0.05
    camera_id = await add(world, cam)
    found = await live(world, camera_id)
    async with watch(world, address(found)) as first, watch(world, address(found) + "?tier=sub") as second:
        said = await first.hear("init")
        assert (said["tier"], said["tier_reason"], said["codec"]) == ("main", None, "h264")
        assert (await second.hear("init"))["tier_reason"] == "no_sub_stream"
        seen = decode(await first.see(8))
        assert (seen.width, seen.first_is_key) == (said["width"], True)
        assert seen.video_frames > 10
        assert len(world.server.live.upstreams) == 1
        stream = world.server.direct.cameras.stream_of(UUID(camera_id))
        assert stream is not None
        await world.server.direct.cameras.drop(UUID(camera_id))
        waiting = await first.hear("waiting")
        assert waiting["message"].endswith(".")
        world.server.direct.cameras.nudge()
        await first.hear("init")
        assert decode(await first.see(4)).first_is_key
        text = found["token"]
    await until(lambda: len(world.server.live.upstreams) == 0)
    for secret in (PASSWORD, text):
        assert secret not in caplog.text


async def _measured(world: World, camera_id: str) -> bool:
    """How far key frames are apart is known, which is the last that a session writes down of its camera by itself."""
    camera = (await world.client("operator").get(f"/api/v1/cameras/{camera_id}")).json()
    return camera["check"]["facts"]["keyframe_interval_sec"] is not None


async def test_what_is_offered_of_a_direct_camera(database_url: str, tmp_path: Path, cam: SimCam) -> None:
    async with (
        Go2rtcStandin(config_file=False) as go2rtc,
        make_world(database_url, tmp_path, go2rtc_url=go2rtc.url, public_url="https://vms.example") as world,
    ):
        camera_id = await add(world, cam)
        found = await live(world, camera_id, role="operator")
        kinds = [each["type"] for each in found["protocols"]]
        assert kinds == ["mse", "webrtc", "hls"], "the camera's AAC is not taken away"
        assert "no AAC" in found["protocols"][1]["reason"]
        for codec in ("'\"pcma\"'", "'null'"):
            await world.sql(
                f"UPDATE cameras SET last_check = jsonb_set(last_check, '{{facts,audio_codec}}', {codec}) WHERE id = %s",
                camera_id,
            )
            found = await live(world, camera_id, role="operator")
            kinds = [each["type"] for each in found["protocols"]]
            assert kinds == ["webrtc", "mse", "hls"], "the fastest first"
            assert "AAC" not in found["protocols"][0]["reason"]
        assert address(found).startswith("wss://vms.example/api/v1/live/")
        assert {each["type"] for each in found["excluded"]} == {"webrtc", "mse", "hls"} - set(kinds)
        async with asyncio.timeout(30):
            while not await _measured(world, camera_id):
                await asyncio.sleep(0.1)
        await world.sql("UPDATE cameras SET codec = 'h265' WHERE id = %s", camera_id)
        found = await live(world, camera_id, role="operator", codecs="h264,h265")
        assert "webrtc" not in [each["type"] for each in found["protocols"]]
        assert [each["reason"] for each in found["excluded"] if each["type"] == "webrtc"] == ["codec"]
        found = await live(world, camera_id, role="operator")
        assert (found["protocols"], len(found["excluded"])) == ([], 3)
        assert "H.265" in found["message"]


async def test_what_is_offered_of_a_gateways_camera(world: World) -> None:
    async with scene(world, **ONVIF) as it:
        found = await it.live(tier="sub")
        first = found["protocols"][0]
        assert (first["type"], first["tier"]) == ("mse", "sub")
        assert first["url"] == f"/api/v1/live/{found['token']}/mse"
        assert first["reason"].endswith(".")
        assert [each["reason"] for each in found["excluded"] if each["type"] == "webrtc"] == ["no_go2rtc"]
        assert found["message"] is None
        await world.sql("UPDATE cameras SET codec = 'h265' WHERE id = %s", it.camera_id)
        first = (await it.live())["protocols"][0]
        assert (first["tier"], first["codec"]) == ("sub", None)
        assert (await it.live(codecs="h264,h265"))["protocols"][0]["tier"] == "main"
        profiles = '[{"token": "a", "tier": "sub", "codec": "h265"}]'
        await world.sql("UPDATE cameras SET profiles = %s::jsonb WHERE id = %s", profiles, it.camera_id)
        found = await it.live()
        assert found["protocols"] == []
        assert "sub stream" in found["message"]


async def test_an_rtsp_camera_has_no_sub_stream(world: World) -> None:
    async with scene(world) as it:
        first = (await it.live(tier="sub"))["protocols"][0]
        assert first["tier"] == "main"
        assert "no sub stream" in first["reason"]
