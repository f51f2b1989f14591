"""What the API's document shows of recordings."""

from __future__ import annotations

from typing import Any

from novavms_server.kit.openapi import Example
from novavms_server.recordings.errors import FootageAway, NoFootage, NothingToCut

EVENT_ID = "0198f2b1-1a2b-7c3d-8e4f-5a6b7c8d9e0f"
CAMERA_ID = "0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d"
SPAN: dict[str, Any] = {
    **{"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T11:58:00Z", "duration_sec": 7080.0},
    **{"size_bytes": 1770000000, "stream": "main", "codec": "h264", "width": 1920, "height": 1080},
    "has_audio": True,
}
GAP: dict[str, Any] = {
    **{"start": "2026-03-01T11:58:00Z", "end": "2026-03-01T12:00:00Z", "duration_sec": 120.0},
    "reason": "camera_offline",
}
LOSS: dict[str, Any] = {
    **{"start": "2026-03-01T10:31:10Z", "end": "2026-03-01T10:31:20Z", "duration_sec": 10.0},
    "lossy_sec": 0.24,
}
_RANGE = {"from": "2026-03-01T10:00:00Z", "to": "2026-03-01T12:00:00Z"}

EXAMPLES = {
    "createCameraClip": Example(
        {**_RANGE, "to": "2026-03-01T10:05:00Z", "note": "A van at the gate"},
        {"event_id": EVENT_ID, "started_at": "2026-03-01T10:00:00Z", "expected_clip_duration_sec": 300},
        (NothingToCut, FootageAway),
    ),
    "getCameraThumbnails": Example(errors=(NoFootage, FootageAway)),
    "getCameraPlayback": Example(errors=(NoFootage,)),
    "getCameraRecordings": Example(
        response={
            **{"camera_id": CAMERA_ID, **_RANGE, "stream": "main", "spans": [SPAN], "gaps": [GAP]},
            **{
                "losses": [LOSS],
                "percent_covered": 98.33,
                "as_of": "2026-03-01T12:14:00Z",
                "next_from": None,
            },
        }
    ),
    "getSiteRecordings": Example(
        response={
            **{"site_id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e", **_RANGE},
            "data": [
                {
                    **{"camera_id": CAMERA_ID, "name": "Front door", "status": "online"},
                    **{"recording_mode": "continuous", "is_recording": True, "percent_covered": 98.33},
                    **{"longest_gap": GAP, "size_bytes": 648000000000, "oldest_at": "2026-02-01T00:00:00Z"},
                    "as_of": "2026-03-01T12:14:00Z",
                }
            ],
            **{"next_cursor": None, "total": 1},
        }
    ),
}
