"""What one can do with one's org. Ownership: the owner nominates an enabled admin, who accepts within 7 days; then both
change roles in one transaction, and the org has exactly one owner at any time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec import UNSET
from psycopg import errors as pg

from novavms_server.accounts.epoch import raise_epoch
from novavms_server.accounts.errors import NominationOpen, UsersOnly
from novavms_server.accounts.orgs import queries
from novavms_server.accounts.orgs.models import MovedCameras, Nomination, NominationCreate, Org, OrgUpdate
from novavms_server.audit.service import record
from novavms_server.kit.caller import Role
from novavms_server.kit.database import Connection
from novavms_server.kit.errors import Conflict, Forbidden, NotFound, ValidationError
from novavms_server.kit.versions import require_match
from novavms_server.kit.work import Work

NOMINATION_LIFE = timedelta(days=7)
_NONE = "There is no open nomination."


async def moved_cameras(connection: Connection, org_id: UUID) -> MovedCameras:
    """The org's setting, for whoever hears of a camera that moved."""
    cursor = await connection.execute("SELECT moved_cameras FROM orgs WHERE id = %s", (org_id,), prepare=True)
    row = await cursor.fetchone()
    return "apply" if row is not None and row[0] == "apply" else "offer"


class OrgService:
    """Stateless; made once in `main`."""

    async def get(self, work: Work) -> Org:
        org: Org = await work.get(queries.current(work.caller))
        return org

    async def update(self, work: Work, asked: OrgUpdate, if_match: str | None) -> Org:
        await work.write()
        before: Org = await work.get(queries.current(work.caller, lock=True))
        require_match(if_match, before.version)
        name = before.name if asked.name is UNSET else asked.name
        moved_cameras = before.moved_cameras if asked.moved_cameras is UNSET else asked.moved_cameras
        if (name, moved_cameras) == (before.name, before.moved_cameras):
            return before
        await work.execute(
            "UPDATE orgs SET name = %s, moved_cameras = %s, version = version + 1, updated_at = %s WHERE id = %s",
            (name, moved_cameras, work.now, work.caller.org_id),
        )
        after = await self.get(work)
        await record(work, "org.updated", "org", work.caller.org_id, before=before, after=after)
        return after

    async def nomination(self, work: Work) -> Nomination:
        found: Nomination = await work.get(queries.nomination(work.caller, work.now), _NONE)
        return found

    async def nominate(self, work: Work, asked: NominationCreate) -> Nomination:
        """By the owner; an expired nomination gives way."""
        await work.write()
        nominee = await work.find(queries.member(work.caller, asked.user_id))
        if nominee is None:
            raise NotFound("There is no such user in your organization.")
        if nominee != ("admin", True):
            raise ValidationError.of("user_id", "user_id must be an enabled admin")
        await work.execute(
            "DELETE FROM owner_nominations WHERE org_id = %s AND expires_at <= %s",
            (work.caller.org_id, work.now),
        )
        try:
            await work.execute(
                "INSERT INTO owner_nominations (org_id, user_id, created_at, expires_at) VALUES (%s, %s, %s, %s)",
                (work.caller.org_id, asked.user_id, work.now, work.now + NOMINATION_LIFE),
            )
        except pg.UniqueViolation:
            raise NominationOpen from None
        made = await self.nomination(work)
        await record(work, "org.owner_nominated", "user", asked.user_id, after=made)
        return made

    async def withdraw(self, work: Work) -> None:
        """By the owner, or declined by the nominee."""
        await work.write()
        nominee = await self._lock_nominee(work)
        if work.caller.role != Role.owner and work.caller.id != nominee:
            raise Forbidden("Only the owner or the nominee can end a nomination.")
        await work.execute("DELETE FROM owner_nominations WHERE org_id = %s", (work.caller.org_id,))
        await record(work, "org.nomination_withdrawn", "user", nominee)

    async def accept(self, work: Work) -> Org:
        """By the nominee, who must still be an enabled admin. The former owner becomes an admin."""
        if work.caller.kind != "user":
            raise UsersOnly
        connection = await work.write()
        nominee = await self._lock_nominee(work)
        if nominee != work.caller.id:
            raise Forbidden("Another admin is nominated.")
        roles = {row[0]: row for row in await work.list(queries.owner_and(work.caller, nominee))}
        former = next((row[0] for row in roles.values() if row[1] == "owner"), None)
        if roles[nominee][1:] != ("admin", True) or former is None:
            raise Conflict("The nominee must be an enabled admin.")
        # One owner at any time, also for the unique index, which looks after each row: first down, then up.
        for user_id, role in ((former, "admin"), (nominee, "owner")):
            await work.execute(
                "UPDATE users SET role = %s, version = version + 1, updated_at = %s WHERE org_id = %s AND id = %s",
                (role, work.now, work.caller.org_id, user_id),
            )
        await work.execute("DELETE FROM owner_nominations WHERE org_id = %s", (work.caller.org_id,))
        facts = {"owner": former}, {"owner": nominee}
        await record(work, "org.owner_changed", "org", work.caller.org_id, before=facts[0], after=facts[1])
        org = await self.get(work)
        await raise_epoch(connection, work.caller.org_id)
        return org

    async def _lock_nominee(self, work: Work) -> UUID:
        user_id: UUID = (await work.get(queries.locked_nomination(work.caller, work.now), _NONE))[0]
        return user_id
