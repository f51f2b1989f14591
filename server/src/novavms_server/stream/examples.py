"""What the API's document shows of /stream."""

from __future__ import annotations

from novavms_server.kit.openapi import Example

_HELLO = '{"at":"2026-03-01T12:14:00Z","ping_sec":15,"kept_hours":24}'
_STATUS = (
    '{"at":"2026-03-01T12:14:03Z","camera_id":"0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d",'
    '"site_id":"0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e","gateway_id":"0198f2a4-7000-7a10-8b20-9c30ad40be50",'
    '"status":"offline","reason":"frozen","message":"No new frame for 10 s.","since":"2026-03-01T12:14:03Z",'
    '"active_tier":"main","codec":"h264","width":1920,"height":1080,"has_audio":true}'
)

EXAMPLES = {
    "streamChanges": Example(
        response=(
            f"id: kJ2m8Qf0Tt6bq1cVn3YxWg\nevent: hello\ndata: {_HELLO}\n\n"
            f"id: 3fTq0bHk9Zs5yXr7Lw2VdA\nevent: camera_status\ndata: {_STATUS}\n\n"
            ": ping\nid: mV8c1Xz4Qp2nB7hTg5KfRw\n\n"
        )
    )
}
