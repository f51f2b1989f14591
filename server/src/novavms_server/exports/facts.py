"""Who and what an export is about, as its manifest tells it."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from novavms_server.exports import queries
from novavms_server.kit.work import Work

NO_CAMERA = "There is no such camera in your organization."


class CameraFacts(NamedTuple):
    """`shown`: who the camera is, as the manifest has it. `clock_offset_sec`: its clock minus ours when it was last checked."""

    shown: dict[str, Any]
    clock_offset_sec: float | None


async def camera(work: Work, camera_id: UUID) -> CameraFacts:
    """Raises NotFound. Also of a deleted camera."""
    *row, clock_offset_sec = await work.get(queries.camera_facts(work.caller, camera_id), NO_CAMERA)
    names = ("name", "site", "manufacturer", "model", "firmware", "serial", "hardware_address")
    return CameraFacts({"id": camera_id, **dict(zip(names, row, strict=True))}, clock_offset_sec)


async def org(work: Work) -> dict[str, Any]:
    (name,) = await work.get(queries.org_name(work.caller))
    return {"id": work.caller.org_id, "name": name}


async def person(work: Work, label: str) -> dict[str, Any]:
    """Of `user:<id>` or `key:<id>`."""
    kind, _, person_id = label.partition(":")
    row = await work.find(queries.person_name(work.caller, kind, person_id))
    return {"type": kind, "id": person_id, "name": row[0] if row else None}
