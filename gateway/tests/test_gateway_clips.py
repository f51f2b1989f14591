"""Clips on order, end to end: recorded, sent in parts, reported, removed; and the ways that is cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from nova_camera import as_rtsp, clip_order
from nova_mp4 import pictures

from novavms_camera.capture import CaptureStream
from novavms_gateway.cameras import fleet
from novavms_gateway.recording import recorder
from novavms_gateway.storage.journal import ClipJob, Journal
from novavms_protocol import CameraConfig, ClipFailed, ClipReady, ClipState, ForgetClip
from novavms_simcam import SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


async def desire(cam: SimCam, server_side: Any) -> CameraConfig:
    """The camera, desired and online."""
    camera = as_rtsp(cam)
    await server_side.bring_online(camera)
    return camera


async def test_a_clip_is_recorded_sent_in_parts_and_removed_once_acknowledged(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    server_side.part_bytes = 16 * 1024
    server_side.put_answers = [200, 0]  # the line is cut in the middle of the second part
    server_side.ack = lambda report: not isinstance(report.body, ClipReady)
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        # The second before the trigger must be in memory first.
        await wait_until(
            lambda: datetime.now(UTC) - server_side.status(camera.camera_id).at > timedelta(seconds=1.5)
        )
        clip = clip_order(camera)
        answer = await server_side.ask(clip)
        assert answer.ok, answer
        assert (await server_side.ask(clip)).result == answer.result, "the same order is the same clip"
        datetime.fromisoformat(answer.result["started_at"])

        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady), ready
        assert ready.failure_reason is None
        assert ready.part_count > 2
        assert abs(ready.duration_sec - 3.0) < 0.5
        assert pictures(server_side.clip(ready)) > 10
        assert len(server_side.bodies(ClipState)) == 1
        file = data_dir / "clips" / f"{clip.clip_id}.mp4"
        assert file.exists(), "kept until the server has acknowledged it"

        server_side.ack = lambda report: True
        server_side.drop_sockets()
        await wait_until(lambda: not file.exists())
        assert server_side.hellos[-1].clips == [clip.clip_id]
        server_side.drop_sockets()
        await wait_until(lambda: len(server_side.hellos) == 3)
        assert server_side.hellos[-1].clips == []
    assert len(server_side.bodies(ClipReady)) == 2, "repeated until acknowledged, and no more"
    assert list((data_dir / "clips").iterdir()) == []


async def test_a_camera_added_this_moment_records_from_its_first_frame(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        await wait_until(lambda: server_side.connected)
        camera = as_rtsp(cam)
        cam.freeze()  # as one with a long key-frame interval
        await server_side.desire(camera)
        await wait_until(lambda: cam.sessions == 1)
        asking = asyncio.ensure_future(server_side.ask(clip_order(camera)))
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok, "handled after the order"
        assert not asking.done()
        cam.thaw()
        answer = await asking
        assert answer.ok, answer


async def test_an_order_may_overtake_the_state_that_brings_its_camera(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "OVERTAKEN_SEC", 5)
    async with SimCam() as cam, gateway():
        await wait_until(lambda: server_side.connected)
        camera = as_rtsp(cam)
        asking = asyncio.ensure_future(server_side.ask(clip_order(camera)))
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok, "handled after the order"
        await server_side.desire(camera)
        answer = await asking
        assert answer.ok, answer


async def test_what_is_slow_to_be_written_down_takes_nothing_off_the_pre_roll(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Journal.add

    async def slow(journal: Journal, job: ClipJob) -> tuple[ClipJob, bool]:
        await asyncio.sleep(3)
        return await add(journal, job)

    monkeypatch.setattr(Journal, "add", slow)
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        online = server_side.status(camera.camera_id).at
        await wait_until(lambda: datetime.now(UTC) - online > timedelta(seconds=4))
        clip = clip_order(camera, duration_sec=5, pre_roll_sec=1)
        assert (await server_side.ask(clip)).ok
        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady), ready
        assert abs((clip.triggered_at - ready.started_at).total_seconds() - 1) < 1
        assert abs(ready.duration_sec - 6) < 0.5


async def test_a_camera_whose_session_broke_this_moment_is_waited_for(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "BACK_SEC", 8)
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        cam.drop_sessions_now()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        answer = await server_side.ask(clip_order(camera))
        assert answer.ok, answer


async def test_a_session_that_breaks_as_the_order_is_taken_is_waited_for(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_clip = CaptureStream.record_clip
    monkeypatch.setattr(recorder, "BACK_SEC", 8)
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)

        async def broken(stream: CaptureStream, path: Path, **asked: Any) -> Any:
            monkeypatch.setattr(CaptureStream, "record_clip", record_clip)
            cam.drop_sessions_now()
            await wait_until(lambda: stream.status.state == "offline")
            return await record_clip(stream, path, **asked)

        monkeypatch.setattr(CaptureStream, "record_clip", broken)
        clip = clip_order(camera, duration_sec=1)
        assert (await server_side.ask(clip)).ok
        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady)
        assert ready.failure_reason is None


async def test_a_camera_that_is_not_online_records_nothing(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        await cam.unplug()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        assert (await server_side.ask(clip_order(camera))).error == "not_online"
        assert list((data_dir / "clips").iterdir()) == []


async def test_a_camera_that_drops_in_mid_clip_gives_what_there_is(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        clip = clip_order(camera, duration_sec=20)
        answer = await server_side.ask(clip)
        part = data_dir / "clips" / f"{clip.clip_id}.mp4.part"
        await wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
        await cam.unplug()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        assert (await server_side.ask(clip)).result == answer.result, "the order comes again: still accepted"
        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady)
        assert ready.failure_reason == "camera_offline"
        assert ready.duration_sec < 10
        assert pictures(server_side.clip(ready)) > 5


async def test_a_removed_camera_ends_its_clip_soon(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        clip = clip_order(camera, duration_sec=60)
        assert (await server_side.ask(clip)).ok
        await server_side.desire()
        ended = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ended, ClipReady)
        assert ended.failure_reason == "camera_offline"


async def test_a_forgotten_clip_is_ended_and_gone(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        clip = clip_order(camera, duration_sec=60)
        assert (await server_side.ask(clip)).ok
        await wait_until(lambda: list((data_dir / "clips").iterdir()))
        assert (await server_side.ask(ForgetClip(clip_id=clip.clip_id))).ok
        assert list((data_dir / "clips").iterdir()) == []
        server_side.drop_sockets()
        await wait_until(lambda: len(server_side.hellos) == 2)
        assert server_side.hellos[-1].clips == []
        assert server_side.clip_end(clip.clip_id) is None


async def test_a_full_disk_fails_the_clip_and_says_so(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway(disk_reserve_bytes=2**60):
        camera = await desire(cam, server_side)
        clip = clip_order(camera)
        assert (await server_side.ask(clip)).ok
        failed = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(failed, ClipFailed)
        assert failed.reason == "disk_full"


async def test_a_disk_that_takes_no_file_fails_the_clip(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side)
        clip = clip_order(camera)
        (data_dir / "clips" / f"{clip.clip_id}.mp4.part" / "x").mkdir(parents=True)  # in the file's way
        assert (await server_side.ask(clip)).ok
        failed = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(failed, ClipFailed)
        assert failed.reason == "disk_full"
