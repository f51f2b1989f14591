"""SQL about gateways. Every query of a request starts from the caller's org and sites."""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

from novavms_server.gateways.models import Gateway, GatewayRow, StorageState
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query

_STATES = ", ".join(f"'{state}'" for state in get_args(StorageState))
_COLUMNS = (
    "id, name, site_id, status, status_at, software_version, local_ip, last_heartbeat_at, paired_at, hardware,"
    " created_at, updated_at,"
    f" CASE WHEN telemetry ->> 'storage_state' IN ({_STATES}) THEN telemetry ->> 'storage_state' END,"
    " (telemetry ->> 'recording_cameras')::numeric::bigint, (telemetry ->> 'recordings_bytes')::numeric::bigint"
)
_SCOPE = (
    "org_id = %(org)s AND deleted_at IS NULL AND (%(sites)s::uuid[] IS NULL OR site_id = ANY(%(sites)s))"
    " AND (%(site)s::uuid IS NULL OR site_id = %(site)s) AND (%(status)s::text IS NULL OR status = %(status)s)"
)


def _scope(caller: Caller, site_id: UUID | None, status: str | None) -> dict[str, Any]:
    return {"org": caller.org_id, "sites": caller.site_filter(), "site": site_id, "status": status}


def page(caller: Caller, site_id: UUID | None, status: str | None, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = f"SELECT {_COLUMNS} FROM gateways WHERE {_SCOPE}{after} ORDER BY id DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, {**_scope(caller, site_id, status), "before": before, "limit": limit}, Gateway)


def total(caller: Caller, site_id: UUID | None, status: str | None) -> Query:
    return Query(f"SELECT count(*) FROM gateways WHERE {_SCOPE}", _scope(caller, site_id, status))  # noqa: S608


def by_id(caller: Caller, gateway_id: UUID, *, lock: bool = False) -> Query:
    """In the caller's org, whatever its site grants: whether it may see it is the service's question (403, not 404)."""
    tail = " FOR UPDATE" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM gateways WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, gateway_id), Gateway)


def version(caller: Caller, gateway_id: UUID) -> Query:
    """Of what people edit; beside `by_id`, for the ETag."""
    return Query("SELECT version FROM gateways WHERE org_id = %s AND id = %s", (caller.org_id, gateway_id))


def row(caller: Caller, gateway_id: UUID, *, hold: bool) -> Query:
    """`hold`: nobody else holds, deletes or re-describes this gateway before the transaction ends."""
    return _row(caller.org_id, gateway_id, " FOR NO KEY UPDATE" if hold else "")


def held(org_id: UUID, gateway_id: UUID) -> Query:
    """As `row`, held, for jobs."""
    return _row(org_id, gateway_id, " FOR NO KEY UPDATE")


def _row(org_id: UUID, gateway_id: UUID, tail: str) -> Query:
    sql = f"SELECT id, site_id, name, status, state_version FROM gateways WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (org_id, gateway_id), GatewayRow)


def in_use(caller: Caller, gateway_id: UUID) -> Query:
    return Query(
        "SELECT EXISTS (SELECT FROM cameras WHERE org_id = %s AND gateway_id = %s AND deleted_at IS NULL)",
        (caller.org_id, gateway_id),
    )


def telemetry(caller: Caller, gateway_id: UUID, before: Any, limit: int) -> Query:
    after = " AND at < %(before)s" if before else ""
    sql = f"SELECT at, data FROM gateway_telemetry WHERE org_id = %(org)s AND gateway_id = %(id)s{after} ORDER BY at DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, {"org": caller.org_id, "id": gateway_id, "before": before, "limit": limit})


def telemetry_total(caller: Caller, gateway_id: UUID) -> Query:
    return Query(
        "SELECT count(*) FROM gateway_telemetry WHERE org_id = %s AND gateway_id = %s",
        (caller.org_id, gateway_id),
    )
