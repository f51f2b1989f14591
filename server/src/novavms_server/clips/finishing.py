"""What is owed to a clip, done beside requests. Each step can be cut off anywhere and is simply done again:

verify    1. join the parts into `clips/…`, hashing what is read; a wrong hash or size leaves nothing there
          2. `ready` (or `failed` with what there is), in one row        3. next: sweep
sweep     1. remove the parts    2. `upload` = NULL
picture   1. decode the first picture in a process of its own, put `snapshots/…`    2. name it on the event, `snapshot_at`
purge     (its event was deleted) 1. remove parts, clip and picture, by names that follow from the row    2. `purged_at`
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from novavms_server.clips import queries, states, thumbnail
from novavms_server.clips.models import ClipRow, Facts, cut
from novavms_server.clips.store import Store, clip_key, part_key, snapshot_key, uploads_prefix
from novavms_server.clips.store_local import LocalStore
from novavms_server.events.models import ClipStatus
from novavms_server.events.pictures import set_snapshot
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database, run

LEASE: Final = timedelta(seconds=30)
"""How long a claim holds without being renewed: after a crash a clip waits so long for the next server."""
_RENEW_SEC: Final = 8.0


class CorruptUpload(Exception):
    """What came is not what the gateway announced; the message says how."""


class Finisher:
    """`work_on` a clip that the caller holds (see keeper)."""

    def __init__(self, database: Database, store: Store, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def work_on(self, clip: ClipRow) -> bool:
        """The next step of it; False when nothing is owed. Raises StoreAway."""
        if clip.deleted_at is not None:
            if clip.purged_at is not None:
                return False
            await self._purge(clip)
        elif clip.status == "uploading" and clip.reported is not None:
            await self._verify(clip)
        elif clip.status in ("ready", "failed") and clip.upload is not None and not clip.guessed:
            await self._sweep(clip)
        elif clip.store_key is not None and clip.snapshot_at is None:
            await self._picture(clip)
        else:
            return False
        return True

    async def _verify(self, clip: ClipRow) -> None:
        facts = msgspec.convert(clip.reported, Facts)
        key = clip_key(clip.org_id, clip.id, clip.ordered_at)
        now = self._clock.now
        try:
            keys = await self._parts(clip, facts)
            await self._store.put(key, self._joined(clip, keys, facts.sha256), size_bytes=facts.size_bytes)
        except CorruptUpload as error:
            async with self._database.org(clip.org_id) as connection:
                await states.fail(connection, clip.org_id, clip.id, now(), "corrupt_upload", str(error))
            return
        async with self._database.org(clip.org_id) as connection:
            await states.change(
                connection, clip.org_id, clip.id, outcome(facts), now(), **file_columns(facts, key)
            )

    async def _parts(self, clip: ClipRow, facts: Facts) -> list[tuple[str, int]]:
        """Key and size of each part, all of them in the store."""
        plan = clip.upload or {}
        if plan.get("sha256") != facts.sha256 or plan.get("size_bytes") != facts.size_bytes:
            raise CorruptUpload("The gateway reported another file than it sent.")
        stored = {item.key: item.size_bytes for item in await self._store.list_below(uploads_prefix(clip.id))}
        keys = []
        for number, _, size in cut(facts.size_bytes, plan["part_bytes"]):
            key = part_key(clip.id, facts.sha256, plan["part_bytes"], number)
            if stored.get(key) != size:
                raise CorruptUpload(f"Part {number} did not arrive whole.")
            keys.append((key, size))
        return keys

    async def _joined(self, clip: ClipRow, keys: list[tuple[str, int]], sha256: str) -> AsyncIterator[bytes]:
        """All bytes in order. Raises CorruptUpload at the end, which keeps `put` from being done."""
        digest = hashlib.sha256()
        renew_at = self._clock.monotonic() + _RENEW_SEC
        for key, size in keys:
            async for chunk in self._store.read(key, 0, size):
                digest.update(chunk)
                yield chunk
                if self._clock.monotonic() >= renew_at:
                    renew_at = self._clock.monotonic() + _RENEW_SEC
                    await self._renew(clip)
        if digest.hexdigest() != sha256:
            raise CorruptUpload("The SHA-256 of what arrived is not the one the gateway reported.")

    async def _renew(self, clip: ClipRow) -> None:
        async with self._database.org(clip.org_id) as connection:
            await run(connection, queries.hold_until(clip, self._clock.now() + LEASE))

    async def _sweep(self, clip: ClipRow) -> None:
        await self._remove_parts(clip)
        await self._set(clip, upload=None)

    async def _remove_parts(self, clip: ClipRow) -> None:
        parts = await self._store.list_below(uploads_prefix(clip.id))
        await self._store.delete([item.key for item in parts])

    async def _picture(self, clip: ClipRow) -> None:
        assert clip.store_key is not None, "work_on looked"
        jpeg = await self._decode(clip.store_key)
        if jpeg is None:
            await self._set(clip, snapshot_at=self._clock.now())
            return
        key = snapshot_key(clip.org_id, clip.event_id, clip.ordered_at)
        await self._store.put(key, _once(jpeg), size_bytes=len(jpeg))
        async with self._database.org(clip.org_id) as connection:
            await set_snapshot(connection, clip.org_id, clip.event_id, key, self._clock.now())
            await connection.execute(
                "UPDATE clips SET snapshot_at = %s WHERE org_id = %s AND id = %s",
                (self._clock.now(), clip.org_id, clip.id),
            )

    async def _decode(self, key: str) -> bytes | None:
        """From the store's own file, or from a copy of one that is elsewhere."""
        if isinstance(self._store, LocalStore):
            return await thumbnail.make(self._store.path_of(key))
        stored = await self._store.find(key)
        if stored is None:
            return None
        with tempfile.NamedTemporaryFile(suffix=".mp4") as copy:
            async for chunk in self._store.read(key, 0, stored.size_bytes):
                await asyncio.to_thread(copy.write, chunk)
            copy.flush()
            return await thumbnail.make(Path(copy.name))

    async def _purge(self, clip: ClipRow) -> None:
        await self._remove_parts(clip)
        at = clip.ordered_at
        await self._store.delete(
            [clip_key(clip.org_id, clip.id, at), snapshot_key(clip.org_id, clip.event_id, at)]
        )
        await self._set(clip, store_key=None, upload=None, reported=None, purged_at=self._clock.now())

    async def _set(self, clip: ClipRow, **columns: Any) -> None:
        settings = ", ".join(f"{name} = %s" for name in columns)
        async with self._database.org(clip.org_id) as connection:
            await connection.execute(
                f"UPDATE clips SET {settings} WHERE org_id = %s AND id = %s",  # noqa: S608 - names are ours
                (*columns.values(), clip.org_id, clip.id),
            )


def outcome(facts: Facts) -> ClipStatus:
    """A clip that broke off is `failed`, and yet there is something to play."""
    return "ready" if facts.failure_reason is None else "failed"


def file_columns(facts: Facts, key: str) -> dict[str, Any]:
    """What the row says of a file that is in the store."""
    columns = {name: getattr(facts, name) for name in Facts.__struct_fields__}
    message = (
        None if facts.failure_reason is None else "The recording broke off; what was recorded can be played."
    )
    return {**columns, "failure_message": message, "store_key": key, "reported": None}


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
