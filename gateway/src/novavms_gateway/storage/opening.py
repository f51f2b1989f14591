"""Index and volume, opened together: which index belongs to which volume, and what to do where one of them is gone (R7)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.sqlite import Sqlite
from novavms_gateway.storage.index import Index, get_meta, is_damage, open_database, set_meta
from novavms_gateway.storage.volume import HINTS, Volume

log = logging.getLogger(__name__)

FILE_NAME: Final = "recordings.db"


class IndexFile(Protocol):
    """Where the index is kept."""

    async def open(self) -> Sqlite:
        """Raises sqlite3.Error."""

    async def put_aside(self) -> None:
        """What is there is kept under another name; the next `open` makes a new one."""


class SystemIndexFile:
    """DIR/recordings.db; the one put aside last is kept as recordings-old.db."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME

    async def open(self) -> Sqlite:
        return await open_database(self._path)

    async def put_aside(self) -> None:
        await asyncio.to_thread(self._put_aside)

    def _put_aside(self) -> None:
        old = self._path.with_name("recordings-old.db")
        for suffix in ("-wal", "-shm", ""):
            Path(f"{old}{suffix}").unlink(missing_ok=True)
        for suffix in ("", "-wal", "-shm"):
            path = Path(f"{self._path}{suffix}")
            if path.exists():
                path.replace(f"{old}{suffix}")


async def open_storage(file: IndexFile, volume: Volume, clock: Clock, *, gateway_id: UUID) -> Index:
    """Opens the volume and the index that speaks of it; a new index where there is none, or it is damaged, or of another volume.

    The volume may turn out not to be usable: then the index is what it was. Raises sqlite3.Error, OSError.
    """
    database = await _open_whole(file)
    owner, known = await database.read(lambda db: (get_meta(db, "gateway_id"), get_meta(db, "volume_id")))
    if owner not in (None, str(gateway_id)):
        log.warning("the index is another gateway's: put aside")
        database, known = await _anew(file, database), None
    await volume.open(None if known is None else UUID(known))
    if volume.trouble is not None:
        log.error(
            "recording is not possible",
            extra={"facts": {"volume": volume.root, "why": HINTS[volume.trouble]}},
        )
    elif known not in (None, str(volume.volume_id)):
        log.warning("the volume is another one than the index speaks of: put aside")
        database, known = await _anew(file, database), None
    is_usable, volume_id = volume.is_usable, volume.volume_id

    def settle(db: sqlite3.Connection) -> None:
        set_meta(db, "gateway_id", str(gateway_id))
        if is_usable and known is None:
            set_meta(db, "volume_id", str(volume_id))
            set_meta(db, "rebuild", "1")

    await database.run(settle)
    return await Index.open(database, clock)


async def _open_whole(file: IndexFile) -> Sqlite:
    try:
        return await file.open()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        log.error(
            "the index is damaged: put aside, and made anew from the files", extra={"facts": {"error": error}}
        )
        await file.put_aside()
        return await file.open()


async def _anew(file: IndexFile, database: Sqlite) -> Sqlite:
    await database.close()
    await file.put_aside()
    return await file.open()
