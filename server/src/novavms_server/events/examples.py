"""What the API's document shows of /events and of the trigger."""

from __future__ import annotations

from typing import Any

from novavms_server.events.errors import AiUnavailable
from novavms_server.kit.errors import RateLimited
from novavms_server.kit.openapi import Example

EVENT_ID = "0198f2b1-1a2b-7c3d-8e4f-5a6b7c8d9e0f"
EVENT: dict[str, Any] = {
    "id": EVENT_ID,
    "camera_id": "0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d",
    "camera_name": "Front door",
    "camera_deleted": False,
    "site_id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e",
    "trigger_type": "manual",
    "triggered_at": "2026-03-01T12:14:03Z",
    "summary": None,
    "tags": [],
    "ai_status": "skipped",
    "acknowledged": False,
    "starred": False,
    "snapshot_url": f"/api/v1/events/{EVENT_ID}/snapshot",
}
DETAIL: dict[str, Any] = {
    **EVENT,
    "narrative": None,
    "note": "A van at the gate",
    "triggered_by": "key:0198f2a4-0b00-7f00-8a00-1b2c3d4e5f60",
    "acknowledged_at": None,
    "clip": {
        "id": "0198f2b1-1a2c-7d4e-9f50-6b7c8d9e0f1a",
        "status": "ready",
        "url": f"/api/v1/events/{EVENT_ID}/clip",
        "duration_sec": 20.48,
        "gap_sec": 0.0,
        "size_bytes": 5242880,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "codec": "h264",
        "width": 1920,
        "height": 1080,
        "has_audio": True,
        "started_at": "2026-03-01T12:13:57.6Z",
        "failure_reason": None,
        "failure_message": None,
    },
    "prev_id": None,
    "next_id": "0198f2a9-0c1d-7e2f-8a3b-4c5d6e7f8a9b",
    "created_at": "2026-03-01T12:14:03Z",
    "updated_at": "2026-03-01T12:14:03Z",
}

EXAMPLES = {
    "triggerCamera": Example(
        {"duration_sec": 15, "note": "A van at the gate"},
        {
            "event_id": EVENT_ID,
            "started_at": "2026-03-01T12:14:03Z",
            "expected_clip_duration_sec": 15,
        },
        (AiUnavailable, RateLimited),
    ),
    "listEvents": Example(response={"data": [EVENT], "next_cursor": None, "total": 1}),
    "getEvent": Example(response=DETAIL),
    "updateEvent": Example({"starred": True}, {**DETAIL, "starred": True}),
}
