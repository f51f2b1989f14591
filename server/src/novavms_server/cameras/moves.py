"""Cameras that were found at another address: what a gateway reports of them, and where that leads.

A gateway looks for a missing camera by what devices tell strangers, and anybody on that network may say the same. So a
report is a proposal, kept on the camera until it is accepted, dismissed, outdated by a newer one, or the camera is back
where it was. Only a person's word, or the org's (`moved_cameras: apply`), has the camera's password sent there.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from novavms_camera.onvif.identity import mac_key, reference_key
from novavms_camera.source import CameraSource
from novavms_protocol import CameraMoved, Report
from novavms_server.accounts.orgs.service import moved_cameras
from novavms_server.audit.service import record_as
from novavms_server.cameras import queries
from novavms_server.cameras.checking import Outcome
from novavms_server.cameras.models import Camera, MovedTo
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.sources import AddressRules
from novavms_server.cameras.steps import Moment, addressed, audited, checked, hidden_facts
from novavms_server.cameras.told import camera_item, status_item_of
from novavms_server.feed.log import tell
from novavms_server.gateways.models import GatewayRef, GatewayRow
from novavms_server.gateways.service import bump_state
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Query, run, run_all
from novavms_server.kit.jobs import defer

APPLY: Final = "camera.apply_move"
LEFT_ALONE: Final = frozenset({"auth_failed", "locked_out", "other_device", "address_forbidden"})
"""Why the check at the new address failed, after which nothing goes there again without a person."""


class MoveReports:
    """Listens at the gateways' hub."""

    def __init__(self, clock: Clock, rules: AddressRules) -> None:
        self._clock = clock
        self._rules = rules

    async def take_in(
        self, connection: Connection, gateway: GatewayRef, body: CameraMoved, report: Report
    ) -> str | None:
        """hub.on_report(CameraMoved, …). The newest report wins; the same place again is no news."""
        del report
        row = await find(connection, gateway.org_id, body.camera_id, lock=True)
        if row is None or row.camera.gateway_id != gateway.id or row.camera.type != "onvif":
            return "unknown_camera"
        host = self._host(body)
        if host is None:
            return "address_forbidden"
        now = self._clock.now()
        refusal = await _judge(connection, gateway.org_id, row, body, host, min(body.found_at, now))
        if refusal is not None:
            return refusal
        if row.move_dismissed != _place(host, body.port):
            await self._keep(connection, gateway, row, host, body, now)
        return None

    def _host(self, body: CameraMoved) -> str | None:
        """The address as it is stored, where a camera may have it."""
        try:
            address = ip_address(body.host)
        except ValueError:
            return None
        forbidden = self._rules.policy("gateway").refuse(address) is not None
        return None if forbidden or not 1 <= body.port <= 65535 else str(address)

    async def _keep(
        self,
        connection: Connection,
        gateway: GatewayRef,
        row: CameraRow,
        host: str,
        body: CameraMoved,
        now: datetime,
    ) -> None:
        org_id, camera, known = gateway.org_id, row.camera, proposal(row)
        moved = MovedTo(
            host=host, port=body.port, found_at=min(body.found_at, now), matched_by=body.matched_by
        )
        again = known is not None and (known.host, known.port) == (host, body.port)
        if again and known is not None:
            moved = msgspec.structs.replace(known, found_at=moved.found_at)
        await write_proposal(connection, org_id, camera.id, moved, now=now, quiet=again)
        if not again:
            await record_as(
                connection,
                org_id,
                f"gateway:{gateway.id}",
                now,
                "camera.found",
                "camera",
                camera.id,
                before={"host": camera.host, "port": camera.port},
                after=moved,
            )
        if moved.reason not in LEFT_ALONE and await moved_cameras(connection, org_id) == "apply":
            await defer(
                connection,
                APPLY,
                org_id=org_id,
                lock=f"camera:{camera.id}",
                queueing_lock=f"move:{camera.id}",
                camera_id=camera.id,
            )


async def _judge(
    connection: Connection, org_id: UUID, row: CameraRow, body: CameraMoved, host: str, found_at: datetime
) -> str | None:
    """Why the report is not taken; None where it is."""
    camera, known = row.camera, proposal(row)
    if not camera.enabled:
        return "disabled"
    if body.revision != row.revision:
        return "stale_revision"
    if camera.status not in ("offline", "error"):
        return "not_missing"
    if known is not None and found_at < known.found_at:
        return "stale"
    if (host, body.port) == (camera.host, camera.port):
        return "not_moved"
    taken = Query(
        "SELECT 1 FROM cameras WHERE org_id = %s AND identity = %s AND id <> %s AND (host, port) = (%s, %s)"
        " AND deleted_at IS NULL",
        (org_id, row.identity, camera.id, host, body.port),
    )
    # Somebody added it anew there.
    return "taken" if await (await run(connection, taken)).fetchone() else None


