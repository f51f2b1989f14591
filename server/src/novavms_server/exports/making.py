"""Making an export, as a job. Cut off anywhere it is done again, and segments that were fetched already stay fetched.

1. `collecting`; the list of segments of each camera, each whole
2. each segment to `<work folder>/<camera>/<id>.mp4`, where its SHA-256 is the one the gateway computed while recording
3. cut, describe, sign: `<work folder>/out/…`        4. the file to the store        5. `ready`, in one row        6. the work folder goes
A crash after 4 leaves the file in the store, under a name that follows from the row: it is written again, over itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.types.json import Jsonb

from novavms_camera.capture.cutting import cut_segments
from novavms_camera.capture.movie_facts import facts_box
from novavms_protocol import SegmentInfo
from novavms_server.clips.store import Store
from novavms_server.exports import facts, queries
from novavms_server.exports.files import file_name, segment_path, want_room, zip_files
from novavms_server.exports.footage import Footage, Gap
from novavms_server.exports.keys import load_or_make
from novavms_server.exports.manifest import (
    FORMAT,
    clock_of,
    describe,
    envelope,
    evidence_box,
    left_out,
    losses_of,
    pieces_of,
    shown_gaps,
    want_told,
    with_holes,
)
from novavms_server.exports.models import ExportRow
from novavms_server.exports.service import MAKE, PURGE
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, Query, run
from novavms_server.kit.errors import NotFound
from novavms_server.kit.jobs import GiveUp, Jobs
from novavms_server.kit.seal import Sealer
from novavms_server.kit.work import Work
from novavms_server.recordings.errors import FootageAway

ATTEMPTS: Final = 5000
"""The deadline ends the trying, not the count."""
AT_ONCE: Final = 2
"""On this server: each waits for a gateway's uplink, and other jobs are not to wait with it."""
ATTEMPT_SEC: Final = 3600.0
"""After this long of collecting another export has its turn; what was fetched stays."""
_CHUNK: Final = 256 * 1024


log = logging.getLogger("novavms.exports")


class _Nothing(Exception):
    """No footage at all in the range."""


