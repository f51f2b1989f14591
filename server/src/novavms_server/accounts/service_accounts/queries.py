"""SQL about service accounts and keys. Every query starts from the caller's org."""

from __future__ import annotations

from uuid import UUID

from novavms_server.accounts.service_accounts.models import ApiKey, ServiceAccount
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns

_SITES = (
    "CASE WHEN role = 'viewer' THEN array(SELECT site_id FROM service_account_sites g"
    " WHERE g.service_account_id = service_accounts.id ORDER BY site_id) END"
)
_COLUMNS = f"id, name, role, {_SITES}, enabled, version, created_at, updated_at"


def page(caller: Caller, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = f"SELECT {_COLUMNS} FROM service_accounts WHERE org_id = %(org)s{after} ORDER BY id DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, {"org": caller.org_id, "before": before, "limit": limit}, ServiceAccount)


def total(caller: Caller) -> Query:
    return Query("SELECT count(*) FROM service_accounts WHERE org_id = %s", (caller.org_id,))


def by_id(caller: Caller, account_id: UUID, *, lock: bool = False) -> Query:
    tail = " FOR UPDATE" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM service_accounts WHERE org_id = %s AND id = %s{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, account_id), ServiceAccount)


def keys(caller: Caller, account_id: UUID, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    return Query(
        f"SELECT {columns(ApiKey)} FROM api_keys WHERE org_id = %(org)s AND service_account_id = %(id)s{after}"  # noqa: S608
        " ORDER BY id DESC LIMIT %(limit)s",
        {"org": caller.org_id, "id": account_id, "before": before, "limit": limit},
        ApiKey,
    )


def key_total(caller: Caller, account_id: UUID) -> Query:
    return Query(
        "SELECT count(*) FROM api_keys WHERE org_id = %s AND service_account_id = %s",
        (caller.org_id, account_id),
    )


def sandbox(caller: Caller) -> Query:
    return Query("SELECT sandbox FROM orgs WHERE id = %s", (caller.org_id,))
