"""What the API's document shows of /gateways."""

from __future__ import annotations

from typing import Any

from novavms_server.gateways.errors import (
    GatewayInUse,
    GatewayOffline,
    GatewayRefused,
    GatewayTimeout,
    UnknownPairingCode,
)
from novavms_server.kit.openapi import Example

GATEWAY_ID = "0198f2a4-7000-7a10-8b20-9c30ad40be50"
SITE_ID = "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e"
GATEWAY: dict[str, Any] = {
    "id": GATEWAY_ID,
    "name": "Harbour box",
    "site_id": SITE_ID,
    "status": "online",
    "status_at": "2026-03-01T08:00:12Z",
    "version": "0.1.0",
    "local_ip": "10.0.0.5",
    "last_heartbeat_at": "2026-03-01T12:14:00Z",
    "paired_at": "2026-02-20T09:30:00Z",
    "hardware": {
        "hostname": "nvr-harbour",
        "os": "Linux",
        "arch": "x86_64",
        "cpu_count": 4,
        "memory_bytes": 8589934592,
    },
    "created_at": "2026-02-20T09:25:00Z",
    "updated_at": "2026-02-20T09:25:00Z",
    "storage_state": "ok",
    "recording_cameras": 12,
    "recordings_bytes": 53687091200,
    "storage_message": None,
}
POINT: dict[str, Any] = {
    **{"at": "2026-03-01T12:14:00Z", "uptime_sec": 86400.0, "cpu_percent": 3.5, "memory_bytes": 157286400},
    **{
        "disk_free_bytes": 64424509440,
        "disk_total_bytes": 128849018880,
        "cameras_online": 12,
        "cameras_total": 12,
    },
    **{"bytes_received": 3145728000, "reports_waiting": 0, "clips_waiting": 0},
    **{"storage_state": "ok", "recording_cameras": 12, "recordings_bytes": 53687091200},
}

EXAMPLES = {
    "listGateways": Example(None, {"data": [GATEWAY], "next_cursor": None, "total": 1}),
    "getGateway": Example(None, GATEWAY),
    "updateGateway": Example({"name": "Harbour box"}, GATEWAY),
    "deleteGateway": Example(errors=(GatewayInUse,)),
    "generatePairingCode": Example(
        {"name": "Harbour box", "site_id": SITE_ID},
        {
            "id": GATEWAY_ID,
            "pairing_code": "A7B3CX",
            "expires_at": "2026-03-01T12:24:03Z",
            "status": "registered",
        },
    ),
    "pairGateway": Example(
        {
            "pairing_code": "A7B3CX",
            "version": "0.1.0",
            "hardware": {"hostname": "nvr-harbour", "cpu_count": 4},
        },
        {
            **{
                "gateway_id": GATEWAY_ID,
                "gateway_token": "gw_…",
                "org_id": "0198f2a4-0000-7000-8000-000000000001",
            },
            **{"site_id": SITE_ID, "name": "Harbour box"},
        },
        errors=(UnknownPairingCode,),
    ),
    "listGatewayTelemetry": Example(None, {"data": [POINT], "next_cursor": None, "total": 1}),
    "discoverCameras": Example(
        {"hosts": ["10.0.0.63"], "ports": [2020], "timeout_sec": 4},
        {
            "devices": [
                {
                    **{
                        "host": "10.0.0.63",
                        "port": 2020,
                        "xaddrs": ["http://10.0.0.63:2020/onvif/device_service"],
                    },
                    **{
                        "endpoint_reference": "urn:uuid:3fa1fe68-b915-4053-a3e1-a8294833fe3c",
                        "name": "Tapo C200",
                    },
                    **{
                        "manufacturer": "TP-Link",
                        "model": "C200",
                        "scopes": ["onvif://www.onvif.org/type/video_encoder"],
                    },
                }
            ]
        },
        errors=(GatewayOffline, GatewayTimeout, GatewayRefused),
    ),
}
