"""The volume: the folder that holds footage, and the marker that says whose it is.

R7: a volume whose marker was not seen in this life, or is another's, is not written, and nothing on it is removed: a disk that was not
mounted looks like an empty folder, and must not be taken for footage that is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from uuid import UUID, uuid4

import msgspec

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import Disk, OffLoop, Space

MARKER: Final = "novavms-volume.json"
MARKER_MAX: Final = 65_536
NOTHING: Final = frozenset({"lost+found"})
"""What an empty file system has."""

Trouble = Literal["not_mounted", "of_another_gateway", "unreadable", "not_empty"]
HINTS: Final[dict[Trouble, str]] = {
    "not_mounted": "the marker of the volume is missing: is the disk mounted? For a new, empty disk run: novavms-gateway new-volume",
    "of_another_gateway": "the volume belongs to another gateway (or to this box before it was paired anew): use another folder",
    "unreadable": "the volume cannot be read or written",
    "not_empty": "the folder has no marker and is not empty: use an empty one",
}


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """novavms-volume.json."""

    volume_id: UUID
    gateway_id: UUID
    made_at: datetime


class Volume:
    """`look` reads the marker; only what `is_usable` may be written."""

    def __init__(self, root: Path, *, gateway_id: UUID, disk: Disk, off_loop: OffLoop, clock: Clock) -> None:
        self.root = root
        self.disk = disk
        self.off_loop = off_loop
        self._clock = clock
        self._gateway_id = gateway_id
        self.volume_id: UUID | None = None
        """The one that was seen first in this life; another one than that is not ours any more."""
        self.trouble: Trouble | None = "unreadable"

    @property
    def is_usable(self) -> bool:
        return self.trouble is None

    async def open(self, known: UUID | None) -> None:
        """First look. `known`: the volume that the index speaks of; where there is none, an empty folder is made one."""
        await self._judge(known, may_make=known is None)

    async def look(self) -> bool:
        """Whether the volume that was opened is there."""
        await self._judge(self.volume_id, may_make=False)
        return self.is_usable

    async def make(self) -> None:
        """Makes the folder a new volume. Raises OSError, FileExistsError where there is a marker."""
        await self.off_loop.run(self._make)

    async def space(self) -> Space:
        """Raises OSError."""
        return await self.off_loop.run(lambda: self.disk.space(self.root))

    async def _judge(self, known: UUID | None, *, may_make: bool) -> None:
        try:
            marker = await self.off_loop.run(self._read)
            if marker is None and may_make:
                if set(await self.off_loop.run(lambda: self.disk.names(self.root))) - NOTHING:
                    self.trouble = "not_empty"
                    return
                marker = await self.off_loop.run(self._make)
        except (OSError, msgspec.DecodeError):
            self.trouble = "unreadable"
            return
        if marker is None:
            self.trouble = "not_mounted"
        elif marker.gateway_id != self._gateway_id:
            self.trouble = "of_another_gateway"
        elif self.volume_id is not None and marker.volume_id != self.volume_id:
            self.trouble = "not_mounted"  # swapped while we ran: the index speaks of the other one
        else:
            self.volume_id = marker.volume_id
            self.trouble = None

    def _read(self) -> Marker | None:
        try:
            content = self.disk.read(self.root / MARKER, 0, MARKER_MAX)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return msgspec.json.decode(content, type=Marker)

    def _make(self) -> Marker:
        """1. the folder  2. the marker under another name, synced  3. its name  4. the folder synced."""
        disk, path = self.disk, self.root / MARKER
        disk.make_folder(self.root)
        if MARKER in disk.names(self.root):
            raise FileExistsError(f"{path} is there already")
        marker = Marker(
            volume_id=uuid4(), gateway_id=self._gateway_id, made_at=self._clock.now().astimezone(UTC)
        )
        temporary = path.with_name(f".{MARKER}.{uuid4().hex}.tmp")
        file = disk.create(temporary)
        try:
            file.write(msgspec.json.format(msgspec.json.encode(marker)) + b"\n")
            file.sync()
        finally:
            file.close()
        disk.rename(temporary, path)
        disk.sync_folder(self.root)
        return marker
