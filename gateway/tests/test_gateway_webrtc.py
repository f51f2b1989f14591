"""WebRTC by the go2rtc beside the gateway (its stand-in): real cameras (simulated), real sockets, and what go2rtc is told and made to forget."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from go2rtc_standin import ANSWER, Go2rtcStandin
from nova_camera import as_onvif, as_rtsp

from novavms_camera.secret import Secret
from novavms_gateway.live import webrtc
from novavms_gateway.settings import Settings, SettingsError, from_environment
from novavms_protocol import AnswerOffer, Applied, CameraConfig, Reply
from novavms_simcam import DEFAULT_PASSWORD, SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio]

Running = Callable[..., AbstractAsyncContextManager[None]]
OFFER = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"


def changed(camera: CameraConfig, **fields: Any) -> CameraConfig:
    return msgspec.structs.replace(camera, **{"revision": camera.revision + 1} | fields)


class Box:
    """A gateway's server side, and the go2rtc beside the gateway."""

    def __init__(self, side: Any, until: Any, go2rtc: Go2rtcStandin) -> None:
        self.side = side
        self.until = until
        self.go2rtc = go2rtc

    @property
    def setting(self) -> dict[str, Secret]:
        return {"go2rtc_url": Secret(self.go2rtc.url)}

    def name(self, camera: CameraConfig, tier: str = "main") -> str:
        return f"novagw_{self.side.gateway_id.hex}_{camera.camera_id.hex}_{tier}"

    async def online(self, *cameras: CameraConfig) -> None:
        await self.side.desire(*cameras)
        for camera in cameras:
            await self.until(lambda c=camera: self._is_online(c))

    def _is_online(self, camera: CameraConfig) -> bool:
        said = self.side.status(camera.camera_id)
        return said is not None and (said.status, said.revision) == ("online", camera.revision)

    def is_applied(self) -> bool:
        """The newest state."""
        return self.side.state.version in {body.state_version for body in self.side.bodies(Applied)}

    async def offer(self, camera_id: UUID, tier: str = "main", sdp: str = OFFER) -> Reply:
        reply: Reply = await self.side.ask(AnswerOffer(camera_id=camera_id, tier=tier, sdp=sdp))  # type: ignore[arg-type]
        return reply

    async def answered(self, camera: CameraConfig, tier: str = "main") -> None:
        reply = await self.offer(camera.camera_id, tier)
        assert (reply.ok, reply.result) == (True, {"sdp": ANSWER.decode()}), reply
        assert self.go2rtc.offers[-1] == (self.name(camera, tier), OFFER.encode())

    def puts(self) -> int:
        return sum(method == "PUT" for method, _, _ in self.go2rtc.calls)


@pytest.fixture
async def box(server_side: Any, wait_until: Any) -> AsyncIterator[Box]:
    async with Go2rtcStandin(config_file=False) as go2rtc:
        yield Box(server_side, wait_until, go2rtc)


