"""Live view from the gateway's side: real cameras (simulated), real sockets, the body as the server gets it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
import pytest
from nova_camera import as_onvif, as_rtsp
from nova_mp4 import decode

from novavms_gateway import station
from novavms_gateway.kit.machine import Machine
from novavms_gateway.live import sender, tiers
from novavms_protocol import CameraConfig, Check, Watch
from novavms_protocol.live import ALIVE, INIT, MEDIA, NOTE
from novavms_simcam import DEFAULT_PASSWORD, SimCam, SimCamConfig
from novavms_simcam.media import footage_path

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]
MAIN, SUB = (768, 576), (384, 288)


@pytest.fixture(autouse=True)
def idle_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs beside the tests."""
    monkeypatch.setattr(Machine, "cpu_percent", lambda machine: 20.0)


class Looking:
    """One gateway's server side, and what it asks of it."""

    def __init__(self, side: Any, wait_until: Any) -> None:
        self.side = side
        self.until = wait_until
        self.count = 0

    async def online(self, *cameras: CameraConfig) -> None:
        await self.side.bring_online(*cameras)

    async def watch(self, camera: CameraConfig, tier: str = "main") -> Any:
        self.count += 1
        live, url = self.side.live(str(self.count))
        reply = await self.side.ask(Watch(camera_id=camera.camera_id, tier=tier, url=url))
        assert (reply.ok, reply.result) == (True, {})
        return live

    async def shows(self, live: Any, **note: Any) -> Any:
        """Until the newest note says that, and a picture follows it."""

        def is_shown() -> bool:
            if live.note is None or any(getattr(live.note, name) != value for name, value in note.items()):
                return False
            last = max(number for number, frame in enumerate(live.frames) if frame.kind == NOTE)
            return live.note.codecs is None or bool(live.media(last))

        await self.until(is_shown, within_sec=60)
        return live.note


@pytest.fixture
def looking(server_side: Any, wait_until: Any) -> Looking:
    return Looking(server_side, wait_until)


async def test_the_body_begins_with_the_last_gop_and_decodes(gateway: Running, looking: Looking) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam, pre_roll_sec=30)
        await looking.online(camera)
        await looking.until(lambda: cam.stats.frames_sent > 125)
        live = await looking.watch(camera)
        await looking.until(lambda: len(live.media()) > 10)
        assert [frame.kind for frame in live.frames[:3]] == [NOTE, INIT, MEDIA]
        note = live.notes[0]
        assert (note.tier, note.tier_reason, note.codec, note.codecs) == (
            "main",
            None,
            "h264",
            "avc1.64001f,mp4a.40.2",
        )
        assert ((note.width, note.height), note.has_audio) == (MAIN, True)
        first, *following = live.media()
        assert first.is_key
        assert 0 < following[9].start_90k - first.start_90k < 4.5 * 90_000, "the last GOP, not the pre-roll"
        film = decode(live.film())
        assert (film.first_is_key, film.monotonic, film.audio_codec) == (True, True, "aac")
        assert (film.width, film.height) == MAIN
        assert not live.is_over


