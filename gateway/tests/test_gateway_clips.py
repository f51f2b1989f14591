"""Clips on order, end to end: recorded, sent in parts, reported, removed; and the ways that is cut short."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import pytest
from nova_camera import as_rtsp

from novavms_camera.capture import CaptureStream
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_gateway.recording.repair import repair
from novavms_gateway.storage.journal import ClipJob, Journal
from novavms_protocol import CameraConfig, ClipFailed, ClipReady, ClipState, ForgetClip, RecordClip
from novavms_simcam import DEFAULT_PASSWORD, SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def order(camera: CameraConfig, *, duration_sec: float = 2.0) -> RecordClip:
    return RecordClip(
        clip_id=uuid4(),
        event_id=uuid4(),
        camera_id=camera.camera_id,
        triggered_at=datetime.now(UTC),
        duration_sec=duration_sec,
        pre_roll_sec=1.0,
    )


async def desire(cam: SimCam, server_side: Any, wait_until: Any) -> CameraConfig:
    """The camera, desired and online."""
    camera = as_rtsp(cam)
    await wait_until(lambda: server_side.connected)
    await server_side.desire(camera)
    await wait_until(
        lambda: (status := server_side.status(camera.camera_id)) is not None and status.status == "online"
    )
    return camera


def pictures(content: bytes) -> int:
    """Decodes the whole file: its first packet a key frame, times rising."""
    with av.open(io.BytesIO(content)) as container:
        assert next(container.demux(video=0)).is_keyframe
        container.seek(0)
        times = [frame.pts for frame in container.decode(video=0)]
    assert times == sorted(set(times))
    return len(times)


def fits(server_side: Any, ready: ClipReady) -> bytes:
    """The stored file, which must be the reported one."""
    content: bytes = server_side.stored(ready.clip_id)
    assert hashlib.sha256(content).hexdigest() == ready.sha256
    assert len(content) == ready.size_bytes
    return content


async def test_a_clip_is_recorded_sent_in_parts_and_removed_once_acknowledged(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    server_side.part_bytes = 16 * 1024
    server_side.put_answers = [200, 0]  # the line is cut in the middle of the second part
    server_side.ack = lambda report: not isinstance(report.body, ClipReady)
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        # The second before the trigger must be in memory first.
        await wait_until(
            lambda: datetime.now(UTC) - server_side.status(camera.camera_id).at > timedelta(seconds=1.5)
        )
        clip = order(camera)
        answer = await server_side.ask(clip)
        assert answer.ok, answer
        assert (await server_side.ask(clip)).result == answer.result, "the same order is the same clip"
        datetime.fromisoformat(answer.result["started_at"])

        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady), ready
        assert ready.failure_reason is None
        assert ready.part_count > 2
        assert abs(ready.duration_sec - 3.0) < 0.5
        assert pictures(fits(server_side, ready)) > 10
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
        asking = asyncio.ensure_future(server_side.ask(order(camera)))
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok, "handled after the order"
        assert not asking.done()
        cam.thaw()
        answer = await asking
        assert answer.ok, answer


async def test_an_order_may_overtake_the_state_that_brings_its_camera(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        await wait_until(lambda: server_side.connected)
        camera = as_rtsp(cam)
        asking = asyncio.ensure_future(server_side.ask(order(camera)))
        assert (await server_side.ask(ForgetClip(clip_id=uuid4()))).ok, "handled after the order"
        await server_side.desire(camera)
        answer = await asking
        assert answer.ok, answer


async def test_a_camera_whose_session_broke_this_moment_is_waited_for(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        cam.drop_sessions_now()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        answer = await server_side.ask(order(camera))
        assert answer.ok, answer


async def test_a_session_that_breaks_as_the_order_is_taken_is_waited_for(
    gateway: Running, server_side: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_clip = CaptureStream.record_clip
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)

        async def broken(stream: CaptureStream, path: Path, **asked: Any) -> Any:
            monkeypatch.setattr(CaptureStream, "record_clip", record_clip)
            cam.drop_sessions_now()
            await wait_until(lambda: stream.status.state == "offline")
            return await record_clip(stream, path, **asked)

        monkeypatch.setattr(CaptureStream, "record_clip", broken)
        clip = order(camera, duration_sec=1)
        assert (await server_side.ask(clip)).ok
        ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ready, ClipReady)
        assert ready.failure_reason is None


async def test_a_camera_that_is_not_online_records_nothing(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        await cam.unplug()
        await wait_until(lambda: server_side.status(camera.camera_id).status == "offline")
        assert (await server_side.ask(order(camera))).error == "not_online"
        assert list((data_dir / "clips").iterdir()) == []


async def test_a_camera_that_drops_in_mid_clip_gives_what_there_is(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        clip = order(camera, duration_sec=20)
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
        assert pictures(fits(server_side, ready)) > 5


async def test_a_removed_camera_ends_its_clip_soon(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        clip = order(camera, duration_sec=60)
        assert (await server_side.ask(clip)).ok
        await server_side.desire()
        ended = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(ended, ClipReady)
        assert ended.failure_reason == "camera_offline"


async def test_a_forgotten_clip_is_ended_and_gone(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        clip = order(camera, duration_sec=60)
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
        camera = await desire(cam, server_side, wait_until)
        clip = order(camera)
        assert (await server_side.ask(clip)).ok
        failed = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(failed, ClipFailed)
        assert failed.reason == "disk_full"


async def test_a_disk_that_takes_no_file_fails_the_clip(
    gateway: Running, server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, gateway():
        camera = await desire(cam, server_side, wait_until)
        clip = order(camera)
        (data_dir / "clips" / f"{clip.clip_id}.mp4.part" / "x").mkdir(parents=True)  # in the file's way
        assert (await server_side.ask(clip)).ok
        failed = await wait_until(lambda: server_side.clip_end(clip.clip_id))
        assert isinstance(failed, ClipFailed)
        assert failed.reason == "disk_full"


# ---- whole processes ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def process(data_dir: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`novavms-gateway run`; killed at the end, if it still runs."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novavms_gateway.main",
        "run",
        "--data-dir",
        str(data_dir),
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        _, logs = await running.communicate()
        assert DEFAULT_PASSWORD.encode() not in logs
        assert b"gw_test-token" not in logs
        assert b"/store/" not in logs, "a signed address is a key"
        assert b"Traceback" not in logs, logs.decode()


async def test_killed_in_mid_clip_and_started_again_it_sends_what_there_is(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam:
        async with process(data_dir) as gateway:
            camera = await desire(cam, server_side, wait_until)
            clip = order(camera, duration_sec=60)
            assert (await server_side.ask(clip)).ok
            part = data_dir / "clips" / f"{clip.clip_id}.mp4.part"
            await wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
            gateway.send_signal(signal.SIGKILL)
            await gateway.wait()
        (data_dir / "clips" / f"{uuid4()}.mp4").write_bytes(b"nobody's")
        async with process(data_dir):
            ready = await wait_until(lambda: server_side.clip_end(clip.clip_id))
            assert isinstance(ready, ClipReady), ready
            assert ready.failure_reason == "gateway_restart"
            assert pictures(fits(server_side, ready)) > 10
            assert server_side.hellos[-1].clips == [clip.clip_id]
            await wait_until(lambda: list((data_dir / "clips").iterdir()) == [])


async def test_sigterm_ends_the_sessions_at_the_cameras(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, process(data_dir) as gateway:
        await desire(cam, server_side, wait_until)
        gateway.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.wait(), 10) == 0
        assert cam.stats.requests["TEARDOWN"] == 1
        assert not server_side.connected


async def test_a_second_sigterm_does_not_wait_for_the_cameras(
    server_side: Any, data_dir: Path, wait_until: Any
) -> None:
    async with SimCam() as cam, process(data_dir) as gateway:
        await desire(cam, server_side, wait_until)
        await cam.unplug(silent=True)  # its TEARDOWN gets no answer
        gateway.send_signal(signal.SIGTERM)
        await wait_until(lambda: not server_side.connected)
        gateway.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(gateway.wait(), 10) == 1


async def test_a_closed_stderr_stops_nothing(server_side: Any, data_dir: Path, wait_until: Any) -> None:
    reading, writing = os.pipe()
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "novavms_gateway.main", "run", "--data-dir", str(data_dir)),
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
    async with process(data_dir):
        await wait_until(lambda: server_side.connected)
        async with process(data_dir) as second:
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


# ---- repair, each situation by itself -----------------------------------------------------------------------


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(tmp_path, gateway_id=uuid4())
    yield journal
    await journal.close()


async def _job(journal: Journal, *, duration_sec: float = 30.0) -> UUID:
    clip_id, now = uuid4(), datetime.now(UTC)
    await journal.add(
        ClipJob(
            clip_id=clip_id,
            event_id=uuid4(),
            camera_id=uuid4(),
            triggered_at=now,
            duration_sec=duration_sec,
            pre_roll_sec=1.0,
            started_at=now,
        )
    )
    return clip_id


async def test_repair_of_a_recording_that_left_nothing(journal: Journal) -> None:
    nothing, rubbish = await _job(journal), await _job(journal)
    part = journal.clip_path(rubbish).with_suffix(".mp4.part")
    part.write_bytes(b"\x00\x00\x00\x08ftyp-broken")
    for _ in range(2):  # cut short or run again: the same
        await repair(journal)
    assert [clip.state for clip in await journal.clips()] == ["failed", "failed"]
    reports = [report.body for report in await journal.reports()]
    assert [(body.clip_id, body.reason) for body in reports if isinstance(body, ClipFailed)] == [
        (nothing, "gateway_restart"),
        (rubbish, "gateway_restart"),
    ]
    assert list(journal.clips_folder.iterdir()) == []


@pytest.mark.parametrize(("asked_sec", "reason"), [(1.0, None), (30.0, "gateway_restart")])
async def test_repair_of_a_clip_that_stood_before_the_journal_knew(
    journal: Journal, tmp_path: Path, asked_sec: float, reason: str | None
) -> None:
    clip_id = await _job(journal, duration_sec=asked_sec)
    path = journal.clip_path(clip_id)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    await repair(journal)
    clip = await journal.find(clip_id)
    assert clip is not None
    assert clip.state == "recorded"
    assert clip.facts is not None
    assert (clip.facts.codec, clip.facts.width, clip.facts.has_audio) == ("h264", 64, False)
    assert clip.facts.sha256 == hashlib.sha256(content).hexdigest()
    assert clip.facts.failure_reason == reason


@pytest.mark.parametrize(("asked_sec", "reason"), [(0.5, None), (30.0, "gateway_restart")])
async def test_repair_of_a_part_file_says_whether_it_is_all(
    journal: Journal, wait_until: Any, asked_sec: float, reason: str | None
) -> None:
    """The part file outlives the finished one for a moment: a power cut there must not fail a clip that is whole."""
    clip_id = await _job(journal, duration_sec=asked_sec)
    path = journal.clip_path(clip_id)
    async with SimCam() as cam:
        stream = CaptureStream(
            StreamSource(url=cam.rtsp_url, username="admin", password=Secret(DEFAULT_PASSWORD))
        )
        running = asyncio.ensure_future(stream.run())
        await wait_until(lambda: stream.frames_received > 30)
        recording = asyncio.ensure_future(stream.record_clip(path, duration_sec=60, pre_roll_sec=1))
        part = path.with_name(f"{path.name}.part")
        await wait_until(lambda: part.exists() and part.stat().st_size > 200_000)
        for task in (recording, running):
            task.cancel()
        await asyncio.gather(recording, running, return_exceptions=True)
    path.write_bytes(b"renamed, perhaps")
    await repair(journal)
    clip = await journal.find(clip_id)
    assert clip is not None
    assert clip.facts is not None
    assert clip.facts.failure_reason == reason
    assert pictures(path.read_bytes()) > 10
    assert [file.name for file in journal.clips_folder.iterdir()] == [path.name]


async def test_repair_removes_what_nobody_owns(journal: Journal) -> None:
    for name in (f"{uuid4()}.mp4", f"{uuid4()}.mp4.part", f"{uuid4()}.mp4.tmp"):
        (journal.clips_folder / name).write_bytes(b"x")
    await repair(journal)
    assert list(journal.clips_folder.iterdir()) == []
