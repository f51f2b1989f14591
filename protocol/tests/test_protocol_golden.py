"""The wire is a contract: every message has a golden file that is read for ever and written the same today.

`python protocol/tests/test_protocol_golden.py --write` writes the files anew; do that only before a release has
shipped them. After that a change of theirs is a break with gateways in the field: add a file beside it instead.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest

from novavms_protocol import live
from novavms_protocol import messages as m
from novavms_protocol import recording as r

FOLDER = Path(__file__).parent / "golden"
AT = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 12, 35, tzinfo=UTC)


def _id(number: int) -> UUID:
    return UUID(f"01890000-0000-7000-8000-{number:012d}")


def _request(body: m.RequestBody, timeout_sec: float = 15.0) -> m.Request:
    return m.Request(id=_id(1), timeout_sec=timeout_sec, body=body)


def _report(body: m.ReportBody) -> m.Report:
    return m.Report(id=_id(2), body=body)


ONVIF_CAMERA = m.CameraConfig(
    camera_id=_id(10),
    revision=3,
    name="Tor „Süd“",
    kind="onvif",
    host="192.0.2.10",
    port=8000,
    rtsp_url="rtsp://192.0.2.10:554/main",
    username="admin",
    password="p@:/#?% ü",
    tls_fingerprint="0a" * 32,
    stream_tls_fingerprint="0b" * 32,
    tls_pinned_at=AT,
    recording_stream="sub",
    pre_roll_sec=10,
    recording=r.RecordingPlan(
        mode="continuous",
        schedule=[r.ScheduleWindow(days=["mon", "fri"], start="22:00", end="06:00")],
        timezone="Europe/Berlin",
        retention_days=14,
        retention_bytes=50_000_000_000,
    ),
    allow_loopback=True,
    identity=m.CameraIdentity(
        serial="SN1",
        mac="00:00:5e:00:53:0a",
        endpoint_reference="urn:uuid:01890000-0000-5000-8000-00000000000a",
    ),
)
RTSP_CAMERA = m.CameraConfig(
    camera_id=_id(11),
    revision=1,
    name="Yard",
    kind="rtsp",
    host="192.0.2.11",
    port=554,
    rtsp_url="rtsp://192.0.2.11:554/live",
    enabled=False,
    stream_transport="auto",
)

FROM_SERVER: dict[str, m.FromServer] = {
    "desired_state": m.DesiredState(version=7, cameras=[ONVIF_CAMERA, RTSP_CAMERA], ledger_seq=41),
    "desired_state_empty": m.DesiredState(version=8, cameras=[]),
    "request_check_onvif": _request(
        m.Check(kind="onvif", host="192.0.2.10", port=80, username="admin", password="p@:/#?% ü")
    ),
    "request_check_rtsp": _request(
        m.Check(
            kind="rtsp",
            rtsp_url="rtsp://192.0.2.11:554/live",
            stream_transport="udp",
            tls_fingerprint="0a" * 32,
            tls_pinned_at=AT,
            allow_loopback=True,
            camera_id=_id(11),
        )
    ),
    "request_discover": _request(
        m.Discover(
            timeout_sec=3.0, hosts=["192.0.2.0"], ports=[80, 8080], multicast=False, allow_loopback=True
        )
    ),
    "request_record_clip": _request(
        m.RecordClip(
            clip_id=_id(20),
            event_id=_id(21),
            camera_id=_id(10),
            triggered_at=AT,
            duration_sec=15.0,
            pre_roll_sec=5.0,
        ),
        5.0,
    ),
    "request_forget_clip": _request(m.ForgetClip(clip_id=_id(20))),
    "request_watch": _request(live.Watch(camera_id=_id(10), tier="sub", url="/api/v1/live-in/abc")),
    "request_answer_offer": _request(
        live.AnswerOffer(camera_id=_id(10), tier="main", sdp="v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n")
    ),
    "request_snapshot": _request(m.Snapshot(camera_id=_id(10), width=640)),
    "request_list_segments": _request(
        r.ListSegments(camera_id=_id(10), stream="main", start=AT, end=LATER, limit=100)
    ),
    "request_send_media": _request(
        r.SendMedia(segment_id=512, offset_bytes=900, size_bytes=65_536, url="/api/v1/relay/abc")
    ),
    "request_cut_clip": _request(
        r.CutClip(clip_id=_id(20), event_id=_id(21), camera_id=_id(10), start=AT, end=LATER)
    ),
    "request_send_thumbnails": _request(
        r.SendThumbnails(camera_id=_id(10), times=[AT, LATER], width=160, url="/api/v1/relay/abd")
    ),
    "request_hold_footage": _request(r.HoldFootage(hold_id=_id(30), camera_id=_id(10), start=AT, end=LATER)),
    "ack": m.Ack(id=_id(2)),
    "ack_refused": m.Ack(id=_id(2), refused="unknown_camera"),
    "ping": m.Ping(nonce=5),
    "pong": m.Pong(nonce=5),
    "goodbye": m.Goodbye(reason="replaced", message="another connection of this gateway took over"),
}

FROM_GATEWAY: dict[str, m.FromGateway] = {
    "hello": m.Hello(
        protocol=1,
        version="0.1.0",
        facts=m.GatewayFacts(
            hostname="box",
            os="Linux 6.1",
            arch="aarch64",
            cpu_count=4,
            memory_bytes=4_294_967_296,
            disk_bytes=64_000_000_000,
            local_ip="192.0.2.2",
            hardware_id="3f1c",
        ),
        applied_version=6,
        backlog=2,
        clips=[_id(20)],
        ledger_epoch=_id(31),
        has_go2rtc=True,
    ),
    "hello_first": m.Hello(protocol=1, version="0.1.0", facts=m.GatewayFacts()),
    "reply": m.Reply(id=_id(1), ok=True, result={"started_at": "2026-03-01T12:30:15.250000Z"}),
    "reply_error": m.Reply(id=_id(1), ok=False, error="not_online", message="The camera is offline."),
    "check_progress": m.CheckProgress(
        id=_id(1), stage={"name": "connect", "ok": True, "ms": 3, "reason": None, "detail": None}
    ),
    "report_camera_status": _report(
        m.CameraStatus(
            camera_id=_id(10),
            revision=3,
            status="online",
            at=AT,
            last_frame_at=AT,
            codec="h264",
            width=1920,
            height=1080,
            fps=25.0,
            has_audio=True,
            active_tier="sub",
            transport="tcp",
            keyframe_interval_sec=2.0,
        )
    ),
    "report_camera_status_error": _report(
        m.CameraStatus(
            camera_id=_id(10),
            revision=3,
            status="error",
            reason="auth_failed",
            message="The camera refused user and password.",
            at=AT,
        )
    ),
    "report_camera_moved": _report(
        m.CameraMoved(
            camera_id=_id(10),
            revision=3,
            host="192.0.2.77",
            port=8000,
            matched_by="endpoint_reference",
            found_at=AT,
        )
    ),
    "report_clip_state": _report(m.ClipState(clip_id=_id(20), status="uploading")),
    "report_clip_ready": _report(
        m.ClipReady(
            clip_id=_id(20),
            size_bytes=1_234_567,
            sha256="ab" * 32,
            duration_sec=20.04,
            gap_sec=1.2,
            started_at=AT,
            codec="h265",
            width=3840,
            height=2160,
            has_audio=True,
            part_count=2,
        )
    ),
    "report_clip_ready_short": _report(
        m.ClipReady(
            clip_id=_id(20),
            size_bytes=4_567,
            sha256="cd" * 32,
            duration_sec=3.2,
            started_at=AT,
            codec="h264",
            width=640,
            height=360,
            failure_reason="gateway_restart",
        )
    ),
    "report_clip_failed": _report(m.ClipFailed(clip_id=_id(20), reason="disk_full", message="No space.")),
    "report_telemetry": _report(
        m.Telemetry(
            at=AT,
            uptime_sec=3600.5,
            cpu_percent=12.5,
            memory_bytes=123_456_789,
            disk_free_bytes=10_000_000_000,
            disk_total_bytes=64_000_000_000,
            cameras_online=3,
            cameras_total=4,
            bytes_received=99_999,
            reports_waiting=1,
            clips_waiting=1,
            version="0.1.0",
            storage_state="making_room",
            recording_cameras=3,
            recordings_bytes=40_000_000_000,
        )
    ),
    "report_ledger_update": _report(
        r.LedgerUpdate(
            epoch=_id(31),
            rows=[
                r.LedgerRow(
                    id=1,
                    seq=40,
                    camera_id=_id(10),
                    stream="main",
                    kind="span",
                    start=AT,
                    end=LATER,
                    size_bytes=71_250_000,
                    lossy_sec=0.24,
                    codec="h264",
                    width=1920,
                    height=1080,
                    has_audio=True,
                ),
                r.LedgerRow(
                    id=2,
                    seq=41,
                    camera_id=_id(10),
                    stream="main",
                    kind="gap",
                    start=LATER,
                    end=LATER,
                    reason="camera_offline",
                ),
            ],
            through_seq=41,
            as_of=LATER,
        )
    ),
    "report_applied": _report(m.Applied(state_version=7)),
    "ping": m.Ping(nonce=6),
    "pong": m.Pong(),
}

CASES: list[tuple[str, m.FromServer | m.FromGateway, Any]] = [
    *((f"from_server/{name}", message, m.decode_from_server) for name, message in FROM_SERVER.items()),
    *((f"from_gateway/{name}", message, m.decode_from_gateway) for name, message in FROM_GATEWAY.items()),
]


def _text(message: m.FromServer | m.FromGateway) -> str:
    """As on the wire, spread over lines for people."""
    return msgspec.json.format(m.encode(message), indent=2) + "\n"


@pytest.mark.parametrize(("name", "message", "decode"), CASES, ids=[case[0] for case in CASES])
def test_golden_file_is_read_and_written_the_same(name: str, message: Any, decode: Any) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert decode(text) == message
    assert _text(message) == text


@pytest.mark.parametrize(("name", "message", "decode"), CASES, ids=[case[0] for case in CASES])
def test_fields_of_a_newer_release_are_ignored(name: str, message: Any, decode: Any) -> None:
    wire = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    def newer(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: newer(item) for key, item in value.items()} | {"from_the_future": {"x": [1]}}
        return [newer(item) for item in value] if isinstance(value, list) else value

    decoded = decode(json.dumps(newer(wire)))
    if name not in (
        "from_gateway/reply",
        "from_gateway/check_progress",
    ):  # free-form dicts keep what they get
        assert decoded == message


def test_every_file_has_its_message() -> None:
    """A golden file that nobody reads any more is a promise quietly dropped."""
    on_disk = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.json")}
    assert on_disk == {case[0] for case in CASES}


def test_every_kind_of_message_has_a_golden_file() -> None:
    def tags(*unions: Any) -> set[str]:
        return {str(kind.__struct_config__.tag) for union in unions for kind in get_args(union)}

    def seen(messages: Any) -> set[str]:
        found = set()
        for message in messages:
            found.add(str(message.__struct_config__.tag))
            if body := getattr(message, "body", None):
                found.add(str(body.__struct_config__.tag))
        return found

    assert seen(FROM_SERVER.values()) == tags(m.FromServer, m.RequestBody)
    assert seen(FROM_GATEWAY.values()) == tags(m.FromGateway, m.ReportBody)


def test_each_side_refuses_the_other_sides_messages() -> None:
    with pytest.raises(msgspec.ValidationError):
        m.decode_from_server(m.encode(FROM_GATEWAY["hello"]))
    with pytest.raises(msgspec.ValidationError):
        m.decode_from_gateway(m.encode(FROM_SERVER["desired_state"]))


def test_a_gateway_of_before_tells_no_key_frame_interval() -> None:
    older = json.loads((FOLDER / "from_gateway" / "report_camera_status.json").read_text(encoding="utf-8"))
    assert older["body"].pop("keyframe_interval_sec") == 2.0
    report = m.decode_from_gateway(json.dumps(older))
    assert isinstance(report, m.Report)
    assert isinstance(report.body, m.CameraStatus)
    assert report.body.keyframe_interval_sec is None


def test_a_gateway_of_before_has_no_go2rtc() -> None:
    older = json.loads((FOLDER / "from_gateway" / "hello.json").read_text(encoding="utf-8"))
    assert older.pop("has_go2rtc") is True
    hello = m.decode_from_gateway(json.dumps(older))
    assert isinstance(hello, m.Hello)
    assert not hello.has_go2rtc


def test_an_offer_is_bounded_and_does_not_print() -> None:
    message = FROM_SERVER["request_answer_offer"]
    assert "v=0" not in repr(message)
    wire = m.encode(_request(live.AnswerOffer(camera_id=_id(10), tier="main", sdp="x" * (live.SDP_MAX + 1))))
    with pytest.raises(msgspec.ValidationError):
        m.decode_from_server(wire)


def test_passwords_do_not_print() -> None:
    for message in (FROM_SERVER["desired_state"], FROM_SERVER["request_check_onvif"]):
        assert "p@:/" not in repr(message)
        assert "p@:/" in m.encode(message)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for case_name, case_message, _ in CASES:
        file = FOLDER / f"{case_name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_text(case_message), encoding="utf-8")
