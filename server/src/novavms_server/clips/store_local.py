"""The store in a folder of this machine: the default.

put:  1. write a file of its own below `.incoming/`   2. fsync it   3. rename it to its key   4. fsync the folder
A crash before 3 leaves a file below `.incoming/`, which `prepare` removes later; after 3 the object is whole.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import uuid4

from novavms_server.clips.errors import StoreAway, WrongSize
from novavms_server.clips.links import Links
from novavms_server.clips.store import CHUNK_BYTES, KEY, Link, StoredObject

_INCOMING = ".incoming"


class LocalStore:
    """A `Store`. All file work is done in threads."""

    def __init__(self, root: Path, links: Links) -> None:
        self._root = root
        self.links = links

    def path_of(self, key: str) -> Path:
        """Where an object's file is. Raises FileNotFoundError for what is no key."""
        if not KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return self._root / key

    async def prepare(self, before: datetime) -> None:
        """At start: make the folder, and remove what a crash left half-written: files untouched since `before`."""
        await asyncio.to_thread(_prepare, self._root, before.timestamp())

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
    ) -> None:
        target = self.path_of(key)
        incoming = self._root / _INCOMING / uuid4().hex
        try:
            file = await asyncio.to_thread(_create, incoming)
        except OSError as error:
            raise StoreAway from error
        try:
            with file:
                await _fill(file, chunks, size_bytes)
            await asyncio.to_thread(_settle, incoming, target)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(_remove, incoming))
            raise

    async def find(self, key: str) -> StoredObject | None:
        try:
            size = (await asyncio.to_thread(self.path_of(key).stat)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreAway from error
        return StoredObject(key, size)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self.path_of(key).open, "rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreAway from error
        with file:
            await asyncio.to_thread(file.seek, start)
            while start < end:
                chunk = await asyncio.to_thread(file.read, min(CHUNK_BYTES, end - start))
                if not chunk:
                    raise StoreAway("The file is shorter than it was.")
                start += len(chunk)
                yield chunk

    async def list_below(self, prefix: str) -> list[StoredObject]:
        folder = self.path_of(prefix.rstrip("/"))
        try:
            return await asyncio.to_thread(_list, self._root, folder)
        except OSError as error:
            raise StoreAway from error

    async def delete(self, keys: Sequence[str]) -> None:
        try:
            await asyncio.to_thread(_delete, self._root, [self.path_of(key) for key in keys])
        except OSError as error:
            raise StoreAway from error

    async def link(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires_at: datetime,
        size_bytes: int = 0,
        file_name: str = "",
    ) -> Link:
        return self.links.make(method, key, expires_at=expires_at, size_bytes=size_bytes, file_name=file_name)


def _prepare(root: Path, before: float) -> None:
    root.mkdir(
        mode=0o700, parents=True, exist_ok=True
    )  # footage of people: not for every user of this machine
    incoming = root / _INCOMING
    for path in incoming.iterdir() if incoming.is_dir() else ():
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(exist_ok=True)  # not its parents: a volume that is not mounted is a store that is away
    return path.open("xb")


async def _fill(file: BinaryIO, chunks: AsyncIterator[bytes], size_bytes: int) -> None:
    written = 0
    async for chunk in chunks:
        written += len(chunk)
        if written > size_bytes:
            raise WrongSize
        try:
            await asyncio.to_thread(file.write, chunk)
        except OSError as error:
            raise StoreAway from error
    if written != size_bytes:
        raise WrongSize
    try:
        await asyncio.to_thread(_sync, file)
    except OSError as error:
        raise StoreAway from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle(incoming: Path, target: Path) -> None:
    for attempt in (1, 2, 3):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            incoming.replace(target)
            _sync_folder(target.parent)
        except (
            FileNotFoundError
        ) as error:  # its folder was empty and went (see _delete) between the two calls
            if attempt == 3:
                raise StoreAway from error
        except OSError as error:
            raise StoreAway from error
        else:
            return


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _list(root: Path, folder: Path) -> list[StoredObject]:
    if (
        not root.is_dir()
    ):  # not "empty": a volume that is not mounted must not look like a store without objects
        raise NotADirectoryError(root)
    found = []
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.is_file():
                found.append(StoredObject(path.relative_to(root).as_posix(), path.stat().st_size))
    return sorted(found)


def _delete(root: Path, paths: list[Path]) -> None:
    if not root.is_dir():
        raise NotADirectoryError(root)
    for path in paths:
        path.unlink(missing_ok=True)
        for folder in path.parents:  # empty folders go, up to the first level
            if root in (folder, folder.parent):
                break
            try:
                folder.rmdir()
            except OSError:
                break