async def test_a_tier_is_one_session_however_many_look_and_sub_ends_after_its_last(
    gateway: Running, looking: Looking, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with SimCam() as cam, gateway():
        cam.set_fault("one_session_per_stream")
        camera = as_onvif(cam)
        await looking.online(camera)
        lives = [await looking.watch(camera, tier) for tier in ("main", "sub", "sub", "main")]
        for live, size in zip(lives, (MAIN, SUB, SUB, MAIN), strict=True):
            note = await looking.shows(live, width=size[0])
            assert note.tier == ("main" if size == MAIN else "sub")
            assert note.tier_reason is None
        assert (cam.sessions, cam.stats.sessions_total) == (2, 2)
        for live in lives[:2]:
            live.hang_up.set()
        count = len(lives[2].frames)
        await looking.until(lambda: len(lives[2].frames) > count + 5)
        assert cam.sessions == 2, "somebody looks still"
        for live in lives[2:]:
            live.hang_up.set()
        await looking.until(lambda: cam.sessions == 1)
        assert cam.stats.requests["TEARDOWN"] == 1
        again = await looking.watch(camera, "sub")
        await looking.shows(again, tier="sub")
        assert cam.stats.sessions_total == 3
        assert cam.login_attempts.failed == 0
    await looking.until(lambda: cam.sessions == 0)
    assert DEFAULT_PASSWORD not in caplog.text
    assert [record for record in caplog.records if record.exc_info or record.levelno > logging.INFO] == []


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_a_camera_without_a_sub_stream_gives_main_and_says_so(
    gateway: Running, looking: Looking, kind: str
) -> None:
    async with SimCam(SimCamConfig(media=footage_path("h264"))) as cam, gateway():
        camera = as_rtsp(cam) if kind == "rtsp" else as_onvif(cam)
        await looking.online(camera)
        live = await looking.watch(camera, "sub")
        note = await looking.shows(live, tier_reason="no_sub_stream", codec="h264")
        assert note.tier == "main"
        assert cam.stats.sessions_total == 1


async def test_a_sub_stream_that_fails_gives_main_and_is_not_asked_for_again_at_once(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        cam.set_fault("max_sessions", 1)
        for _ in range(2):
            live = await looking.watch(camera, "sub")
            note = await looking.shows(live, tier_reason="sub_failed", codec="h264")
            assert note.tier == "main"
        assert cam.stats.requests["SETUP"] <= 2 + 2, "picture and sound of main, and one try for sub"


async def test_a_refused_login_for_sub_is_not_tried_a_second_time(gateway: Running, looking: Looking) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        cam.set_fault("other_rtsp_user")
        describes = cam.stats.requests["DESCRIBE"]
        live = await looking.watch(camera, "sub")
        await looking.shows(live, tier_reason="sub_failed", tier="main")
        tried = cam.stats.requests["DESCRIBE"] - describes
        live.hang_up.set()
        for _ in range(3):
            live = await looking.watch(camera, "sub")
            await looking.shows(live, tier_reason="sub_failed", tier="main")
        assert cam.stats.requests["DESCRIBE"] - describes == tried <= 2, "one challenge, one login"
        assert cam.sessions == 1, "the recording goes on"


async def test_where_sub_is_recorded_main_is_opened_for_who_wishes_for_it(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam, recording_stream="sub")
        await looking.online(camera)
        assert looking.side.status(camera.camera_id).active_tier == "sub"
        sub, main = await looking.watch(camera, "sub"), await looking.watch(camera, "main")
        await looking.shows(sub, tier="sub", width=SUB[0])
        await looking.shows(main, tier="main", width=MAIN[0])
        assert (cam.sessions, cam.stats.sessions_total) == (2, 2)


async def test_an_unplugged_camera_is_told_and_the_picture_follows_when_it_is_back(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await looking.online(camera)
        live, second = await looking.watch(camera), None
        await looking.shows(live, codec="h264")
        await cam.unplug()
        note = await looking.shows(live, codecs=None)
        assert note.reason in {"connection_lost", "refused"}
        assert DEFAULT_PASSWORD not in note.message
        second = await looking.watch(camera)
        await looking.shows(second, codecs=None)
        assert [frame.kind for frame in second.frames[:1]] == [NOTE]
        await looking.until(lambda: any(frame.kind == ALIVE for frame in second.frames))
        before = len(live.frames)
        await cam.plug()
        await looking.shows(live, codec="h264")
        await looking.shows(second, codec="h264")
        assert live.media(before)[0].is_key
        assert live.media(before)[0].start_90k > live.media()[0].start_90k, "one timeline over both sessions"
        assert decode(live.film()).first_is_key


async def test_who_wishes_for_sub_of_a_camera_that_is_away_gets_sub_when_it_is_back(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        await cam.unplug()
        await looking.until(lambda: looking.side.status(camera.camera_id).status == "offline")
        live = await looking.watch(camera, "sub")
        note = await looking.shows(live, codecs=None)
        assert note.tier == "sub"
        assert note.reason in ("connection_lost", "refused")
        await cam.plug()
        await looking.shows(live, codec="h264")
        assert {note.tier for note in live.notes} == {"sub"}, "main is not shown in between"
        assert cam.stats.sessions_total == 3


async def test_another_format_is_a_note_and_an_init_of_its_own(gateway: Running, looking: Looking) -> None:
    async with SimCam() as cam, gateway():
        cam.set_fault("format_change", "resolution")
        camera = as_rtsp(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        await looking.until(lambda: len({note.width for note in live.notes}) > 1 and live.media())
        kinds = [frame.kind for frame in live.frames if frame.kind in {NOTE, INIT}]
        assert kinds == [NOTE, INIT] * (len(kinds) // 2)
        assert all(note.codecs for note in live.notes)


async def test_a_changed_camera_goes_on_in_the_same_body_and_a_removed_one_ends_it(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        await looking.shows(live, width=MAIN[0])
        moved = msgspec.structs.replace(camera, rtsp_url=cam.stream_url("sub"), revision=2)
        await looking.side.desire(moved)
        await looking.shows(live, width=SUB[0])
        assert not live.is_over
        await looking.side.desire(msgspec.structs.replace(moved, enabled=False, revision=3))
        await looking.until(lambda: live.is_over)
        _, url = looking.side.live("disabled")
        reply = await looking.side.ask(Watch(camera_id=camera.camera_id, tier="main", url=url))
        assert (reply.ok, reply.error) == (False, "unknown_camera")
        reply = await looking.side.ask(Watch(camera_id=camera.camera_id, tier="main", url="http://evil/x"))
        assert (reply.ok, reply.error) == (False, "unsupported")


async def test_a_check_that_needs_the_only_session_gets_it_from_those_who_look(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        main, sub = await looking.watch(camera), await looking.watch(camera, "sub")
        await looking.shows(main, tier="main")
        await looking.shows(sub, tier="sub")
        cam.set_fault("max_sessions", 1)
        check = Check(
            camera_id=camera.camera_id,
            kind="onvif",
            host="127.0.0.1",
            port=camera.port,
            username="admin",
            password=DEFAULT_PASSWORD,
            allow_loopback=True,
        )
        reply = await looking.side.ask(check, timeout_sec=20)
        assert reply.ok, reply
        assert reply.result["ok"], reply.result
        for live in (main, sub):
            count = len(live.media())
            await looking.until(lambda live=live, count=count: len(live.media()) > count)
            assert not live.is_over


async def test_a_server_that_hangs_up_or_refuses_is_left_at_once_even_while_nothing_comes(
    gateway: Running, looking: Looking, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def ends() -> list[Any]:
        return [record.facts for record in caplog.records if record.message == "live ended"]

    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await looking.online(camera)
        await cam.unplug()
        live = await looking.watch(camera)
        await looking.shows(live, codecs=None)
        live.hang_up.set()
        await looking.until(ends)
        refused = Watch(camera_id=camera.camera_id, tier="main", url="/api/v1/live-in/nobody")
        assert (await looking.side.ask(refused)).ok
        await looking.until(lambda: len(ends()) == 2)
        assert [fact["status"] for fact in ends()] == [200, 404]
    assert [record for record in caplog.records if record.exc_info] == []


async def test_an_uplink_that_does_not_hold_main_brings_sub(gateway: Running, looking: Looking) -> None:
    async with SimCam() as cam, gateway(uplink_max_kbps=300):
        camera = as_onvif(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        await looking.shows(live, tier="main")
        note = await looking.shows(live, tier="sub", codec="h264")
        assert note.tier_reason == "uplink"
        status = looking.side.status
        await looking.until(lambda: status(camera.camera_id).active_tier == "sub")
        assert decode(live.film()).first_is_key
        live.hang_up.set()
        await looking.until(lambda: status(camera.camera_id).active_tier == "main")


async def test_a_machine_at_its_limit_brings_sub_and_main_again_after_it(
    gateway: Running, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    percent = 20.0
    monkeypatch.setattr(station, "TELEMETRY_EVERY_SEC", 0.2)
    monkeypatch.setattr(tiers, "FIRST_HOLD_SEC", 1.0)
    monkeypatch.setattr(Machine, "cpu_percent", lambda machine: percent)
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        await looking.shows(live, tier="main", codec="h264")
        percent = 95.0
        note = await looking.shows(live, tier="sub", codec="h264")
        assert note.tier_reason == "cpu"
        assert looking.side.status(camera.camera_id).active_tier == "sub"
        percent = 20.0
        note = await looking.shows(live, tier="main", codec="h264")
        assert note.tier_reason is None
        await looking.until(lambda: looking.side.status(camera.camera_id).active_tier == "main")
        await looking.until(lambda: cam.sessions == 1)
        assert not live.is_over


async def test_more_than_it_can_send_is_refused(
    gateway: Running, looking: Looking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sender, "SENDING_MAX", 1)
    async with SimCam() as cam, gateway():
        camera = as_rtsp(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        _, url = looking.side.live("second")
        second = Watch(camera_id=camera.camera_id, tier="main", url=url)
        assert (await looking.side.ask(second)).error == "busy"
        await looking.shows(live, codec="h264")
        live.hang_up.set()
        await looking.until(lambda: "live ended" in caplog.messages)
        assert (await looking.side.ask(second)).ok


async def test_a_server_that_does_not_read_is_waited_for_in_bounded_memory(
    gateway: Running, looking: Looking
) -> None:
    async with SimCam() as cam, gateway():
        camera = as_onvif(cam)
        await looking.online(camera)
        live = await looking.watch(camera)
        await looking.shows(live, tier="main")
        live.reads.clear()
        frames = cam.stats.frames_sent
        await looking.until(lambda: cam.stats.frames_sent > frames + 15 * 15, within_sec=60)
        live.reads.set()
        note = await looking.shows(live, tier="sub", codec="h264")
        assert note.tier_reason == "uplink"
