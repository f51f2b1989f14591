"""SQL about exports. Only operators and above come here, and they see every site."""

from __future__ import annotations

from uuid import UUID

from novavms_server.exports.models import ExportRow
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns

_COLUMNS = columns(ExportRow)


def page(caller: Caller, before: UUID | None, limit: int) -> Query:
    after = " AND id < %(before)s" if before else ""
    sql = (
        f"SELECT {_COLUMNS} FROM exports WHERE org_id = %(org)s AND deleted_at IS NULL{after}"  # noqa: S608
        " ORDER BY id DESC LIMIT %(limit)s"
    )
    return Query(sql, {"org": caller.org_id, "before": before, "limit": limit}, ExportRow)


def total(caller: Caller) -> Query:
    return Query("SELECT count(*) FROM exports WHERE org_id = %s AND deleted_at IS NULL", (caller.org_id,))


def by_id(org_id: UUID, export_id: UUID, *, lock: bool = False) -> Query:
    tail = " FOR UPDATE" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM exports WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (org_id, export_id), ExportRow)


def camera_facts(caller: Caller, camera_id: UUID) -> Query:
    """Also of a deleted camera: its recordings stay readable. The last column: its clock minus ours, seconds, by its last check."""
    sql = (
        "SELECT c.name, s.name, c.manufacturer, c.model, c.firmware, c.serial, c.mac,"
        " (c.last_check #>> '{facts,clock_offset_sec}')::double precision FROM cameras c"
        " JOIN sites s ON s.org_id = c.org_id AND s.id = c.site_id WHERE c.org_id = %s AND c.id = %s"
    )
    return Query(sql, (caller.org_id, camera_id))


def org_name(caller: Caller) -> Query:
    return Query("SELECT name FROM orgs WHERE id = %s", (caller.org_id,))


def person_name(caller: Caller, kind: str, person_id: str) -> Query:
    """Of a user, or of the service account that a key belongs to."""
    if kind == "user":
        return Query(
            "SELECT display_name FROM users WHERE org_id = %s AND id = %s", (caller.org_id, person_id)
        )
    sql = (
        "SELECT a.name FROM api_keys k JOIN service_accounts a ON a.org_id = k.org_id AND a.id = k.service_account_id"
        " WHERE k.org_id = %s AND k.id = %s"
    )
    return Query(sql, (caller.org_id, person_id))
