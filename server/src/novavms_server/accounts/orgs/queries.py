"""SQL about the caller's own org."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from novavms_server.accounts.orgs.models import Nomination, Org
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns


def current(caller: Caller, *, lock: bool = False) -> Query:
    tail = " FOR UPDATE" if lock else ""
    return Query(f"SELECT {columns(Org)} FROM orgs WHERE id = %s{tail}", (caller.org_id,), Org)  # noqa: S608


def nomination(caller: Caller, now: datetime) -> Query:
    return Query(
        "SELECT u.id, u.email, u.display_name, n.created_at, n.expires_at FROM owner_nominations n"
        " JOIN users u ON u.org_id = n.org_id AND u.id = n.user_id WHERE n.org_id = %s AND n.expires_at > %s",
        (caller.org_id, now),
        Nomination,
    )


def locked_nomination(caller: Caller, now: datetime) -> Query:
    return Query(
        "SELECT user_id FROM owner_nominations WHERE org_id = %s AND expires_at > %s FOR UPDATE",
        (caller.org_id, now),
    )


def member(caller: Caller, user_id: UUID) -> Query:
    """(role, enabled), locked: it can't be demoted before the transaction ends."""
    return Query(
        "SELECT role, enabled FROM users WHERE org_id = %s AND id = %s FOR UPDATE", (caller.org_id, user_id)
    )


def owner_and(caller: Caller, user_id: UUID) -> Query:
    return Query(
        "SELECT id, role, enabled FROM users WHERE org_id = %s AND (role = 'owner' OR id = %s) ORDER BY id FOR UPDATE",
        (caller.org_id, user_id),
    )
