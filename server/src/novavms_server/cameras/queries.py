"""SQL about cameras. Every query of a request starts from the caller's org."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from novavms_server.cameras.models import Camera, CameraDetail
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns

COLUMNS = columns(Camera)


class CameraRow(msgspec.Struct):
    """A camera with what never leaves the server: for changing it, for telling its gateway, for direct mode."""

    camera: CameraDetail
    credentials: bytes | None
    revision: int
    status_seq: int
    stream_name: str | None
    identity: str | None
    serial: str | None
    mac: str | None
    endpoint_reference: str | None
    move_dismissed: str | None


def _row(*values: Any) -> CameraRow:
    shown = len(CameraDetail.__struct_fields__)
    return CameraRow(CameraDetail(*values[:shown]), *values[shown:])


def _row_and_zone(*values: Any) -> tuple[CameraRow, str]:
    return _row(*values[:-1]), values[-1]


_ROW_COLUMNS = (
    f"{COLUMNS}, last_check, moved_to, tls_fingerprint, stream_tls_fingerprint, tls_pinned_at,"
    " credentials, revision, status_seq, stream_name, identity, serial, mac, endpoint_reference, move_dismissed"
)


def by_id(caller: Caller, camera_id: UUID, *, lock: bool = False) -> Query:
    """In the caller's org, whatever its site grants: whether it may see it is the service's question (403, not 404)."""
    tail = " FOR NO KEY UPDATE" if lock else ""
    sql = f"SELECT {_ROW_COLUMNS} FROM cameras WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, camera_id), _row)


def of_gateway(org_id: UUID, gateway_id: UUID) -> Query:
    """(CameraRow, its site's time zone) of all cameras that the gateway is to know, the disabled included."""
    zone = "(SELECT timezone FROM sites s WHERE s.org_id = cameras.org_id AND s.id = cameras.site_id)"
    sql = f"SELECT {_ROW_COLUMNS}, {zone} FROM cameras WHERE org_id = %s AND gateway_id = %s AND deleted_at IS NULL ORDER BY id"  # noqa: S608
    return Query(sql, (org_id, gateway_id), _row_and_zone)


def gateways_at(caller: Caller, site_id: UUID) -> Query:
    """The gateways of the site's cameras, locked in the order that everybody takes."""
    return Query(
        "SELECT id FROM gateways WHERE org_id = %(org)s AND deleted_at IS NULL AND id IN (SELECT gateway_id FROM cameras"
        " WHERE org_id = %(org)s AND site_id = %(site)s AND deleted_at IS NULL) ORDER BY id FOR NO KEY UPDATE",
        {"org": caller.org_id, "site": site_id},
    )


def revise_at(caller: Caller, site_id: UUID) -> Query:
    """What their gateways are told of the site's cameras has changed."""
    return Query(
        "UPDATE cameras SET revision = revision + 1 WHERE org_id = %s AND site_id = %s AND gateway_id IS NOT NULL"
        " AND deleted_at IS NULL",
        (caller.org_id, site_id),
    )


def one(org_id: UUID, camera_id: UUID, *, lock: bool = False) -> Query:
    """As `by_id`, for gateways' reports and jobs."""
    tail = " FOR NO KEY UPDATE" if lock else ""
    sql = f"SELECT {_ROW_COLUMNS} FROM cameras WHERE org_id = %s AND id = %s AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (org_id, camera_id), _row)


def one_direct(org_id: UUID, camera_id: UUID, *, lock: bool = False) -> Query:
    """A direct-mode camera, for the jobs that register and watch it."""
    tail = " FOR NO KEY UPDATE" if lock else ""
    sql = f"SELECT {_ROW_COLUMNS} FROM cameras WHERE org_id = %s AND id = %s AND connection_mode = 'direct' AND deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (org_id, camera_id), _row)


def same_identity(org_id: UUID, identity: str, except_id: UUID | None) -> Query:
    """(id, name) of cameras that are the same stream of the same device; two are enough to name."""
    return Query(
        "SELECT id, name FROM cameras WHERE org_id = %(org)s AND identity = %(identity)s AND deleted_at IS NULL"
        " AND id IS DISTINCT FROM %(except)s::uuid ORDER BY id LIMIT 2",
        {"org": org_id, "identity": identity, "except": except_id},
    )


def values_of(camera: CameraDetail) -> dict[str, Any]:
    """The camera's fields as column values."""
    values = {name: getattr(camera, name) for name in CameraDetail.__struct_fields__}
    check = values.pop("check")
    values["profiles"] = Jsonb(msgspec.to_builtins(camera.profiles))
    schedule = values["recording_schedule"]
    values["recording_schedule"] = None if schedule is None else Jsonb(msgspec.to_builtins(schedule))
    values["last_check"] = None if check is None else Jsonb(check)
    moved = values["moved_to"]
    values["moved_to"] = None if moved is None else Jsonb(msgspec.to_builtins(moved))
    return values


def insert(org_id: UUID, values: dict[str, Any]) -> Query:
    """`values` by column; names come from our own structs, never from a request."""
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    return Query(
        f"INSERT INTO cameras (org_id, {names}) VALUES (%(org_id)s, {marks})",  # noqa: S608
        {**values, "org_id": org_id},
    )


def update(org_id: UUID, camera_id: UUID, values: dict[str, Any]) -> Query:
    changes = ", ".join(f"{name} = %({name})s" for name in values)
    return Query(
        f"UPDATE cameras SET {changes} WHERE org_id = %(the_org)s AND id = %(the_id)s",  # noqa: S608
        {**values, "the_org": org_id, "the_id": camera_id},
    )


def forget(org_id: UUID, camera_id: UUID, now: datetime) -> Query:
    """Soft: its events stay readable. What could log in to it goes at once."""
    return Query(
        "UPDATE cameras SET deleted_at = %(now)s, updated_at = %(now)s, credentials = NULL, last_check = NULL, moved_to = NULL,"
        " revision = revision + 1 WHERE org_id = %(org)s AND id = %(id)s",
        {"now": now, "org": org_id, "id": camera_id},
    )


LOG = """
WITH said AS (
    SELECT unnest(%(ids)s::uuid[]) AS camera_id
), newest AS (
    SELECT said.camera_id, l.at FROM said CROSS JOIN LATERAL (
        SELECT at FROM camera_status_log WHERE camera_id = said.camera_id ORDER BY at DESC LIMIT 1) AS l
    WHERE l.at > %(at)s - interval '1 minute'
), folded AS (
    UPDATE camera_status_log AS l SET status = %(status)s, reason = %(reason)s, message = %(message)s, flaps = l.flaps + 1
    FROM newest WHERE l.org_id = %(org)s AND l.camera_id = newest.camera_id AND l.at = newest.at RETURNING l.camera_id
)
INSERT INTO camera_status_log (org_id, camera_id, at, status, reason, message)
SELECT %(org)s, camera_id, %(at)s, %(status)s, %(reason)s, %(message)s FROM said
WHERE camera_id NOT IN (SELECT camera_id FROM folded)
"""


def log(
    org_id: UUID,
    ids: Collection[UUID],
    at: datetime,
    status: str,
    reason: str | None,
    message: str | None,
) -> Query:
    """One entry a camera; further changes within a minute of an entry are folded into it (`flaps`)."""
    params = {"org": org_id, "ids": list(ids), "at": at, "status": status, "reason": reason}
    return Query(LOG, {**params, "message": message})
