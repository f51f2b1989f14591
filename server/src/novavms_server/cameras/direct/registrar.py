"""The jobs of direct mode: a camera is registered, checked, and let go.

    direct_camera.register   PUT at go2rtc (where there is one), stages 1–9 of the check, then online, or error with the reason
    direct_camera.retry      the same, for a camera in error: every now and then, after a wrong login every 10 minutes
    direct_camera.remove     go2rtc forgets it

Of a camera's status, `pending` and `error` are this module's, `online` and `offline` the watch's: a camera in the former two
always has a job waiting, one in the latter two is watched. Jobs read the camera as it is when they run, so that running
twice, late or in another order does no harm.
"""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from novavms_camera.faults import HINTS, CameraFault
from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused
from novavms_camera.source import CameraSource
from novavms_server.cameras import queries
from novavms_server.cameras.checking import CameraChecker, Outcome
from novavms_server.cameras.direct.fleet import DirectCameras
from novavms_server.cameras.direct.queries import one_direct
from novavms_server.cameras.direct.relay import Relay
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.sources import ended_early, source_of_row
from novavms_server.cameras.status import StatusChange, apply_status
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, run
from novavms_server.kit.jobs import Jobs, defer
from novavms_server.kit.seal import SealBroken, Sealer

log = logging.getLogger("novavms.direct")

LOGIN_RETRY_SEC: Final = 600.0
RETRY_MAX_SEC: Final = 60.0
LOGIN_REASONS: Final = frozenset({"auth_failed", "locked_out"})


class CameraChangedMeanwhile(Exception):
    """The camera was changed while it was checked: what was seen is of no use, the job runs again."""


