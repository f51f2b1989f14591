"""Keeps go2rtc's list of our streams as it should be: puts back what it forgot, removes what nobody owns any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from novavms_camera.faults import CameraFault
from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_server.cameras.direct.queries import STREAM_NAMES, TO_WATCH, WITHOUT_JOB, Seen, one_direct
from novavms_server.cameras.direct.relay import Relay
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.sources import source_of_row
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, run
from novavms_server.kit.jobs import defer
from novavms_server.kit.seal import SealBroken, Sealer
from novavms_server.kit.tasks import end

log = logging.getLogger("novavms.direct")
EVERY_SEC: Final = 10.0


class Wanted(NamedTuple):
    """What go2rtc is to have of a camera."""

    name: str
    source: CameraSource
    url: str


class Mirror:
    """Also without a go2rtc: then it only sees to it that no camera waits for a job that is gone."""

    def __init__(
        self, database: Database, clock: Clock, sealer: Sealer, go2rtc: Go2rtc | None, relay: Relay
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._go2rtc = go2rtc
        self._relay = relay
        self._task: asyncio.Task[None] | None = None
        self._wanted: dict[Seen, Wanted | None] = {}

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])
            self._task = None
        if self._go2rtc is not None:
            await self._go2rtc.close()

    async def _run(self) -> None:
        away = False
        while True:
            try:
                await self.revive_forgotten()
                if self._go2rtc is not None:
                    await self.repair(self._go2rtc)
                away = False
            except Go2rtcAway as trouble:
                if not away:
                    log.warning("go2rtc is away: %s", trouble)
                away = True
            except DATABASE_AWAY as error:
                log.warning("go2rtc's streams: %s", type(error).__name__)
            except Exception:
                log.exception("go2rtc's streams")
            await self._clock.sleep(EVERY_SEC)

    async def revive_forgotten(self) -> None:
        for org_id, camera_id in (await self._database.look_everywhere(WITHOUT_JOB))[0]:
            async with self._database.org(org_id) as connection:
                await defer(
                    connection,
                    "direct_camera.register",
                    org_id=org_id,
                    lock=f"camera:{camera_id}",
                    queueing_lock=f"direct-revive:{camera_id}",
                    camera_id=camera_id,
                )

    async def repair(self, go2rtc: Go2rtc) -> None:
        """Its list is read first, ours after: a stream that is made meanwhile is then in ours, and no orphan."""
        sources = await go2rtc.sources()
        wanted, names = await self._database.look_everywhere(TO_WATCH, STREAM_NAMES)
        ours = {row[0] for row in names}
        for name in sources:
            if go2rtc.owns(name) and name not in ours:
                log.info("go2rtc: removing %s, which is no camera's", name)
                await go2rtc.delete(name)
        for seen in wanted:
            camera = await self._known(seen)
            if camera is not None:
                await self._put_back(go2rtc, seen, camera, sources.get(camera.name))
        self._wanted = {seen: self._wanted[seen] for seen in wanted if seen in self._wanted}
        self._relay.forget_unused()

    async def _put_back(
        self, go2rtc: Go2rtc, seen: Seen, camera: Wanted, there: Sequence[Secret] | None
    ) -> None:
        try:
            source = await self._relay.source(camera.source, camera.url)
            if there != [source]:
                await go2rtc.put(camera.name, source)
                log.info("go2rtc: camera %s put back", seen.id)
        except CameraFault as fault:
            # A name that can't be resolved now may be a matter of seconds; one that leads where no camera may be is not dialled again.
            if fault.reason == "address_forbidden" and there is not None:
                log.warning("camera %s: taken from go2rtc: %s", seen.id, fault.message)
                await go2rtc.delete(camera.name)
        except Go2rtcRefused as trouble:
            log.warning("camera %s: go2rtc: %s", seen.id, trouble)

    async def _known(self, seen: Seen) -> Wanted | None:
        """Remembered by revision."""
        if seen not in self._wanted:
            async with self._database.org(seen.org_id) as connection:
                row: CameraRow | None = await (
                    await run(connection, one_direct(seen.org_id, seen.id))
                ).fetchone()
            self._wanted[seen] = None if row is None else self._of(row)
        return self._wanted[seen]

    def _of(self, row: CameraRow) -> Wanted | None:
        try:
            source = source_of_row(row, self._sealer)
        except SealBroken:
            return None
        if row.stream_name is None or source.rtsp_url is None:
            return None
        return Wanted(row.stream_name, source, source.rtsp_url)
