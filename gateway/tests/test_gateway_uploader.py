"""Clips on their way to the store: parts, interruptions, tickets that run out, clips nobody wants any more."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.link.uplink import Uplink
from novavms_gateway.recording.uploader import Uploader
from novavms_gateway.storage.journal import ClipFacts, ClipJob, Journal
from novavms_protocol import ClipFailed, ClipReady

pytestmark = pytest.mark.anyio


class Disk:
    """A journal with recorded clips in it, and an uploader at work on them."""

    def __init__(self, journal: Journal, server_side: Any, http: httpx.AsyncClient) -> None:
        self.journal = journal
        self.uploader = Uploader(
            journal=journal,
            identity=server_side.identity(),
            http=http,
            clock=SystemClock(),
            at_once=1,
            forget=journal.forget,
            uplink=Uplink(SystemClock()),
            new_backoff=lambda: Backoff(first_sec=0.01, cap_sec=0.05),
        )
        self.reports: list[Any] = []
        journal.on_report = lambda report: self.reports.append(report.body)

    async def clip(self, size_bytes: int) -> tuple[UUID, bytes]:
        clip_id = uuid4()
        content = random.Random(size_bytes).randbytes(size_bytes)
        now = SystemClock().now()
        await self.journal.add(
            ClipJob(
                clip_id=clip_id,
                event_id=uuid4(),
                camera_id=uuid4(),
                triggered_at=now,
                duration_sec=5,
                pre_roll_sec=5,
                started_at=now,
            )
        )
        self.journal.clip_path(clip_id).write_bytes(content)
        facts = ClipFacts(
            size_bytes=size_bytes,
            sha256=hashlib.sha256(content).hexdigest(),
            duration_sec=5,
            started_at=now,
            codec="h264",
            width=640,
            height=360,
            has_audio=False,
        )
        await self.journal.recorded(clip_id, facts)
        return clip_id, content

    def ready(self) -> list[UUID]:
        return [body.clip_id for body in self.reports if isinstance(body, ClipReady)]

    @contextlib.asynccontextmanager
    async def uploading(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.uploader.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def disk(tmp_path: Path, server_side: Any, http: httpx.AsyncClient) -> AsyncIterator[Disk]:
    journal = await Journal.open(tmp_path, gateway_id=server_side.gateway_id)
    yield Disk(journal, server_side, http)
    await journal.close()


async def test_parts_arrive_and_are_reported_oldest_first(
    disk: Disk, server_side: Any, wait_until: Any
) -> None:
    sizes = (200_000, 64 * 1024, 1)
    clips = [await disk.clip(size) for size in sizes]
    async with disk.uploading():
        await wait_until(lambda: len(disk.ready()) == 3)
    assert disk.ready() == [clip_id for clip_id, _ in clips]
    for clip_id, content in clips:
        assert server_side.stored(clip_id) == content
    assert [body.part_count for body in disk.reports if isinstance(body, ClipReady)] == [4, 1, 1]
    assert server_side.tickets == 3


@pytest.mark.parametrize(
    "trouble", [500, 403, 404, 0], ids=["store broke", "ticket ran out", "gone", "line cut"]
)
async def test_an_interruption_goes_on_where_it_stopped(
    disk: Disk, server_side: Any, wait_until: Any, trouble: int
) -> None:
    clip_id, content = await disk.clip(5 * 64 * 1024)
    server_side.put_answers = [200, 200, trouble]
    async with disk.uploading():
        await wait_until(disk.ready)
    assert server_side.stored(clip_id) == content
    assert server_side.tickets == 2, "a new ticket after the interruption"
    numbers = [number for _, number in server_side.puts]
    assert sorted(numbers) == numbers
    assert numbers.count(1) == numbers.count(2) == 1, "what was there already is not sent again"


async def test_a_store_that_is_away_is_waited_for_across_a_restart(
    disk: Disk, server_side: Any, wait_until: Any
) -> None:
    clip_id, content = await disk.clip(3 * 64 * 1024)
    server_side.store_away = True
    async with disk.uploading():
        await wait_until(lambda: len(server_side.puts) >= 3)
        assert disk.ready() == []
    clip = await disk.journal.find(clip_id)
    assert clip is not None
    assert clip.state == "recorded"
    server_side.store_away = False
    async with disk.uploading():
        await wait_until(disk.ready)
    assert server_side.stored(clip_id) == content


async def test_one_clip_in_trouble_does_not_hold_up_the_next(
    disk: Disk, server_side: Any, wait_until: Any
) -> None:
    troubled, _ = await disk.clip(1000)
    disk.journal.clip_path(troubled).write_bytes(b"shorter than it was")
    fine, _ = await disk.clip(2000)
    async with disk.uploading():
        await wait_until(disk.ready)
    assert disk.ready() == [fine]


async def test_a_clip_no_longer_wanted_is_forgotten(disk: Disk, server_side: Any, wait_until: Any) -> None:
    clip_id, _ = await disk.clip(1000)
    server_side.unwanted.add(clip_id)
    async with disk.uploading():
        await wait_until(lambda: not disk.journal.clip_path(clip_id).exists())
    assert await disk.journal.clips() == []
    assert await disk.journal.reports() == []


async def test_a_file_that_somebody_removed_ends_truthfully(disk: Disk, wait_until: Any) -> None:
    clip_id, _ = await disk.clip(1000)
    disk.journal.clip_path(clip_id).unlink()
    async with disk.uploading():
        await wait_until(lambda: [body for body in disk.reports if isinstance(body, ClipFailed)])
    clip = await disk.journal.find(clip_id)
    assert clip is not None
    assert clip.state == "failed"