class DirectRegistrar:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        checker: CameraChecker,
        go2rtc: Go2rtc | None,
        relay: Relay,
        fleet: DirectCameras,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._checker = checker
        self._go2rtc = go2rtc
        self._relay = relay
        self._fleet = fleet

    def listen(self, jobs: Jobs) -> None:
        jobs.task("direct_camera.register", self.register)
        jobs.task("direct_camera.retry", self.retry)
        jobs.task("direct_camera.remove", self.remove)

    async def register(self, org_id: UUID, args: dict[str, Any]) -> None:
        camera_id = UUID(args["camera_id"])
        row = await self._find(org_id, camera_id)
        if row is not None:
            await self._register(org_id, row, attempt=0)

    async def retry(self, org_id: UUID, args: dict[str, Any]) -> None:
        row = await self._find(org_id, UUID(args["camera_id"]))
        if row is not None and row.camera.status == "error":
            await self._register(org_id, row, attempt=int(args.get("attempt", 0)))

    async def remove(self, org_id: UUID, args: dict[str, Any]) -> None:
        """Raises Go2rtcAway: tried again; and whatever happens to the job, the mirror removes what nobody owns."""
        del org_id
        await self._fleet.drop(UUID(args["camera_id"]))
        name = args.get("stream_name")
        if self._go2rtc is not None and name:
            await self._go2rtc.delete(name)

    async def _find(self, org_id: UUID, camera_id: UUID) -> CameraRow | None:
        async with self._database.org(org_id) as connection:
            found: CameraRow | None = await (await run(connection, one_direct(org_id, camera_id))).fetchone()
        return found

    async def _register(self, org_id: UUID, row: CameraRow, attempt: int) -> None:
        await self._fleet.drop(row.camera.id)  # some cameras allow one session: the check wants it
        if not row.camera.enabled:
            await self._at_go2rtc(row, None, None)
            return
        source: CameraSource | None = None
        try:
            source = source_of_row(row, self._sealer)
            if row.camera.last_seen_at is None:  # the first check finds out, as for a gateway's camera
                source = replace(source, transport="auto")
        except SealBroken as broken:
            log.error("camera %s: its credentials can't be opened: %s", row.camera.id, broken)
            outcome = _sealed()
        else:
            if source.kind == "rtsp":
                await self._at_go2rtc(row, source, source.rtsp_url)
            outcome = await self._checker.here(source)
            if not outcome.ok:
                await self._at_go2rtc(row, None, None)
            elif source.kind == "onvif":
                await self._at_go2rtc(row, source, outcome.stream_url())
        async with self._database.org(org_id) as connection:
            await self._settle(connection, org_id, row, source, outcome, attempt)
        self._fleet.nudge()

    async def _at_go2rtc(self, row: CameraRow, source: CameraSource | None, url: str | None) -> None:
        """It knows this camera under this address, or (None) not at all. Where it is away the mirror makes that good."""
        if self._go2rtc is None or row.stream_name is None:
            return
        try:
            if source is None or url is None:
                await self._go2rtc.delete(row.stream_name)
            else:
                await self._go2rtc.put(row.stream_name, await self._relay.source(source, url))
        except CameraFault as fault:  # of its name: the check says the same, with a hint
            log.info("camera %s: not given to go2rtc: %s", row.camera.id, fault.reason)
        except (Go2rtcAway, Go2rtcRefused) as trouble:
            log.warning("camera %s: go2rtc: %s", row.camera.id, trouble)

    async def _settle(
        self,
        connection: Connection,
        org_id: UUID,
        before: CameraRow,
        source: CameraSource | None,
        outcome: Outcome,
        attempt: int,
    ) -> None:
        """The result into the camera's row. Raises CameraChangedMeanwhile."""
        camera_id, now = before.camera.id, self._clock.now()
        row = await (await run(connection, one_direct(org_id, camera_id, lock=True))).fetchone()
        if row is None:
            return
        if row.revision != before.revision:
            raise CameraChangedMeanwhile
        identity = outcome.identity(source, None) if source is not None and outcome.ok else None
        if identity is not None:
            twins = await run(connection, queries.same_identity(org_id, identity, camera_id))
            outcome.name_twins(await twins.fetchall())
        learnt = _learnt(row, outcome, now) | ({} if identity is None else {"identity": identity})
        await run(connection, queries.update(org_id, camera_id, learnt))
        change = StatusChange(status="online", at=now, last_frame_at=now)
        if not outcome.ok:
            report = outcome.report
            change = replace(
                change,
                status="error",
                reason=report["reason"],
                message=report["message"],
                last_frame_at=None,
            )
            await defer_retry(connection, self._clock, org_id, camera_id, str(report["reason"]), attempt)
        await apply_status(connection, org_id, camera_id, change, now=now)


async def defer_retry(
    connection: Connection, clock: Clock, org_id: UUID, camera_id: UUID, reason: str, attempt: int
) -> None:
    """A camera's next check: after a wrong login in 10 minutes (cameras lock accounts), else sooner, and later each time."""
    wait_sec = min(RETRY_MAX_SEC, 5.0 * 2 ** min(attempt, 10)) * random.uniform(0.75, 1.25)  # noqa: S311
    if reason in LOGIN_REASONS:
        wait_sec = LOGIN_RETRY_SEC
    await defer(
        connection,
        "direct_camera.retry",
        org_id=org_id,
        lock=f"camera:{camera_id}",
        queueing_lock=f"direct-retry:{camera_id}",
        run_at=clock.now() + timedelta(seconds=wait_sec),
        camera_id=camera_id,
        attempt=attempt + 1,
    )


def _learnt(row: CameraRow, outcome: Outcome, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"last_check": Jsonb(outcome.report)}
    if outcome.ok:
        values |= outcome.facts() | outcome.pins(row.camera, now)
        if row.camera.last_seen_at is None:
            values["stream_transport"] = outcome.transport()
        values["profiles"] = Jsonb(msgspec.to_builtins(outcome.profiles()))
        if row.camera.type == "onvif" and outcome.stream_url() is not None:
            values["rtsp_url"] = outcome.stream_url()
    return values


def _sealed() -> Outcome:
    message = "The stored password can't be opened any more (NOVAVMS_SECRET_KEYS changed): enter it again."
    return Outcome(ended_early("policy", "auth_failed", message, HINTS["auth_failed"]))
