"""SQL about grids. Every query starts from the caller's org, and of its grids from those it may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from novavms_server.grids.models import Grid
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query

_VISIBLE = "c.deleted_at IS NULL AND (%(sites)s::uuid[] IS NULL OR c.site_id = ANY(%(sites)s))"
_CAMERAS = f"""array(
    SELECT c.id FROM generate_series(0, g.columns * g.columns - 1) AS at (place)
    LEFT JOIN grid_cameras p ON p.org_id = g.org_id AND p.grid_id = g.id AND p.place = at.place
    LEFT JOIN cameras c ON c.org_id = p.org_id AND c.id = p.camera_id AND {_VISIBLE}
    ORDER BY at.place)"""  # noqa: S608
_COLUMNS = f"g.id, g.name, g.columns, {_CAMERAS}, g.is_shared, g.maker_id = %(me)s, g.version, g.created_at, g.updated_at"
_READABLE = "g.org_id = %(org)s AND (g.is_shared OR g.maker_id = %(me)s)"


def _caller(caller: Caller, **more: Any) -> dict[str, Any]:
    return {"org": caller.org_id, "me": caller.id, "sites": caller.site_filter(), **more}


def page(caller: Caller, before: UUID | None, limit: int) -> Query:
    after = " AND g.id < %(before)s" if before else ""
    sql = f"SELECT {_COLUMNS} FROM grids g WHERE {_READABLE}{after} ORDER BY g.id DESC LIMIT %(limit)s"  # noqa: S608
    return Query(sql, _caller(caller, before=before, limit=limit), Grid)


def total(caller: Caller) -> Query:
    return Query(f"SELECT count(*) FROM grids g WHERE {_READABLE}", _caller(caller))  # noqa: S608


def by_id(caller: Caller, grid_id: UUID, *, lock: bool = False) -> Query:
    """Somebody else's that is not shared is not there, for admins neither."""
    tail = " FOR NO KEY UPDATE OF g" if lock else ""
    sql = f"SELECT {_COLUMNS} FROM grids g WHERE {_READABLE} AND g.id = %(id)s{tail}"  # noqa: S608
    return Query(sql, _caller(caller, id=grid_id), Grid)


def turn(caller: Caller) -> Query:
    """Until the transaction ends, nobody else adds to the caller's grids: a limit is counted, and two could count at once."""
    return Query("SELECT pg_advisory_xact_lock(hashtextextended('grids of ' || %s::text, 0))", (caller.id,))


def count(caller: Caller) -> Query:
    return Query("SELECT count(*) FROM grids WHERE org_id = %(org)s AND maker_id = %(me)s", _caller(caller))


def visible(caller: Caller, camera_ids: Sequence[UUID]) -> Query:
    """Those of the cameras that are there for the caller."""
    sql = f"SELECT c.id FROM cameras c WHERE c.org_id = %(org)s AND c.id = ANY(%(ids)s) AND {_VISIBLE}"  # noqa: S608
    return Query(sql, _caller(caller, ids=list(camera_ids)))
