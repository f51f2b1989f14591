"""Clips on order: accepted into the journal first, then recorded, then handed to the uploader."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from novavms_camera.capture import CaptureStream
from novavms_camera.faults import CameraFault
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.cameras.watch import BACK_SEC, Watch
from novavms_gateway.kit.tasks import Tasks
from novavms_gateway.link.requests import RequestRefusedError
from novavms_gateway.recording.clip_work import DURATION_MAX_SEC, ClipTasks, ClipWork, clip_facts
from novavms_gateway.storage.journal import ClipFacts, ClipJob
from novavms_protocol import RecordClip

RECORDING_MAX: Final = 64
"""Clips recorded at once; each holds a file open and its packets in flight."""
LATE_MAX_SEC: Final = 10.0
"""A clock that was set meanwhile does not count for more."""


class Recorder:
    """Clips of what cameras send from now on, and of their pre-roll."""

    def __init__(self, work: ClipWork, *, fleet: Fleet) -> None:
        self._work = work
        self._journal = work.journal
        self._clock = work.clock
        self._fleet = fleet
        self._accepting = Tasks()
        self._running = ClipTasks()

    async def order(self, order: RecordClip, *, timeout_sec: float) -> dict[str, Any]:
        """Accepts the order, once; an order that comes again is answered the same. Raises RequestRefusedError."""
        await self._fleet.find_showing(order.camera_id, timeout_sec=timeout_sec)
        # As a task of its own: a deadline between the row and the recording would leave a row that nobody works on.
        accepted = await self._accepting.through(self._accept(order))
        return {"started_at": accepted.isoformat().replace("+00:00", "Z")}

    async def forget(self, clip_id: UUID) -> None:
        """Ends the recording if one runs, and removes all there is of the clip."""
        await self._running.forget(clip_id)
        await self._journal.forget(clip_id)

    async def stop(self) -> None:
        """Leaves what is being recorded as it stands: the next start salvages it."""
        await self._accepting.end()
        await self._running.stop()

    async def _accept(self, order: RecordClip) -> datetime:
        known = await self._journal.find(order.clip_id)
        if known is not None:
            return known.job.started_at
        if not (0 < order.duration_sec <= DURATION_MAX_SEC and order.pre_roll_sec >= 0):
            raise RequestRefusedError("unsupported", f"A clip lasts up to {DURATION_MAX_SEC} s.")
        watch = self._fleet.find(order.camera_id)
        if watch is None:
            raise RequestRefusedError("unknown_camera", "This gateway does not run the camera.")
        if watch.stream.status.state != "online":
            raise RequestRefusedError("not_online", "The camera is not online.")
        if len(self._running) >= RECORDING_MAX:
            raise RequestRefusedError("busy", "The gateway already records as many clips as it can.")
        job, is_new = await self._journal.add(
            ClipJob(
                clip_id=order.clip_id,
                event_id=order.event_id,
                camera_id=order.camera_id,
                triggered_at=order.triggered_at,
                duration_sec=order.duration_sec,
                pre_roll_sec=order.pre_roll_sec,
                started_at=self._clock.now(),
                accepted_at=self._clock.now(),
            )
        )
        if is_new:
            make = partial(self._record, job, watch)
            self._running.start(job.clip_id, partial(self._work.do, job, make))
        return job.started_at

    async def _record(self, job: ClipJob, watch: Watch) -> ClipFacts:
        try:
            return await self._take(job, watch.stream)
        except CameraFault:
            if watch.stream.status.state == "online":
                raise
            await watch.back(within_sec=BACK_SEC)  # it broke between the order and this
            return await self._take(job, watch.stream)

    async def _take(self, job: ClipJob, stream: CaptureStream) -> ClipFacts:
        """Its edges are counted from when it was accepted; the journal, and a session that broke, may have taken a while."""
        late_sec = min(max((self._clock.now() - job.started_at).total_seconds(), 0.0), LATE_MAX_SEC)
        clip = await stream.record_clip(
            self._journal.clip_path(job.clip_id),
            duration_sec=max(job.duration_sec - late_sec, min(job.duration_sec, 1.0)),
            pre_roll_sec=job.pre_roll_sec + late_sec,
        )
        return clip_facts(clip)
