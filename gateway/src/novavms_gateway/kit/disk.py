"""The disk, handed in: what files need, in calls that block; and where blocking calls are run.

A test or a simulation hands in a disk of its own that fills up, dies after n calls or loses what was not synced. The contract
that such a disk must keep, and that the recording relies on: what was synced stays; of the rest any part may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from novavms_gateway.kit.tasks import to_its_end

T = TypeVar("T")

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


class Space(NamedTuple):
    """Of the file system that a folder is on."""

    free_bytes: int
    total_bytes: int


class DiskFile(Protocol):
    """A file open for writing at its end. All raise OSError."""

    def write(self, data: bytes) -> None:
        """All of it, or OSError: then part of it may be in the file."""

    def sync(self) -> None:
        """What was written stays, whatever happens to the power."""

    def close(self) -> None:
        """Does not sync."""


class Disk(Protocol):
    """Blocking calls: only for code that an `OffLoop` runs. All raise OSError; FileNotFoundError where there is nothing."""

    def make_folder(self, folder: Path) -> bool:
        """Makes it and those above; True where one had to be made. Synced, so that it stays."""

    def create(self, path: Path) -> DiskFile:
        """A new, empty file, open for writing. FileExistsError where there is one."""

    def append(self, path: Path) -> DiskFile:
        """The file that is there, open for writing at its end."""

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """Fewer bytes at the file's end."""

    def size(self, path: Path) -> int: ...

    def truncate(self, path: Path, size: int) -> None:
        """To its first `size` bytes, synced."""

    def rename(self, path: Path, to: Path) -> None:
        """Over whatever is there. Stays once the folder is synced."""

    def unlink(self, path: Path) -> None: ...

    def remove_folder(self, folder: Path) -> None:
        """Where it is empty; else OSError."""

    def sync_folder(self, folder: Path) -> None:
        """Files made, renamed and removed in it stay so."""

    def names(self, folder: Path) -> list[str]:
        """What is in it, sorted; empty where there is no such folder."""

    def space(self, folder: Path) -> Space: ...


class DiskReader(io.RawIOBase):
    """A file of a disk as Python knows files: `read`, `seek`, `tell`. Reads ahead, for readers of many small pieces."""

    def __init__(self, disk: Disk, path: Path, *, ahead: int = 65_536) -> None:
        super().__init__()
        self._disk = disk
        self._path = path
        self._ahead = ahead
        self._at = 0
        self._piece = b""
        self._piece_at = 0
        self.length = disk.size(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the file's end."""
        if size < 0:
            size = max(0, self.length - self._at)
        begin = self._at - self._piece_at
        if not (begin >= 0 and begin + size <= len(self._piece)):
            self._piece = self._disk.read(self._path, self._at, max(size, self._ahead))
            self._piece_at, begin = self._at, 0
        data = self._piece[begin : begin + size]
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class OffLoop(Protocol):
    """Runs blocking work elsewhere than in the loop."""

    async def run(self, work: Callable[[], T]) -> T:
        """Gives or raises what `work` does. A caller that is cancelled does not stop it."""


class Inline:
    """Runs the work at once, in the loop: for a simulated disk, which does not block."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()


class Threads:
    """A few threads: a slow card holds up them, and never the loop."""

    def __init__(self, count: int = 4) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="disk")

    async def run(self, work: Callable[[], T]) -> T:
        return await to_its_end(asyncio.get_running_loop().run_in_executor(self._pool, work))

    async def close(self) -> None:
        """Waits for what was begun."""
        await asyncio.to_thread(self._pool.shutdown)


class SystemDisk:
    """The machine's own."""

    def make_folder(self, folder: Path) -> bool:
        if folder.is_dir():
            return False
        self.make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=PRIVATE_FOLDER)
        self.sync_folder(folder.parent)
        return True

    def create(self, path: Path) -> DiskFile:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return _SystemFile(os.open(path, flags, PRIVATE_FILE))

    def append(self, path: Path) -> DiskFile:
        return _SystemFile(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))

    def read(self, path: Path, offset: int, size: int) -> bytes:
        with path.open("rb", buffering=0) as file:
            parts: list[bytes] = []
            while size > 0 and (part := os.pread(file.fileno(), size, offset)):
                parts.append(part)
                offset += len(part)
                size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def truncate(self, path: Path, size: int) -> None:
        with path.open("rb+", buffering=0) as file:
            file.truncate(size)
            os.fsync(file.fileno())

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def unlink(self, path: Path) -> None:
        path.unlink()

    def remove_folder(self, folder: Path) -> None:
        folder.rmdir()

    def sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted, and there may be thousands
        except (FileNotFoundError, NotADirectoryError):
            return []

    def space(self, folder: Path) -> Space:
        usage = shutil.disk_usage(folder)
        return Space(usage.free, usage.total)


class _SystemFile:
    def __init__(self, handle: int) -> None:
        self._handle = handle

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    def sync(self) -> None:
        os.fdatasync(self._handle) if hasattr(os, "fdatasync") else os.fsync(self._handle)

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)
