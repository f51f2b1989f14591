"""What breaks a recording from outside: the process is killed, packets are lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nova_camera import as_rtsp
from nova_gateway_process import gateway_process
from nova_mp4 import decode

from novavms_protocol import CameraConfig, ListSegments, RecordingPlan, SegmentInfo
from novavms_simcam import SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def config(cam: SimCam, **changed: Any) -> CameraConfig:
    return as_rtsp(cam, **{"recording": RecordingPlan(mode="continuous")} | changed)


async def test_killed_and_started_again_it_lost_seconds_and_says_so(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam:
        camera = config(cam)
        async with gateway_process(data_dir, at_end=signal.SIGTERM) as gateway:
            await wait_until(lambda: server_side.connected)
            await server_side.desire(camera)
            await wait_until(lambda: len(list((data_dir / "recordings").rglob("*.mp4"))) == 2, within_sec=40)
            second = max((data_dir / "recordings").rglob("*.mp4"))
            await wait_until(lambda: second.stat().st_size > 150_000)
            gateway.send_signal(signal.SIGKILL)
            killed_at = datetime.now(UTC)
            await gateway.wait()
        async with gateway_process(data_dir, at_end=signal.SIGTERM):
            # First the gap is told, then, as the cut file is mended, that it is shorter.
            await wait_until(
                lambda: [row.reason for row in server_side.ledger()] == [None, "gateway_restart"]
            )
            began = server_side.ledger()[0].start
            ask = ListSegments(camera_id=camera.camera_id, start=began, end=killed_at)
            async with asyncio.timeout(30):
                while len((answer := await server_side.ask(ask)).result["segments"]) < 2:
                    await asyncio.sleep(0.1)
            _, mended = msgspec.convert(answer.result["segments"], list[SegmentInfo])
            await wait_until(lambda: server_side.ledger()[0].end == mended.end)
            span, gap = server_side.ledger()
            assert span.end == gap.start < killed_at
            assert killed_at - span.end < timedelta(seconds=10)
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
        await wait_until(lambda: any(row.reason == "network" for row in server_side.ledger()), within_sec=60)
        assert any(row.kind == "span" for row in server_side.ledger())
        ask = ListSegments(camera_id=camera.camera_id, start=began, end=began + timedelta(minutes=2))
        answer = await server_side.ask(ask)
        assert any(info["lossy_sec"] > 0.5 for info in answer.result["segments"])
