"""Who and what an export is about, as its manifest tells it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from novavms_server.exports import queries
from novavms_server.kit.work import Work

NO_CAMERA = "There is no such camera in your organization."


async def camera(work: Work, camera_id: UUID) -> dict[str, Any]:
    """Raises NotFound. Also of a deleted camera."""
    row = await work.get(queries.camera_facts(work.caller, camera_id), NO_CAMERA)
    names = ("name", "site", "manufacturer", "model", "firmware", "serial", "hardware_address")
    return {"id": camera_id, **dict(zip(names, row, strict=True))}


async def org(work: Work) -> dict[str, Any]:
    (name,) = await work.get(queries.org_name(work.caller))
    return {"id": work.caller.org_id, "name": name}


async def person(work: Work, label: str) -> dict[str, Any]:
    """Of `user:<id>` or `key:<id>`."""
    kind, _, person_id = label.partition(":")
    row = await work.find(queries.person_name(work.caller, kind, person_id))
    return {"type": kind, "id": person_id, "name": row[0] if row else None}
