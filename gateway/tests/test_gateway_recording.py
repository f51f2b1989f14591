"""Continuous recording with a real gateway and a simulated camera: segments on disk, the ledger at the server, footage on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from nova_mp4 import decode

from novavms_protocol import (
    CameraConfig,
    LedgerRow,
    LedgerUpdate,
    ListSegments,
    RecordingPlan,
    SegmentInfo,
    Telemetry,
)
from novavms_simcam import DEFAULT_PASSWORD, SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def config(cam: SimCam, **plan: Any) -> CameraConfig:
    return CameraConfig(
        camera_id=uuid4(),
        revision=1,
        name="Yard",
        kind="rtsp",
        host="127.0.0.1",
        port=cam.rtsp_port,
        rtsp_url=cam.rtsp_url,
        username="admin",
        password=DEFAULT_PASSWORD,
        allow_loopback=True,
        recording=RecordingPlan(**{"mode": "continuous"} | plan),
    )


def ledger(server_side: Any) -> list[LedgerRow]:
    """As the server keeps it."""
    rows: dict[int, LedgerRow] = {}
    for update in server_side.bodies(LedgerUpdate):
        for row in update.rows:
            rows[row.id] = row
    return sorted((row for row in rows.values() if not row.deleted), key=lambda row: row.start)


async def test_footage_is_on_disk_listed_and_told(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    began = datetime.now(UTC)
    async with SimCam() as cam, gateway():
        camera = config(cam)
        await wait_until(lambda: server_side.connected)
        await server_side.desire(camera)
        await wait_until(lambda: len(list((data_dir / "recordings").rglob("*.mp4"))) >= 2, within_sec=40)
        await wait_until(lambda: any(row.kind == "span" for row in ledger(server_side)))
        ask = ListSegments(camera_id=camera.camera_id, start=began, end=began + timedelta(minutes=1))
        answer = await server_side.ask(ask)
        assert answer.ok, answer
        whole, growing = msgspec.convert(answer.result["segments"], list[SegmentInfo])
        (span,) = [row for row in ledger(server_side) if row.kind == "span"]
        assert (span.start, span.end, span.size_bytes) == (whole.start, whole.end, whole.size_bytes)
        assert (span.codec, span.width, span.has_audio) == ("h264", whole.width, True)
        assert growing.continues
        assert not growing.is_whole
        (file,) = (data_dir / "recordings").rglob(f"*-{whole.id}.mp4")
        assert hashlib.sha256(file.read_bytes()).hexdigest() == whole.sha256
        assert decode(file.read_bytes()).video_frames > 100
        telemetry = await wait_until(
            lambda: [t for t in server_side.bodies(Telemetry) if t.recording_cameras]
        )
        assert (telemetry[-1].storage_state, telemetry[-1].recording_cameras) == ("ok", 1)
    rest = next((data_dir / "recordings").rglob(f"*-{growing.id}.mp4"))
    assert decode(rest.read_bytes()).video_frames > 1, "ended in order"