@pytest.mark.slow
async def test_an_offer_registers_the_camera_and_the_cameras_end_removes_it(
    gateway: Running, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with SimCam() as cam, gateway(**box.setting):
        camera, other = as_rtsp(cam), as_rtsp(cam)
        await box.online(camera, other)
        assert box.side.hellos[-1].has_go2rtc
        assert box.puts() == 0, "only when an offer comes"
        await box.answered(camera)
        await box.answered(camera)
        assert box.puts() == 1, "it knows it already"
        source = cam.rtsp_url.replace("rtsp://", f"rtsp://admin:{DEFAULT_PASSWORD}@")
        assert box.go2rtc.streams == {box.name(camera): [source]}

        await box.answered(other)
        await box.side.desire(changed(camera, name="Gate"), other)
        await box.until(box.is_applied)
        assert set(box.go2rtc.streams) == {box.name(camera), box.name(other)}, "a name is nothing to go2rtc"
        for ending in (
            [changed(camera, enabled=False), other],
            [changed(camera, pre_roll_sec=7), other],
            [other],
        ):
            await box.side.desire(*ending)
            await box.until(lambda: set(box.go2rtc.streams) == {box.name(other)})
            camera = changed(camera, revision=camera.revision + 2)
            await box.online(camera, other)
            await box.answered(camera)
        assert DEFAULT_PASSWORD not in caplog.text


@pytest.mark.slow
async def test_a_camera_that_was_just_added_is_waited_for(gateway: Running, box: Box) -> None:
    async with SimCam() as cam, gateway(**box.setting):
        camera = as_rtsp(cam)
        await box.until(lambda: box.side.connected)
        await box.side.desire(camera)
        await box.answered(camera)


@pytest.mark.slow
async def test_a_go2rtc_that_forgot_is_put_right_once(gateway: Running, box: Box) -> None:
    async with SimCam() as cam, gateway(**box.setting):
        camera = as_rtsp(cam)
        await box.online(camera)
        await box.answered(camera)
        await box.go2rtc.restart()
        assert box.go2rtc.streams == {}
        await box.answered(camera)
        assert set(box.go2rtc.streams) == {box.name(camera)}

        before, answer = box.puts(), box.go2rtc._answer

        async def unknown(method: str, target: str, *rest: Any) -> tuple[int, str, bytes]:
            is_offer = target.startswith("/api/webrtc")
            return (404, "text/plain", b"\n") if is_offer else await answer(method, target, *rest)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(box.go2rtc, "_answer", unknown)
            reply = await box.offer(camera.camera_id)
        assert (reply.ok, reply.error) == (False, "go2rtc_away")
        assert box.puts() == before + 1


@pytest.mark.slow
async def test_what_an_earlier_run_left_goes_at_the_start_and_nothing_of_others(
    gateway: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc, "AGAIN_SEC", 0.05)
    others = {"nova_1", "theirs", f"novagw_{uuid4().hex}_{uuid4().hex}_main"}
    left = f"novagw_{box.side.gateway_id.hex}_{uuid4().hex}_main"
    box.go2rtc.streams.update({name: ["rtsp://192.0.2.1/"] for name in {left, *others}})
    await box.go2rtc.stop()
    async with gateway(**box.setting):
        await box.until(lambda: box.side.connected)
        await box.go2rtc.start()
        await box.until(lambda: left not in box.go2rtc.streams)
        assert set(box.go2rtc.streams) == others


@pytest.mark.slow
async def test_each_way_it_can_fail_has_its_word(
    gateway: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc, "KNOWN_WITHIN_SEC", 0.05)

    async def error(camera_id: UUID, sdp: str = OFFER) -> str | None:
        return (await box.offer(camera_id, sdp=sdp)).error

    async with SimCam() as cam, SimCam() as dead, gateway(**box.setting):
        camera, away = as_rtsp(cam), as_rtsp(dead, password="wrong")
        await box.side.desire(away)
        await box.until(lambda: (s := box.side.status(away.camera_id)) and s.reason == "auth_failed")
        await box.online(camera)
        assert await error(uuid4()) == "unknown_camera"
        before = box.side.status(away.camera_id)
        await box.side.desire(camera, away)
        await box.until(
            lambda: (s := box.side.status(away.camera_id)) is not before and s.reason == "auth_failed"
        )
        assert await error(away.camera_id) == "not_online"
        assert box.go2rtc.streams == {}, "nobody spends its login tries"
        assert await error(camera.camera_id, "hello") == "refused"
        monkeypatch.setattr(webrtc, "OFFERS_MAX", 0)
        assert await error(camera.camera_id) == "busy"
        monkeypatch.setattr(webrtc, "OFFERS_MAX", 16)

        async def lies(*_: Any) -> tuple[int, str, bytes]:
            return 201, "application/sdp", b"v=0" + b"x" * 100_000

        go_on = asyncio.Event()

        async def hangs(*_: Any) -> tuple[int, str, bytes]:
            await go_on.wait()
            return await lies()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(box.go2rtc, "_answer", lies)
            assert await error(camera.camera_id) == "go2rtc_away"
            patch.setattr(webrtc, "ANSWER_SEC", 0.1)
            patch.setattr(box.go2rtc, "_answer", hangs)
            assert await error(camera.camera_id) == "go2rtc_away"
            go_on.set()
        await box.go2rtc.stop()
        assert await error(camera.camera_id) == "go2rtc_away"


@pytest.mark.slow
async def test_a_wall_of_cameras_is_answered_though_few_at_a_time(
    gateway: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc, "AT_ONCE", 2)
    async with SimCam() as cam, gateway(**box.setting):
        cameras = [as_rtsp(cam) for _ in range(5)]
        await box.online(*cameras)
        most = running = 0
        answer = box.go2rtc._answer

        async def counted(*call: Any) -> tuple[int, str, bytes]:
            nonlocal most, running
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return await answer(*call)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(box.go2rtc, "_answer", counted)
            replies = await asyncio.gather(*(box.offer(camera.camera_id) for camera in cameras))
        assert all(reply.ok for reply in replies), replies
        assert most == 2


@pytest.mark.slow
async def test_without_one_it_says_so(gateway: Running, box: Box) -> None:
    async with gateway():
        await box.until(lambda: box.side.connected)
        assert not box.side.hellos[-1].has_go2rtc
        assert (await box.offer(uuid4())).error == "unsupported"


@pytest.mark.slow
async def test_the_sub_stream_has_a_name_of_its_own_and_none_is_main(gateway: Running, box: Box) -> None:
    async with SimCam() as cam, SimCam(SimCamConfig()) as plain, gateway(**box.setting):
        camera = as_onvif(cam)
        bare = as_rtsp(plain)
        await box.online(camera, bare)
        for tier in ("main", "sub"):
            await box.answered(camera, tier)
            await box.answered(bare, tier)
        main, sub = (box.go2rtc.streams[box.name(camera, tier)][0] for tier in ("main", "sub"))
        assert main != sub
        assert f"@127.0.0.1:{cam.rtsp_port}/" in sub
        (plain_main,), (plain_sub,) = (box.go2rtc.streams[box.name(bare, tier)] for tier in ("main", "sub"))
        assert plain_main == plain_sub


@pytest.mark.slow
async def test_what_is_handed_over_was_judged_and_is_an_address_no_name(gateway: Running, box: Box) -> None:
    """A name may mean another machine by the time that go2rtc asks."""
    async with SimCam() as cam, gateway(**box.setting):
        named = {"host": "localhost", "rtsp_url": cam.rtsp_url.replace("127.0.0.1", "localhost")}
        camera, forbidden = as_rtsp(cam, **named), as_rtsp(cam, allow_loopback=False)
        await box.online(camera)
        await box.answered(camera)
        (source,) = box.go2rtc.streams[box.name(camera)]
        assert "localhost" not in source
        assert f"@127.0.0.1:{cam.rtsp_port}/" in source
        await box.side.desire(camera, forbidden)
        await box.until(lambda: box.side.status(forbidden.camera_id))
        assert box.side.status(forbidden.camera_id).reason == "address_forbidden"
        assert (await box.offer(forbidden.camera_id)).error == "not_online"
        assert set(box.go2rtc.streams) == {box.name(camera)}


async def test_a_camera_that_goes_while_it_is_registered_is_removed_again(
    gateway: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """go2rtc has the name after the list was read: whoever put it there sees to it."""
    async with SimCam() as cam, gateway(**box.setting):
        camera = as_rtsp(cam)
        await box.online(camera)
        answer, reached, go_on = box.go2rtc._answer, asyncio.Event(), asyncio.Event()

        async def slowly(method: str, *rest: Any) -> tuple[int, str, bytes]:
            if method == "PUT":
                reached.set()
                await go_on.wait()
            return await answer(method, *rest)

        monkeypatch.setattr(box.go2rtc, "_answer", slowly)
        asking = asyncio.ensure_future(box.offer(camera.camera_id))
        await reached.wait()
        await box.side.desire()
        await box.until(box.is_applied)
        go_on.set()
        await asking
        await box.until(lambda: box.go2rtc.streams == {})


def test_the_setting_is_an_http_address_and_does_not_print() -> None:
    key = "NOVAVMS_GATEWAY_GO2RTC_URL"
    settings = from_environment({key: "http://u:hunter2@127.0.0.1:1984"})
    assert settings.go2rtc_url == Secret("http://u:hunter2@127.0.0.1:1984")
    assert "hunter2" not in repr(settings)
    assert from_environment({key: ""}) == Settings()
    for text in ("127.0.0.1:1984", "rtsp://127.0.0.1", "http://u:hunter2/x@127.0.0.1"):
        with pytest.raises(SettingsError) as refused:
            from_environment({key: text})
        assert str(refused.value) == f"{key} must look like http://127.0.0.1:1984."
