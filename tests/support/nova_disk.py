"""A disk in memory that keeps the contract of the gateway's `Disk` and no more: what was synced stays, the rest may go.

It fills up (`capacity`), dies after a number of calls (`dies_at`), and loses power (`lose_power`).
"""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from novavms_gateway.kit.disk import DiskFile, Space


@dataclass
class Content:
    """A file. `has_name`: its folder was synced since it was made."""

    data: bytearray = field(default_factory=bytearray)
    synced: int = 0
    has_name: bool = False


class MemoryDisk:
    """Calls count in `calls`; from `dies_at` on each raises, until `lose_power`."""

    def __init__(self, *, capacity: int = 1 << 40) -> None:
        self.files: dict[Path, Content] = {}
        self.folders: set[Path] = {Path("/")}
        self.unlinked: dict[Path, Content] = {}
        """Removed, and the folder not synced since."""
        self.capacity = capacity
        self.calls = 0
        self.dies_at: int | None = None
        self.died_at: datetime | None = None
        self.fails_with: int | None = None
        """An errno that each write raises."""

    @property
    def used(self) -> int:
        return sum(len(content.data) for content in self.files.values())

    def lose_power(self, chance: random.Random) -> None:
        """What was not synced is there, in part, or not at all."""
        self.dies_at = None
        for path, content in list(self.files.items()):
            if not content.has_name and chance.random() < 0.5:
                del self.files[path]
                continue
            kept = chance.randint(content.synced, len(content.data))
            del content.data[kept:]
            if kept > content.synced and chance.random() < 0.3:
                content.data[content.synced :] = bytes(
                    kept - content.synced
                )  # blocks that were never written
            content.synced, content.has_name = len(content.data), True
        for path, content in self.unlinked.items():
            if path not in self.files and chance.random() < 0.5:
                self.files[path] = content
        self.unlinked = {}

    def _call(self) -> None:
        self.calls += 1
        if self.dies_at is not None and self.calls > self.dies_at:
            raise OSError(errno.EIO, "the disk is dead")

    def _find(self, path: Path) -> Content:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return self.files[path]

    # ---- Disk -------------------------------------------------------------------------------------------

    def make_folder(self, folder: Path) -> bool:
        self._call()
        is_new = folder not in self.folders
        self.folders.update([folder, *folder.parents])
        return is_new

    def create(self, path: Path) -> DiskFile:
        self._call()
        if path.parent not in self.folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))
        if path in self.files:
            raise FileExistsError(errno.EEXIST, "it is there", str(path))
        self.files[path] = Content()
        return MemoryFile(self, path)

    def append(self, path: Path) -> DiskFile:
        self._call()
        self._find(path)
        return MemoryFile(self, path)

    def read(self, path: Path, offset: int, size: int) -> bytes:
        self._call()
        return bytes(self._find(path).data[offset : offset + size])

    def size(self, path: Path) -> int:
        self._call()
        return len(self._find(path).data)

    def truncate(self, path: Path, size: int) -> None:
        self._call()
        content = self._find(path)
        del content.data[size:]
        content.synced = len(content.data)

    def rename(self, path: Path, to: Path) -> None:
        self._call()
        self.files[to] = self._find(path)
        del self.files[path]

    def unlink(self, path: Path) -> None:
        self._call()
        self.unlinked[path] = self._find(path)
        del self.files[path]

    def remove_folder(self, folder: Path) -> None:
        self._call()
        if self.names(folder):
            raise OSError(errno.ENOTEMPTY, "not empty")
        self.folders.discard(folder)

    def sync_folder(self, folder: Path) -> None:
        self._call()
        for path, content in self.files.items():
            if path.parent == folder:
                content.has_name = True
        self.unlinked = {path: content for path, content in self.unlinked.items() if path.parent != folder}

    def names(self, folder: Path) -> list[str]:
        self._call()
        inside = [path.name for path in self.files if path.parent == folder]
        return sorted(
            [*inside, *(path.name for path in self.folders if path.parent == folder and path != folder)]
        )

    def space(self, folder: Path) -> Space:
        self._call()
        return Space(max(0, self.capacity - self.used), self.capacity)


class MemoryFile:
    def __init__(self, disk: MemoryDisk, path: Path) -> None:
        self._disk = disk
        self._path = path

    def write(self, data: bytes) -> None:
        disk = self._disk
        disk._call()
        content = disk._find(self._path)
        if disk.fails_with is not None:
            raise OSError(disk.fails_with, "the disk refuses")
        room = disk.capacity - disk.used
        content.data += data[: max(0, room)]
        if room < len(data):
            raise OSError(errno.ENOSPC, "the disk is full")

    def sync(self) -> None:
        self._disk._call()
        content = self._disk._find(self._path)
        content.synced = len(content.data)

    def close(self) -> None:
        pass
