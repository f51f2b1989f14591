"""SQL about events. Every query starts from the caller's org and sites (the site is where the camera was then)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from novavms_server.events.models import CameraNow, EventFilter, EventRow
from novavms_server.events.when import Span
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query

_COLUMNS = (
    "e.id, e.camera_id, c.name, c.deleted_at IS NOT NULL, e.site_id, e.trigger_type, e.triggered_at, e.summary, e.tags,"
    " e.ai_status, e.acknowledged, e.starred, e.snapshot_key, e.narrative, e.note, e.triggered_by, e.acknowledged_at,"
    " e.version, e.created_at, e.updated_at"
)
_FROM = "events e JOIN cameras c ON c.org_id = e.org_id AND c.id = e.camera_id"
_SCOPE = "e.org_id = %(org)s AND e.deleted_at IS NULL AND (%(sites)s::uuid[] IS NULL OR e.site_id = ANY(%(sites)s))"
_EXACT = ("camera_id", "site_id", "trigger_type", "ai_status", "starred", "acknowledged")


def _scope(caller: Caller) -> dict[str, Any]:
    return {"org": caller.org_id, "sites": caller.site_filter()}


def zones(caller: Caller, site_id: UUID | None) -> Query:
    """The time zones that a day may be meant in; deleted sites, too: their events stay."""
    sql = (
        "SELECT DISTINCT timezone FROM sites WHERE org_id = %(org)s AND (%(sites)s::uuid[] IS NULL OR id = ANY(%(sites)s))"
        " AND (%(site)s::uuid IS NULL OR id = %(site)s)"
    )
    return Query(sql, {**_scope(caller), "site": site_id})


def matching(
    caller: Caller, asked: EventFilter, span: Span, zone_names: list[str]
) -> tuple[str, dict[str, Any]]:
    """The condition and its parameters. `zone_names` are wanted where the span has days."""
    where, params = [_SCOPE], _scope(caller)
    for name in _EXACT:
        value = getattr(asked, name)
        if value is not None:
            where.append(f"e.{name} = %({name})s")
            params[name] = value
    if asked.tag is not None:
        where.append("e.tags @> ARRAY[%(tag)s::text]")
        params["tag"] = asked.tag
    if asked.q:  # an empty search box asks for nothing
        where.append("(e.note ILIKE %(q)s OR e.summary ILIKE %(q)s OR c.name ILIKE %(q)s)")
        params["q"] = "%" + asked.q.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    if span.start is not None or span.end is not None:
        edges = [span.in_zone(zone) for zone in zone_names or ["UTC"]]
        params |= {"low": min(low for low, _ in edges), "high": max(high for _, high in edges)}
        where.append("e.triggered_at >= %(low)s AND e.triggered_at < %(high)s")
        if span.has_days and len(zone_names) > 1:
            where.append(
                "EXISTS (SELECT FROM sites s JOIN unnest(%(zones)s::text[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])"
                " AS d (zone, low, high) ON d.zone = s.timezone"
                " WHERE s.org_id = e.org_id AND s.id = e.site_id AND e.triggered_at >= d.low AND e.triggered_at < d.high)"
            )
            params |= {
                "zones": zone_names,
                "lows": [low for low, _ in edges],
                "highs": [high for _, high in edges],
            }
    return " AND ".join(where), params


def page(condition: str, params: dict[str, Any], before: tuple[datetime, UUID] | None, limit: int) -> Query:
    """Newest first, by when it happened."""
    after = " AND (e.triggered_at, e.id) < (%(before_at)s, %(before_id)s)" if before else ""
    sql = f"SELECT {_COLUMNS} FROM {_FROM} WHERE {condition}{after} ORDER BY e.triggered_at DESC, e.id DESC LIMIT %(limit)s"  # noqa: S608
    if before:
        params = {**params, "before_at": before[0], "before_id": before[1]}
    return Query(sql, {**params, "limit": limit}, EventRow)


def total(condition: str, params: dict[str, Any]) -> Query:
    tables = _FROM if "c.name" in condition else "events e"
    return Query(f"SELECT count(*) FROM {tables} WHERE {condition}", params)  # noqa: S608


def by_id(caller: Caller, event_id: UUID, *, lock: bool = False) -> Query:
    """In the caller's org, whatever its site grants: whether it may see it is the service's question (403, not 404)."""
    tail = " FOR UPDATE OF e" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM {_FROM} WHERE e.org_id = %s AND e.id = %s AND e.deleted_at IS NULL{tail}"  # noqa: S608
    return Query(sql, (caller.org_id, event_id), EventRow)


def one(org_id: UUID, event_id: UUID) -> Query:
    """For whoever tells of it."""
    sql = f"SELECT {_COLUMNS} FROM {_FROM} WHERE e.org_id = %s AND e.id = %s AND e.deleted_at IS NULL"  # noqa: S608
    return Query(sql, (org_id, event_id), EventRow)


def neighbour(caller: Caller, event_id: UUID, *, newer: bool) -> Query:
    """The id of the next event that the caller sees, in one direction."""
    compare, order = (">", "ASC") if newer else ("<", "DESC")
    sql = (
        f"SELECT e.id FROM events e WHERE {_SCOPE} AND (e.triggered_at, e.id) {compare}"  # noqa: S608
        " (SELECT triggered_at, id FROM events WHERE org_id = %(org)s AND id = %(id)s)"
        f" ORDER BY e.triggered_at {order}, e.id {order} LIMIT 1"
    )
    return Query(sql, {**_scope(caller), "id": event_id})


def camera(caller: Caller, camera_id: UUID) -> Query:
    sql = (
        "SELECT site_id, gateway_id, status FROM cameras WHERE org_id = %s AND id = %s AND deleted_at IS NULL"
    )
    return Query(sql, (caller.org_id, camera_id), CameraNow)


def take_trigger(caller: Caller, camera_id: UUID, now: datetime, free_before: datetime) -> Query:
    """One row if the camera is online and free to be triggered; from then on nobody else is, on whichever server: who
    comes at the same time waits for this row, and then finds the new time in it."""
    sql = (
        "UPDATE cameras SET last_triggered_at = %s WHERE org_id = %s AND id = %s AND deleted_at IS NULL AND status = 'online'"
        " AND (last_triggered_at IS NULL OR last_triggered_at <= %s) RETURNING site_id, gateway_id, status"
    )
    return Query(sql, (now, caller.org_id, camera_id, free_before), CameraNow)
