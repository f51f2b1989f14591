"""SQL about users. Every query starts from the caller's org."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from novavms_server.accounts.users.models import Session, User
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns

_SITES = "CASE WHEN role = 'viewer' THEN array(SELECT site_id FROM user_sites g WHERE g.user_id = users.id ORDER BY site_id) END"
_COLUMNS = f"id, email, display_name, role, enabled, must_change_password, {_SITES}, last_login_at, version, created_at, updated_at"
_FILTER = (
    "org_id = %(org)s AND (%(role)s::text IS NULL OR role = %(role)s)"
    " AND (%(enabled)s::boolean IS NULL OR enabled = %(enabled)s)"
)


def _filters(caller: Caller, role: str | None, enabled: bool | None) -> dict[str, Any]:
    return {"org": caller.org_id, "role": role, "enabled": enabled}


def page(caller: Caller, role: str | None, enabled: bool | None, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = f"SELECT {_COLUMNS} FROM users WHERE {_FILTER}{after} ORDER BY id DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, {**_filters(caller, role, enabled), "before": before, "limit": limit}, User)


def total(caller: Caller, role: str | None, enabled: bool | None) -> Query:
    return Query(f"SELECT count(*) FROM users WHERE {_FILTER}", _filters(caller, role, enabled))  # noqa: S608


def by_id(caller: Caller, user_id: UUID, *, lock: bool = False) -> Query:
    tail = " FOR UPDATE" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM users WHERE org_id = %s AND id = %s{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, user_id), User)


def sessions(caller: Caller, user_id: UUID, now: datetime) -> Query:
    return Query(
        f"SELECT {columns(Session)} FROM sessions WHERE org_id = %s AND user_id = %s AND expires_at > %s"  # noqa: S608
        " ORDER BY created_at DESC, id DESC",
        (caller.org_id, user_id, now),
        Session,
    )
