"""A camera goes to the address where it was found: a person says so, or the org does beforehand.

The steps are those of a change of address (see service): 1. read; 2. the ordinary check at the new address, with the
camera's login, holding no connection; 3. one transaction that looks again and writes host, port and stream address. A
check that another device passes is a failed one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from novavms_camera.faults import HINTS
from novavms_camera.source import CameraSource
from novavms_server.accounts.orgs.service import moved_cameras
from novavms_server.audit.service import record, record_as
from novavms_server.cameras import queries
from novavms_server.cameras.checking import CameraChecker, Outcome
from novavms_server.cameras.errors import CameraChanged, CheckFailed, NoMove
from novavms_server.cameras.models import CameraDetail, MovedTo
from novavms_server.cameras.moves import (
    APPLY,
    LEFT_ALONE,
    find,
    is_same_device,
    proposal,
    same_place,
    write_move,
    write_proposal,
)
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.service import MISSING
from novavms_server.cameras.sources import AddressRules, moved_source
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.service import GatewayService, hold_gateway
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database
from novavms_server.kit.errors import Forbidden
from novavms_server.kit.jobs import Jobs
from novavms_server.kit.seal import SealBroken, Sealer
from novavms_server.kit.versions import etag, require_match
from novavms_server.kit.work import Work

log = logging.getLogger("novavms.cameras")
NOT_TRIED = frozenset({"gateway_offline", "gateway_timeout"})


@dataclass(frozen=True, slots=True)
class _At:
    now: datetime


class MoveService:
    """Made once in `server`."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        rules: AddressRules,
        checker: CameraChecker,
        gateways: GatewayService,
        hub: GatewayHub,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._rules = rules
        self._checker = checker
        self._gateways = gateways
        self._hub = hub

    def listen(self, jobs: Jobs) -> None:
        # Not many attempts: with each search that finds the camera still missing there comes another job.
        jobs.task(APPLY, self.apply, max_attempts=3)

    # ---- a person's word

    async def accept(self, work: Work, camera_id: UUID, if_match: str | None) -> tuple[CameraDetail, str]:
        """Raises NoMove, CheckFailed (nothing changed), CameraChanged."""
        seen = await self._row(work, queries.by_id(work.caller, camera_id))
        require_match(if_match, seen.camera.version)
        moved, gateway_id = proposal(seen), seen.camera.gateway_id
        if moved is None or gateway_id is None:
            raise NoMove
        source = moved_source(seen, moved.host, moved.port, self._rules, self._sealer)
        outcome = _judged(seen, await self._checker.require(gateway_id, source))
        if not outcome.ok:
            raise CheckFailed(outcome.report)

        connection = await work.write()
        gateway = await self._gateways.hold(work, gateway_id)
        before = await self._row(work, queries.by_id(work.caller, camera_id, lock=True))
        if before.camera.version != seen.camera.version or not same_place(proposal(before), moved):
            raise CameraChanged
        after = await write_move(
            connection,
            work.caller.org_id,
            before,
            source,
            outcome,
            gateway,
            work,
            actor=work.caller.label,
            request_id=work.request_id,
        )
        work.after_commit(lambda: self._hub.nudge(gateway_id))
        return after.camera, etag(after.camera.version, after.status_seq)

    async def dismiss(self, work: Work, camera_id: UUID, if_match: str | None) -> None:
        """It is not at that address. Where there is no proposal, there is nothing to do."""
        connection = await work.write()
        row = await self._row(work, queries.by_id(work.caller, camera_id, lock=True))
        require_match(if_match, row.camera.version)
        moved = proposal(row)
        if moved is None:
            return
        await write_proposal(connection, work.caller.org_id, camera_id, None, now=work.now, dismiss=True)
        await record(work, "camera.move_dismissed", "camera", camera_id, before=moved)

    async def _row(self, work: Work, query: Any) -> CameraRow:
        row: CameraRow = await work.get(query, MISSING)
        if not work.caller.sees(row.camera.site_id):
            raise Forbidden
        return row

    # ---- the org's word

    async def apply(self, org_id: UUID, args: dict[str, Any]) -> None:
        """The job of a camera that was found: once for each address, but where the gateway or the network was in the way."""
        camera_id = UUID(args["camera_id"])
        async with self._database.org(org_id) as connection:
            seen = await find(connection, org_id, camera_id)
            wanted = await moved_cameras(connection, org_id) == "apply"
        moved = None if seen is None else proposal(seen)
        gateway_id = None if seen is None else seen.camera.gateway_id
        if seen is None or moved is None or gateway_id is None or not wanted or moved.reason in LEFT_ALONE:
            return
        source: CameraSource | None = None
        try:
            source = moved_source(seen, moved.host, moved.port, self._rules, self._sealer)
        except CheckFailed as refused:
            outcome = Outcome(refused.extra["check"])
        except SealBroken as broken:
            log.error("camera %s: its credentials can't be opened: %s", camera_id, broken)
            return
        else:
            outcome = _judged(seen, await self._checker.on_gateway(gateway_id, source))
        if outcome.report["reason"] in NOT_TRIED:
            return
        when = _At(self._clock.now())
        async with self._database.org(org_id) as connection:
            gateway = await hold_gateway(connection, org_id, gateway_id)
            before = await find(connection, org_id, camera_id, lock=True)
            if gateway is None or before is None or before.revision != seen.revision:
                return
            if not same_place(proposal(before), moved):
                return
            if source is None or not outcome.ok:
                await self._failed(connection, org_id, camera_id, moved, outcome, when)
                return
            await write_move(connection, org_id, before, source, outcome, gateway, when, actor="system")
        self._hub.nudge(gateway_id)

    async def _failed(
        self,
        connection: Connection,
        org_id: UUID,
        camera_id: UUID,
        moved: MovedTo,
        outcome: Outcome,
        when: _At,
    ) -> None:
        """It stays a proposal, which says why it was not taken."""
        report = outcome.report
        tried = msgspec.structs.replace(moved, reason=report["reason"], message=report["message"])
        await write_proposal(connection, org_id, camera_id, tried, now=when.now)
        await record_as(
            connection, org_id, "system", when.now, "camera.move_failed", "camera", camera_id, after=tried
        )


def _judged(row: CameraRow, outcome: Outcome) -> Outcome:
    """The check's outcome; where another device passed it, that is a failure, too."""
    if not outcome.ok or is_same_device(row, outcome):
        return outcome
    message = "The device that answers there is not this camera: its serial number, or all that it says of itself, is another."
    failed = {"ok": False, "reason": "other_device", "message": message, "hint": HINTS["other_device"]}
    return Outcome({**outcome.report, **failed})
