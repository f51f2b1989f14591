"""Give a link to an event, take it back, and show the event to whoever has it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from uuid import UUID

from novavms_server.audit.service import record
from novavms_server.clips.errors import ClipNotReady, NoClip
from novavms_server.clips.service import ClipService
from novavms_server.events.service import EventService
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.errors import NotFound
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.work import Work
from novavms_server.shares import queries
from novavms_server.shares.errors import LinkGone
from novavms_server.shares.models import (
    LIFETIMES,
    FoundShare,
    Share,
    ShareCreate,
    ShareCreated,
    SharedClip,
    SharedEvent,
)

MISSING = "There is no such shared link of this event."
PATH = "/api/v1/shared/"


class ShareService:
    """`base_url` is put in front of a link; where it is empty, links are relative to the server's own address."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cursors: Cursors,
        events: EventService,
        clips: ClipService,
        base_url: str = "",
    ) -> None:
        self._database = database
        self._clock = clock
        self._cursors = cursors
        self._events = events
        self._clips = clips
        self._base_url = base_url.rstrip("/")

    # ---- for those who share ----------------------------------------------------------------------------

    async def create(self, work: Work, event_id: UUID, asked: ShareCreate) -> ShareCreated:
        await work.write()
        await self._events.look(work, event_id)
        token = secrets.token_urlsafe(32)
        share_id, expires_at = new_id(), work.now + LIFETIMES[asked.expires_in]
        await work.execute(
            "INSERT INTO event_shares (org_id, id, event_id, token_hash, created_by, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                *(work.caller.org_id, share_id, event_id, _hash(token), work.caller.label),
                *(work.now, expires_at),
            ),
        )
        after = {"event_id": event_id, "expires_at": expires_at}
        await record(work, "event.shared", "event_share", share_id, after=after)
        return ShareCreated(share_id, event_id, f"{self._base_url}{PATH}{token}", work.now, expires_at)

    async def list(self, work: Work, event_id: UUID, cursor: str | None, limit: int) -> Page[Share]:
        """Newest first; those that ran out or were revoked, too: who had the footage is a question for later."""
        belongs = ("event shares", work.caller.org_id, event_id)
        before = self._cursors.before(cursor, belongs)
        await self._events.look(work, event_id)
        rows, total = await work.read(
            queries.of_event(work.caller, event_id, before, limit + 1), queries.total(work.caller, event_id)
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def revoke(self, work: Work, event_id: UUID, share_id: UUID) -> None:
        """From now on the link leads nowhere; addresses of the file that it gave out before end within ten minutes."""
        await work.write()
        await self._events.look(work, event_id)
        share: Share = await work.get(queries.by_id(work.caller, event_id, share_id), MISSING)
        if share.revoked_at is not None:
            return
        await work.execute(
            "UPDATE event_shares SET revoked_at = %s WHERE org_id = %s AND id = %s",
            (work.now, work.caller.org_id, share_id),
        )
        before = {"event_id": event_id, "expires_at": share.expires_at}
        await record(work, "event.share_revoked", "event_share", share_id, before=before)

    # ---- for those who have the link --------------------------------------------------------------------

    async def show(self, token: str, request_id: str) -> SharedEvent:
        """Raises LinkGone."""
        share, work = await self._open(token, request_id)
        try:
            event, _ = await self._events.get(work, share.event_id)
        except NotFound:
            raise LinkGone from None
        await self._count(share)
        here = f"{PATH}{token}"
        clip = event.clip and SharedClip(
            event.clip.status,
            f"{here}/clip" if event.clip.url else None,
            event.clip.duration_sec,
            event.clip.width,
            event.clip.height,
        )
        picture = f"{here}/snapshot" if event.snapshot_url else None
        return SharedEvent(
            event.camera_name, event.triggered_at, event.summary, share.expires_at, picture, clip or None
        )

    async def clip_link(self, token: str, request_id: str) -> str:
        """Raises LinkGone, ClipNotReady, NoClip."""
        share, work = await self._open(token, request_id)
        try:
            await self._events.look(work, share.event_id)
            return await self._clips.clip_link(work, share.event_id)
        except (ClipNotReady, NoClip):
            raise
        except NotFound:
            raise LinkGone from None

    async def snapshot_link(self, token: str, request_id: str) -> str:
        """Raises LinkGone, NoSnapshot."""
        share, work = await self._open(token, request_id)
        try:
            key = await self._events.look(work, share.event_id)
        except NotFound:
            raise LinkGone from None
        return await self._clips.snapshot_link(work, key)

    async def _open(self, token: str, request_id: str) -> tuple[FoundShare, Work]:
        """The share, and a Work that may read in its org, as a viewer of everything: only its own event is ever asked for."""
        share = await self._find(token)
        caller = Caller(
            share.org_id, "share", share.id, Role.viewer, None, share.epoch, label=f"share:{share.id}"
        )

        async def refresh() -> Caller:
            return replace(caller, epoch=(await self._find(token)).epoch)

        return share, Work(self._database, caller, self._clock, request_id=request_id, refresh=refresh)

    async def _find(self, token: str) -> FoundShare:
        rows = await self._database.look_everywhere(queries.by_token(_hash(token), self._clock.now()))
        if not rows[0]:
            raise LinkGone
        share: FoundShare = rows[0][0]
        return share

    async def _count(self, share: FoundShare) -> None:
        async with self._database.org(share.org_id) as connection:
            await connection.execute(
                "UPDATE event_shares SET view_count = view_count + 1, last_viewed_at = %s WHERE org_id = %s AND id = %s",
                (self._clock.now(), share.org_id, share.id),
            )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
