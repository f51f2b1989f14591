"""What one can do with events."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from novavms_server.audit.service import record
from novavms_server.events import queries
from novavms_server.events.errors import AiUnavailable
from novavms_server.events.feed_models import event_item
from novavms_server.events.models import (
    CameraNow,
    Event,
    EventDetail,
    EventFilter,
    EventRow,
    EventUpdate,
    Trigger,
    Triggered,
)
from novavms_server.events.when import read_span
from novavms_server.feed.log import tell
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query
from novavms_server.kit.errors import Forbidden, NotFound, RateLimited
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import etag, require_match
from novavms_server.kit.work import Work

MISSING = "There is no such event in your organization."
NO_CAMERA = "There is no such camera in your organization."
TRIGGER_EVERY_SEC: Final = 5


class Clips(Protocol):
    """What events need of clips, which stand above them."""

    async def order(
        self, work: Work, event_id: UUID, camera_id: UUID, gateway_id: UUID | None, duration_sec: int
    ) -> None:
        """The clip's row, in the request's transaction; the recording begins once that is committed."""

    async def cut(
        self, work: Work, event_id: UUID, camera_id: UUID, gateway_id: UUID, start: datetime, end: datetime
    ) -> None:
        """The same of a clip that is cut out of what is recorded already."""

    def of_event(self, caller: Caller, event_id: UUID) -> Query:
        """One row, the clip as the API shows it, or none."""

    def snapshot_url(self, event_id: UUID) -> str: ...

    async def remove(self, work: Work, event_id: UUID) -> None:
        """Along with the event, in the request's transaction."""


class Holds(Protocol):
    """What events need of recordings, which stand above them."""

    async def star(self, work: Work, event_id: UUID, *, is_starred: bool) -> None:
        """The footage of a starred event is kept beyond its time. In the request's transaction."""


