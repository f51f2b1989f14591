"""What the API's document shows of live view."""

from __future__ import annotations

from novavms_server.kit.openapi import Example

_TOKEN = "c3ludGhldGljLXNpZ25hdHVyZS1hbmQtdGlja2V0"  # noqa: S105 - made up

EXAMPLES = {
    "getCameraLive": Example(
        response={
            "protocols": [
                {
                    "type": "mse",
                    "url": f"wss://novavms.novalien.com/api/v1/live/{_TOKEN}/mse",
                    "tier": "main",
                    "codec": "h264",
                    "reason": "Over one WebSocket, and every picture arrives: about half a second behind the camera.",
                }
            ],
            "excluded": [
                {
                    "type": "webrtc",
                    "reason": "no_go2rtc",
                    "message": "WebRTC needs a go2rtc beside the camera's gateway (NOVAVMS_GATEWAY_GO2RTC_URL); none is set.",
                }
            ],
            "token": _TOKEN,
            "expires_at": "2026-03-01T13:14:15Z",
            "message": None,
        }
    ),
}
