"""Keeps go2rtc's list of our streams as it should be: puts back what it forgot, removes what nobody owns any more."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused, source_url
from novavms_camera.secret import Secret
from novavms_server.cameras.direct.queries import STREAM_NAMES, TO_WATCH, WITHOUT_JOB, Seen, one_direct
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.sources import source_of_row
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, run
from novavms_server.kit.jobs import defer
from novavms_server.kit.seal import SealBroken, Sealer
from novavms_server.kit.tasks import end

log = logging.getLogger("novavms.direct")
EVERY_SEC: Final = 10.0


class Mirror:
    """Also without a go2rtc: then it only sees to it that no camera waits for a job that is gone."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, go2rtc: Go2rtc | None) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._go2rtc = go2rtc
        self._task: asyncio.Task[None] | None = None
        self._sources: dict[Seen, tuple[str, Secret] | None] = {}

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
            known = await self._source(seen)
            if known is None or sources.get(known[0]) == [known[1]]:
                continue
            try:
                await go2rtc.put(*known)
                log.info("go2rtc: camera %s put back", seen.id)
            except Go2rtcRefused as trouble:
                log.warning("camera %s: go2rtc: %s", seen.id, trouble)
        self._sources = {seen: self._sources[seen] for seen in wanted if seen in self._sources}

    async def _source(self, seen: Seen) -> tuple[str, Secret] | None:
        """The stream's name and address, remembered by revision."""
        if seen not in self._sources:
            async with self._database.org(seen.org_id) as connection:
                row: CameraRow | None = await (
                    await run(connection, one_direct(seen.org_id, seen.id))
                ).fetchone()
            self._sources[seen] = None if row is None else self._address(row)
        return self._sources[seen]

    def _address(self, row: CameraRow) -> tuple[str, Secret] | None:
        try:
            source = source_of_row(row, self._sealer)
        except SealBroken:
            return None
        if row.stream_name is None or source.rtsp_url is None:
            return None
        return row.stream_name, source_url(source.rtsp_url, source.username, source.password)
