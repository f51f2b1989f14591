"""Segments onto the disk, off the loop: what the capture hands over waits in a bounded queue for threads that write and sync.

All files that have something waiting are served together, ten times a second: asking a thread costs more than writing does. Order for
one file: 1. the volume's marker is looked for, its folder made and synced; 2. the file; 3. what waits, in one write, then a sync, about once
a second; 4. the folder synced after the first sync, so that the name stays; 5. at the end the rest, a sync, close. A disk that is too
slow fills the queue: then the file ends with `SlowDiskError`, as one that is full ends with the system's own error.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import Disk, DiskFile, OffLoop
from novavms_gateway.kit.tasks import Tasks
from novavms_gateway.storage.volume import MARKER

FILE_QUEUE_MAX_BYTES: Final = 8 * 1024 * 1024
ALL_QUEUES_MAX_BYTES: Final = 128 * 1024 * 1024
"""A stall of five seconds for a hundred cameras of 2 Mbit/s; in ordinary running next to nothing waits."""
GATHER_SEC: Final = 0.1
SYNC_EVERY_SEC: Final = 0.8
"""A little less than a fragment lasts, so that each is synced as it is written."""
ROUNDS_MAX: Final = 4
"""Rounds at work at once: one file that hangs does not hold up the others."""


class SlowDiskError(OSError):
    """The disk takes the bytes slower than they come."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, "the disk is too slow")


class Writer:
    """What all files of a volume share: the disk, the threads, and how much may wait. `on_failed` hears of each file that fails."""

    def __init__(
        self,
        *,
        root: Path,
        disk: Disk,
        off_loop: OffLoop,
        clock: Clock,
        on_failed: Callable[[OSError], None] = lambda error: None,
        file_queue_max: int = FILE_QUEUE_MAX_BYTES,
        all_queues_max: int = ALL_QUEUES_MAX_BYTES,
    ) -> None:
        self.root = root
        self.disk = disk
        self.off_loop = off_loop
        self.clock = clock
        self.on_failed = on_failed
        self.file_queue_max = file_queue_max
        self.all_queues_max = all_queues_max
        self.queued = 0
        self._due: dict[QueuedFile, None] = {}
        self._tasks = Tasks()
        self._rounds = asyncio.Semaphore(ROUNDS_MAX)
        self._is_serving = False

    def open(self, path: PurePath) -> QueuedFile:
        """A new file at `path` below the root; nothing is done yet. Raises SlowDiskError."""
        if self.queued >= self.all_queues_max:
            self.on_failed(error := SlowDiskError())
            raise error
        return QueuedFile(self, self.root / path)

    def ask(self, file: QueuedFile) -> None:
        """`file` has something waiting."""
        self._due[file] = None
        if not self._is_serving:
            self._is_serving = True
            self._tasks.start(self._serve())

    async def finish(self, file: QueuedFile) -> None:
        """Writes what waits in `file`, syncs and closes it; goes on where the caller is cancelled."""
        await self._tasks.through(self._finish(file))

    async def _serve(self) -> None:
        """For as long as something waits."""
        try:
            while self._due:
                await self.clock.sleep(GATHER_SEC)
                await self._rounds.acquire()
                batch = [file for file in self._due if not file.lock.locked()]
                for file in batch:
                    del self._due[file]
                if batch:
                    self._tasks.start(self._round(batch))
                else:
                    self._rounds.release()
        finally:
            self._is_serving = False

    async def _round(self, batch: list[QueuedFile]) -> None:
        now = self.clock.monotonic()
        try:
            for file in batch:
                await file.lock.acquire()  # free: nobody else was let in since it was looked at
            jobs = [file.take(now) for file in batch]
            await self.off_loop.run(lambda: _work(jobs))
            for job in jobs:
                job.file.done(job)
        finally:
            for file in batch:
                file.lock.release()
            self._rounds.release()

    async def _finish(self, file: QueuedFile) -> None:
        async with file.lock:
            self._due.pop(file, None)
            job = file.take(self.clock.monotonic(), is_last=True)
            await self.off_loop.run(lambda: _work([job]))
            file.done(job)


@dataclass(slots=True, eq=False)
class Job:
    """One file's part of a round, for a thread. `error`: what came of it."""

    file: QueuedFile
    data: bytes
    is_sync_due: bool
    is_last: bool
    error: OSError | None = None


def _work(jobs: list[Job]) -> None:
    """All writes, then all syncs: the disk may then do the syncs together. Blocks."""
    for step in (_write, _sync):
        for job in jobs:
            if job.error is None:
                try:
                    step(job)
                except OSError as error:
                    job.error = error
    for job in jobs:
        if job.is_last or job.error is not None:
            job.file.handle_close()


def _write(job: Job) -> None:
    if not job.is_last or job.data or job.file.handle is not None:
        job.file.handle_write(job.data)


def _sync(job: Job) -> None:
    if job.is_sync_due and job.file.handle is not None:
        job.file.handle_sync()


class QueuedFile:
    """A segment's file (`SegmentFile`)."""

    def __init__(self, writer: Writer, path: Path) -> None:
        self.path = path
        self.lock = asyncio.Lock()
        """Held while a thread is at it."""
        self.handle: DiskFile | None = None
        """The thread's."""
        self.written = 0
        """Bytes that can be read back."""
        self._writer = writer
        self._pieces: list[bytes] = []
        self._queued = 0
        self._error: OSError | None = None
        self._synced_at = writer.clock.monotonic()
        self._has_name = False

    def write(self, data: bytes) -> None:
        """Queues it. Raises the error that the file ended with, or SlowDiskError."""
        if self._error is not None:
            raise self._error
        writer = self._writer
        if (
            self._queued + len(data) > writer.file_queue_max
            or writer.queued + len(data) > writer.all_queues_max
        ):
            self._fail(error := SlowDiskError())
            raise error
        self._pieces.append(data)
        self._queued += len(data)
        writer.queued += len(data)
        writer.ask(self)

    async def close(self) -> None:
        """When all is on disk, and synced. Raises OSError; it is closed also then."""
        await self._writer.finish(self)
        if self._error is not None:
            raise self._error

    # ---- for the writer ---------------------------------------------------------------------------------

    def take(self, now: float, *, is_last: bool = False) -> Job:
        """What waits, as a job; nothing more of a file that failed."""
        pieces, self._pieces = self._pieces, []
        is_due = is_last or now - self._synced_at >= SYNC_EVERY_SEC
        if is_due:
            self._synced_at = now
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Job(self, data, is_due, is_last, error=self._error)

    def done(self, job: Job) -> None:
        """The thread is through with it."""
        self._release(len(job.data))
        if job.error is None:
            self.written += len(job.data)
        else:
            self._fail(job.error)

    def _fail(self, error: OSError) -> None:
        """The first error is the one that counts."""
        if self._error is None:
            self._error = error
            self._writer.on_failed(error)

    def _release(self, size: int) -> None:
        self._queued -= size
        self._writer.queued -= size

    # ---- in a thread ------------------------------------------------------------------------------------------

    def handle_write(self, data: bytes) -> None:
        if self.handle is None:
            disk, root = self._writer.disk, self._writer.root
            disk.size(root / MARKER)  # R7: raises where the volume was unmounted meanwhile
            disk.make_folder(self.path.parent)
            self.handle = disk.create(self.path)
        self.handle.write(data)

    def handle_sync(self) -> None:
        assert self.handle is not None, "opened first"
        self.handle.sync()
        if not self._has_name:
            self._writer.disk.sync_folder(self.path.parent)
            self._has_name = True

    def handle_close(self) -> None:
        if self.handle is not None:
            self.handle.close()
