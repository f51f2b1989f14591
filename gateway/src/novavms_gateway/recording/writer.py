"""Segments onto the disk, off the loop: what the capture hands over waits in a bounded queue for a thread that writes and syncs.

Order for one file: 1. the volume's marker is looked for, its folder made and synced; 2. the file; 3. what waits, in one write, then a sync, once a second at most; 4. the folder
synced after the first sync, so that the name stays; 5. at the end the rest, a sync, close. A disk that is too slow fills the queue:
then the file ends with `SlowDiskError`, as one that is full ends with the system's own error.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Final

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import Disk, DiskFile, OffLoop
from novavms_gateway.storage.volume import MARKER

FILE_QUEUE_MAX_BYTES: Final = 8 * 1024 * 1024
ALL_QUEUES_MAX_BYTES: Final = 128 * 1024 * 1024
"""A stall of five seconds for a hundred cameras of 2 Mbit/s; in ordinary running next to nothing waits."""
SYNC_EVERY_SEC: Final = 1.0


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

    def open(self, path: PurePath) -> QueuedFile:
        """A new file at `path` below the root; nothing is done yet. Raises SlowDiskError."""
        if self.queued >= self.all_queues_max:
            self.on_failed(error := SlowDiskError())
            raise error
        return QueuedFile(self, self.root / path)


class QueuedFile:
    """A segment's file (`SegmentFile`)."""

    def __init__(self, writer: Writer, path: Path) -> None:
        self.path = path
        self.written = 0
        """Bytes that can be read back."""
        self._writer = writer
        self._pieces: list[bytes] = []
        self._queued = 0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._error: OSError | None = None
        self._file: DiskFile | None = None
        self._synced_at = writer.clock.monotonic()
        self._has_name = False
        self._task = asyncio.get_running_loop().create_task(self._run())

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
            self._wake.set()
            raise error
        self._pieces.append(data)
        self._queued += len(data)
        writer.queued += len(data)
        self._wake.set()

    async def close(self) -> None:
        """When all is on disk, and synced. Raises OSError; it is closed also then."""
        self._is_closing = True
        self._wake.set()
        await asyncio.shield(self._task)
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        run = self._writer.off_loop.run
        try:
            await run(self._open)
            while self._error is None:
                await self._wake.wait()
                self._wake.clear()
                is_last = self._is_closing
                pieces, self._pieces = self._pieces, []
                if pieces:
                    await self._write(pieces)
                if is_last and not self._pieces:
                    break
            await run(self._sync)
        except OSError as error:
            self._fail(error)
        finally:
            self._writer.queued -= self._queued
            self._queued = 0
            self._pieces = []
            if self._file is not None:
                await run(self._file.close)

    def _fail(self, error: OSError) -> None:
        """The first error is the one that counts."""
        if self._error is None:
            self._error = error
            self._writer.on_failed(error)

    async def _write(self, pieces: list[bytes]) -> None:
        size = sum(map(len, pieces))
        now = self._writer.clock.monotonic()
        is_due = now - self._synced_at >= SYNC_EVERY_SEC
        if is_due:
            self._synced_at = now

        def work() -> None:
            assert self._file is not None, "opened first"
            self._file.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            if is_due:
                self._sync()

        try:
            await self._writer.off_loop.run(work)
        finally:
            self._queued -= size
            self._writer.queued -= size
        self.written += size

    def _open(self) -> None:
        disk, root = self._writer.disk, self._writer.root
        disk.size(root / MARKER)  # R7: raises where the volume was unmounted meanwhile
        disk.make_folder(self.path.parent)
        self._file = disk.create(self.path)

    def _sync(self) -> None:
        assert self._file is not None, "opened first"
        self._file.sync()
        if not self._has_name:
            self._writer.disk.sync_folder(self.path.parent)
            self._has_name = True
