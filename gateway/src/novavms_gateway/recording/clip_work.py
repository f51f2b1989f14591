"""What a clip that is recorded and one that is cut have in common: from a row in the journal to a file that is ready to be sent, or a reason."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from novavms_camera.capture import ClipFile
from novavms_camera.faults import CameraFault
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.tasks import end
from novavms_gateway.storage.journal import ClipFacts, ClipJob, Journal

log = logging.getLogger(__name__)

DURATION_MAX_SEC: Final = 3600
JOURNAL_RETRY_SEC: Final = 5.0


class NoFootageError(Exception):
    """There is nothing to make the clip of."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipWork:
    """`on_recorded` is called when a clip is ready to be sent; nothing is begun on a disk with less than `reserve_bytes`."""

    journal: Journal
    clock: Clock
    machine: Machine
    reserve_bytes: int
    on_recorded: Callable[[], None]

    async def do(self, job: ClipJob, make: Callable[[], Awaitable[ClipFacts]]) -> None:
        """The journal has the outcome afterwards, whatever becomes of `make`; only a cancellation leaves the row as it is."""
        clip_id = job.clip_id
        try:
            if self.machine.disk().free_bytes < self.reserve_bytes:
                await self._fail(clip_id, "disk_full", "The gateway's disk is full.")
                return
            facts = await make()
            await self.on_disk(lambda: self.journal.recorded(clip_id, facts))
        except CameraFault as fault:
            await self._fail(clip_id, "camera_offline", fault.message)
        except NoFootageError:
            await self._fail(clip_id, "no_footage", "There is no footage in this range.")
        except OSError as error:
            await self._fail(clip_id, "disk_full", f"The clip could not be written: {error.strerror}.")
        except Exception:
            log.exception("making a clip failed", extra={"facts": {"clip": clip_id}})
            await self._fail(clip_id, "internal", "The gateway failed while making the clip.")
        else:
            log.info("clip made", extra={"facts": {"clip": clip_id, "size_bytes": facts.size_bytes}})
            self.on_recorded()

    async def on_disk(self, write: Callable[[], Any]) -> None:
        """Until it is written: a full disk must not make us forget to tell."""
        while True:
            try:
                await write()
                return
            except sqlite3.OperationalError as error:
                log.error("not writable", extra={"facts": {"error": error}})
                await self.clock.sleep(JOURNAL_RETRY_SEC)

    async def _fail(self, clip_id: UUID, reason: str, message: str) -> None:
        log.warning("clip failed", extra={"facts": {"clip": clip_id, "reason": reason, "message": message}})
        self.journal.remove_files(clip_id)  # first: the journal may need the space
        await self.on_disk(lambda: self.journal.failed(clip_id, reason, message))


class ClipTasks:
    """The clips that are being made, by their ids."""

    def __init__(self) -> None:
        self._running: dict[UUID, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, clip_id: UUID, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._running[clip_id] = task
        task.add_done_callback(lambda _: self._running.pop(clip_id, None))

    async def forget(self, clip_id: UUID) -> bool:
        """Ends what is made of this clip; False where nothing was."""
        task = self._running.pop(clip_id, None)
        if task is None:
            return False
        await end([task])
        return True

    async def stop(self) -> None:
        """Leaves all as it stands: the next start goes on with it."""
        await end(self._running.values())
