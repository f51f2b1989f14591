"""What admins can do with users. Nobody rises by it: owners are made by transfer only, and no one changes their own role."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from psycopg import errors as pg

from novavms_server.accounts import sessions
from novavms_server.accounts.epoch import raise_epoch
from novavms_server.accounts.errors import EmailTaken, NotOnYourself, OwnerIsApart
from novavms_server.accounts.grants import Grants, grant_problems
from novavms_server.accounts.keys import hash_token
from novavms_server.accounts.passwords import Passwords, make_temporary
from novavms_server.accounts.users import queries
from novavms_server.accounts.users.models import (
    PasswordReset,
    Session,
    User,
    UserCreate,
    UserCreated,
    UserUpdate,
)
from novavms_server.audit.service import record
from novavms_server.kit.errors import NotFound, ValidationError
from novavms_server.kit.ids import new_id
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.versions import require_match
from novavms_server.kit.work import Work

MISSING = "There is no such user in your organization."
_RESET_LIFE = timedelta(hours=24)


class UserService:
    """Stateless; made once in `main`."""

    def __init__(self, cursors: Cursors, passwords: Passwords, grants: Grants) -> None:
        self._cursors = cursors
        self._passwords = passwords
        self._grants = grants

    async def list(
        self, work: Work, role: str | None, enabled: bool | None, cursor: str | None, limit: int
    ) -> Page[User]:
        """Newest first."""
        belongs = ("users", work.caller.org_id, role, enabled)
        before = self._cursors.before(cursor, belongs)
        rows, total = await work.read(
            queries.page(work.caller, role, enabled, before, limit + 1),
            queries.total(work.caller, role, enabled),
        )
        return self._cursors.page(belongs, rows, limit, total[0][0])

    async def get(self, work: Work, user_id: UUID) -> User:
        user: User = await work.get(queries.by_id(work.caller, user_id), MISSING)
        return user

    async def create(self, work: Work, asked: UserCreate) -> UserCreated:
        """With a temporary password, since there is no mail: until it is changed, it opens nothing but changing it."""
        password = make_temporary()
        hashed = await self._passwords.hash(password)
        user_id = new_id()
        try:
            await work.execute(
                "INSERT INTO users (org_id, id, email, display_name, role, password_hash, must_change_password, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, true, %s, %s)",
                (
                    *(work.caller.org_id, user_id, asked.email, asked.display_name, asked.role, hashed),
                    *(work.now, work.now),
                ),
            )
        except pg.UniqueViolation:
            raise EmailTaken from None
        await self._grants.replace(work, "user", user_id, asked.site_ids or [])
        user = await self.get(work, user_id)
        await record(work, "user.created", "user", user_id, after=user)
        return UserCreated(user, invitation_sent=False, temporary_password=password)

    async def update(self, work: Work, user_id: UUID, asked: UserUpdate, if_match: str | None) -> User:
        """Role, grants and `enabled` hold from the user's next request; disabling ends its sessions."""
        connection = await work.write()
        before: User = await work.get(queries.by_id(work.caller, user_id, lock=True), MISSING)
        changes = _changes(before, asked)
        self._refuse_escalation(work, before, changes)
        require_match(if_match, before.version)
        role, site_ids = _role_and_sites(before, changes)
        if not changes:
            return before
        await work.execute(
            "UPDATE users SET display_name = %s, role = %s, enabled = %s, version = version + 1, updated_at = %s"
            " WHERE org_id = %s AND id = %s",
            (
                changes.get("display_name", before.display_name),
                role,
                changes.get("enabled", before.enabled),
                *(work.now, work.caller.org_id, user_id),
            ),
        )
        if "role" in changes or "site_ids" in changes:
            await self._grants.replace(work, "user", user_id, site_ids)
        if role != "admin" or changes.get("enabled") is False:
            await work.execute(
                "DELETE FROM owner_nominations WHERE org_id = %s AND user_id = %s",
                (work.caller.org_id, user_id),
            )
        if changes.get("enabled") is False:
            await sessions.end(connection, work.caller.org_id, user_id)
        after = await self.get(work, user_id)
        await record(work, "user.updated", "user", user_id, before=before, after=after)
        await raise_epoch(connection, work.caller.org_id)
        return after

    @staticmethod
    def _refuse_escalation(work: Work, user: User, changes: dict[str, Any]) -> None:
        powers = changes.keys() & {"role", "enabled", "site_ids"}
        oneself = user.id == work.caller.id
        if user.role == "owner" and (powers or not oneself):
            raise OwnerIsApart
        if oneself and powers:
            raise NotOnYourself

    async def delete(self, work: Work, user_id: UUID, if_match: str | None) -> None:
        """For good; ends its sessions. What it did stays in the audit log, by its id."""
        connection = await work.write()
        before: User = await work.get(queries.by_id(work.caller, user_id, lock=True), MISSING)
        if before.role == "owner":
            raise OwnerIsApart
        if user_id == work.caller.id:
            raise NotOnYourself
        require_match(if_match, before.version)
        await work.execute("DELETE FROM users WHERE org_id = %s AND id = %s", (work.caller.org_id, user_id))
        await record(work, "user.deleted", "user", user_id, before=before)
        await raise_epoch(connection, work.caller.org_id)

    async def reset_password(self, work: Work, user_id: UUID) -> PasswordReset:
        """A token for the user to set a new password with. The old password serves until then; earlier tokens no more."""
        await work.write()
        user: User = await work.get(queries.by_id(work.caller, user_id, lock=True), MISSING)
        if user.id == work.caller.id:
            raise NotOnYourself("Change your own password by POST /api/v1/auth/change-password.")
        if user.role == "owner":
            raise OwnerIsApart("The owner's password is not reset by others.")
        reset = PasswordReset("pr_" + secrets.token_urlsafe(32), work.now + _RESET_LIFE)
        await work.execute(
            "DELETE FROM password_resets WHERE org_id = %s AND user_id = %s", (work.caller.org_id, user_id)
        )
        await work.execute(
            "INSERT INTO password_resets (org_id, user_id, hash, expires_at) VALUES (%s, %s, %s, %s)",
            (work.caller.org_id, user_id, hash_token(reset.reset_token), reset.expires_at),
        )
        await record(work, "user.password_reset_issued", "user", user_id)
        return reset

    async def sessions(self, work: Work, user_id: UUID) -> Page[Session]:
        """All on one page: there are five at most."""
        found, rows = await work.read(
            queries.by_id(work.caller, user_id), queries.sessions(work.caller, user_id, work.now)
        )
        if not found:
            raise NotFound(MISSING)
        return Page(data=rows, next_cursor=None, total=len(rows))

    async def session(self, work: Work, user_id: UUID, session_id: UUID) -> Session:
        for each in (await self.sessions(work, user_id)).data:
            if each.id == session_id:
                return each
        raise NotFound("There is no such session.")

    async def end_sessions(self, work: Work, user_id: UUID, session_id: UUID | None = None) -> None:
        """All sessions of a user, or one. The owner's are the owner's own business."""
        connection = await work.write()
        user: User = await work.get(queries.by_id(work.caller, user_id, lock=True), MISSING)
        if user.role == "owner" and user.id != work.caller.id:
            raise OwnerIsApart("The owner's sessions are not ended by others.")
        ended = await sessions.end(connection, work.caller.org_id, user_id, only=session_id)
        if session_id is not None and not ended:
            raise NotFound("There is no such session.")
        await record(work, "user.sessions_ended", "user", user_id, after={"count": ended})


def _changes(before: User, asked: UserUpdate) -> dict[str, Any]:
    """The fields that differ from what is."""
    given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}
    if "site_ids" in given:
        given["site_ids"] = sorted(set(given["site_ids"]))
    return {name: value for name, value in given.items() if getattr(before, name) != value}


def _role_and_sites(before: User, changes: dict[str, Any]) -> tuple[str, list[UUID]]:
    role = changes.get("role", before.role)
    site_ids = changes.get("site_ids", before.site_ids)
    if role != "viewer" and "site_ids" not in changes:
        site_ids = None
    found = list(grant_problems(role, site_ids))
    if found:
        raise ValidationError(found)
    if role != "viewer" and changes.get("site_ids") == []:
        del changes["site_ids"]  # none given, none had
    return role, site_ids or []
