"""What the API's document shows of /exports."""

from __future__ import annotations

from typing import Any

from novavms_server.exports.errors import ExportNotReady
from novavms_server.kit.openapi import Example

EXPORT_ID = "0198f2d0-3c4d-7e5f-8a60-7b8c9d0e1f2a"
_CAMERA = "0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d"
_FINGERPRINT = "5e0c2f4d1b7a9c3e8f60d2b4a6c8e0f1a3b5c7d9e1f30517293b4d5f60718293"
ASKED: dict[str, Any] = {
    "camera_id": _CAMERA,
    "from": "2026-03-01T12:00:00Z",
    "to": "2026-03-01T12:15:00Z",
    "case_reference": "4711/26",
}
PENDING: dict[str, Any] = {
    "id": EXPORT_ID,
    "camera_ids": [_CAMERA],
    "from": "2026-03-01T12:00:00Z",
    "to": "2026-03-01T12:15:00Z",
    "case_reference": "4711/26",
    "note": None,
    "created_by": "user:0198f2a4-0b00-7f00-8a00-1b2c3d4e5f60",
    "status": "pending",
    "status_reason": None,
    "status_message": None,
    "progress": 0.0,
    "gaps": [],
    "file_name": None,
    "size_bytes": None,
    "sha256": None,
    "key_fingerprint": None,
    "url": None,
    "created_at": "2026-03-02T09:00:00Z",
    "ready_at": None,
}
READY: dict[str, Any] = {
    **PENDING,
    "status": "ready",
    "progress": 1.0,
    "gaps": [
        {
            "camera_id": _CAMERA,
            "start": "2026-03-01T12:04:10Z",
            "end": "2026-03-01T12:04:31Z",
            "reason": "camera_offline",
        }
    ],
    "file_name": "Front door 2026-03-01 120000Z.mp4",
    "size_bytes": 235_000_000,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "key_fingerprint": _FINGERPRINT,
    "url": f"/api/v1/exports/{EXPORT_ID}/download",
    "ready_at": "2026-03-02T09:00:42Z",
}

EXAMPLES = {
    "listExports": Example(response={"data": [READY], "next_cursor": None, "total": 1}),
    "createExport": Example(ASKED, PENDING),
    "getExport": Example(response=READY),
    "downloadExport": Example(errors=(ExportNotReady,)),
    "getSigningKey": Example(
        response={
            "algorithm": "Ed25519",
            "public_key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
            "fingerprint": _FINGERPRINT,
            "created_at": "2026-03-01T08:00:00Z",
        }
    ),
}
