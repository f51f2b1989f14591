"""A segment's file on a real disk: written as it comes, made durable at a set pace by threads, one sync at a time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from novavms_camera.capture.faststart import sync_folder


class SyncedFile:
    """Makes `path`, whose folder exists, and appends to it. Raises FileExistsError, OSError.

    `sync_sec`: what was written is made durable about so often (0: after each write; None: on `close` only). The folder is synced
    once, so that a power cut does not take the file's name. A sync that failed is raised by the next call.
    """

    def __init__(self, path: Path, *, sync_sec: float | None = 1.0) -> None:
        self.path = path
        self._sync_sec = sync_sec
        self._loop = asyncio.get_running_loop()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._has_name = False
        self._synced_at = self._loop.time()
        self._sync: asyncio.Future[None] | None = None

    def write(self, data: bytes) -> None:
        """Appends all of it. Raises OSError: how much of `data` is in the file is then unknown."""
        if self._sync is not None and self._sync.done():
            done, self._sync = self._sync, None
            done.result()
        written = os.write(self._file, data)
        while written < len(data):  # a disk that is nearly full takes a part
            written += os.write(self._file, data[written:])
        if self._sync_sec is not None and self._sync is None:
            now = self._loop.time()
            if now - self._synced_at >= self._sync_sec:
                self._synced_at = now
                self._sync = self._loop.run_in_executor(None, self._make_durable)

    async def close(self) -> None:
        """Makes all of it durable and closes. Raises OSError. It closes also where it raises."""
        running, self._sync = self._sync, None
        file = self._file
        if file < 0:
            return
        try:
            if running is not None:
                await running
            await self._loop.run_in_executor(None, self._make_durable)
        finally:
            self._file = -1
            os.close(file)

    def _make_durable(self) -> None:
        os.fdatasync(self._file)
        if not self._has_name:
            sync_folder(self.path.parent)
            self._has_name = True
