"""Clips on order: accepted into the journal first, then recorded, then handed to the uploader."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from novavms_camera.capture import CaptureStream, ClipFile
from novavms_camera.faults import CameraFault
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.tasks import Tasks, end
from novavms_gateway.link.requests import RequestRefusedError
from novavms_gateway.storage.journal import ClipFacts, ClipJob, Journal
from novavms_protocol import RecordClip

log = logging.getLogger(__name__)

RECORDING_MAX: Final = 64
"""Clips recorded at once; each holds a file open and its packets in flight."""
DURATION_MAX_SEC: Final = 3600
OVERTAKEN_SEC: Final = 1.0
"""How long an order waits for the desired state that brings its camera: the two are sent at the same time."""
FIRST_FRAME_SEC: Final = 5.0
BACK_SEC: Final = 3.0
BACK_LOOK_SEC: Final = 0.1
JOURNAL_RETRY_SEC: Final = 5.0


def clip_facts(file: ClipFile) -> ClipFacts:
    return ClipFacts(
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        duration_sec=file.duration_sec,
        started_at=file.started_at,
        codec=file.codec,
        width=file.width,
        height=file.height,
        has_audio=file.has_audio,
        failure_reason=file.failure_reason,
        gap_sec=file.gap_sec,
    )


class Recorder:
    """`on_recorded` is called when a clip is ready to be sent."""

    def __init__(
        self,
        *,
        journal: Journal,
        fleet: Fleet,
        clock: Clock,
        machine: Machine,
        reserve_bytes: int,
        on_recorded: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._fleet = fleet
        self._clock = clock
        self._machine = machine
        self._reserve_bytes = reserve_bytes
        self._on_recorded = on_recorded
        self._accepting = Tasks()
        self._running: dict[UUID, asyncio.Task[None]] = {}

    async def order(self, order: RecordClip, *, timeout_sec: float) -> dict[str, Any]:
        """Accepts the order, once; an order that comes again is answered the same. Raises RequestRefusedError.

        A camera that was only just added shows its first frame up to a key-frame interval later, and one whose session broke
        this moment is mostly back a second later: both are waited for, well within `timeout_sec`.
        """
        watch = await self._fleet.find_soon(order.camera_id, within_sec=min(OVERTAKEN_SEC, timeout_sec / 4))
        if watch is not None:
            await watch.known(within_sec=min(FIRST_FRAME_SEC, timeout_sec / 2))
            await self._back(watch.stream, within_sec=min(BACK_SEC, timeout_sec / 2))
        # As a task of its own: a deadline between the row and the recording would leave a row that nobody works on.
        accepted = await self._accepting.through(self._accept(order))
        return {"started_at": accepted.isoformat().replace("+00:00", "Z")}

    async def _back(self, stream: CaptureStream, *, within_sec: float) -> None:
        """Waits while the stream is offline, but only so long after it broke."""
        ago_sec = max(0.0, (self._clock.now() - stream.status.since).total_seconds())
        deadline = self._clock.monotonic() + within_sec - ago_sec
        while stream.status.state == "offline" and self._clock.monotonic() < deadline:
            await self._clock.sleep(BACK_LOOK_SEC)

    async def forget(self, clip_id: UUID) -> None:
        """Ends the recording if one runs, and removes all there is of the clip."""
        task = self._running.pop(clip_id, None)
        if task is not None:
            await end([task])
        await self._journal.forget(clip_id)

    async def stop(self) -> None:
        """Leaves what is being recorded as it stands: the next start salvages it."""
        await self._accepting.end()
        await end(self._running.values())

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
            task = asyncio.get_running_loop().create_task(self._record(job, watch.stream))
            self._running[job.clip_id] = task
            task.add_done_callback(lambda _: self._running.pop(job.clip_id, None))
        return job.started_at

    async def _record(self, job: ClipJob, stream: CaptureStream) -> None:
        clip_id = job.clip_id
        try:
            if self._machine.disk().free_bytes < self._reserve_bytes:
                await self._fail(clip_id, "disk_full", "The gateway's disk is full.")
                return
            try:
                file = await self._take(job, stream)
            except CameraFault:
                if stream.status.state == "online":
                    raise
                await self._back(stream, within_sec=BACK_SEC)  # it broke between the order and this
                file = await self._take(job, stream)
            await self._on_disk(lambda: self._journal.recorded(clip_id, clip_facts(file)))
        except CameraFault as fault:
            await self._fail(clip_id, "camera_offline", fault.message)
        except OSError as error:
            await self._fail(clip_id, "disk_full", f"The clip could not be written: {error.strerror}.")
        except Exception:
            log.exception("recording failed", extra={"facts": {"clip": clip_id}})
            await self._fail(clip_id, "internal", "The gateway failed while recording.")
        else:
            log.info("clip recorded", extra={"facts": {"clip": clip_id, "size_bytes": file.size_bytes}})
            self._on_recorded()

    async def _take(self, job: ClipJob, stream: CaptureStream) -> ClipFile:
        return await stream.record_clip(
            self._journal.clip_path(job.clip_id), duration_sec=job.duration_sec, pre_roll_sec=job.pre_roll_sec
        )

    async def _fail(self, clip_id: UUID, reason: str, message: str) -> None:
        log.warning("clip failed", extra={"facts": {"clip": clip_id, "reason": reason, "message": message}})
        self._journal.remove_files(clip_id)  # first: the journal may need the space
        await self._on_disk(lambda: self._journal.failed(clip_id, reason, message))

    async def _on_disk(self, write: Callable[[], Any]) -> None:
        """Until it is written: a full disk must not make us forget to tell."""
        while True:
            try:
                await write()
                return
            except sqlite3.OperationalError as error:
                log.error("journal not writable", extra={"facts": {"error": error}})
                await self._clock.sleep(JOURNAL_RETRY_SEC)
