"""SQL about sites. Every query starts from the caller's org and sites."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns
from novavms_server.sites.models import Site

_COLUMNS = columns(Site)
_SCOPE = "org_id = %(org)s AND deleted_at IS NULL AND (%(sites)s::uuid[] IS NULL OR id = ANY(%(sites)s))"


def _scope(caller: Caller) -> dict[str, Any]:
    return {"org": caller.org_id, "sites": caller.site_filter()}


def page(caller: Caller, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = f"SELECT {_COLUMNS} FROM sites WHERE {_SCOPE}{after} ORDER BY id DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, {**_scope(caller), "before": before, "limit": limit}, Site)


def total(caller: Caller) -> Query:
    return Query(f"SELECT count(*) FROM sites WHERE {_SCOPE}", _scope(caller))  # noqa: S608


def by_id(caller: Caller, site_id: UUID, *, lock: bool = False) -> Query:
    """In the caller's org, whatever its site grants: whether it may see it is the service's question (403, not 404)."""
    tail = " FOR UPDATE" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM sites WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, site_id), Site)


def hold(caller: Caller, site_id: UUID) -> Query:
    """One row if the site lives; in a transaction it can't be deleted until that ends."""
    return Query(
        "SELECT timezone FROM sites WHERE org_id = %s AND id = %s AND deleted_at IS NULL FOR SHARE",
        (caller.org_id, site_id),
    )


def in_use(caller: Caller, site_id: UUID) -> Query:
    return Query(
        "SELECT EXISTS (SELECT FROM cameras WHERE org_id = %(org)s AND site_id = %(id)s AND deleted_at IS NULL)"
        " OR EXISTS (SELECT FROM gateways WHERE org_id = %(org)s AND site_id = %(id)s AND deleted_at IS NULL)",
        {"org": caller.org_id, "id": site_id},
    )
