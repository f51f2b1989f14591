"""What breaks a recording from outside: the process is killed, packets are lost."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nova_camera import as_rtsp
from nova_mp4 import decode

from novavms_protocol import CameraConfig, LedgerRow, LedgerUpdate, ListSegments, RecordingPlan, SegmentInfo
from novavms_simcam import DEFAULT_PASSWORD, SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def config(cam: SimCam, **changed: Any) -> CameraConfig:
    return as_rtsp(cam, **{"recording": RecordingPlan(mode="continuous")} | changed)


def ledger(server_side: Any) -> list[LedgerRow]:
    """As the server keeps it."""
    rows = {row.id: row for update in server_side.bodies(LedgerUpdate) for row in update.rows}
    return sorted((row for row in rows.values() if not row.deleted), key=lambda row: row.start)


@contextlib.asynccontextmanager
async def process(data_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "novavms_gateway.main", "run", "--data-dir", str(data_dir)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        _, logs = await running.communicate()
        assert DEFAULT_PASSWORD.encode() not in logs
        assert b"gw_test-token" not in logs
        assert b"Traceback" not in logs, logs.decode()


async def test_killed_and_started_again_it_lost_seconds_and_says_so(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam:
        camera = config(cam)
        async with process(data_dir) as gateway:
            await wait_until(lambda: server_side.connected)
            await server_side.desire(camera)
            await wait_until(lambda: len(list((data_dir / "recordings").rglob("*.mp4"))) == 2, within_sec=40)
            second = max((data_dir / "recordings").rglob("*.mp4"))
            await wait_until(lambda: second.stat().st_size > 150_000)
            gateway.send_signal(signal.SIGKILL)
            killed_at = datetime.now(UTC)
            await gateway.wait()
        async with process(data_dir):
            # First the gap is told, then, as the cut file is mended, that it is shorter.
            await wait_until(
                lambda: any(killed_at - row.end < timedelta(seconds=3) for row in ledger(server_side)[:1])
            )
            await wait_until(lambda: [row.reason for row in ledger(server_side)] == [None, "gateway_restart"])
            span, gap = ledger(server_side)
            assert span.end == gap.start < killed_at
            ask = ListSegments(camera_id=camera.camera_id, start=span.start, end=span.end)
            answer = await server_side.ask(ask)
        _, mended = msgspec.convert(answer.result["segments"], list[SegmentInfo])
        assert (mended.is_whole, mended.continues, mended.end) == (True, True, span.end)
        assert decode(second.read_bytes()).video_frames > 10
        assert second.stat().st_size == mended.size_bytes


async def test_packets_lost_on_their_way_are_told(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        cam.set_fault("udp_loss_percent", 4.0)
        camera = config(cam, stream_transport="udp")
        await wait_until(lambda: server_side.connected)
        began = datetime.now(UTC)
        await server_side.desire(camera)
        await wait_until(lambda: any(row.reason == "network" for row in ledger(server_side)), within_sec=60)
        assert any(row.kind == "span" for row in ledger(server_side))
        ask = ListSegments(camera_id=camera.camera_id, start=began, end=began + timedelta(minutes=2))
        answer = await server_side.ask(ask)
        assert any(info["lossy_sec"] > 0.5 for info in answer.result["segments"])
