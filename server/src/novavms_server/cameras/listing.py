"""The list of cameras: the most read thing there is, and it must not care whether an org has ten or a million.

Pages are keyset reads of one index each. SQL is put together for the filters given, never `(%s IS NULL OR …)`: a
prepared statement's generic plan would have to serve both cases, and reads the whole index for one of them. `total`
is a sum over the kept counters (camera_totals), only a name search has to count.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from novavms_server.cameras.models import Camera, Filters
from novavms_server.cameras.queries import COLUMNS
from novavms_server.kit.caller import Caller
from novavms_server.kit.database import Query
from novavms_server.kit.errors import FieldProblem, ValidationError
from novavms_server.kit.pages import Cursors

_COLUMN_FILTERS = ("gateway_id", "status", "type", "connection_mode")
_SEEN = "deleted_at IS NULL"


def belongs_to(caller: Caller, filters: Filters) -> list[Any]:
    """What a cursor of this list is bound to."""
    named = [
        [name, value] for name in filters.__struct_fields__ if (value := getattr(filters, name)) is not None
    ]
    return ["cameras", caller.org_id, named]


def position_of(camera: Camera, filters: Filters) -> list[Any]:
    return [camera.id] if "created_at" in filters.sort else [camera.name.lower(), camera.id]


def read_position(cursors: Cursors, cursor: str | None, caller: Caller, filters: Filters) -> list[Any] | None:
    found = cursors.read(cursor, belongs_to(caller, filters))
    if found is None:
        return None
    try:
        return [*found[:-1], UUID(found[-1])]
    except (ValueError, TypeError, IndexError, AttributeError):
        raise ValidationError([FieldProblem("cursor", "cursor is not one of ours")]) from None


def sites_of(caller: Caller, filters: Filters) -> list[UUID] | None:
    """The sites to look at: None for all of the org, empty for nothing."""
    if filters.site_id is None:
        return caller.site_filter()
    return [filters.site_id] if caller.sees(filters.site_id) else []


def page(caller: Caller, filters: Filters, position: list[Any] | None, limit: int) -> Query:
    """At most `limit` rows after `position`, in the list's order."""
    params: dict[str, Any] = {"org": caller.org_id, "limit": limit}
    where = ["org_id = %(org)s", _SEEN, *_conditions(filters, params)]
    keys = ["id"] if "created_at" in filters.sort else ["name_key", "id"]
    down = filters.sort.startswith("-")
    if position is not None:
        marks = [f"%(after_{key})s" for key in keys]
        params.update({f"after_{key}": value for key, value in zip(keys, position, strict=True)})
        left, right = ", ".join(keys), ", ".join(marks)
        where.append(
            f"({left}) {'<' if down else '>'} ({right})"
            if len(keys) > 1
            else f"{left} {'<' if down else '>'} {right}"
        )
    order = ", ".join(f"{key}{' DESC' if down else ''}" for key in keys)
    sites = sites_of(caller, filters)
    if sites is not None and len(sites) != 1 and keys == ["id"]:
        return Query(_merged(where, order), {**params, "sites": sites}, Camera)
    if sites is not None:
        where.append(_in_sites(sites, params))
    sql = f"SELECT {COLUMNS} FROM cameras WHERE {' AND '.join(where)} ORDER BY {order} LIMIT %(limit)s"  # noqa: S608
    return Query(sql, params, Camera)


def total(caller: Caller, filters: Filters) -> Query:
    """How many rows the filters and the caller's scope match."""
    params: dict[str, Any] = {"org": caller.org_id}
    sites = sites_of(caller, filters)
    if filters.q is not None:
        where = ["org_id = %(org)s", _SEEN, *_conditions(filters, params)]
        counted, table = "count(*)", "cameras"
    else:
        where = ["org_id = %(org)s", *_conditions(filters, params)]
        counted = "coalesce(sum(count), 0)::bigint"
        table = "camera_totals_by_org" if sites is None and filters.gateway_id is None else "camera_totals"
    if sites is not None:
        where.append(_in_sites(sites, params))
    return Query(f"SELECT {counted} FROM {table} WHERE {' AND '.join(where)}", params)  # noqa: S608


def _conditions(filters: Filters, params: dict[str, Any]) -> list[str]:
    found = []
    for name in _COLUMN_FILTERS:
        value = getattr(filters, name)
        if value is not None:
            params[name] = value
            found.append(f"{name} = %({name})s")
    if filters.q is not None:
        params["q"] = filters.q.lower()
        found.append("strpos(name_key, %(q)s) > 0")
    return found


def _in_sites(sites: list[UUID], params: dict[str, Any]) -> str:
    if len(sites) == 1:  # an equality keeps the order of the index behind it, ANY does not
        params["site"] = sites[0]
        return "site_id = %(site)s"
    params["sites"] = sites
    return "site_id = ANY(%(sites)s)"


def _merged(where: list[str], order: str) -> str:
    """A page over several sites: the head of each site's own index, merged. Else an org's index would be read past all
    the cameras that a viewer may not see."""
    inner = f"SELECT {COLUMNS} FROM cameras WHERE site_id = granted AND {' AND '.join(where)} ORDER BY {order} LIMIT %(limit)s"  # noqa: S608
    return (
        f"SELECT {COLUMNS} FROM unnest(%(sites)s::uuid[]) AS granted CROSS JOIN LATERAL ({inner}) AS head"  # noqa: S608
        f" ORDER BY {order} LIMIT %(limit)s"
    )