class ExportMaker:
    """`folder` is for what is being collected; it may be removed while nothing runs."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        clock: Clock,
        sealer: Sealer,
        footage: Footage,
        folder: Path,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._footage = footage
        self._folder = folder

    def register(self, jobs: Jobs) -> None:
        jobs.task(MAKE, self.make, max_attempts=ATTEMPTS, at_once=AT_ONCE)
        jobs.task(PURGE, self.purge)

    async def make(self, org_id: UUID, args: dict[str, Any]) -> None:
        export = await self._load(org_id, UUID(args["export_id"]))
        if export is None or export.status in ("ready", "failed"):
            return
        folder = self._folder / str(export.id)
        try:
            await self._try(export, folder)
        except GiveUp:  # deleted meanwhile, perhaps after its file was removed and before ours was there
            await self.purge(org_id, args)
            raise
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _try(self, export: ExportRow, folder: Path) -> None:
        """Until it is ready, or has failed for good. Raises what may be different next time."""
        try:
            await self._make(export, folder)
        except FootageAway as away:
            if await self._later(export, away.reason, away.message):
                raise
        except _Nothing:
            await self._fail(export, "no_footage", "There is no footage of these cameras in that time.")
        except NotFound:
            await self._fail(export, "camera_gone", "A camera of this export is no more.")
        except (GiveUp, *DATABASE_AWAY):
            raise
        except Exception:
            if await self._later(export, "internal", "The export could not be made."):
                raise

    async def _later(self, export: ExportRow, reason: str, message: str) -> bool:
        """False: the deadline is over, and so is the export."""
        if self._clock.now() >= export.deadline_at:
            log.warning("export %s: given up: %s", export.id, reason)
            await self._fail(export, reason, message)
            return False
        await self._set(export, status="pending", status_reason=reason, status_message=message)
        return True

    async def purge(self, org_id: UUID, args: dict[str, Any]) -> None:
        export_id = UUID(args["export_id"])
        await asyncio.to_thread(shutil.rmtree, self._folder / str(export_id), ignore_errors=True)
        await self._store.delete([_key(org_id, export_id, tail) for tail in (".mp4", ".zip")])

    # ---- the steps ----------------------------------------------------------------------------------------

    async def _make(self, export: ExportRow, folder: Path) -> None:
        await self._set(export, status="collecting", status_reason=None, status_message=None)
        async with self._database.org(export.org_id) as connection:
            key, shown = await load_or_make(connection, self._sealer, export.org_id, self._clock.now())
        work = await self._work(export)
        segments = {
            camera: await self._footage.segments(work, camera, export.from_at, export.to_at)
            for camera in export.camera_ids
        }
        for camera, listed in segments.items():
            want_told(await self._footage.gaps(work, camera, export.from_at, export.to_at), listed)
        try:
            async with asyncio.timeout(ATTEMPT_SEC):
                await self._collect(export, work, folder, segments)
        except TimeoutError:
            raise FootageAway("gateway_timeout", "The footage comes slowly; it goes on.") from None
        out = folder / "out"
        await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
        await asyncio.to_thread(out.mkdir, parents=True)
        gaps: list[dict[str, Any]] = []
        made: list[Path] = []
        for camera, listed in segments.items():
            told = await self._footage.gaps(work, camera, export.from_at, export.to_at)
            own = with_holes(told, listed, export.from_at, export.to_at)
            paths = {segment_path(folder, camera, each): each.sha256 or "" for each in listed}
            taken = {each.name.casefold() for each in made}
            file = await self._cut(export, work, camera, paths, own, out, taken, key)
            if file is not None:
                made.append(file)
            gaps += [{"camera_id": camera, **each} for each in shown_gaps(own)]
        if not made:
            raise _Nothing
        final = (
            made[0]
            if len(export.camera_ids) == 1
            else await asyncio.to_thread(zip_files, export, made, out, key, await self._claims(export, work))
        )
        await self._deliver(export, final, gaps, shown.fingerprint)

    async def _collect(
        self, export: ExportRow, work: Work, folder: Path, segments: dict[UUID, list[SegmentInfo]]
    ) -> None:
        total = sum(map(len, segments.values()))
        if not total:
            raise _Nothing
        await asyncio.to_thread(want_room, folder, segments)
        done, told_at = 0, self._clock.monotonic()
        for camera, listed in segments.items():
            await asyncio.to_thread((folder / str(camera)).mkdir, parents=True, exist_ok=True)
            for segment in listed:
                await self._fetch(work, camera, segment, segment_path(folder, camera, segment))
                done += 1
                if self._clock.monotonic() - told_at > 1:
                    told_at = self._clock.monotonic()
                    await self._set(export, progress=0.9 * done / total)

    async def _fetch(self, work: Work, camera: UUID, segment: SegmentInfo, path: Path) -> None:
        if await asyncio.to_thread(_is_there, path, segment.size_bytes):
            return
        part = path.with_suffix(".part")
        digest = hashlib.sha256()
        with await asyncio.to_thread(part.open, "wb") as file:
            async for chunk in self._footage.read(work, camera, segment):
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        if digest.hexdigest() != segment.sha256:
            raise FootageAway("corrupt_footage", "A segment is not what the gateway recorded; trying again.")
        await asyncio.to_thread(part.replace, path)

    async def _cut(
        self,
        export: ExportRow,
        work: Work,
        camera_id: UUID,
        paths: dict[Path, str],
        gaps: list[Gap],
        out: Path,
        taken: set[str],
        key: Ed25519PrivateKey,
    ) -> Path | None:
        """Adds to `gaps` what could not come into the file."""
        camera = await facts.camera(work, camera_id)
        claims = {**await self._claims(export, work), "camera": camera.shown}
        target = out / file_name(camera.shown, export.from_at, taken)
        shown = facts_box(
            title=f"{camera.shown['name']}, {export.from_at.isoformat()} to {export.to_at.isoformat()}",
            author=str(claims["org"].get("name", "")),
            date=export.from_at.isoformat(),
            comment=msgspec.json.encode({**claims, "gaps": shown_gaps(gaps)}).decode(),
        )
        cut = await cut_segments(list(paths), target, export.from_at, export.to_at, facts=shown)
        if cut is None:
            return None
        gaps += left_out(cut, export.to_at)
        pieces = pieces_of(cut, export.from_at, paths)
        described = await asyncio.to_thread(describe, target, cut.written.head_bytes, pieces)
        manifest = {
            **claims,
            "clock": clock_of(cut, camera.clock_offset_sec),
            "gaps": shown_gaps(gaps),
            "losses": losses_of(cut, export.from_at, export.to_at),
            "ended_early": cut.clip.failure_reason,
            **described,
        }
        box = evidence_box(envelope(manifest, key))

        def append() -> None:
            with target.open("ab") as file:
                file.write(box)

        await asyncio.to_thread(append)
        return target

    async def _claims(self, export: ExportRow, work: Work) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "export_id": export.id,
            "made_at": self._clock.now(),
            "made_by": await facts.person(work, export.created_by),
            "org": await facts.org(work),
            "case_reference": export.case_reference,
            "note": export.note,
            "range": {"from": export.from_at, "to": export.to_at},
        }

    async def _deliver(
        self, export: ExportRow, file: Path, gaps: list[dict[str, Any]], fingerprint: str
    ) -> None:
        size = (await asyncio.to_thread(file.stat)).st_size
        digest = hashlib.sha256()
        store_key = _key(export.org_id, export.id, file.suffix)
        await self._store.put(store_key, _chunks(file, digest), size_bytes=size, file_name=file.name)
        now = self._clock.now()
        await self._set(
            export,
            status="ready",
            progress=1.0,
            gaps=Jsonb(msgspec.to_builtins(gaps)),
            file_name=file.name,
            store_key=store_key,
            size_bytes=size,
            sha256=digest.hexdigest(),
            fingerprint=fingerprint,
            ready_at=now,
        )

    # ---- the row ------------------------------------------------------------------------------------------

    async def _load(self, org_id: UUID, export_id: UUID) -> ExportRow | None:
        async with self._database.org(org_id) as connection:
            return await (await run(connection, queries.by_id(org_id, export_id))).fetchone()

    async def _set(self, export: ExportRow, **values: Any) -> None:
        """Raises GiveUp where the export was deleted meanwhile."""
        columns = ", ".join(f"{name} = %s" for name in values)
        sql = f"UPDATE exports SET {columns}, updated_at = %s WHERE org_id = %s AND id = %s AND deleted_at IS NULL"  # noqa: S608
        async with self._database.org(export.org_id) as connection:
            done = await connection.execute(
                sql.encode(), (*values.values(), self._clock.now(), export.org_id, export.id)
            )
            if not done.rowcount:
                raise GiveUp("the export was deleted")

    async def _fail(self, export: ExportRow, reason: str, message: str) -> None:
        await self._set(export, status="failed", status_reason=reason, status_message=message)

    async def _work(self, export: ExportRow) -> Work:
        """To read the org's facts with, in its own name."""
        rows = await self._database.look_everywhere(
            Query("SELECT auth_epoch FROM orgs WHERE id = %s", (export.org_id,))
        )
        caller = Caller(
            export.org_id, "job", export.id, Role.admin, None, rows[0][0][0], label=f"export:{export.id}"
        )

        async def refresh() -> Caller:
            return (await self._work(export)).caller

        return Work(self._database, caller, self._clock, request_id=f"export_{export.id}", refresh=refresh)


def _key(org_id: UUID, export_id: UUID, suffix: str) -> str:
    return f"exports/{org_id}/{export_id}{suffix}"


def _is_there(path: Path, size_bytes: int) -> bool:
    """Whole: a machine that lost its power may keep a file's name and lose its bytes."""
    return path.exists() and path.stat().st_size == size_bytes


async def _chunks(file: Path, digest: Any) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as opened:
        while chunk := await asyncio.to_thread(opened.read, _CHUNK):
            digest.update(chunk)
            yield chunk
