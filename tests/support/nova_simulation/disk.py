"""Disks that keep what was synced, and of the rest any subset of the writes, at any byte: the volume's, in memory, and the folder of
clips, which is a real one on a file system in memory, for the capture writes there by itself.
"""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path

from nova_disk import Content, MemoryDisk

from nova_simulation.loop import LIFE
from novavms_gateway.kit.disk import DiskFile
from novavms_gateway.storage.volume import MARKER


def is_dead() -> bool:
    """Whoever asks belongs to a life that is over."""
    life = LIFE.get()
    return life is not None and life.is_over


def burn() -> None:
    """Whoever asks does something to a disk; it may be the last thing."""
    life = LIFE.get()
    if life is not None:
        life.burn()


class SimDisk(MemoryDisk):
    """The volume's disk. `on_unlink` and `on_change` are asked before a segment's file goes, or is made or opened to be changed."""

    def __init__(self, root: Path, *, capacity: int) -> None:
        super().__init__(capacity=capacity)
        self.root = root
        self.is_broken = False
        self.on_unlink: Callable[[Path], None] = lambda path: None
        self.on_change: Callable[[Path], None] = lambda path: None
        self._unmounted: tuple[dict[Path, Content], set[Path], dict[Path, Content]] | None = None

    @property
    def is_mounted(self) -> bool:
        return self._unmounted is None

    @property
    def volume_files(self) -> dict[Path, Content]:
        """The volume's own, mounted or not."""
        return self.files if self._unmounted is None else self._unmounted[0]

    def unmount(self) -> None:
        """An empty folder is where the volume was."""
        if self._unmounted is None:
            self._unmounted = (self.files, self.folders, self.unlinked)
            self.files, self.unlinked = {}, {}
            self.folders = {self.root, *self.root.parents}

    def mount(self) -> None:
        """The volume is there again, over whatever was written meanwhile."""
        if self._unmounted is not None:
            self.files, self.folders, self.unlinked = self._unmounted
            self._unmounted = None

    def lose_power(self, chance: random.Random) -> None:
        mounted = self.is_mounted
        self.mount()
        for path, content in list(self.files.items()):
            if not content.has_name and chance.random() < 0.5:
                del self.files[path]
                continue
            tear(content, chance)
            content.has_name = True
        for path, content in self.unlinked.items():
            if path not in self.files and chance.random() < 0.5:
                self.files[path] = content
        self.unlinked = {}
        if not mounted:
            self.unmount()

    def _call(self) -> None:
        super()._call()
        burn()
        if self.is_broken or is_dead():
            raise OSError(errno.EIO, "the disk is dead")

    def create(self, path: Path) -> DiskFile:
        if path.suffix == ".mp4" and not is_dead():
            self.on_change(path)
        return super().create(path)

    def append(self, path: Path) -> DiskFile:
        if path.suffix == ".mp4" and not is_dead():
            self.on_change(path)
        return super().append(path)

    def unlink(self, path: Path) -> None:
        if path.suffix == ".mp4" and path in self.files and not self.is_broken and not is_dead():
            self.on_unlink(path)
        super().unlink(path)

    @property
    def has_marker(self) -> bool:
        return self.root / MARKER in self.files


def tear(content: Content, chance: random.Random) -> None:
    """What the power leaves of a file: all that was synced; behind it some blocks, some zeros, some nothing."""
    if len(content.data) > content.synced:
        torn(content.data, content.synced, chance)
    content.synced = len(content.data)


def torn(data: bytearray, synced: int, chance: random.Random) -> None:
    """`data` behind `synced`: cut at any byte, and in what is left any stretch may be zeros."""
    kept = chance.choice((synced, len(data), chance.randint(synced, len(data))))
    del data[kept:]
    while kept > synced and chance.random() < 0.4:
        begin = chance.randint(synced, kept - 1)
        until = chance.randint(begin + 1, kept)
        data[begin:until] = bytes(until - begin)


class ClipFolder:
    """The gateway's folder of clips. Give `fsync` to the loop: it is how this hears of what is durable."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._lives = 0
        self._sizes: dict[int, int] = {}
        self._names: dict[str, int] = {}
        self._shadow = base / "shadow"
        self._shadow.mkdir()
        self.path = base / "clips-0"
        self.path.mkdir()

    def fsync(self, handle: int) -> None:
        """In place of the system's."""
        burn()
        if is_dead():
            raise OSError(errno.EIO, "the disk is dead")
        facts = os.fstat(handle)
        if not stat.S_ISDIR(facts.st_mode):
            self._sizes[facts.st_ino] = facts.st_size
            return
        self._names = {}
        for path in sorted(self.path.iterdir()):
            number = path.stat().st_ino
            self._names[path.name] = number
            kept = self._shadow / str(number)
            if not kept.exists():
                kept.hardlink_to(path)

    def is_durable(self, name: str) -> bool:
        """Name and content outlive the power."""
        path = self.path / name
        if not path.exists():
            return False
        facts = path.stat()
        return self._names.get(name) == facts.st_ino and self._sizes.get(facts.st_ino, -1) == facts.st_size

    def lose_power(self, chance: random.Random) -> None:
        """The next life finds what is left in another folder: what the last one still does reaches nothing."""
        self._lives += 1
        following = self._base / f"clips-{self._lives}"
        following.mkdir()
        now = {path.name: path.stat().st_ino for path in sorted(self.path.iterdir())}
        for name in sorted({*now, *self._names}):
            number = chance.choice((now.get(name), self._names.get(name)))
            if number is None:
                continue
            source = self.path / name if now.get(name) == number else self._shadow / str(number)
            data = bytearray(source.read_bytes())
            synced = min(self._sizes.get(number, 0), len(data))
            if len(data) > synced:
                torn(data, synced, chance)
            (following / name).write_bytes(data)
        for folder in (self.path, self._shadow):
            for path in folder.iterdir():
                path.unlink()
        self.path.rmdir()
        self.path = following
        self._sizes = {p.stat().st_ino: p.stat().st_size for p in following.iterdir()}
        self._names = {p.name: p.stat().st_ino for p in following.iterdir()}
        for p in following.iterdir():
            (self._shadow / str(p.stat().st_ino)).hardlink_to(p)
