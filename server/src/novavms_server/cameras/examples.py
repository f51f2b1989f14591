"""What the API's document shows of /cameras."""

from __future__ import annotations

from typing import Any

from novavms_server.cameras.errors import CameraChanged, DuplicateDevice, NoMove
from novavms_server.gateways.errors import GatewayRefused
from novavms_server.kit.openapi import Example

_PROFILE = {
    **{
        "token": "Profile_1",
        "name": "mainStream",
        "codec": "h264",
        "width": 1920,
        "height": 1080,
        "fps": 25.0,
    },
    **{"bit_rate": 4096000, "tier": "main", "rtsp_url": "rtsp://192.0.2.10:554/Streaming/Channels/101"},
}
ITEM: dict[str, Any] = {
    "id": "0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d",
    "name": "Front door",
    "site_id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e",
    "gateway_id": "0198f2a4-7000-7a10-8b20-9c30ad40be50",
    "connection_mode": "gateway",
    "type": "onvif",
    "status": "online",
    "status_reason": None,
    "status_message": None,
    "status_at": "2026-03-01T12:00:02Z",
    "active_tier": "main",
    "stream_transport": "tcp",
    "recording_stream": "main",
    "detection_stream": "sub",
    "recording_mode": "continuous",
    "recording_schedule": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "18:00", "end": "06:00"}],
    "retention_days": 30,
    "retention_bytes": None,
    "enabled": True,
    "host": "192.0.2.10",
    "port": 80,
    "rtsp_url": "rtsp://192.0.2.10:554/Streaming/Channels/101",
    "codec": "h264",
    "width": 1920,
    "height": 1080,
    "fps": 25.0,
    "has_audio": True,
    "manufacturer": "Acme",
    "model": "Dome 4",
    "firmware": "5.7.1",
    "profiles": [_PROFILE],
    "last_seen_at": "2026-03-01T12:00:02Z",
    "created_at": "2026-03-01T12:00:02Z",
    "updated_at": "2026-03-01T12:00:02Z",
    "version": 1,
}
REPORT: dict[str, Any] = {
    **{"ok": True, "reason": None, "message": None, "hint": None, "elapsed_ms": 812.4},
    "stages": [
        {"name": "policy", "ok": True, "ms": 0.1, "reason": None, "detail": None},
        {"name": "resolve", "ok": True, "ms": 0.2, "reason": None, "detail": "192.0.2.10"},
        {"name": "connect", "ok": True, "ms": 1.8, "reason": None, "detail": None},
        {"name": "media", "ok": True, "ms": 640.0, "reason": None, "detail": "first key frame after 0.6 s"},
    ],
    "warnings": [{"code": "clock_skew", "message": "The camera's clock is 3 h ahead."}],
    "facts": {"transport": "tcp", "codec": "h264", "width": 1920, "height": 1080, "manufacturer": "Acme"},
}
CAMERA: dict[str, Any] = {
    **{**ITEM, "check": REPORT, "moved_to": None},
    **{"tls_fingerprint": None, "stream_tls_fingerprint": None, "tls_pinned_at": None},
}
_ONVIF = {
    **{"type": "onvif", "connection_mode": "gateway", "gateway_id": ITEM["gateway_id"]},
    **{
        "host": "192.0.2.10",
        "port": 80,
        "onvif_username": "novavms",
        "onvif_password": "correct horse battery",
    },
}
_CREATE = {"site_id": ITEM["site_id"], "name": ITEM["name"], **_ONVIF}

EXAMPLES = {
    "listCameras": Example(response={"data": [ITEM], "next_cursor": None, "total": 1}),
    "createCamera": Example(_CREATE, CAMERA, (DuplicateDevice, GatewayRefused)),
    "testCamera": Example(_ONVIF, REPORT, (GatewayRefused,)),
    "getCheckStages": Example(
        response={
            "stages": [
                {"name": "resolve", "ok": True, "ms": 1.2, "reason": None, "detail": None},
                {"name": "connect", "ok": True, "ms": 3.4, "reason": None, "detail": None},
            ],
            "next": 2,
            "ended": False,
        }
    ),
    "getCamera": Example(response=CAMERA),
    "updateCamera": Example(
        {"name": "Back door"}, {**CAMERA, "name": "Back door", "version": 2}, (CameraChanged, GatewayRefused)
    ),
    "acceptCameraMove": Example(
        response={**CAMERA, "host": "192.0.2.77", "version": 2},
        errors=(NoMove, CameraChanged, GatewayRefused),
    ),
}
