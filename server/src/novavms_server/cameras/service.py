"""What one can do with cameras.

Adding one and changing how it is reached both wait for a gateway, up to 15 s. So each is three steps, and only the last
holds a connection: 1. read, and refuse what can be refused; 2. have it checked; 3. one transaction that looks again at
what step 1 relied on and writes everything. Before step 3 nothing of the camera is anywhere, whatever dies when.

Locks are taken in one order: site, gateway, camera.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from novavms_camera.source import CameraSource
from novavms_protocol import Snapshot
from novavms_server.audit.service import record
from novavms_server.cameras import listing, queries
from novavms_server.cameras.checking import CameraChecker, Outcome
from novavms_server.cameras.errors import CameraChanged, CheckFailed, DuplicateDevice, NotOnline
from novavms_server.cameras.models import (
    Camera,
    CameraCreate,
    CameraDetail,
    CameraTest,
    CameraUpdate,
    Filters,
)
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.snapshots import Snapshots
from novavms_server.cameras.sources import AddressRules, changed_source, seal, source_of
from novavms_server.cameras.steps import (
    addressed,
    audited,
    checked,
    hidden_facts,
    new_camera,
    switched,
    turn,
)
from novavms_server.cameras.told import camera_item, status_item_of
from novavms_server.cameras.watching import OnStage
from novavms_server.feed.log import tell
from novavms_server.gateways.errors import GatewayRefused
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRow
from novavms_server.gateways.service import GatewayService, bump_state
from novavms_server.kit.database import Connection
from novavms_server.kit.errors import Forbidden, NotFound, ValidationError
from novavms_server.kit.pages import Cursors, Page
from novavms_server.kit.seal import Sealer
from novavms_server.kit.versions import etag, require_match
from novavms_server.kit.work import Work
from novavms_server.sites.service import SiteService

MISSING = "There is no such camera in your organization."
SNAPSHOT_SEC = 10.0
OnDuplicate = Literal["warn", "reject"]
Defer = Callable[[Connection, str, dict[str, Any]], Awaitable[None]]
"""Puts a job into the transaction: connection, the job's name, its arguments."""

_PLAIN = (
    *("name", "site_id", "enabled", "recording_stream", "detection_stream"),
    *("recording_mode", "recording_schedule", "retention_days", "retention_bytes"),
)
"""What changes without a check. Its gateway is told all of it (of the site: its time zone)."""


DirectSnapshot = Callable[[UUID, int | None], Awaitable[bytes | None]]


async def _no_snapshot(camera_id: UUID, width: int | None) -> bytes | None:
    del camera_id, width
    return None


