"""SQL about clips."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from novavms_server.clips.models import ClipRow
from novavms_server.events.models import Clip
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query, columns

_ROW = columns(ClipRow, "clips")

OWED = (
    "(status = 'uploading' AND reported IS NOT NULL)"
    " OR (status IN ('ready', 'failed') AND NOT guessed AND upload IS NOT NULL)"
    " OR (store_key IS NOT NULL AND snapshot_at IS NULL)"
    " OR (deleted_at IS NOT NULL AND purged_at IS NULL)"
)
"""The predicate of the index `clips_owed`, word for word."""


def of_event(caller: Caller, event_id: UUID, url: str) -> Query:
    """`url` is where the clip can be played once there is something; the last column is `seq`."""
    sql = (
        "SELECT id, status, CASE WHEN store_key IS NOT NULL THEN %(url)s::text END, duration_sec, gap_sec, size_bytes, sha256, codec, width, height,"
        " has_audio, started_at, failure_reason, failure_message FROM clips"
        " WHERE org_id = %(org)s AND event_id = %(event)s AND deleted_at IS NULL"
    )
    return Query(sql, {"url": url, "org": caller.org_id, "event": event_id}, Clip)


def row_of_event(caller: Caller, event_id: UUID) -> Query:
    sql = f"SELECT {_ROW} FROM clips WHERE org_id = %s AND event_id = %s"  # noqa: S608
    return Query(sql, (caller.org_id, event_id), ClipRow)


def stretch_of_event(caller: Caller, event_id: UUID) -> Query:
    sql = (
        "SELECT camera_id, gateway_id, s, s + make_interval(secs => CASE WHEN store_key IS NULL THEN pre_roll_sec + asked_sec ELSE duration_sec END)"
        " FROM clips CROSS JOIN LATERAL (SELECT coalesce(cut_start_at, CASE WHEN store_key IS NULL"
        " THEN ordered_at - make_interval(secs => pre_roll_sec) ELSE started_at END) AS s) AS begins"
        " WHERE org_id = %s AND event_id = %s"
    )
    return Query(sql, (caller.org_id, event_id))


def by_id(org_id: UUID, clip_id: UUID, *, lock: bool = False) -> Query:
    tail = " FOR UPDATE" if lock else ""
    return Query(f"SELECT {_ROW} FROM clips WHERE org_id = %s AND id = %s{tail}", (org_id, clip_id), ClipRow)  # noqa: S608


def owed(now: datetime, limit: int) -> Query:
    """Across orgs: clips for which something is to be done, and nobody is at it."""
    sql = f"SELECT {_ROW} FROM clips WHERE ({OWED}) AND (lease_until IS NULL OR lease_until <= %s) ORDER BY id LIMIT %s"  # noqa: S608
    return Query(sql, (now, limit), ClipRow)


def overdue(now: datetime, limit: int) -> Query:
    """Across orgs: no word of these by their deadline, or of a gateway that was deleted. With: is the gateway online?"""
    sql = (
        "SELECT c.org_id, c.id, c.gateway_id, c.accepted_at, c.status, g.status = 'online', g.deleted_at IS NOT NULL"
        " FROM clips c LEFT JOIN gateways g ON g.id = c.gateway_id"
        " WHERE c.status IN ('recording', 'uploading') AND c.reported IS NULL AND c.deleted_at IS NULL"
        " AND (c.deadline_at <= %s OR g.deleted_at IS NOT NULL) ORDER BY c.deadline_at LIMIT %s"
    )
    return Query(sql, (now, limit))


def unfinished_of_gateway(gateway_id: UUID, ordered_before: datetime) -> Query:
    """What the gateway should still hold: ordered long enough ago that its hello knows of it, and not delivered."""
    sql = (
        "SELECT org_id, id FROM clips WHERE gateway_id = %s AND status IN ('recording', 'uploading')"
        " AND reported IS NULL AND deleted_at IS NULL AND ordered_at < %s"
    )
    return Query(sql, (gateway_id, ordered_before))


def claim(clip: ClipRow, now: datetime, until: datetime) -> Query:
    """One row if it is ours to work on until then."""
    sql = (
        "UPDATE clips SET lease_until = %s WHERE org_id = %s AND id = %s"
        " AND (lease_until IS NULL OR lease_until <= %s) RETURNING 1"
    )
    return Query(sql, (until, clip.org_id, clip.id, now))


def hold_until(clip: ClipRow, until: datetime | None) -> Query:
    """Prolong our claim, end it (None), or put the next try off."""
    return Query(
        "UPDATE clips SET lease_until = %s WHERE org_id = %s AND id = %s", (until, clip.org_id, clip.id)
    )
