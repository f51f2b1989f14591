"""Exports for requests: order one, see how far it is, fetch it, let it go."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

import msgspec

from novavms_server.audit.service import record
from novavms_server.clips.store import Store
from novavms_server.exports import queries
from novavms_server.exports.errors import ExportNotReady, NoExportFile
from novavms_server.exports.keys import load_or_make
from novavms_server.exports.models import Export, ExportCreate, ExportRow, Gap, SigningKey
from novavms_server.kit.errors import ValidationError
from novavms_server.kit.ids import new_id
from novavms_server.kit.jobs import Jobs, defer
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.seal import Sealer
from novavms_server.kit.work import Work
from novavms_server.recordings.holds import Holds
from novavms_server.recordings.service import RecordingService

MISSING = "There is no such export in your organization."
LINK_VALID: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(days=7)
"""How long an export waits for a gateway that is away."""
MAKE: Final = "export.make"
PURGE: Final = "export.purge"


class ExportService:
    """`base_url` is put in front of an export's `url`; it may be empty."""

    def __init__(
        self,
        cursors: Cursors,
        store: Store,
        sealer: Sealer,
        jobs: Jobs,
        recordings: RecordingService,
        holds: Holds,
        base_url: str = "",
    ) -> None:
        self._recordings = recordings
        self._holds = holds
        self._cursors = cursors
        self._store = store
        self._sealer = sealer
        self._jobs = jobs
        self._base_url = base_url.rstrip("/")

    async def create(self, work: Work, asked: ExportCreate) -> Export:
        if asked.to > work.now:
            raise ValidationError.of("to", "to must not lie in the future")
        cameras = [await self._recordings.camera(work, camera_id) for camera_id in asked.cameras]
        connection = await work.write()
        export_id = new_id()
        await work.execute(
            "INSERT INTO exports (org_id, id, camera_ids, from_at, to_at, case_reference, note, created_by, status, deadline_at, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'pending', %s, %s, %s)",
            (
                *(work.caller.org_id, export_id, asked.cameras, asked.from_, asked.to),
                *(asked.case_reference, asked.note, work.caller.label),
                *(work.now + PATIENCE, work.now, work.now),
            ),
        )
        org_id = work.caller.org_id
        # One at a time of an org: who asks for many makes nobody else wait.
        await defer(connection, MAKE, org_id=org_id, lock=f"exports:{org_id}", export_id=export_id)
        for camera in cameras:
            if camera.gateway_id is not None:
                hold_id = uuid5(export_id, str(camera.id))
                await self._holds.put(
                    connection, org_id, hold_id, camera.gateway_id, camera.id, asked.from_, asked.to
                )
        work.after_commit(self._jobs.nudge)
        row: ExportRow = await work.get(queries.by_id(org_id, export_id))
        after = {name: getattr(row, name) for name in ("camera_ids", "from_at", "to_at", "case_reference")}
        await record(work, "export.created", "export", export_id, after=after)
        return self._show(row)

    async def list(self, work: Work, cursor: str | None, limit: int) -> Page[Export]:
        """Newest first."""
        belongs = ("exports", work.caller.org_id)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, before, limit + 1), queries.total(work.caller)
        )
        page = self._cursors.page(belongs, rows, limit, total[0][0])
        return Page(
            data=[self._show(row) for row in page.data], next_cursor=page.next_cursor, total=page.total
        )

    async def get(self, work: Work, export_id: UUID) -> Export:
        return self._show(await work.get(queries.by_id(work.caller.org_id, export_id), MISSING))

    async def link(self, work: Work, export_id: UUID) -> str:
        """Where the file is, for ten minutes. Raises ExportNotReady, NoExportFile."""
        row: ExportRow = await work.get(queries.by_id(work.caller.org_id, export_id), MISSING)
        if row.store_key is None:
            if row.status == "failed":
                raise NoExportFile(extra={"reason": row.status_reason})
            raise ExportNotReady(headers={"Retry-After": "5"}, extra={"status": row.status})
        await record(work, "export.downloaded", "export", export_id)
        until, name = work.now + LINK_VALID, row.file_name or ""
        return (await self._store.link("GET", row.store_key, expires_at=until, file_name=name)).url

    async def delete(self, work: Work, export_id: UUID) -> None:
        """Soft; the file goes soon after, and retention may have the footage again."""
        connection = await work.write()
        row: ExportRow = await work.get(queries.by_id(work.caller.org_id, export_id, lock=True), MISSING)
        await work.execute(
            "UPDATE exports SET deleted_at = %s, updated_at = %s WHERE org_id = %s AND id = %s",
            (work.now, work.now, row.org_id, export_id),
        )
        for camera_id in row.camera_ids:
            await self._holds.release(connection, row.org_id, uuid5(export_id, str(camera_id)))
        await defer(connection, PURGE, org_id=row.org_id, lock=f"export:{export_id}", export_id=export_id)
        work.after_commit(self._jobs.nudge)
        await record(work, "export.deleted", "export", export_id, before={"file_name": row.file_name})

    async def signing_key(self, work: Work) -> SigningKey:
        _, shown = await load_or_make(await work.write(), self._sealer, work.caller.org_id, work.now)
        return shown

    def _show(self, row: ExportRow) -> Export:
        is_there = row.store_key is not None
        return Export(
            id=row.id,
            camera_ids=row.camera_ids,
            from_=row.from_at,
            to=row.to_at,
            case_reference=row.case_reference,
            note=row.note,
            created_by=row.created_by,
            status=row.status,
            status_reason=row.status_reason,
            status_message=row.status_message,
            progress=round(row.progress, 3),
            gaps=msgspec.convert(row.gaps, list[Gap]),
            file_name=row.file_name,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            key_fingerprint=row.fingerprint,
            url=f"{self._base_url}/api/v1/exports/{row.id}/download" if is_there else None,
            created_at=row.created_at,
            ready_at=row.ready_at,
        )