class EventService:
    """Stateless; made once. `holds` is set before the server starts, by whoever keeps footage."""

    def __init__(self, cursors: Cursors, clips: Clips) -> None:
        self._cursors = cursors
        self._clips = clips
        self.holds: Holds | None = None

    async def list(self, work: Work, asked: EventFilter, cursor: str | None, limit: int) -> Page[Event]:
        """Newest first, by when they happened; events of deleted cameras, too."""
        span = read_span(asked.date_from, asked.date_to)
        belongs = ("events", work.caller.org_id, asked)
        position = self._cursors.read(cursor, belongs)
        before = (datetime.fromisoformat(position[0]), UUID(position[1])) if position else None
        zones = (
            [row[0] for row in await work.list(queries.zones(work.caller, asked.site_id))]
            if span.has_days
            else []
        )
        condition, params = queries.matching(work.caller, asked, span, zones)
        rows, total = await work.read(
            queries.page(condition, params, before, limit + 1), queries.total(condition, params)
        )
        next_cursor = None
        if len(rows) > limit:
            last: EventRow = rows[limit - 1]
            next_cursor = self._cursors.make(belongs, [last.triggered_at.isoformat(), last.id])
        data = [self._show(row) for row in rows[:limit]]
        return Page(data=data, next_cursor=next_cursor, total=total[0][0])

    async def get(self, work: Work, event_id: UUID) -> tuple[EventDetail, str]:
        """With its ETag. NotFound outside the org, Forbidden outside a viewer's grants."""
        found, clip, newer, older = await work.read(
            queries.by_id(work.caller, event_id),
            self._clips.of_event(work.caller, event_id),
            queries.neighbour(work.caller, event_id, newer=True),
            queries.neighbour(work.caller, event_id, newer=False),
        )
        row = _visible(work.caller, found)
        detail = EventDetail(
            **msgspec.structs.asdict(self._show(row)),
            narrative=row.narrative,
            note=row.note,
            triggered_by=row.triggered_by,
            acknowledged_at=row.acknowledged_at,
            clip=clip[0] if clip else None,
            prev_id=newer[0][0] if newer else None,
            next_id=older[0][0] if older else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        # The second number is of all that the answer says: clip, neighbours and camera change by themselves.
        return detail, etag(row.version, zlib.crc32(msgspec.json.encode(detail)))

    async def look(self, work: Work, event_id: UUID) -> str | None:
        """May the caller see it? Then: the key of its picture, if there is one."""
        return _visible(work.caller, await work.list(queries.by_id(work.caller, event_id))).snapshot_key

    async def trigger(self, work: Work, camera_id: UUID, asked: Trigger) -> Triggered:
        """Record now. Event, clip and the camera's turn are one transaction; the order to the recorder follows it.
        Raises AiUnavailable, RateLimited."""
        found = await work.list(queries.camera(work.caller, camera_id))
        if not found:
            raise NotFound(NO_CAMERA)
        camera: CameraNow = found[0]
        if not work.caller.sees(camera.site_id):
            raise Forbidden
        if camera.status != "online":
            raise AiUnavailable
        now = work.now
        await work.write()
        free_before = now - timedelta(seconds=TRIGGER_EVERY_SEC)
        taken = await work.list(queries.take_trigger(work.caller, camera_id, now, free_before))
        if not taken:
            await self._explain_untaken(work, camera_id)
        camera = taken[0]
        event_id = await self._insert(work, camera_id, camera.site_id, now, asked.note)
        await self._clips.order(work, event_id, camera_id, camera.gateway_id, asked.duration_sec)
        after = {"camera_id": camera_id, "duration_sec": asked.duration_sec, "note": asked.note}
        await record(work, "event.triggered", "event", event_id, after=after)
        return Triggered(event_id, now, asked.duration_sec)

    async def cut(
        self,
        work: Work,
        camera_id: UUID,
        site_id: UUID,
        gateway_id: UUID,
        start: datetime,
        end: datetime,
        note: str | None,
    ) -> UUID:
        """An event at `start` with a clip of the past. The caller has looked whether there is footage."""
        event_id = await self._insert(work, camera_id, site_id, start, note)
        await self._clips.cut(work, event_id, camera_id, gateway_id, start, end)
        after = {"camera_id": camera_id, "from": start, "to": end, "note": note}
        await record(work, "event.clipped", "event", event_id, after=after)
        return event_id

    async def _insert(
        self, work: Work, camera_id: UUID, site_id: UUID, at: datetime, note: str | None
    ) -> UUID:
        event_id, now = new_id(), work.now
        await work.execute(
            "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at, triggered_by, note, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, 'manual', %s, %s, %s, %s, %s)",
            (
                *(work.caller.org_id, event_id, camera_id, site_id, at, work.caller.label),
                *(note, now, now),
            ),
        )
        row: EventRow = await work.get(queries.one(work.caller.org_id, event_id))
        await tell(await work.write(), work.caller.org_id, now, event_item("created", row))
        return event_id

    async def _explain_untaken(self, work: Work, camera_id: UUID) -> None:
        """Always raises: gone, not online, or triggered just now."""
        found = await work.list(queries.camera(work.caller, camera_id))
        if not found:
            raise NotFound(NO_CAMERA)
        if found[0].status != "online":
            raise AiUnavailable
        raise RateLimited(
            f"A camera can be triggered once in {TRIGGER_EVERY_SEC} seconds.",
            retry_after_sec=TRIGGER_EVERY_SEC,
        )

    async def update(
        self, work: Work, event_id: UUID, asked: EventUpdate, if_match: str | None
    ) -> tuple[EventDetail, str]:
        await work.write()
        before = _visible(work.caller, await work.list(queries.by_id(work.caller, event_id, lock=True)))
        require_match(if_match, before.version)
        changes: dict[str, Any] = {
            name: value
            for name, value in msgspec.structs.asdict(asked).items()
            if value is not msgspec.UNSET and value != getattr(before, name)
        }
        if changes:
            after = msgspec.structs.replace(before, **changes)
            seen_at = (before.acknowledged_at or work.now) if after.acknowledged else None
            await work.execute(
                "UPDATE events SET acknowledged = %s, acknowledged_at = %s, starred = %s, note = %s, version = version + 1, updated_at = %s"
                " WHERE org_id = %s AND id = %s",
                (
                    *(after.acknowledged, seen_at, after.starred, after.note, work.now),
                    *(work.caller.org_id, event_id),
                ),
            )
            old = {name: getattr(before, name) for name in changes}
            connection = await work.write()
            await tell(connection, work.caller.org_id, work.now, event_item("updated", after))
            if "starred" in changes and self.holds is not None:
                await self.holds.star(work, event_id, is_starred=after.starred)
            await record(work, "event.updated", "event", event_id, before=old, after=changes)
        return await self.get(work, event_id)

    async def delete(self, work: Work, event_id: UUID, if_match: str | None) -> None:
        """Soft: the row stays for the audit; the clip's and picture's bytes are removed soon after."""
        await work.write()
        before = _visible(work.caller, await work.list(queries.by_id(work.caller, event_id, lock=True)))
        require_match(if_match, before.version)
        await work.execute(
            "UPDATE events SET deleted_at = %s, updated_at = %s, snapshot_key = NULL WHERE org_id = %s AND id = %s",
            (work.now, work.now, work.caller.org_id, event_id),
        )
        if before.starred and self.holds is not None:
            await self.holds.star(work, event_id, is_starred=False)
        await self._clips.remove(work, event_id)
        await tell(await work.write(), work.caller.org_id, work.now, event_item("deleted", before))
        await record(work, "event.deleted", "event", event_id, before=self._show(before))

    def _show(self, row: EventRow) -> Event:
        values = {name: getattr(row, name) for name in Event.__struct_fields__ if name != "snapshot_url"}
        return Event(
            **values, snapshot_url=self._clips.snapshot_url(row.id) if row.snapshot_key is not None else None
        )


def _visible(caller: Caller, rows: list[EventRow]) -> EventRow:
    if not rows:
        raise NotFound(MISSING)
    if not caller.sees(rows[0].site_id):
        raise Forbidden
    return rows[0]