class CameraService:
    """Made once in `server`."""

    def __init__(
        self,
        *,
        cursors: Cursors,
        sealer: Sealer,
        sites: SiteService,
        gateways: GatewayService,
        hub: GatewayHub,
        rules: AddressRules,
        checker: CameraChecker,
        defer: Defer,
    ) -> None:
        self._cursors = cursors
        self._sealer = sealer
        self._sites = sites
        self._gateways = gateways
        self._hub = hub
        self._rules = rules
        self._checker = checker
        self._defer = defer
        self._snapshots = Snapshots()
        self.direct_snapshot: DirectSnapshot = _no_snapshot
        """Set by whoever watches direct-mode cameras, before the server starts."""

    # ---- reads

    async def list(self, work: Work, filters: Filters, cursor: str | None, limit: int) -> Page[Camera]:
        """A viewer that names a site it was not granted gets Forbidden; a site of nobody's matches nothing."""
        caller = work.caller
        position = listing.read_position(self._cursors, cursor, caller, filters)
        if filters.site_id is not None and not caller.sees(filters.site_id):
            try:
                await self._sites.get(work, filters.site_id)
            except NotFound:
                return Page(data=[], next_cursor=None, total=0)
        rows, total = await work.read(
            listing.page(caller, filters, position, limit + 1), listing.total(caller, filters)
        )
        next_cursor = None
        if len(rows) > limit:
            del rows[limit:]
            place = listing.position_of(rows[-1], filters)
            next_cursor = self._cursors.make(listing.belongs_to(caller, filters), place)
        return Page(data=rows, next_cursor=next_cursor, total=total[0][0])

    async def get(self, work: Work, camera_id: UUID) -> tuple[CameraDetail, str]:
        """With its ETag. NotFound outside the org, Forbidden outside a viewer's grants."""
        row = await self._row(work, camera_id)
        return row.camera, _tag(row)

    async def snapshot(self, work: Work, camera_id: UUID, width: int | None) -> bytes:
        """A JPEG of the newest key frame, at most a second old. Raises NotOnline where there is none."""
        camera = (await self._row(work, camera_id)).camera
        if camera.status != "online":
            raise NotOnline
        return await self._snapshots.get(camera.id, width, lambda: self._take_snapshot(camera, width))

    async def _take_snapshot(self, camera: Camera, width: int | None) -> bytes:
        if camera.gateway_id is None:
            picture = await self.direct_snapshot(camera.id, width)
            if picture is None:
                raise NotOnline
            return picture
        body = Snapshot(camera_id=camera.id, width=width)
        reply = await self._hub.request(camera.gateway_id, body, timeout_sec=SNAPSHOT_SEC)
        if not reply.ok:
            raise NotOnline
        try:
            return base64.b64decode(str((reply.result or {}).get("jpeg", "")), validate=True)
        except ValueError:  # no base64, or not even ASCII
            raise GatewayRefused("The gateway's answer was not understood; update its software.") from None

    async def _row(self, work: Work, camera_id: UUID) -> CameraRow:
        row: CameraRow = await work.get(queries.by_id(work.caller, camera_id), MISSING)
        if not work.caller.sees(row.camera.site_id):
            raise Forbidden
        return row

    # ---- adding

    async def test(self, work: Work, asked: CameraTest, on_stage: OnStage | None = None) -> dict[str, Any]:
        """The check's report, whatever it says; nothing is kept."""
        try:
            source = source_of(asked, self._rules)
        except CheckFailed as refused:
            return dict(refused.extra["check"])
        if asked.gateway_id is None:
            outcome = await self._checker.here(source, on_stage)
        else:
            await self._gateways.look(work, asked.gateway_id)
            outcome = await self._checker.on_gateway(asked.gateway_id, source, on_stage)
        if outcome.ok:
            await self._warn_of_twins(work, outcome, outcome.identity(source, asked.gateway_id), None)
        return outcome.report

    async def create(
        self,
        work: Work,
        asked: CameraCreate,
        on_duplicate: OnDuplicate,
        on_stage: OnStage | None = None,
    ) -> tuple[CameraDetail, str]:
        """Gateway-bound: checked first, CheckFailed leaves nothing. Direct: `pending`, and a job does the rest."""
        source = source_of(asked, self._rules)
        await self._sites.get(work, asked.site_id)
        if asked.gateway_id is None:
            return await self._create_direct(work, asked, source)
        gateway = await self._gateways.look(work, asked.gateway_id)
        if gateway.site_id != asked.site_id:
            raise ValidationError.of("gateway_id", "gateway_id must be a gateway of the camera's site")
        outcome = await self._checker.require(asked.gateway_id, source, on_stage)

        await self._sites.hold(work, asked.site_id)
        gateway = await self._gateways.hold(work, asked.gateway_id)
        identity = outcome.identity(source, gateway.id)
        twins = await self._warn_of_twins(work, outcome, identity, None)
        if twins and on_duplicate == "reject":
            raise DuplicateDevice(twins[0], extra={"check": outcome.report})
        camera = checked(new_camera(work, asked, source), source, outcome, gateway, work)
        await self._insert(work, camera, source, {**hidden_facts(outcome), "identity": identity})
        self._tell(work, gateway.id)
        await bump_state(await work.write(), gateway.id)
        return camera, etag(camera.version, 0)

    async def _create_direct(
        self, work: Work, asked: CameraCreate, source: CameraSource
    ) -> tuple[CameraDetail, str]:
        await self._sites.hold(work, asked.site_id)
        camera = new_camera(work, asked, source)
        await self._insert(work, camera, source, {"stream_name": "nova_" + secrets.token_hex(16)})
        await self._defer(await work.write(), "direct_camera.register", _job(work, camera.id))
        return camera, etag(camera.version, 0)

    async def _insert(
        self, work: Work, camera: CameraDetail, source: CameraSource, more: dict[str, Any]
    ) -> None:
        values = {**queries.values_of(camera), **more, "credentials": seal(source, self._sealer)}
        org_id = work.caller.org_id
        await work.read(
            queries.insert(org_id, values),
            queries.log(
                org_id, [camera.id], work.now, camera.status, camera.status_reason, camera.status_message
            ),
        )
        await record(work, "camera.created", "camera", camera.id, after=audited(camera))
        await tell(await work.write(), org_id, work.now, camera_item("created", camera))

    async def _warn_of_twins(
        self, work: Work, outcome: Outcome, identity: str | None, except_id: UUID | None
    ) -> Sequence[str]:
        """Of the same stream of the same camera in the org, a sentence each; the report has them, too."""
        if identity is None:
            return []
        return outcome.name_twins(
            await work.list(queries.same_identity(work.caller.org_id, identity, except_id))
        )

    # ---- changing

    async def update(
        self,
        work: Work,
        camera_id: UUID,
        asked: CameraUpdate,
        if_match: str | None,
        on_stage: OnStage | None = None,
    ) -> tuple[CameraDetail, str]:
        """A change of address, credentials or transport is checked first; CheckFailed leaves the camera as it was."""
        seen = await self._row(work, camera_id)
        require_match(if_match, seen.camera.version)
        problems = list(asked.problems_with(seen.camera.type, seen.camera.connection_mode))
        if problems:
            raise ValidationError(problems)
        source = changed_source(seen, asked, self._rules, self._sealer)
        gateway_id = seen.camera.gateway_id
        moves = asked.site_id is not UNSET and asked.site_id != seen.camera.site_id
        if moves:
            assert isinstance(asked.site_id, UUID)
            await self._sites.get(work, asked.site_id)
        outcome = None
        if source is not None and gateway_id is not None:
            outcome = await self._checker.require(gateway_id, source, on_stage, camera_id=camera_id)
        elif source is not None:  # what it says goes into the row by the job that registers it anew
            await self._checker.require_here(source, seen.camera, on_stage)

        await work.write()
        if moves:
            assert isinstance(asked.site_id, UUID)
            await self._sites.hold(work, asked.site_id)
        gateway = None if gateway_id is None else await self._gateways.hold(work, gateway_id)
        before: CameraRow = await work.get(queries.by_id(work.caller, camera_id, lock=True), MISSING)
        if source is not None and before.camera.version != seen.camera.version:
            raise CameraChanged
        require_match(if_match, before.camera.version)
        return await self._change(work, before, asked, source, outcome, gateway)

    async def _change(
        self,
        work: Work,
        before: CameraRow,
        asked: CameraUpdate,
        source: CameraSource | None,
        outcome: Outcome | None,
        gateway: GatewayRow | None,
    ) -> tuple[CameraDetail, str]:
        """The transaction's part of `update`; `before` is locked."""
        old = before.camera
        plain = {
            name: msgspec.to_builtins(value, builtin_types=(UUID,))
            for name in _PLAIN
            if (value := getattr(asked, name)) is not UNSET
        }
        new = msgspec.structs.replace(old, **plain)
        if new == old and source is None:
            return old, _tag(before)
        hidden: dict[str, Any] = {}
        if new.enabled != old.enabled:
            new = switched(new, gateway, work)
        if source is not None:
            hidden["credentials"] = seal(source, self._sealer)
            new = addressed(new, source)
            if outcome is not None and gateway is not None:
                identity = outcome.identity(source, gateway.id)
                await self._warn_of_twins(work, outcome, identity, old.id)
                elsewhere = (source.host, source.port) != (old.host, old.port)
                serial = outcome.facts().get("serial")
                replaced = bool(serial and before.serial and serial != before.serial)
                hidden |= {**hidden_facts(outcome, of_another=elsewhere or replaced), "identity": identity}
                new = checked(new, source, outcome, gateway, work)
            elif new.enabled:
                new = turn(new, work, "pending")
        if source is not None or not new.enabled:  # where it is now was said by a person
            new, hidden["move_dismissed"] = msgspec.structs.replace(new, moved_to=None), None
        told = source is not None or any(getattr(new, name) != getattr(old, name) for name in _PLAIN)
        new = msgspec.structs.replace(new, version=old.version + 1, updated_at=work.now)
        turned = (new.status, new.status_reason) != (old.status, old.status_reason)
        row = msgspec.structs.replace(
            before, camera=new, revision=before.revision + told, status_seq=before.status_seq + turned
        )
        await self._write(work, before, row, hidden, told=told, turned=turned)
        return new, _tag(row)

    async def _write(
        self,
        work: Work,
        before: CameraRow,
        after: CameraRow,
        hidden: dict[str, Any],
        *,
        told: bool,
        turned: bool,
    ) -> None:
        org_id, camera = work.caller.org_id, after.camera
        values = {
            **queries.values_of(camera),
            **hidden,
            "revision": after.revision,
            "status_seq": after.status_seq,
        }
        statements = [queries.update(org_id, camera.id, values)]
        if turned:
            statements.append(
                queries.log(
                    org_id, [camera.id], work.now, camera.status, camera.status_reason, camera.status_message
                )
            )
        await work.read(*statements)
        mark = {"credentials": "changed"} if "credentials" in hidden else {}
        await record(
            work,
            "camera.updated",
            "camera",
            camera.id,
            before=audited(before.camera),
            after={**audited(camera), **mark},
        )
        left = before.camera.site_id if camera.site_id != before.camera.site_id else None
        items = [camera_item("updated", camera, left), *([status_item_of(camera)] if turned else [])]
        await tell(await work.write(), org_id, work.now, *items)
        if told and camera.gateway_id is not None:
            self._tell(work, camera.gateway_id)
            await bump_state(await work.write(), camera.gateway_id)
        elif "credentials" in hidden or camera.enabled != before.camera.enabled:
            await self._defer(await work.write(), "direct_camera.register", _job(work, camera.id))

    async def delete(self, work: Work, camera_id: UUID, if_match: str | None) -> None:
        """Soft. Its credentials go at once, and its gateway or go2rtc forgets it."""
        seen = await self._row(work, camera_id)
        gateway_id = seen.camera.gateway_id
        await work.write()
        if gateway_id is not None:
            await self._gateways.hold(work, gateway_id)
        row: CameraRow = await work.get(queries.by_id(work.caller, camera_id, lock=True), MISSING)
        require_match(if_match, row.camera.version)
        await work.read(queries.forget(work.caller.org_id, camera_id, work.now))
        await record(work, "camera.deleted", "camera", camera_id, before=audited(row.camera))
        item = camera_item("deleted", row.camera)
        await tell(await work.write(), work.caller.org_id, work.now, item)
        if gateway_id is not None:
            self._tell(work, gateway_id)
            await bump_state(await work.write(), gateway_id)
        else:
            job = {**_job(work, camera_id), "stream_name": row.stream_name}
            await self._defer(await work.write(), "direct_camera.remove", job)

    def _tell(self, work: Work, gateway_id: UUID) -> None:
        work.after_commit(lambda: self._hub.nudge(gateway_id))


def _job(work: Work, camera_id: UUID) -> dict[str, Any]:
    return {"org_id": str(work.caller.org_id), "camera_id": str(camera_id)}


def _tag(row: CameraRow) -> str:
    return etag(row.camera.version, row.status_seq)
