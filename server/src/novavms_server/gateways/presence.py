"""Who is there: heartbeats, and gateways gone silent.

Life signs stay in memory and are written for all links at once, every 15 s at most; so 2,000 gateways cost a few statements,
not 133 transactions a second. A gateway is offline
  - a short grace after its socket closed (a quick reconnect does not flap),
  - `offline_after_sec` after its last word on an open socket,
  - and, whatever became of the server that held its socket, when its written heartbeat is that old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast, get_args
from uuid import UUID

from novavms_server.feed.log import tell
from novavms_server.gateways.arrivals import Arrivals, log_change
from novavms_server.gateways.feed_models import gateway_item, gateway_status_item
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef, StorageState
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Connection, Database, Query
from novavms_server.kit.tasks import end

if TYPE_CHECKING:
    from novavms_server.gateways.link import Link

log = logging.getLogger("novavms.gateways")

FLUSH_SEC: Final = 15.0
GRACE_SEC: Final = 10.0
ASK_AFTER_SEC: Final = 20.0
_CHUNK: Final = 500


class Presence:
    """One for the server. `start` and `stop` with it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        hub: GatewayHub,
        arrivals: Arrivals,
        *,
        offline_after_sec: float,
    ) -> None:
        self.clock = clock
        self._database = database
        self._hub = hub
        self._arrivals = arrivals
        self._offline_after_sec = offline_after_sec
        self._flush_sec = min(FLUSH_SEC, offline_after_sec / 3)
        self._grace_sec = min(GRACE_SEC, offline_after_sec / 4)
        self._departed: dict[UUID, tuple[Link, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._flushed_mono = clock.monotonic()
        self._flushing = asyncio.Lock()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Says goodbye to all. They stay `online`: they come back to the next server, or its sweep finds them silent."""
        self.say_goodbye()
        if self._task is not None:
            await end([self._task])
            self._task = None
        with contextlib.suppress(*DATABASE_AWAY):
            await self.flush()

    def say_goodbye(self) -> None:
        """Before the HTTP server closes the sockets: their return is then spread."""
        for socket in self._hub.sockets():
            socket.end("shutting_down")

    # ---- silence

    def arrived(self, gateway_id: UUID) -> None:
        """It is back: no grace runs any more."""
        self._departed.pop(gateway_id, None)

    def departed(self, link: Link) -> None:
        """The socket that counted has closed: offline after a grace, unless it comes back."""
        self._departed[link.gateway.id] = (link, self.clock.monotonic())

    async def _run(self) -> None:
        pause = min(5.0, self._grace_sec / 2)
        while True:
            await self.clock.sleep(pause)
            try:
                await self.tick()
            except DATABASE_AWAY as error:
                log.warning("gateways' heartbeats not written: %s", type(error).__name__)
            except Exception:
                log.exception("gateways' heartbeats")

    async def tick(self) -> None:
        """What time alone brings about."""
        now = self.clock.monotonic()
        self._ask_the_silent(now)
        gone = [
            (link.gateway, link.connection_id)
            for link, at in self._departed.values()
            if now - at >= self._grace_sec
        ]
        await asyncio.gather(*(self._mark_departed(*each) for each in gone))
        if now - self._flushed_mono >= self._flush_sec:
            await self.flush()
            await self.sweep()
            self._flushed_mono = now

    def _ask_the_silent(self, now: float) -> None:
        ask_after = min(ASK_AFTER_SEC, self._offline_after_sec / 2)
        for socket in self._hub.sockets():
            link = cast("Link", socket)
            silent = now - link.heard_mono
            if silent >= self._offline_after_sec:
                self._hub.remove(link)
                self._departed[link.gateway.id] = (link, now - self._grace_sec)
                link.abort()
            elif silent >= ask_after:
                link.ask()

    async def _mark_departed(self, gateway: GatewayRef, connection_id: UUID) -> None:
        await self._mark_offline(gateway, "connection_id = %(connection)s", {"connection": connection_id})
        found = self._departed.get(gateway.id)
        if found is not None and found[0].connection_id == connection_id:
            del self._departed[gateway.id]

    async def _mark_offline(self, gateway: GatewayRef, condition: str, params: dict[str, object]) -> None:
        now = self.clock.now()
        async with self._arrivals.slots, self._database.org(gateway.org_id) as connection:
            cursor = await connection.execute(
                "UPDATE gateways SET status = 'offline', status_at = %(now)s, connection_id = NULL"  # noqa: S608
                f" WHERE id = %(id)s AND status = 'online' AND {condition}",
                {"now": now, "id": gateway.id, **params},
            )
            if cursor.rowcount == 0:
                return
            for on_offline in self._hub.offline_handlers:
                await on_offline(connection, gateway)
            await log_change(connection, gateway, now, "gateway.offline", {})
            await tell(connection, gateway.org_id, now, gateway_status_item(gateway, "offline", now))

    async def _storage_turned(
        self, connection: Connection, gateway: GatewayRef, name: str, was: str, now_is: str
    ) -> None:
        """The disk of a gateway's footage is in another state: in the audit log, and readers look again."""
        now = self.clock.now()
        await log_change(
            connection, gateway, now, "gateway.storage", {"storage_state": now_is, "before": was}
        )
        await tell(
            connection, gateway.org_id, now, gateway_item("updated", gateway.id, gateway.site_id, name)
        )

    async def sweep(self) -> None:
        """Gateways whose written heartbeat is too old: their server died, or nobody was left to see them go."""
        before = self.clock.now() - timedelta(seconds=self._offline_after_sec)
        query = Query(
            "SELECT org_id, site_id, id FROM gateways WHERE status = 'online' AND deleted_at IS NULL"
            " AND last_heartbeat_at < %s LIMIT 1000",
            (before,),
        )
        rows = (await self._database.look_everywhere(query))[0]
        await asyncio.gather(
            *(
                self._mark_offline(GatewayRef(*row), "last_heartbeat_at < %(before)s", {"before": before})
                for row in rows
            )
        )

    # ---- heartbeats

    async def flush(self) -> None:
        """Write what was heard since the last time; find sockets that no longer count, and state that was not told. One after the
        other: two at once would both see the state before, and tell one turn twice."""
        async with self._flushing:
            links = cast("list[Link]", self._hub.sockets())
            for start in range(0, len(links), _CHUNK):
                await self._flush(links[start : start + _CHUNK])

    async def _flush(self, links: list[Link]) -> None:
        telemetry = {link.gateway.id: link.telemetry for link in links}
        minute = self.clock.now().replace(second=0, microsecond=0)
        async with self._database.everywhere() as connection:
            cursor = await connection.execute(
                "UPDATE gateways g SET last_heartbeat_at = u.at, telemetry = coalesce(u.telemetry::jsonb, g.telemetry),"
                " applied_version = coalesce(u.applied, g.applied_version)"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::bigint[])"
                " AS u (id, connection, at, telemetry, applied) JOIN gateways o ON o.id = u.id"
                " WHERE g.id = u.id AND g.connection_id = u.connection RETURNING g.id, g.state_version,"
                " g.name, o.telemetry ->> 'storage_state', g.telemetry ->> 'storage_state'",
                (
                    [link.gateway.id for link in links],
                    [link.connection_id for link in links],
                    [link.heard_at for link in links],
                    [_text(link.telemetry) for link in links],
                    [link.applied for link in links],
                ),
            )
            versions: dict[UUID, int] = {}
            gateways = {link.gateway.id: link.gateway for link in links}
            for gateway_id, version, name, before, now in await cursor.fetchall():
                versions[gateway_id] = version
                was, now_is = before or "ok", now or "ok"
                if was != now_is and now_is in get_args(StorageState):
                    await self._storage_turned(connection, gateways[gateway_id], name, was, now_is)
            points = [
                link
                for link in links
                if link.telemetry and link.point_minute != minute and link.gateway.id in versions
            ]
            if points:
                await connection.execute(
                    "INSERT INTO gateway_telemetry (org_id, gateway_id, at, data)"
                    " SELECT org, id, %s, data::jsonb FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS u (org, id, data)"
                    " ON CONFLICT DO NOTHING",
                    (
                        minute,
                        [link.gateway.org_id for link in points],
                        [link.gateway.id for link in points],
                        [_text(link.telemetry) for link in points],
                    ),
                )
        for link in points:
            link.point_minute = minute
        for link in links:
            if link.telemetry is telemetry[link.gateway.id]:
                link.telemetry = None
            if link.gateway.id not in versions:
                await self._close_stranger(link)
            elif versions[link.gateway.id] > link.sent_version:
                link.tell_state()

    async def _close_stranger(self, link: Link) -> None:
        """This socket's connection is not the one written down: say why, and close it."""
        query = Query(
            "SELECT connection_id, token_hash = %s AND deleted_at IS NULL FROM gateways WHERE id = %s",
            (link.token_hash, link.gateway.id),
        )
        rows = (await self._database.look_everywhere(query))[0]
        if self._hub.find(link.gateway.id) is not link:
            return
        if not rows or not rows[0][1]:
            link.end("revoked", "This gateway was removed or paired anew.")
        elif rows[0][0] is not None and rows[0][0] != link.connection_id:
            link.end("replaced", "Another connection of this gateway took over.")
        else:
            link.end("shutting_down", "The server lost track of this connection; connect again.")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