def proposal(row: CameraRow) -> MovedTo | None:
    """The camera's move that is to be decided on."""
    stored: Any = row.camera.moved_to
    return None if stored is None else msgspec.convert(msgspec.to_builtins(stored), MovedTo)


def same_place(one: MovedTo | None, other: MovedTo | None) -> bool:
    return one is not None and other is not None and (one.host, one.port) == (other.host, other.port)


def _place(host: str, port: int) -> str:
    return f"{host} {port}"


async def find(
    connection: Connection, org_id: UUID, camera_id: UUID, *, lock: bool = False
) -> CameraRow | None:
    found: CameraRow | None = await (
        await run(connection, queries.one(org_id, camera_id, lock=lock))
    ).fetchone()
    return found


async def write_proposal(
    connection: Connection,
    org_id: UUID,
    camera_id: UUID,
    moved: MovedTo | None,
    *,
    now: datetime,
    dismiss: bool = False,
    quiet: bool = False,
) -> None:
    """The camera's row is locked. `dismiss`: the same place is not proposed again, until the camera is back.
    `quiet`: no news to readers of the stream."""
    cursor = await run(
        connection,
        Query(
            "UPDATE cameras SET moved_to = %s, status_seq = status_seq + 1,"  # noqa: S608
            " move_dismissed = CASE WHEN %s THEN concat(moved_to ->> 'host', ' ', moved_to ->> 'port') END"
            f" WHERE org_id = %s AND id = %s RETURNING {queries.COLUMNS}",
            (
                None if moved is None else Jsonb(msgspec.to_builtins(moved)),
                dismiss,
                org_id,
                camera_id,
            ),
            Camera,
        ),
    )
    items = [camera_item("updated", camera) for camera in await cursor.fetchall() if not quiet]
    await tell(connection, org_id, now, *items)


def is_same_device(row: CameraRow, outcome: Outcome) -> bool:
    """Whether the device that passed the check is the camera: one word of its identity is the same, and its serial number
    is no other. A MAC alone may differ: a camera has one for its cable and one for its radio."""
    found = outcome.facts()
    if row.serial and found.get("serial") and row.serial != found["serial"]:
        return False
    pairs = (
        (row.serial, found.get("serial")),
        (mac_key(row.mac), mac_key(found.get("mac"))),
        (reference_key(row.endpoint_reference), reference_key(found.get("endpoint_reference"))),
    )
    return any(known is not None and known == now for known, now in pairs)


async def write_move(
    connection: Connection,
    org_id: UUID,
    before: CameraRow,
    source: CameraSource,
    outcome: Outcome,
    gateway: GatewayRow,
    when: Moment,
    *,
    actor: str,
    request_id: str | None = None,
) -> CameraRow:
    """The camera is at the address that was just checked. Gateway and camera are locked, in this order."""
    camera = checked(addressed(before.camera, source), source, outcome, gateway, when)
    camera = msgspec.structs.replace(
        camera, moved_to=None, version=before.camera.version + 1, updated_at=when.now
    )
    turned = (camera.status, camera.status_reason) != (before.camera.status, before.camera.status_reason)
    after = msgspec.structs.replace(
        before, camera=camera, revision=before.revision + 1, status_seq=before.status_seq + turned
    )
    values = {**queries.values_of(camera), **hidden_facts(outcome), "move_dismissed": None}
    values |= {"revision": after.revision, "status_seq": after.status_seq}
    values["identity"] = outcome.identity(source, gateway.id)
    statements = [queries.update(org_id, camera.id, values)]
    if turned:
        said = (camera.status, camera.status_reason, camera.status_message)
        statements.append(queries.log(org_id, [camera.id], when.now, *said))
    await run_all(connection, statements)
    await record_as(
        connection,
        org_id,
        actor,
        when.now,
        "camera.moved",
        "camera",
        camera.id,
        request_id=request_id,
        before=audited(before.camera),
        after=audited(camera),
    )
    items = [camera_item("updated", camera), *([status_item_of(camera)] if turned else [])]
    await tell(connection, org_id, when.now, *items)
    await bump_state(connection, gateway.id)
    return after
