"""The connection check against the simulated camera: every reason that it can give, and what a wrong login costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nova_check import PASSWORD, POLICY, camera, check, codes, names, onvif, rtsp, until

from novavms_camera.check import AddressPolicy, check_camera, validate_source
from novavms_camera.check.run import NO_LOGIN_HINT
from novavms_camera.faults import HINTS
from novavms_camera.source import CameraSource

pytestmark = pytest.mark.anyio

Case = tuple[str, str, dict[str, Any], str, str]
FAILURES: list[Case] = [
    # kind, what, faults, reason, stage
    ("onvif", "web server", {"not_onvif": True}, "not_onvif", "clock"),
    ("onvif", "broken XML", {"broken_xml": True}, "not_onvif", "clock"),
    ("onvif", "no profiles", {"no_profiles": True}, "no_profiles", "profiles"),
    ("onvif", "ONVIF refused", {"refuse": "onvif"}, "refused", "connect"),
    ("onvif", "RTSP refused", {"refuse": "rtsp"}, "refused", "describe"),
    ("onvif", "RTSP full", {"too_many_connections": "setup"}, "too_many_connections", "media"),
    ("rtsp", "RTSP refused", {"refuse": "rtsp"}, "refused", "connect"),
    ("rtsp", "HTTP on the RTSP port", {"not_rtsp": True}, "not_rtsp", "describe"),
    ("rtsp", "path 404", {"wrong_path": 404}, "path_not_found", "describe"),
    ("rtsp", "path 400", {"wrong_path": 400}, "path_not_found", "describe"),
    ("rtsp", "453 at DESCRIBE", {"too_many_connections": "describe"}, "too_many_connections", "describe"),
    ("rtsp", "453 at SETUP", {"too_many_connections": "setup"}, "too_many_connections", "media"),
    ("rtsp", "453 at PLAY", {"too_many_connections": "play"}, "too_many_connections", "media"),
    ("rtsp", "no video", {"no_video": True}, "no_video", "describe"),
    ("rtsp", "Motion JPEG", {"mjpeg": True}, "codec_unsupported", "describe"),
    ("rtsp", "UDP only", {"udp_only": True}, "transport_unsupported", "media"),
    ("rtsp", "garbage for SDP", {"malformed_sdp": "garbage"}, "malformed_stream", "describe"),
]


@pytest.mark.parametrize(("kind", "what", "faults", "reason", "stage"), FAILURES)
async def test_the_reason(kind: str, what: str, faults: dict[str, Any], reason: str, stage: str) -> None:
    async with camera(faults=faults) as cam:
        report = await check(onvif(cam) if kind == "onvif" else rtsp(cam))
        assert not report.ok
        assert (report.reason, report.stages[-1].name) == (reason, stage), report
        assert [s.ok for s in report.stages] == [True] * (len(report.stages) - 1) + [False]
        assert report.stages[-1].reason == reason
        assert report.hint
        port = (
            cam.onvif_port if stage in {"connect", "clock", "profiles"} and kind == "onvif" else cam.rtsp_port
        )
        assert f"127.0.0.1:{port}" in (report.message or "")
        await until(lambda: cam.sessions == 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onvif", "rtsp"])
async def test_a_silent_camera_is_a_timeout(kind: str) -> None:
    async with camera(faults={"silent": True}) as cam:
        report = await check(onvif(cam) if kind == "onvif" else rtsp(cam), time_cap_sec=4)
        assert (report.reason, report.stages[-1].name) == (
            "timeout",
            "clock" if kind == "onvif" else "describe",
        )


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["setup", "play"])
async def test_a_request_that_is_never_answered_is_named(stage: str) -> None:
    async with camera(faults={"slow_answer_sec": 1000.0, "slow_stage": stage}) as cam:
        report = await check(rtsp(cam))
        assert (report.reason, report.stages[-1].name) == ("timeout", "media")
        assert f"{stage.upper()} was not answered within 5 s" in (report.message or "")


async def test_sound_that_is_not_recorded_is_a_warning() -> None:
    async with camera(faults={"odd_audio": True}) as cam:
        report = await check(rtsp(cam))
        assert report.ok, report
        assert codes(report) == {"audio_unsupported"}


@pytest.mark.slow
async def test_a_session_without_packets_is_no_media() -> None:
    async with camera(faults={"no_media": True}) as cam:
        report = await check(rtsp(cam))
        assert (report.reason, report.stages[-1].name) == ("no_media", "media")
        await until(lambda: cam.sessions == 0)


@pytest.mark.slow
async def test_media_without_a_key_frame_in_time_is_no_media() -> None:
    async with camera(faults={"start_mid_gop": True, "long_gop": 60.0}) as cam:
        report = await check(rtsp(cam), time_cap_sec=5)
        assert (report.reason, report.stages[-1].name) == ("no_media", "media"), report
        await until(lambda: cam.sessions == 0)


async def test_a_name_that_does_not_resolve() -> None:
    source = CameraSource(kind="onvif", host="camera.invalid", port=80)
    report = await check(source)
    assert (report.reason, names(report)) == ("dns_failed", ["policy", "resolve"])


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost"])
async def test_the_policy_is_asked_again_at_the_place_that_dials(host: str) -> None:
    source = CameraSource(kind="onvif", host=host, port=80)
    report = await check_camera(source, policy=AddressPolicy())
    assert (report.reason, names(report)) == ("address_forbidden", ["policy"])


@pytest.mark.parametrize(
    ("wanted", "faults", "used"),
    [
        ("tcp", {}, "tcp"),
        ("udp", {}, "udp"),
        ("auto", {}, "tcp"),
        ("auto", {"udp_only": True}, "udp"),
        ("auto", {"tcp_only": True}, "tcp"),
        ("tcp", {"udp_only": True}, "transport_unsupported"),
        ("udp", {"tcp_only": True}, "transport_unsupported"),
        ("auto", {"udp_only": True, "tcp_only": True}, "transport_unsupported"),
    ],
)
async def test_media_comes_as_asked_or_by_the_way_that_works(
    wanted: Any, faults: dict[str, Any], used: str
) -> None:
    async with camera(faults=faults) as cam:
        for source in (rtsp(cam, transport=wanted), replace(onvif(cam), transport=wanted)):
            report = await check(source)
            assert (report.facts.transport or report.reason) == used, report
            assert report.ok == (used in {"tcp", "udp"})
            await until(lambda: cam.sessions == 0 and cam.stats.connections == 0)
        assert cam.login_attempts.failed == 0


async def test_tls_to_a_port_that_speaks_none() -> None:
    async with camera(faults={"not_rtsp": True}) as cam:
        url = cam.rtsp_url.replace("rtsp://", "rtsps://")
        report = await check(validate_source(kind="rtsp", rtsp_url=url, policy=POLICY), time_cap_sec=4)
        assert names(report) == ["policy", "resolve", "connect", "tls"]
        assert report.reason == "tls_failed", report


# ---- logins are counted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["digest", "basic", "both", "digest-sha256"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_a_wrong_onvif_password_costs_two_tries_at_most(auth: Any, status: int) -> None:
    async with camera(auth=auth, faults={"not_authorized_status": status, "locks_after": 3}) as cam:
        report = await check(onvif(cam, password="wrong-" + PASSWORD))
        assert (report.reason, report.stages[-1].name) == ("auth_failed", "login"), report
        assert 1 <= cam.login_attempts.failed <= 2
        assert not cam.gatekeeper.is_locked


@pytest.mark.parametrize("auth", ["digest", "digest-sha256"])
async def test_a_wrong_password_by_http_digest_only(auth: Any) -> None:
    async with camera(auth=auth, faults={"no_ws_token": True, "locks_after": 3}) as cam:
        report = await check(onvif(cam, password="wrong"))
        assert (report.reason, report.stages[-1].name) == ("auth_failed", "login"), report
        assert 1 <= cam.login_attempts.failed <= 2


@pytest.mark.parametrize("auth", ["digest", "basic", "both", "digest-sha256"])
async def test_a_wrong_rtsp_password_costs_two_tries_at_most(auth: Any) -> None:
    async with camera(auth=auth, faults={"locks_after": 3}) as cam:
        report = await check(rtsp(cam, password="wrong-" + PASSWORD))
        assert (report.reason, report.stages[-1].name) == ("auth_failed", "describe"), report
        assert 1 <= cam.login_attempts.failed <= 2


async def test_no_credentials_where_the_camera_wants_some() -> None:
    async with camera() as cam:
        for source in (
            onvif(cam, username=None, password=None),
            validate_source(kind="rtsp", rtsp_url=cam.rtsp_url, policy=POLICY),
        ):
            report = await check(source)
            assert report.reason == "auth_failed"
            assert report.hint == NO_LOGIN_HINT
            assert cam.login_attempts.failed == 0
        wrong = await check(rtsp(cam, password="wrong"))
        assert wrong.hint == HINTS["auth_failed"]


@pytest.mark.parametrize("kind", ["onvif", "rtsp"])
async def test_a_locked_account_is_told_apart(kind: str) -> None:
    async with camera(faults={"locks_after": 1}) as cam:
        await check(onvif(cam, password="wrong"))
        assert cam.gatekeeper.is_locked
        report = await check(onvif(cam) if kind == "onvif" else rtsp(cam))
        # over RTSP this camera says a bare 403, but before it has asked for a login
        assert report.reason == "locked_out", report
        assert cam.login_attempts.failed == 1
