"""The gateway as a process: killed in mid-clip, told to end, started twice, left by its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from nova_camera import as_rtsp, clip_order
from nova_gateway_process import RUN, gateway_process
from nova_mp4 import pictures

from novavms_protocol import ClipReady
from novavms_simcam import SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_killed_in_mid_clip_and_started_again_it_sends_what_there_is(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam:
        async with gateway_process(data_dir) as gateway:
            camera = as_rtsp(cam)
            await server_side.bring_online(camera)
            clip = clip_order(camera, duration_sec=60)
            assert (await server_side.ask(clip)).ok
            part = data_dir / "clips" / f"{clip.clip_id}.mp4.part"
            await wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
            gateway.send_signal(signal.SIGKILL)
            await gateway.wait()
        (data_dir / "clips" / f"{uuid4()}.mp4").write_bytes(b"nobody's")
        async with gateway_process(data_dir):
            ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
            assert isinstance(ready, ClipReady), ready
            assert ready.failure_reason == "gateway_restart"
            assert pictures(server_side.clip(ready)) > 10
            assert server_side.hellos[-1].clips == [clip.clip_id]
            await wait_until(lambda: list((data_dir / "clips").iterdir()) == [])


async def test_sigterm_ends_the_sessions_at_the_cameras(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway_process(data_dir) as gateway:
        await server_side.bring_online(as_rtsp(cam))
        gateway.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.wait(), 10) == 0
        assert cam.stats.requests["TEARDOWN"] == 1
        assert not server_side.connected


async def test_a_second_sigterm_does_not_wait_for_the_cameras(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway_process(data_dir) as gateway:
        await server_side.bring_online(as_rtsp(cam))
        await cam.unplug(silent=True)  # its TEARDOWN gets no answer
        gateway.send_signal(signal.SIGTERM)
        await wait_until(lambda: not server_side.connected)
        gateway.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.wait(), 10) == 1


async def test_a_closed_stderr_stops_nothing(server_side: Any, data_dir: Path, wait_until: Any) -> None:
    reading, writing = os.pipe()
    gateway = await asyncio.create_subprocess_exec(
        *(*RUN, str(data_dir)),
        stdout=writing,
        stderr=writing,
    )
    os.close(reading)
    os.close(writing)
    try:
        for connection in (1, 2):
            await wait_until(lambda number=connection: len(server_side.hellos) == number)
            server_side.drop_sockets()
        assert gateway.returncode is None
    finally:
        gateway.kill()
        await gateway.wait()


async def test_a_second_gateway_in_the_same_folder_is_refused(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with gateway_process(data_dir):
        await wait_until(lambda: server_side.connected)
        async with gateway_process(data_dir) as second:
            assert await asyncio.wait_for(second.wait(), 20) == 1
            assert second.stderr is not None
            assert b"Another gateway runs" in await second.stderr.read()


async def test_it_goes_with_its_parent(server_side: Any, data_dir: Path, wait_until: Any) -> None:
    starter = (
        "import subprocess, sys; "
        "p = subprocess.Popen([sys.executable, '-m', 'novavms_gateway.main', 'run', '--exit-with-parent', "
        "'--data-dir', sys.argv[1]]); print(p.pid, flush=True); p.wait()"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        starter,
        str(data_dir),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    await wait_until(lambda: server_side.connected)
    parent.kill()
    await parent.wait()
    try:
        await wait_until(lambda: not server_side.connected)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
