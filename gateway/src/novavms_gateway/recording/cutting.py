"""Clips of the past, cut out of the recording: accepted into the journal first, then cut, then sent as any other clip.

| # | step | a crash after it leaves |
|---|---|---|
| 1 | hold `cut:<clip>` on the range, so that retention lets it be | a hold that the next start lifts |
| 2 | journal: row `recording`, of a cut | cut anew at the next start |
| 3 | the MP4, aside, synced, renamed (`cut_segments`) | cut anew, over itself |
| 4 | journal: `recorded` | sent |
| 5 | the hold is lifted | lifted at the next start |
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from novavms_camera.capture.cutting import Cut, cut_segments
from novavms_gateway.kit.tasks import Tasks
from novavms_gateway.link.requests import RequestRefusedError
from novavms_gateway.recording.clip_work import (
    DURATION_MAX_SEC,
    ClipTasks,
    ClipWork,
    NoFootageError,
    clip_facts,
)
from novavms_gateway.recording.library import Library
from novavms_gateway.storage.footage import micros, moment
from novavms_gateway.storage.journal import ClipFacts, ClipJob
from novavms_gateway.storage.segment_rows import Segment
from novavms_protocol import CutClip

WAITING_MAX: Final = 64
AT_ONCE: Final = 2
"""Cut at the same time: more would only fight for the disk."""
SETTLE_SEC: Final = 3.0
"""How long after a moment its picture is on disk, as a rule."""
SLOW_DISK_SEC: Final = 20.0
"""And at most: what a slow disk has not taken by then is told as missing."""


class Cutter:
    """`order` accepts, `resume` goes on after a restart."""

    def __init__(
        self,
        work: ClipWork,
        *,
        library: Library,
        cut: Callable[..., Awaitable[Cut | None]] = cut_segments,
    ) -> None:
        self._work = work
        self._journal = work.journal
        self._clock = work.clock
        self._library = library
        self._cut_segments = cut
        self._accepting = Tasks()
        self._running = ClipTasks()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def order(self, order: CutClip) -> dict[str, Any]:
        """The reply of CutClip; an order that comes again is answered the same. Raises RequestRefusedError."""
        accepted = await self._accepting.through(self._accept(order))
        return {"started_at": msgspec.to_builtins(accepted)}

    async def resume(self) -> None:
        """After a restart: what was not cut yet is, and nothing is held for what was."""
        jobs = [
            clip.job for clip in await self._journal.clips() if clip.state == "recording" and clip.job.is_cut
        ]
        self._library.keep_cuts(
            {job.clip_id: (job.camera_id, job.triggered_at, _end_of(job)) for job in jobs}
        )
        for job in jobs:
            self._running.start(job.clip_id, partial(self._run, job))

    async def forget(self, clip_id: UUID) -> None:
        """Ends the cutting, if it goes on; the caller removes what there is of the clip."""
        if await self._running.forget(clip_id):
            await self._library.lift_cut(clip_id)

    async def stop(self) -> None:
        """Leaves what is being cut: the next start does it anew."""
        await self._accepting.end()
        await self._running.stop()

    async def _accept(self, order: CutClip) -> datetime:
        known = await self._journal.find(order.clip_id)
        if known is not None:
            return known.job.started_at
        until = min(order.end, self._clock.now())
        length_sec = (until - order.start).total_seconds()
        if not 0 < length_sec <= DURATION_MAX_SEC:
            raise RequestRefusedError(
                "unsupported", f"A clip lasts up to {DURATION_MAX_SEC} s, and ends in the past."
            )
        if len(self._running) >= WAITING_MAX:
            raise RequestRefusedError("busy", "The gateway already cuts as many clips as it can.")
        await self._library.hold_cut(order.clip_id, order.camera_id, order.start, until)
        found = await self._segments(order.camera_id, order.start, until)
        if not found:
            await self._library.lift_cut(order.clip_id)
            raise RequestRefusedError("no_footage", "There is no footage in this range.")
        job, is_new = await self._journal.add(
            ClipJob(
                clip_id=order.clip_id,
                event_id=order.event_id,
                camera_id=order.camera_id,
                triggered_at=order.start,
                duration_sec=length_sec,
                pre_roll_sec=0.0,
                started_at=max(order.start, moment(found[0].start_us)),
                accepted_at=self._clock.now(),
                is_cut=True,
            )
        )
        if is_new:
            self._running.start(job.clip_id, partial(self._run, job))
        return job.started_at

    async def _run(self, job: ClipJob) -> None:
        end_at = _end_of(job)
        await self._settle(job.camera_id, end_at)
        async with self._at_once:
            await self._work.do(job, partial(self._cut, job, end_at))
        await self._work.on_disk(lambda: self._library.lift_cut(job.clip_id))

    async def _settle(self, camera_id: UUID, end_at: datetime) -> None:
        """Until all there is of before `end_at` is on disk."""

        def since() -> float:
            return (self._clock.now() - end_at).total_seconds()

        if since() < SETTLE_SEC:
            await self._clock.sleep(SETTLE_SEC - since())
        while since() < SLOW_DISK_SEC and self._library.is_behind(camera_id, micros(end_at)):
            await self._clock.sleep(0.5)

    async def _cut(self, job: ClipJob, end_at: datetime) -> ClipFacts:
        found = await self._segments(job.camera_id, job.triggered_at, end_at)
        paths = [self._library.path(segment) for segment in found]
        cut = await self._cut_segments(paths, self._journal.clip_path(job.clip_id), job.triggered_at, end_at)
        if cut is None:
            raise NoFootageError
        missing_sec = max(0.0, job.duration_sec - cut.clip.duration_sec)
        gap_sec = round(cut.clip.gap_sec + missing_sec, 3)
        return msgspec.structs.replace(clip_facts(cut.clip), gap_sec=gap_sec)

    async def _segments(self, camera_id: UUID, start: datetime, end_at: datetime) -> list[Segment]:
        """Of the stream that has most of the range: one file has one stream."""
        found, _ = await self._library.segments(camera_id, micros(start), micros(end_at))
        times: Counter[str] = Counter()
        for segment in found:
            times[segment.stream] += segment.end_us - segment.start_us
        stream = times.most_common(1)[0][0] if times else ""
        return [segment for segment in found if segment.stream == stream]


def _end_of(job: ClipJob) -> datetime:
    return job.triggered_at + timedelta(seconds=job.duration_sec)
