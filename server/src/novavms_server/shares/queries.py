"""SQL about shared links."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns
from novavms_server.shares.models import FoundShare, Share

_COLUMNS = columns(Share)


def of_event(caller: Caller, event_id: UUID, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = (
        f"SELECT {_COLUMNS} FROM event_shares WHERE org_id = %(org)s AND event_id = %(event)s{after}"  # noqa: S608
        " ORDER BY id DESC LIMIT %(limit)s"
    )
    return Query(sql, {"org": caller.org_id, "event": event_id, "before": before, "limit": limit}, Share)


def total(caller: Caller, event_id: UUID) -> Query:
    sql = "SELECT count(*) FROM event_shares WHERE org_id = %s AND event_id = %s"
    return Query(sql, (caller.org_id, event_id))


def by_id(caller: Caller, event_id: UUID, share_id: UUID) -> Query:
    sql = f"SELECT {_COLUMNS} FROM event_shares WHERE org_id = %s AND event_id = %s AND id = %s FOR UPDATE"  # noqa: S608
    return Query(sql, (caller.org_id, event_id, share_id), Share)


def by_token(token_hash: bytes, now: datetime) -> Query:
    """Across orgs: a stranger asks, and the link is all we know."""
    sql = (
        "SELECT s.org_id, s.id, s.event_id, s.expires_at, o.auth_epoch FROM event_shares s JOIN orgs o ON o.id = s.org_id"
        " WHERE s.token_hash = %s AND s.revoked_at IS NULL AND s.expires_at > %s"
    )
    return Query(sql, (token_hash, now), FoundShare)
