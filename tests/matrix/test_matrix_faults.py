"""Every fault × every way that a camera is checked: the exact reason, nothing left behind, no secret shown, inside the time cap."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest
from nova_matrix import MARGIN_MS, TIME_CAP_MS, WAYS, Case, Ear, Matrix, Outcome, Way

from novavms_simcam import FAULTS, SimCam

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("matrix"),  # all of them share one run
]

WRONG = "wrong-S3@:/#?%"
NEVER = 1000.0
AUTO = {"stream_transport": "auto"}
TLS = {"onvif_https": True, "rtsps_port": 0}


def warns(*codes: str) -> frozenset[str]:
    return frozenset(codes)


def lock(cam: SimCam) -> None:
    """Somebody else has tried too often."""
    cam.set_fault("locks_after", 1)
    cam.gatekeeper.check_header("DESCRIBE", "/", "Basic !" if cam.config.auth == "basic" else "Digest x=y")
    assert cam.gatekeeper.is_locked


def rtsp(name: str, reason: str | None = None, stage: str | None = None, **more: Any) -> Case:
    return Case(name=f"rtsp {name}", kind="rtsp", reason=reason, stage=stage, **more)


def onvif(name: str, reason: str | None = None, stage: str | None = None, **more: Any) -> Case:
    return Case(name=f"onvif {name}", kind="onvif", reason=reason, stage=stage, **more)


def wrong_login(kind: str, **more: Any) -> dict[str, Any]:
    return {"body": {f"{kind}_password": WRONG}, "failed_logins": 2, **more}


REACHING = [
    rtsp("healthy", facts={"codec": "h264", "transport": "tcp", "has_audio": True}),
    onvif(
        "healthy", facts={"codec": "h264", "transport": "tcp", "manufacturer": "NovaVMS", "model": "SimCam"}
    ),
    rtsp("refuse", "refused", "connect", faults={"refuse": "rtsp"}),
    onvif("refuse all", "refused", "connect", faults={"refuse": "all"}),
    onvif("refuse rtsp", "refused", "describe", faults={"refuse": "rtsp"}),
    rtsp("silent", "timeout", "describe", faults={"silent": True}),
    onvif("silent", "timeout", "clock", faults={"silent": True}),
    rtsp("slow answers", faults={"slow_answer_sec": 0.8}),
    onvif("slow answers", faults={"slow_answer_sec": 0.5}),
    rtsp(
        "never answers describe",
        "timeout",
        "describe",
        faults={"slow_answer_sec": NEVER, "slow_stage": "describe"},
    ),
    rtsp(
        "never answers options",
        "timeout",
        "describe",
        faults={"slow_answer_sec": NEVER, "slow_stage": "options"},
    ),
    rtsp("never answers setup", "timeout", "media", faults={"slow_answer_sec": NEVER, "slow_stage": "setup"}),
    rtsp(
        "never answers play",
        "timeout",
        "media",
        faults={"slow_answer_sec": NEVER, "slow_stage": "play"},
        tears_down=False,
    ),
    rtsp(
        "never answers teardown",
        faults={"slow_answer_sec": NEVER, "slow_stage": "teardown"},
        tears_down=False,
    ),
    onvif(
        "never answers clock", "timeout", "clock", faults={"slow_answer_sec": NEVER, "slow_stage": "clock"}
    ),
    onvif(
        "never answers login", "timeout", "login", faults={"slow_answer_sec": NEVER, "slow_stage": "login"}
    ),
    onvif("never answers identity", faults={"slow_answer_sec": NEVER, "slow_stage": "identity"}),
    onvif(
        "never answers profiles",
        "timeout",
        "profiles",
        faults={"slow_answer_sec": NEVER, "slow_stage": "profiles"},
    ),
    rtsp("not rtsp", "not_rtsp", "describe", faults={"not_rtsp": True}),
    onvif("not rtsp", "not_rtsp", "describe", faults={"not_rtsp": True}),
    onvif("not onvif", "not_onvif", "clock", faults={"not_onvif": True}),
    onvif("broken xml", "not_onvif", "clock", faults={"broken_xml": True}),
    rtsp("drops", faults={"drop_every_sec": 30}),
    rtsp("no such host", "dns_failed", "resolve", body={"rtsp_url": "rtsp://camera.invalid:554/stream/main"}),
    onvif("no such host", "dns_failed", "resolve", body={"host": "camera.invalid"}),
    rtsp("metadata address", "address_forbidden", "policy", body={"rtsp_url": "rtsp://169.254.169.254/main"}),
    onvif("multicast address", "address_forbidden", "policy", body={"host": "224.0.0.1"}),
    rtsp("url with a line end", "invalid_url", "policy", body={"rtsp_url": "rtsp://127.0.0.1/a\rb"}),
    rtsp("tls", camera={"rtsps_port": 0}, body={"rtsp_url": lambda cam: cam.rtsps_url}),
    *(
        rtsp(
            f"tls {way}",
            "tls_failed",
            "tls",
            camera={"rtsps_port": 0},
            faults={"tls_broken": way},
            body={"rtsp_url": lambda cam: cam.rtsps_url},
        )
        for way in ("plain", "hang", "alert")
    ),
    rtsp(
        "tls, another certificate",
        camera={"rtsps_port": 0},
        faults={"new_certificate": True},
        body={"rtsp_url": lambda cam: cam.rtsps_url},
    ),
    onvif("https", camera={"onvif_https": True}),
    onvif("https, another certificate", camera={"onvif_https": True}, faults={"new_certificate": True}),
    onvif("https and rtsps", camera=TLS, faults={"stream_uri_rtsps": True}),
    onvif("https, wrong password", "auth_failed", "login", camera=TLS, **wrong_login("onvif")),
    onvif("https, handshake refused", "tls_failed", "tls", camera=TLS, faults={"tls_broken": "alert"}),
    onvif("https, never answered", "timeout", "clock", camera=TLS, faults={"tls_broken": "hang"}),
    *(
        onvif(
            f"rtsps, {way}",
            "tls_failed",
            "tls",
            camera={"rtsps_port": 0},
            faults={"tls_broken": way, "stream_uri_rtsps": True},
        )
        for way in ("plain", "hang", "alert")
    ),
]

LOGIN = [
    *(
        Case(name=f"{kind} wrong password, {auth}", kind=kind, reason="auth_failed", camera={"auth": auth}, **wrong_login(kind))
        for kind in ("rtsp", "onvif")
        for auth in ("digest", "basic", "both", "digest-sha256", "digest-both")
    ),
    *(
        Case(name=f"{kind} right password, {auth}", kind=kind, camera={"auth": auth})
        for kind in ("rtsp", "onvif")
        for auth in ("basic", "both", "digest-sha256", "digest-both", "none")
    ),
    rtsp("no password", "auth_failed", "describe", body={"rtsp_username": None, "rtsp_password": None}, ways=("create", "direct", "test")),
    *(
        onvif(f"wrong password as HTTP {status}", "auth_failed", "login", faults={"not_authorized_status": status}, **wrong_login("onvif"))
        for status in (200, 400, 401, 403, 500)
    ),
    rtsp("slow refusal", "auth_failed", "describe", faults={"slow_refusal_sec": 2}, **wrong_login("rtsp")),
    onvif("slow refusal", "auth_failed", "login", faults={"slow_refusal_sec": 2}, **wrong_login("onvif")),
    onvif("locked", "locked_out", "login", before=lock),
    rtsp("locked", "locked_out", "describe", before=lock),
    onvif("locks after the first", "auth_failed", "login", faults={"locks_after": 1, "lock_sec": 600}, body={"onvif_password": WRONG}, failed_logins=1),
    *(
        onvif(f"no token, {auth}", camera={"auth": auth}, faults={"no_ws_token": True})
        for auth in ("digest", "digest-sha256", "digest-both")
    ),
    onvif("no token, wrong password", "auth_failed", "login", faults={"no_ws_token": True}, **wrong_login("onvif")),
    onvif("no rights", "auth_failed", "profiles", faults={"no_rights": True}),
    onvif("other user for rtsp", "auth_failed", "describe", faults={"other_rtsp_user": True}),
    rtsp("stale nonce", faults={"stale_nonce": True}),
    onvif("stale nonce", faults={"stale_nonce": True, "no_ws_token": True}),
    rtsp("digest with qop", faults={"digest_qop": True}),
    onvif("digest with qop", faults={"digest_qop": True, "no_ws_token": True}),
    rtsp("closes after 401", faults={"close_after_401": True}),
    onvif("closes after 401", faults={"close_after_401": True, "no_ws_token": True}),
    *(onvif(f"clock {offset:+d} s", warnings=warns("clock_skew"), faults={"clock_offset_sec": offset}) for offset in (10800, -10800, 8)),
]  # fmt: skip

ONVIF = [
    onvif("dribbles", faults={"slow_body_sec": 0.5}),
    onvif("dribbles for ever", "timeout", "clock", faults={"slow_body_sec": NEVER}),
    onvif("huge answers", "camera_error", "clock", faults={"huge_answer": True}),
    onvif("media2 only", faults={"media2_only": True}),
    onvif("media1 only", faults={"media1_only": True}),
    onvif("no profiles", "no_profiles", "profiles", faults={"no_profiles": True}),
    onvif("stream at 0.0.0.0", warnings=warns("address_rewritten"), faults={"stream_uri_host": "0.0.0.0"}),
    onvif(
        "stream at another host", warnings=warns("address_rewritten"), faults={"stream_uri_host": "192.0.2.9"}
    ),
    onvif("services at another host", faults={"xaddr_host": "192.0.2.77"}),
    *(
        onvif(f"charset {charset}", faults={"wrong_charset": charset})
        for charset in ("latin1", "gb2312", "declared", "bom")
    ),
]

RTSP = [
    *(rtsp(f"wrong path as {status}", "path_not_found", "describe", faults={"wrong_path": status}) for status in (404, 400)),
    *(
        rtsp(f"too many at {step}", "too_many_connections", stage, faults={"too_many_connections": step})
        for step, stage in (("describe", "describe"), ("setup", "media"), ("play", "media"))
    ),
    rtsp("busy once", faults={"busy_once": True}),
    rtsp("one session only", faults={"max_sessions": 1}),
    rtsp("redirect to itself", faults={"redirect": "/stream/sub"}),
    rtsp("redirect to where nobody may", "address_forbidden", "describe", faults={"redirect": "rtsp://224.0.0.77/stream/main"}),
    rtsp("redirect in a circle", "camera_error", "describe", faults={"redirect": lambda cam: cam.rtsp_url}),
    rtsp("tcp only", facts={"transport": "tcp"}, faults={"tcp_only": True}),
    rtsp("udp only", facts={"transport": "udp"}, faults={"udp_only": True}, patch=AUTO),
    rtsp("tcp mute", facts={"transport": "udp"}, faults={"tcp_mute": True}, patch=AUTO),
    rtsp("udp only, blocked", "no_media", "media", faults={"udp_only": True, "udp_blocked": True}, patch=AUTO),
    rtsp("udp only, loss", facts={"transport": "udp"}, faults={"udp_only": True, "udp_loss_percent": 2}, patch=AUTO),
    rtsp("udp only, reordered", facts={"transport": "udp"}, faults={"udp_only": True, "udp_reorder_percent": 20}, patch=AUTO),
    rtsp("udp only, tcp asked", "transport_unsupported", "media", faults={"udp_only": True}, patch={"stream_transport": "tcp"}, ways=("patch",)),
    rtsp("tcp only, udp asked", "transport_unsupported", "media", faults={"tcp_only": True}, patch={"stream_transport": "udp"}, ways=("patch",)),
    rtsp("udp blocked, udp asked", "no_media", "media", faults={"udp_blocked": True}, patch={"stream_transport": "udp"}, ways=("patch",)),
    rtsp("udp blocked, by itself", facts={"transport": "tcp"}, faults={"udp_blocked": True}, patch=AUTO),
    rtsp("no keep-alive", faults={"no_keep_alive": True}),
    rtsp("garbage sdp", "malformed_stream", "describe", faults={"malformed_sdp": "garbage"}),
    rtsp("bad sprop", faults={"malformed_sdp": "bad_sprop"}),
    rtsp("no sprop", faults={"malformed_sdp": "no_sprop"}),
]  # fmt: skip

MEDIA = [
    rtsp("no video", "no_video", "describe", faults={"no_video": True}),
    rtsp("mjpeg", "codec_unsupported", "describe", faults={"mjpeg": True}),
    rtsp("no media", "no_media", "media", faults={"no_media": True}),
    rtsp("mid gop", faults={"start_mid_gop": True}),
    rtsp("long gop", warnings=warns("long_gop"), faults={"start_mid_gop": True, "long_gop": 5}),
    rtsp("no key frame", "no_media", "media", faults={"start_mid_gop": True, "long_gop": NEVER}),
    rtsp("freezes later", faults={"freeze_after_sec": 30}),
    rtsp("malformed rtp", faults={"malformed_rtp": True}),
    rtsp("malformed framing", faults={"malformed_framing": True}),
    rtsp("no rtcp", faults={"no_rtcp": True}),
    rtsp("odd audio", warnings=warns("audio_unsupported"), faults={"odd_audio": True}),
    rtsp("h265", warnings=warns("h265_browser_limited"), camera={"media": "h265"}, facts={"codec": "h265"}),
    onvif("h265", warnings=warns("h265_browser_limited"), camera={"media": "h265"}, facts={"codec": "h265"}),
    *(
        rtsp(f"audio {audio}", camera={"audio": audio}, facts={"audio_codec": audio})
        for audio in ("pcma", "pcmu")
    ),
    *(
        rtsp(fault.replace("_", " "), faults={fault: value})
        for fault, value in (
            ("needs_reports_sec", 15),
            ("one_session_per_stream", True),
            ("sequence_wrap", True),
            ("timestamp_wrap_sec", 1),
            ("timestamp_jump_sec", 3600),
            ("rtp_clock_percent", 150),
            ("audio_late_sec", 3),
            ("b_frames", True),
            ("gop_10s", True),
            ("format_change", "resolution"),
        )
    ),
    rtsp("no audio", camera={"audio": "none"}, facts={"has_audio": False}),
]

CASES = [*REACHING, *LOGIN, *ONVIF, *RTSP, *MEDIA]
KEYS = [(case, way) for case in CASES for way in case.ways]
GAPS: dict[tuple[str, str], str] = {}
"""What is known not to hold yet, by name. To be emptied, not to grow."""


def _params() -> list[Any]:
    params = []
    for case, way in KEYS:
        gap = GAPS.get((case.name, way))
        marks = [pytest.mark.xfail(reason=gap, strict=False)] if gap else []
        params.append(pytest.param(case, way, id=f"{case.name} - {way}", marks=marks))
    return params


@dataclass
class Seen:
    """The one run that all tests here look at."""

    matrix: Matrix
    outcomes: dict[tuple[str, Way], Outcome | BaseException]
    log: str


@pytest.fixture(scope="module")
async def seen(request: pytest.FixtureRequest, matrix: Matrix) -> Seen:
    """Runs what is selected (`-k`), or all."""
    names = {item.name for item in request.session.items}
    keys = [(case, way) for case, way in KEYS if f"test_fault[{case.name} - {way}]" in names] or KEYS
    ear = Ear()
    root = logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        outcomes = await matrix.run_all(keys)
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
    return Seen(matrix, outcomes, "\n".join(ear.lines))


@pytest.mark.parametrize(("case", "way"), _params())
async def test_fault(seen: Seen, case: Case, way: Way) -> None:
    outcome = seen.outcomes[case.name, way]
    if isinstance(outcome, BaseException):
        raise outcome
    report = outcome.report
    assert report, outcome.body
    failed = next((s["name"] for s in report["stages"] if not s["ok"]), None)
    assert (report["reason"], outcome.warnings) == (case.reason, case.warnings), report
    assert report["ok"] is (case.reason is None)
    if case.stage is not None:
        assert failed == case.stage, report["stages"]
    assert {name: report["facts"][name] for name in case.facts} == case.facts
    assert report["elapsed_ms"] <= TIME_CAP_MS + MARGIN_MS
    assert outcome.failed_logins <= case.failed_logins
    assert outcome.leftovers == {"sessions": 0, "connections": 0}
    assert outcome.not_torn_down == 0 or not case.tears_down
    if case.reason is not None:
        assert report["message"]
        assert report["hint"]
    _judge_answer(case, way, outcome)


def _judge_answer(case: Case, way: Way, outcome: Outcome) -> None:
    """Status and what became of the camera, as the REST contract says."""
    body = outcome.body
    if way == "test":
        assert (outcome.status, outcome.rows) == (200, 0)
    elif way == "direct" and outcome.status == 201:
        wanted = ("online", None) if case.reason is None else ("error", case.reason)
        assert (body["status"], body["status_reason"]) == wanted
    elif case.reason is not None:
        assert (outcome.status, body["error"], body["reason"]) == (400, "validation_error", case.reason)
        assert outcome.rows == 0
        assert way != "patch" or outcome.unchanged
    else:
        assert outcome.status == (201 if way == "create" else 200), body
        assert outcome.rows == 1
        assert body["status"] == "online"
        assert outcome.watched, "checked, but then not played"


def test_every_fault_has_a_case() -> None:
    beside = {"lock_sec", "slow_stage"}
    tried = {name for case in CASES for name in case.faults} | {"locks_after"} | beside
    assert set(FAULTS) - tried == set()
    assert len({case.name for case in CASES}) == len(CASES)
    assert {way for case in CASES for way in case.ways} == set(WAYS)


async def test_nothing_shows_a_password(seen: Seen) -> None:
    assert seen.matrix.secrets
    seen.matrix.secrets.add(WRONG)
    assert await seen.matrix.leaks(seen.log) == {}


async def test_nothing_is_left_of_any_camera(seen: Seen) -> None:
    assert await seen.matrix.rows("deleted_at IS NULL") == 0
    sealed = await seen.matrix.rows("credentials IS NOT NULL")
    assert sealed == 0, "the credentials of a deleted camera go at once"
