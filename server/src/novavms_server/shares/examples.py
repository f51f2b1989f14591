"""What the API's document shows of shared links."""

from __future__ import annotations

from novavms_server.kit.openapi import Example

SHARE_ID = "0198f2c0-2b3c-7d4e-8f50-6a7b8c9d0e1f"
_EVENT_ID = "0198f2b1-1a2b-7c3d-8e4f-5a6b7c8d9e0f"
_TIMES = {"created_at": "2026-03-01T12:20:00Z", "expires_at": "2026-03-02T12:20:00Z"}

EXAMPLES = {
    "shareEvent": Example(
        {"expires_in": "24h"},
        {
            "id": SHARE_ID,
            "event_id": _EVENT_ID,
            "url": "https://novavms.novalien.com/api/v1/shared/3q2-7w_example",
            **_TIMES,
        },
    ),
    "listEventShares": Example(
        response={
            "data": [
                {
                    "id": SHARE_ID,
                    "event_id": _EVENT_ID,
                    "created_by": "user:0198f2a4-0b00-7f00-8a00-1b2c3d4e5f60",
                    **_TIMES,
                    "revoked_at": None,
                    "view_count": 2,
                    "last_viewed_at": "2026-03-01T12:31:07Z",
                }
            ],
            "next_cursor": None,
            "total": 1,
        }
    ),
    "revokeEventShare": Example(),
}
