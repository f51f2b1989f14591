"""Looks after clips beside requests: finishes what is owed, and ends what nobody speaks of any more."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from novavms_server.clips import queries, states
from novavms_server.clips.errors import StoreAway
from novavms_server.clips.finishing import LEASE, Finisher
from novavms_server.clips.models import ClipRow
from novavms_server.clips.uploads import DELIVERY_TIME
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, run

log = logging.getLogger("novavms.clips")
LOOK_EVERY_SEC: Final = 0.5
AT_ONCE: Final = 4
RETRY: Final = timedelta(seconds=10)
RETRY_AFTER_BUG: Final = timedelta(minutes=10)


class Keeper:
    """`start` and `stop` with the server. Several servers may look at once: each clip is claimed before it is worked on."""

    def __init__(self, database: Database, finisher: Finisher, clock: Clock) -> None:
        self._database = database
        self._finisher = finisher
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """What is cut off is done again, once its claim has run out."""
        tasks = [*self._working, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except DATABASE_AWAY as error:
                log.warning("clips: database away: %s", type(error).__name__)
            except Exception:
                log.exception("clips: a look failed")
            await self._clock.sleep(LOOK_EVERY_SEC)

    async def look(self) -> None:
        """Begin what is owed, at most AT_ONCE at a time (who is left over is found by the next look); end what is overdue."""
        now, free = self._clock.now(), AT_ONCE - len(self._working)
        owed, overdue = await self._database.look_everywhere(
            queries.owed(now, max(0, free)), queries.overdue(now, 100)
        )
        for clip in owed:
            task = asyncio.get_running_loop().create_task(self._serve(clip))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        for row in overdue:
            await self._end(now, *row)

    async def _serve(self, clip: ClipRow) -> None:
        """All steps that one clip is owed, under one claim."""
        wait: timedelta | None = None
        try:
            now = self._clock.now()
            async with self._database.org(clip.org_id) as connection:
                claimed = await (await run(connection, queries.claim(clip, now, now + LEASE))).fetchone()
            if claimed is None:
                return
            try:
                while await self._finisher.work_on(await self._reread(clip)):
                    pass
            except StoreAway:
                log.warning("clip %s: the store is away", clip.id)
                wait = RETRY
            except DATABASE_AWAY:
                raise
            except Exception:
                log.exception("clip %s could not be finished", clip.id)
                wait = RETRY_AFTER_BUG
            finally:  # also when the server stops: the next one need not wait for the claim to run out
                await self._give_back(clip, wait)
        except DATABASE_AWAY as error:  # the claim runs out by itself
            log.warning("clip %s: database away: %s", clip.id, type(error).__name__)

    async def _give_back(self, clip: ClipRow, wait: timedelta | None) -> None:
        until = None if wait is None else self._clock.now() + wait
        async with self._database.org(clip.org_id) as connection:
            await run(connection, queries.hold_until(clip, until))

    async def _reread(self, clip: ClipRow) -> ClipRow:
        async with self._database.org(clip.org_id) as connection:
            row: ClipRow | None = await (
                await run(connection, queries.by_id(clip.org_id, clip.id))
            ).fetchone()
        assert row is not None, "rows of clips are never deleted"
        return row

    async def _end(
        self,
        now: datetime,
        org_id: UUID,
        clip_id: UUID,
        gateway_id: UUID | None,
        accepted_at: datetime | None,
        status: str,
        is_online: bool | None,
        is_deleted: bool | None,
    ) -> None:
        """Nothing stays in the making for ever."""
        if is_deleted:
            word = ("gateway_removed", "The gateway was removed before the clip was delivered.", False)
        elif gateway_id is None:
            word = ("server_restart", "The server was restarted while it recorded.", False)
        elif accepted_at is None:
            word = ("gateway_timeout", "The gateway did not take the order in time.", True)
        else:
            word = ("gateway_silent", "The gateway never said what became of the clip.", True)
        reason, message, guessed = word
        async with self._database.org(org_id) as connection:
            if reason == "gateway_silent" and status == "recording" and not is_online:
                # The recording is over; what there is waits on the gateway for the uplink.
                until = now + DELIVERY_TIME
                await states.change(connection, org_id, clip_id, "uploading", now, deadline_at=until)
            else:
                await states.fail(connection, org_id, clip_id, now, reason, message, guessed=guessed)
