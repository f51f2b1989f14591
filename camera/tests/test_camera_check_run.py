"""The connection check against the simulated camera: what a healthy one shows, however odd; no secret in it; cancelled at any time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec
import pytest
from nova_check import PASSWORD, camera, check, codes, names, onvif, rtsp, until

from novavms_camera.check import CheckReport, Stage
from novavms_camera.source import CameraSource

pytestmark = pytest.mark.anyio

ONVIF_STAGES = ["policy", "resolve", "connect", "clock", "login", "identity", "profiles", "describe", "media"]
RTSP_STAGES = ["policy", "resolve", "connect", "describe", "media"]


# ---- healthy cameras ---------------------------------------------------------------------------------------


async def test_a_healthy_onvif_camera_tells_all_its_facts() -> None:
    async with camera(name="Front door") as cam:
        heard: list[Stage] = []
        report = await check(onvif(cam), on_stage=heard.append)
        assert report.ok, report
        assert names(report) == ONVIF_STAGES
        assert heard == report.stages
        assert all(stage.ok and stage.reason is None for stage in report.stages)
        assert (report.reason, report.message, report.hint, report.warnings) == (None, None, None, [])
        facts, main = report.facts, cam.media["main"].video
        assert (facts.codec, facts.width, facts.height) == ("h264", main.width, main.height)
        assert facts.fps == pytest.approx(main.fps, abs=1)
        assert (facts.transport, facts.has_audio, facts.audio_codec) == ("tcp", True, "aac")
        assert (facts.manufacturer, facts.model, facts.firmware) == ("NovaVMS", "SimCam", "1.0.0")
        assert (facts.serial, facts.mac) == (cam.config.serial, cam.config.mac)
        assert facts.endpoint_reference == cam.config.endpoint_reference
        assert facts.stream_url == cam.rtsp_url
        assert facts.sub_stream_url == cam.stream_url("sub")
        assert [profile.tier for profile in facts.profiles] == ["main", "sub"]
        assert facts.profiles[0].rtsp_url == cam.rtsp_url
        assert facts.keyframe_interval_sec
        assert facts.bit_rate
        assert abs(facts.clock_offset_sec or 0) < 3
        await until(lambda: cam.sessions == 0)
        assert cam.login_attempts.failed == 0


async def test_a_healthy_rtsp_camera() -> None:
    async with camera() as cam:
        report = await check(rtsp(cam))
        assert report.ok, report
        assert names(report) == RTSP_STAGES
        assert report.facts.stream_url == cam.rtsp_url
        assert report.facts.address == "127.0.0.1"
        assert report.facts.fps == pytest.approx(cam.media["main"].video.fps, abs=1)
        assert report.facts.bit_rate == 1000 * cam.media["main"].video.bitrate_kbps
        await until(lambda: cam.sessions == 0)
        assert cam.stats.requests["TEARDOWN"] == 1


async def test_one_connection_serves_all_onvif_calls_and_one_all_rtsp_requests() -> None:
    async with camera() as cam:
        port, seen = cam._onvif, set[asyncio.Transport]()
        assert port is not None
        assert (await check(onvif(cam), on_stage=lambda stage: seen.update(port.transports))).ok
        assert len(seen) == 1
        assert cam.stats.connections_total == 1  # RTSP
        assert cam.stats.requests["SETUP"] == 2  # picture and sound
        assert cam.stats.requests["PLAY"] == cam.stats.requests["TEARDOWN"] == 1


@pytest.mark.parametrize("auth", ["digest", "basic", "both", "digest-sha256", "none"])
@pytest.mark.parametrize("kind", ["onvif", "rtsp"])
async def test_every_login_with_a_hard_password(auth: Any, kind: str) -> None:
    async with camera(auth=auth) as cam:
        report = await check(onvif(cam) if kind == "onvif" else rtsp(cam))
        assert report.ok, report
        assert cam.login_attempts.failed == 0


@pytest.mark.parametrize("auth", ["digest", "digest-sha256"])
async def test_http_digest_where_the_camera_ignores_the_token(auth: Any) -> None:
    async with camera(auth=auth, faults={"no_ws_token": True}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        login = next(stage for stage in report.stages if stage.name == "login")
        assert login.detail == "HTTP Digest"
        assert cam.login_attempts.failed == 0


async def test_nonces_that_are_good_for_one_request_only() -> None:
    async with camera(faults={"no_ws_token": True, "stale_nonce": True}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert cam.login_attempts.failed == 0


async def test_h265_is_fine_with_a_warning() -> None:
    async with camera(media="h265") as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert report.facts.codec == "h265"
        assert codes(report) == {"h265_browser_limited"}


@pytest.mark.parametrize("audio", ["aac", "pcma", "pcmu", "none"])
async def test_audio_facts(audio: Any) -> None:
    async with camera(audio=audio) as cam:
        report = await check(rtsp(cam))
        assert report.ok, report
        assert report.facts.has_audio == (audio != "none")
        assert report.facts.audio_codec == (None if audio == "none" else audio)


@pytest.mark.parametrize("fault", ["media1_only", "media2_only"])
async def test_either_media_service_will_do(fault: str) -> None:
    async with camera(faults={fault: True}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert [profile.tier for profile in report.facts.profiles] == ["main", "sub"]


@pytest.mark.parametrize("offset", [10800.0, -10800.0, 86400.0 * 365])
async def test_a_wrong_clock_costs_a_warning_and_no_login(offset: float) -> None:
    async with camera(faults={"clock_offset_sec": offset}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert codes(report) == {"clock_skew"}
        assert report.facts.clock_offset_sec == pytest.approx(offset, abs=3)
        assert cam.login_attempts.failed == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.77", "169.254.169.254", "cam.invalid"])
async def test_a_stream_address_elsewhere_is_repaired_never_dialled(host: str) -> None:
    async with camera(faults={"stream_uri_host": host, "xaddr_host": host}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert codes(report) == {"address_rewritten"}
        assert host in report.warnings[0].message
        assert report.facts.stream_url == cam.rtsp_url


@pytest.mark.slow
async def test_key_frames_far_apart_are_a_warning() -> None:
    async with camera(faults={"start_mid_gop": True, "long_gop": 6.0}) as cam:
        report = await check(rtsp(cam))
        assert report.ok, report
        assert codes(report) == {"long_gop"}


@pytest.mark.parametrize("charset", ["latin1", "gb2312", "declared", "bom"])
async def test_foreign_letters_in_whatever_encoding_cost_nothing(charset: str) -> None:
    async with camera(faults={"wrong_charset": charset}) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert report.facts.serial == cam.config.serial
        assert report.facts.model
        assert report.facts.model.isascii() is False
        assert msgspec.json.encode(report)


async def test_a_server_busy_with_the_last_description_is_asked_again() -> None:
    async with camera(faults={"busy_once": True}) as cam:
        for source in (onvif(cam), rtsp(cam)):
            report = await check(source)
            assert report.ok, report


async def test_an_answer_without_end_is_given_up() -> None:
    async with camera(faults={"huge_answer": True}) as cam:
        report = await check(onvif(cam))
        assert (report.reason, report.stages[-1].name) == ("camera_error", "clock"), report
        assert "bytes" in (report.message or "")


@pytest.mark.slow
async def test_an_answer_that_dribbles_is_a_timeout_of_its_stage() -> None:
    async with camera(faults={"slow_body_sec": 60.0}) as cam:
        report = await check(onvif(cam))
        assert (report.reason, report.stages[-1].name) == ("timeout", "clock"), report
        assert report.elapsed_ms < 15_000


# ---- secrets, cancellation, shape ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["", "wrong-"])
async def test_no_password_in_any_text(wrong: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with camera() as cam:
        for make in (onvif, rtsp):
            report = await check(make(cam, password=wrong + PASSWORD))
            texts = [repr(report), msgspec.json.encode(report).decode(), json.dumps(report.to_dict())]
            assert not any(PASSWORD in text or "p@:/#" in text for text in texts)
    assert PASSWORD not in caplog.text
    assert "p%40" not in caplog.text


async def test_the_report_is_the_documented_json() -> None:
    async with camera() as cam:
        report = await check(onvif(cam, password="wrong"))
    plain = report.to_dict()
    assert list(plain) == [
        "ok", "reason", "message", "hint", "elapsed_ms", "stages", "warnings", "facts",
    ]  # fmt: skip
    assert list(plain["stages"][0]) == ["name", "ok", "ms", "reason", "detail"]
    assert plain["reason"] == plain["stages"][-1]["reason"] == "auth_failed"
    assert msgspec.json.decode(json.dumps(plain), type=CheckReport) == report


async def cancelled_when(source: CameraSource, ready: Callable[[], bool]) -> None:
    task = asyncio.create_task(check(source))
    await until(ready)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_in_the_middle_of_media_the_session_is_torn_down() -> None:
    async with camera(faults={"start_mid_gop": True, "long_gop": 60.0}) as cam:
        await cancelled_when(rtsp(cam), lambda: cam.sessions == 1)
        await until(lambda: cam.sessions == 0 and cam.stats.connections == 0)


async def test_cancelled_by_a_scope_that_cancels_again_and_again_the_session_is_torn_down() -> None:
    """anyio's scopes, in which the server runs, cancel every await until the task has left them, the teardown's too."""
    async with camera(faults={"start_mid_gop": True, "long_gop": 60.0}) as cam:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(check, rtsp(cam))
            await until(lambda: cam.sessions == 1)
            tasks.cancel_scope.cancel()
        await until(lambda: cam.sessions == 0 and cam.stats.connections == 0)
        assert cam.stats.requests["TEARDOWN"] == 1


async def test_cancelled_in_the_middle_of_onvif_nothing_stays_open() -> None:
    async with camera(faults={"slow_answer_sec": 30.0}) as cam:
        seen: list[str] = []
        task = asyncio.create_task(check(onvif(cam), on_stage=lambda s: seen.append(s.name)))
        await until(lambda: "connect" in seen and cam.stats.requests.get("tds:GetSystemDateAndTime") == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cam._onvif is not None
        onvif_port = cam._onvif
        await until(lambda: not onvif_port.transports)


async def test_many_checks_at_once() -> None:
    async with camera() as cam:
        checks: list[Awaitable[CheckReport]] = [check(onvif(cam)) for _ in range(10)]
        reports = await asyncio.gather(*checks)
        assert all(report.ok for report in reports), [report.message for report in reports]
        await until(lambda: cam.sessions == 0)
