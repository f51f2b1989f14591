"""SQL about recordings. Every query of a request starts from the caller's org."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query
from novavms_server.recordings.models import CameraOnRecord
from novavms_server.recordings.timeline import Row

_CAMERA = (
    "SELECT c.id, c.name, c.site_id, c.gateway_id, c.status, c.recording_mode, c.recording_stream, c.created_at, c.deleted_at,"
    " s.timezone, CASE WHEN g.deleted_at IS NULL THEN g.status END, l.life, l.as_of"
    " FROM cameras c JOIN sites s ON s.org_id = c.org_id AND s.id = c.site_id"
    " LEFT JOIN gateways g ON g.org_id = c.org_id AND g.id = c.gateway_id"
    " LEFT JOIN ledgers l ON l.org_id = c.org_id AND l.gateway_id = c.gateway_id"
)


def camera(caller: Caller, camera_id: UUID) -> Query:
    """In the caller's org, whatever its site grants, and also once it is deleted."""
    return Query(f"{_CAMERA} WHERE c.org_id = %s AND c.id = %s", (caller.org_id, camera_id), CameraOnRecord)


def cameras_at(caller: Caller, site_id: UUID, before: UUID | None, limit: int) -> Query:
    after = " AND c.id < %(before)s" if before else ""
    sql = f"{_CAMERA} WHERE c.org_id = %(org)s AND c.site_id = %(site)s AND c.deleted_at IS NULL{after} ORDER BY c.id DESC LIMIT %(limit)s"
    return Query(
        sql, {"org": caller.org_id, "site": site_id, "before": before, "limit": limit}, CameraOnRecord
    )


def total_at(caller: Caller, site_id: UUID) -> Query:
    return Query(
        "SELECT count(*) FROM cameras WHERE org_id = %s AND site_id = %s AND deleted_at IS NULL",
        (caller.org_id, site_id),
    )


def _of_camera(id_and_row: Any, *values: Any) -> Any:
    return id_and_row, Row._make(values)


_ROW = (
    "r.stream, r.kind, r.start_at, r.end_at, r.reason, r.size_bytes, r.lossy_sec, r.codec, r.width, r.height,"
    " r.has_audio"
)
_OF_LIFE = "r.org_id = %(org)s AND r.camera_id = w.camera_id AND r.life = w.life AND r.deleted_at IS NULL"


def rows(
    caller: Caller, cameras: Sequence[CameraOnRecord], start: datetime, end: datetime, limit: int
) -> Query:
    """(camera id, Row) that touch the range, at most `limit` of each camera, oldest first: of each stream those that begin
    in it and the last one before. Both by the index; `end_at` is in none."""
    known = [camera for camera in cameras if camera.life is not None]
    sql = f"""
SELECT w.camera_id, found.* FROM unnest(%(cameras)s::uuid[], %(lives)s::integer[]) AS w (camera_id, life)
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT before.* FROM unnest(ARRAY['main', 'sub']) AS t (stream) CROSS JOIN LATERAL (
            SELECT {_ROW} FROM ledger_rows r WHERE {_OF_LIFE} AND r.stream = t.stream AND r.start_at < %(start)s
            ORDER BY r.start_at DESC LIMIT 1) AS before
        UNION ALL
        SELECT inside.* FROM unnest(ARRAY['main', 'sub']) AS t (stream) CROSS JOIN LATERAL (
            SELECT {_ROW} FROM ledger_rows r WHERE {_OF_LIFE} AND r.stream = t.stream
            AND r.start_at >= %(start)s AND r.start_at < %(end)s ORDER BY r.start_at LIMIT %(limit)s) AS inside
    ) AS both_parts ORDER BY start_at LIMIT %(limit)s) AS found
ORDER BY w.camera_id, found.start_at
"""  # noqa: S608
    params = {
        **{"org": caller.org_id, "start": start, "end": end, "limit": limit},
        **{"cameras": [camera.id for camera in known], "lives": [camera.life for camera in known]},
    }
    return Query(sql, params, _of_camera)


def held_by(caller: Caller, cameras: Sequence[CameraOnRecord]) -> Query:
    """(camera id, bytes of footage, when the oldest begins, when the newest ends) of those that have any."""
    known = [camera for camera in cameras if camera.life is not None]
    sql = f"""
SELECT w.camera_id, least(sum(r.size_bytes), 9e18)::bigint, min(r.start_at), max(r.end_at)
FROM unnest(%(cameras)s::uuid[], %(lives)s::integer[]) AS w (camera_id, life)
JOIN ledger_rows r ON {_OF_LIFE} AND r.kind = 'span' GROUP BY w.camera_id
"""  # noqa: S608
    params = {
        "org": caller.org_id,
        "cameras": [camera.id for camera in known],
        "lives": [camera.life for camera in known],
    }
    return Query(sql, params)


def clips(caller: Caller, camera_ids: Sequence[UUID], start: datetime, end: datetime, limit: int) -> Query:
    """(camera id, Row) of the clips that direct cameras have in the range: all the footage there is of them."""
    sql = """
SELECT c.camera_id, 'main', 'span', c.started_at, c.started_at + make_interval(secs => c.duration_sec), NULL, c.size_bytes, 0::float8,
    c.codec, c.width, c.height, coalesce(c.has_audio, false)
FROM events e JOIN clips c ON c.org_id = e.org_id AND c.event_id = e.id
WHERE e.org_id = %(org)s AND e.camera_id = ANY(%(cameras)s) AND e.deleted_at IS NULL
    AND e.triggered_at > %(start)s - interval '1 hour' AND e.triggered_at < %(end)s + interval '1 hour'
    AND c.deleted_at IS NULL AND c.store_key IS NOT NULL AND c.started_at < %(end)s
    AND c.started_at + make_interval(secs => c.duration_sec) > %(start)s
ORDER BY c.started_at LIMIT %(limit)s
"""
    params = {
        "org": caller.org_id,
        "cameras": list(camera_ids),
        "start": start,
        "end": end,
        "limit": limit,
    }
    return Query(sql, params, _of_camera)
