"""Footage that retention must leave alone: ranges that gateways are told to hold.

A hold is a row of the commit that wants it. The gateway is told as of a desired state: each row has a number that rises with
each change, and the number that the gateway has taken; what differs is told, by a job, again at each hello, and now and then.
A gateway that began its index anew knows no holds: those it took in an older life are told once more.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from novavms_protocol import Hello, HoldFootage
from novavms_server.clips.service import ClipService
from novavms_server.gateways.errors import GatewayOffline
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, Query, run
from novavms_server.kit.ids import new_id
from novavms_server.kit.jobs import Jobs, defer
from novavms_server.kit.work import Work

log = logging.getLogger("novavms.recordings")
TASK: Final = "footage.tell_holds"
TELL_SEC: Final = 10.0
LOOK_EVERY_SEC: Final = 300.0
_AFTER_HELLO: Final = timedelta(seconds=1)
"""When the socket that said hello takes requests for certain."""
_CHUNK: Final = 100

_PUT = """
INSERT INTO footage_holds AS h (org_id, id, gateway_id, camera_id, event_id, start_at, end_at, created_at)
VALUES (%(org)s, %(id)s, %(gateway)s, %(camera)s, %(event)s, %(start)s, %(end)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET is_held = true, released_at = NULL, start_at = excluded.start_at, end_at = excluded.end_at,
    changed = h.changed + 1
"""
_RELEASE = """
UPDATE footage_holds SET is_held = false, released_at = %(now)s, changed = changed + 1
WHERE org_id = %(org)s AND id = %(id)s AND is_held RETURNING gateway_id
"""
_LIFE = "coalesce((SELECT life FROM ledgers l WHERE l.gateway_id = h.gateway_id), 0)"
_UNTOLD = f"(h.changed <> h.told OR (h.is_held AND h.told_life IS DISTINCT FROM {_LIFE}))"


class _Untold(NamedTuple):
    id: UUID
    camera_id: UUID
    start: datetime
    end: datetime
    is_held: bool
    changed: int
    life: int


class Holds:
    """`register` before the server starts."""

    def __init__(
        self, database: Database, clock: Clock, hub: GatewayHub, jobs: Jobs, clips: ClipService
    ) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._jobs = jobs
        self._clips = clips

    def register(self) -> None:
        """After whatever hears the hello's epoch."""
        self._jobs.task(TASK, self._tell_gateway)
        self._jobs.periodic("footage holds", LOOK_EVERY_SEC, self.look)
        self._hub.on_hello(self.on_hello)

    # ---- who wants footage kept

    async def star(self, work: Work, event_id: UUID, *, is_starred: bool) -> None:
        """The stretch of the event's clip. In the request's transaction."""
        connection = await work.write()
        found = await work.find(
            Query(
                "SELECT id FROM footage_holds WHERE org_id = %s AND event_id = %s",
                (work.caller.org_id, event_id),
            )
        )
        if not is_starred:
            if found is not None:
                await self.release(connection, work.caller.org_id, found[0])
                work.after_commit(self._jobs.nudge)
            return
        stretch = await work.find(self._clips.stretch_of(work.caller, event_id))
        if stretch is None or stretch[1] is None or stretch[2] >= stretch[3]:
            return  # nothing is recorded, or by a camera without a gateway
        camera_id, gateway_id, start, end = stretch
        hold_id = new_id() if found is None else found[0]
        await self.put(
            connection, work.caller.org_id, hold_id, gateway_id, camera_id, start, end, event_id=event_id
        )
        work.after_commit(self._jobs.nudge)

    async def put(
        self,
        connection: Connection,
        org_id: UUID,
        hold_id: UUID,
        gateway_id: UUID,
        camera_id: UUID,
        start: datetime,
        end: datetime,
        *,
        event_id: UUID | None = None,
    ) -> None:
        """In the caller's transaction, inside the org. The same id again: that range, held."""
        params = {
            **{"org": org_id, "id": hold_id, "gateway": gateway_id, "camera": camera_id},
            **{"event": event_id, "start": start, "end": end, "now": self._clock.now()},
        }
        await run(connection, Query(_PUT, params))
        await _defer(connection, org_id, gateway_id)

    async def release(self, connection: Connection, org_id: UUID, hold_id: UUID) -> None:
        """Retention may have it again. What is not held is let be."""
        params = {"org": org_id, "id": hold_id, "now": self._clock.now()}
        row = await (await run(connection, Query(_RELEASE, params))).fetchone()
        if row is not None:
            await _defer(connection, org_id, row[0])

    # ---- the gateways' side

    async def on_hello(self, connection: Connection, gateway: GatewayRef, hello: Hello) -> None:
        del hello
        query = Query(
            f"SELECT 1 FROM footage_holds h WHERE h.org_id = %s AND h.gateway_id = %s AND {_UNTOLD} LIMIT 1",  # noqa: S608
            (gateway.org_id, gateway.id),
        )
        if await (await run(connection, query)).fetchone() is not None:
            await _defer(connection, gateway.org_id, gateway.id, self._clock.now() + _AFTER_HELLO)

    async def look(self) -> None:
        """Whatever was not told, for whatever reason, of the gateways that are here."""
        query = Query(f"SELECT DISTINCT h.org_id, h.gateway_id FROM footage_holds h WHERE {_UNTOLD}")  # noqa: S608
        for org_id, gateway_id in (await self._database.look_everywhere(query))[0]:
            if self._hub.is_connected(gateway_id):
                await self._tell_gateway(org_id, {"gateway_id": str(gateway_id)})

    async def _tell_gateway(self, org_id: UUID, args: dict[str, Any]) -> None:
        """All it has not taken yet. Offline: done, its next hello goes on. Raises GatewayTimeout, to be tried again."""
        gateway_id = UUID(args["gateway_id"])
        query = Query(
            f"SELECT h.id, h.camera_id, h.start_at, h.end_at, h.is_held, h.changed, {_LIFE} FROM footage_holds h"  # noqa: S608
            f" WHERE h.org_id = %s AND h.gateway_id = %s AND {_UNTOLD} ORDER BY h.id LIMIT {_CHUNK}",
            (org_id, gateway_id),
            _Untold,
        )
        while True:
            async with self._database.org(org_id) as connection:
                untold: list[_Untold] = await (await run(connection, query)).fetchall()
            for hold in untold:
                if not await self._tell(org_id, gateway_id, hold):
                    return
            if len(untold) < _CHUNK:
                return

    async def _tell(self, org_id: UUID, gateway_id: UUID, hold: _Untold) -> bool:
        """False: there is no use in going on now."""
        order = HoldFootage(
            hold_id=hold.id, camera_id=hold.camera_id, start=hold.start, end=hold.end, is_held=hold.is_held
        )
        try:
            reply = await self._hub.request(gateway_id, order, timeout_sec=TELL_SEC)
        except GatewayOffline:
            return False
        if not reply.ok and reply.error != "unknown_camera":  # whose footage is gone: nothing to hold
            log.warning("gateway %s: a hold was not taken: %s", gateway_id, reply.error)
            return False
        async with self._database.org(org_id) as connection:
            await connection.execute(
                "UPDATE footage_holds SET told = %s, told_life = %s WHERE org_id = %s AND id = %s",
                (hold.changed, hold.life, org_id, hold.id),
            )
        return True


async def _defer(
    connection: Connection, org_id: UUID, gateway_id: UUID, run_at: datetime | None = None
) -> None:
    name = f"holds:{gateway_id}"
    await defer(
        connection, TASK, org_id=org_id, lock=name, queueing_lock=name, run_at=run_at, gateway_id=gateway_id
    )
