"""Clips at a start after a crash: each thing that a crash can leave, by itself."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import pytest
from nova_mp4 import pictures

from novavms_camera.capture import CaptureStream
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_gateway.recording.repair import repair
from novavms_gateway.storage.journal import ClipJob, Journal
from novavms_protocol import ClipFailed
from novavms_simcam import DEFAULT_PASSWORD, SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


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
