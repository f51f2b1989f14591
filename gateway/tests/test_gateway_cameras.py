"""Cameras as the server desires them: started, kept, restarted, stopped; their states told; requests about them served."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from nova_camera import as_onvif, as_rtsp

from novavms_camera.capture import CaptureStream, KeyFrame
from novavms_gateway.cameras import fleet
from novavms_protocol import (
    Applied,
    CameraConfig,
    CameraStatus,
    Check,
    Discover,
    ForgetClip,
    RecordClip,
    Snapshot,
    Telemetry,
)
from novavms_simcam import DEFAULT_PASSWORD, SimCam, SimCamConfig

pytestmark = pytest.mark.anyio

Running = Callable[..., AbstractAsyncContextManager[None]]


def online(server_side: Any, camera: CameraConfig) -> Callable[[], bool]:
    return lambda: _state(server_side, camera.camera_id) == "online"


def _state(server_side: Any, camera_id: UUID) -> str | None:
    status: CameraStatus | None = server_side.status(camera_id)
    return None if status is None else status.status


@pytest.mark.slow
async def test_desired_cameras_come_online_and_say_what_they_are(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with (
        SimCam(SimCamConfig(name="One")) as one,
        SimCam(SimCamConfig(name="Two", media="h265")) as two,
        gateway(),
    ):
        first, second = as_rtsp(one), as_onvif(two)
        await server_side.desire(first, second, as_rtsp(one, enabled=False))
        await wait_until(online(server_side, first))
        await wait_until(online(server_side, second))
        status = server_side.status(first.camera_id)
        assert (status.codec, status.has_audio, status.transport) == ("h264", True, "tcp")
        assert status.width > 0
        assert server_side.status(second.camera_id).codec == "h265"
        assert (one.sessions, two.sessions) == (1, 1), "a disabled camera takes no session"
        await wait_until(lambda: [body for body in server_side.bodies(Applied) if body.state_version == 2])
        assert server_side.bodies(Telemetry)


@pytest.mark.slow
async def test_how_far_key_frames_are_apart_is_told_when_it_is_known(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        assert server_side.status(camera.camera_id).keyframe_interval_sec is None
        told = await wait_until(
            lambda: server_side.status(camera.camera_id).keyframe_interval_sec, within_sec=40
        )
        assert told == pytest.approx(2, abs=0.3)
        assert cam.stats.requests["PLAY"] == 1


@pytest.mark.slow
async def test_only_what_concerns_the_stream_restarts_it(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        renamed = msgspec.structs.replace(camera, name="Gate", revision=2)
        await server_side.desire(renamed)
        await wait_until(lambda: server_side.status(camera.camera_id).revision == 2)
        assert cam.stats.requests["PLAY"] == 1

        moved = msgspec.structs.replace(renamed, rtsp_url=cam.stream_url("sub"), revision=3)
        await server_side.desire(moved)
        await wait_until(lambda: server_side.status(camera.camera_id).revision == 3)
        await wait_until(online(server_side, moved))
        assert cam.stats.requests["PLAY"] == 2
        assert cam.stats.requests["TEARDOWN"] == 1
        assert cam.sessions == 1


@pytest.mark.slow
async def test_a_removed_camera_is_left_at_once_and_told_no_more(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera, other = as_rtsp(cam), as_rtsp(cam)
        await server_side.desire(camera, other)
        await wait_until(online(server_side, camera))
        await wait_until(online(server_side, other))
        await server_side.desire(other)
        await wait_until(lambda: cam.sessions == 1)
        assert cam.stats.requests["TEARDOWN"] == 1
        assert _state(server_side, camera.camera_id) == "online", "its end is no news: the server ordered it"
        order = RecordClip(
            clip_id=uuid4(),
            event_id=uuid4(),
            camera_id=camera.camera_id,
            triggered_at=server_side.status(other.camera_id).at,
            duration_sec=5,
        )
        assert (await server_side.ask(order)).error == "unknown_camera"


@pytest.mark.slow
async def test_unplugged_is_offline_and_plugged_is_online_within_15_s(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        await cam.unplug()
        await wait_until(lambda: _state(server_side, camera.camera_id) == "offline", within_sec=15)
        assert server_side.status(camera.camera_id).reason is not None
        await cam.plug()
        await wait_until(online(server_side, camera), within_sec=15)


@pytest.mark.slow
async def test_a_wrong_password_is_an_error_and_not_tried_again_and_again(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam, password="wrong-Passw0rd")
        await server_side.desire(camera)
        await wait_until(lambda: _state(server_side, camera.camera_id) == "error")
        assert server_side.status(camera.camera_id).reason == "auth_failed"
        assert cam.login_attempts.failed <= 2
        await server_side.desire(msgspec.structs.replace(camera, password=DEFAULT_PASSWORD, revision=2))
        await wait_until(online(server_side, camera))


@pytest.mark.slow
async def test_an_onvif_address_that_is_stale_is_found_anew(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam, rtsp_url=f"rtsp://127.0.0.1:{cam.rtsp_port}/moved/away")
        await server_side.desire(camera)
        await wait_until(online(server_side, camera), within_sec=30)


@pytest.mark.slow
async def test_a_server_that_comes_back_hears_of_every_camera(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        told = len(server_side.bodies(CameraStatus))
        server_side.drop_sockets()
        await wait_until(lambda: len(server_side.hellos) == 2)
        await wait_until(lambda: len(server_side.bodies(CameraStatus)) > told)
        assert server_side.hellos[1].applied_version == 2
        assert cam.stats.requests["PLAY"] == 1, "the camera noticed nothing"


@pytest.mark.slow
async def test_the_check_is_run_here_and_its_report_handed_back(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        await wait_until(lambda: server_side.connected)
        good = Check(
            kind="onvif",
            host="127.0.0.1",
            port=cam.onvif_port,
            username="admin",
            password=DEFAULT_PASSWORD,
            allow_loopback=True,
        )
        reply = await server_side.ask(good)
        assert reply.ok
        assert reply.result["ok"], reply.result
        assert reply.result["facts"]["codec"] == "h264"
        names = [stage["name"] for stage in reply.result["stages"]]
        assert [progress.stage["name"] for progress in server_side.progress] == names
        assert cam.sessions == 0

        wrong = await server_side.ask(msgspec.structs.replace(good, password="wrong-Passw0rd"))
        assert wrong.ok, "the request was served"
        assert (wrong.result["ok"], wrong.result["reason"]) == (False, "auth_failed")
        assert "wrong-Passw0rd" not in str(wrong)

        inside = await server_side.ask(msgspec.structs.replace(good, allow_loopback=False))
        assert inside.result["reason"] == "address_forbidden"


@pytest.mark.slow
async def test_a_snapshot_waits_for_a_camera_that_was_added_or_broke_this_moment(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "OVERTAKEN_SEC", 5)
    monkeypatch.setattr(fleet, "BACK_SEC", 8)
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        ask = Snapshot(camera_id=camera.camera_id, width=160)
        await wait_until(lambda: server_side.connected)
        asking = asyncio.ensure_future(server_side.ask(ask))  # it overtakes the state that brings the camera
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok
        await server_side.desire(camera)
        answer = await asking
        assert answer.ok, answer

        await wait_until(online(server_side, camera))
        cam.drop_sessions_now()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        answer = await server_side.ask(ask)
        assert answer.ok, answer
        assert base64.b64decode(answer.result["jpeg"]).startswith(b"\xff\xd8\xff")


@pytest.mark.slow
async def test_a_camera_that_waits_until_another_is_left_is_waited_for(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "OVERTAKEN_SEC", 0.2)
    async with SimCam() as silent, SimCam() as cam, gateway():
        gone, camera = as_rtsp(silent), as_rtsp(cam)
        await server_side.bring_online(gone)
        await silent.unplug(silent=True)  # its TEARDOWN is not answered, and takes a second
        await server_side.desire(camera)
        answer = await server_side.ask(Snapshot(camera_id=camera.camera_id, width=160))
        assert answer.ok, answer


@pytest.mark.slow
async def test_a_picture_that_does_not_decode_is_no_fault_of_the_gateway(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = KeyFrame("h264", b"\x00\x00\x00\x01\x65" + b"\x5a" * 500, datetime.now(UTC))
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        monkeypatch.setattr(CaptureStream, "keyframe", lambda _: broken)
        answer = await server_side.ask(Snapshot(camera_id=camera.camera_id))
        assert (answer.ok, answer.error) == (False, "not_online"), answer
        assert "does not decode" in answer.message


@pytest.mark.slow
async def test_discover_and_snapshot(gateway: Running, server_side: Any, wait_until: Any) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        found = await server_side.ask(
            Discover(
                timeout_sec=2.0,
                hosts=["127.0.0.1"],
                ports=[cam.onvif_port],
                multicast=False,
                allow_loopback=True,
            )
        )
        assert [device["port"] for device in found.result["devices"]] == [cam.onvif_port]
        picture = await server_side.ask(Snapshot(camera_id=camera.camera_id, width=160))
        assert picture.ok, picture
        assert base64.b64decode(picture.result["jpeg"]).startswith(b"\xff\xd8\xff")
        assert (await server_side.ask(Snapshot(camera_id=uuid4()))).error == "unknown_camera"


async def test_an_address_that_became_forbidden_is_not_dialled() -> None:
    """A name that points to loopback by now, as DNS rebinding does: judged before the session, and never connected to."""
    from novavms_camera.faults import CameraFault
    from novavms_gateway.cameras.finder import StreamFinder
    from novavms_gateway.station import _resolve

    async with SimCam(SimCamConfig(name="Rebound", onvif_port=None)) as cam:
        camera = as_rtsp(cam, rtsp_url=f"rtsp://localhost:{cam.rtsp_port}/stream/main", allow_loopback=False)
        with pytest.raises(CameraFault, match="address_forbidden"):
            await StreamFinder(camera, _resolve)()
        allowed = await StreamFinder(as_rtsp(cam, rtsp_url=camera.rtsp_url), _resolve)()
        assert allowed.address in {"127.0.0.1", "::1"}


async def test_each_end_of_a_camera_is_held_to_its_own_certificate() -> None:
    """The stream that a check resolved, and the ONVIF service that names it anew once that failed."""
    from novavms_camera.faults import CameraFault
    from novavms_gateway.cameras.finder import StreamFinder
    from novavms_gateway.station import _resolve

    async with SimCam(SimCamConfig(name="Pinned", onvif_https=True, rtsps_port=0)) as cam:
        cam.set_fault("stream_uri_rtsps")
        assert cam.certificate is not None
        own, other = hashlib.sha256(cam.certificate).hexdigest(), "0f" * 32
        pins = {"tls_fingerprint": own, "stream_tls_fingerprint": other}
        finder = StreamFinder(as_onvif(cam, rtsp_url=cam.rtsps_url, **pins), _resolve)
        assert (await finder()).tls_fingerprint == other
        asked = cam.stats.requests.get("tds:GetServices", 0)
        finder.failed("refused")
        assert (await finder()).tls_fingerprint == other
        assert cam.stats.requests.get("tds:GetServices", 0) == asked + 1
        with pytest.raises(CameraFault, match="another certificate"):
            await StreamFinder(as_onvif(cam, tls_fingerprint=other), _resolve)()
        plain = StreamFinder(as_rtsp(cam, rtsp_url=cam.rtsps_url, tls_fingerprint=own), _resolve)
        assert (await plain()).tls_fingerprint == own


@pytest.mark.slow
async def test_a_change_of_a_camera_with_one_session_is_checked_in_place_of_ours(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam(SimCamConfig(name="One viewer", onvif_port=None)) as cam, gateway():
        camera = as_rtsp(cam)
        await server_side.desire(camera)
        await wait_until(online(server_side, camera))
        cam.set_fault("max_sessions", 1)

        def change(password: str, **more: Any) -> Check:
            return Check(
                kind="rtsp",
                rtsp_url=cam.rtsp_url,
                username="admin",
                password=password,
                allow_loopback=True,
                **more,
            )

        stranger = await server_side.ask(change(DEFAULT_PASSWORD))
        assert stranger.result["reason"] == "too_many_connections"
        wrong = await server_side.ask(change("wrong", camera_id=camera.camera_id))
        assert wrong.result["reason"] == "auth_failed"
        assert cam.stats.sessions_total == 1, "neither cost us our session"
        right = await server_side.ask(change(DEFAULT_PASSWORD, camera_id=camera.camera_id))
        assert right.result["ok"], right.result
        await wait_until(lambda: cam.stats.sessions_total == 3 and cam.sessions == 1)
        await wait_until(online(server_side, camera))
