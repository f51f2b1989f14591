"""A segment's file on a real disk: written as it comes, made durable at a set pace by a thread, for all files together."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from novavms_camera.capture.faststart import sync_folder


class SyncPace:
    """Makes durable what was written to its files, every `sec` seconds while something was. One for many files: a thread is asked once
    for all of them, for asking costs more than syncing does."""

    def __init__(self, sec: float = 1.0) -> None:
        self._sec = sec
        self._due: set[SyncedFile] = set()
        self._running: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, file: SyncedFile) -> None:
        """Something was written to `file`."""
        self._due.add(file)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._sec, self._begin)

    async def done_with(self, file: SyncedFile) -> None:
        """`file` is about to be closed: returns when no thread is at it."""
        self._due.discard(file)
        if self._timer is not None and not self._due:
            self._timer.cancel()
            self._timer = None
        if self._running is not None and not self._running.done():
            await asyncio.wait({self._running})

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        if self._running is not None and not self._running.done():  # a slow disk is not asked twice at a time
            self._timer = loop.call_later(self._sec, self._begin)
            return
        self._timer = None
        files, self._due = self._due, set()
        self._running = loop.run_in_executor(None, _sync_all, files)


class SyncedFile:
    """Makes `path`, whose folder exists, and appends to it. Raises FileExistsError, OSError.

    What was written is made durable at the `pace`, and on `close`. The folder is synced once, so that a power cut does not take
    the file's name. A sync that failed is raised by the next call.
    """

    def __init__(self, path: Path, pace: SyncPace | None = None) -> None:
        self.path = path
        self._pace = pace
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._has_name = False
        self._error: OSError | None = None

    def write(self, data: bytes) -> None:
        """Appends all of it. Raises OSError: how much of `data` is in the file is then unknown."""
        if self._error is not None:
            raise self._error
        written = os.write(self._file, data)
        while written < len(data):  # a disk that is nearly full takes a part
            written += os.write(self._file, data[written:])
        if self._pace is not None:
            self._pace.ask(self)

    async def close(self) -> None:
        """Makes all of it durable and closes. Raises OSError. It closes also where it raises."""
        if self._file < 0:
            return
        try:
            if self._pace is not None:
                await self._pace.done_with(self)
            await asyncio.get_running_loop().run_in_executor(None, self.sync)
            if self._error is not None:
                raise self._error
        finally:
            file, self._file = self._file, -1
            os.close(file)

    def sync(self) -> None:
        """Blocks until it is durable. What goes wrong is kept for the next call."""
        try:
            os.fdatasync(self._file)
            if not self._has_name:
                sync_folder(self.path.parent)
                self._has_name = True
        except OSError as error:
            self._error = self._error or error


def _sync_all(files: set[SyncedFile]) -> None:
    for file in files:
        file.sync()
