"""Who is there: arrival, heartbeats, reports into the database, and gateways gone silent.

Life signs stay in memory and are written for all links at once, every 15 s at most; so 2,000 gateways cost a few statements,
not 133 transactions a second. A gateway is offline
  - a short grace after its socket closed (a quick reconnect does not flap),
  - `offline_after_sec` after its last word on an open socket,
  - and, whatever became of the server that held its socket, when its written heartbeat is that old.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from novavms_protocol import DesiredState, Hello, Report
from novavms_server.accounts.keys import hash_token
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef, HardwareFacts
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Connection, Database, Query
from novavms_server.kit.errors import AuthRequired, InvalidToken
from novavms_server.kit.ids import new_id
from novavms_server.kit.tasks import end

if TYPE_CHECKING:
    from novavms_server.gateways.link import Link

log = logging.getLogger("novavms.gateways")

FLUSH_SEC: Final = 15.0
GRACE_SEC: Final = 10.0
ASK_AFTER_SEC: Final = 20.0
AT_ONCE: Final = 8
"""Transactions for gateways at the same time: the rest of the pool is for requests, also when all gateways return at once."""
_CHUNK: Final = 500


class LostGateway(Exception):
    """It was removed, or paired anew: this socket speaks for nobody."""


class Presence:
    def __init__(
        self, database: Database, clock: Clock, hub: GatewayHub, *, offline_after_sec: float
    ) -> None:
        self.clock = clock
        self._database = database
        self._hub = hub
        self._offline_after_sec = offline_after_sec
        self._flush_sec = min(FLUSH_SEC, offline_after_sec / 3)
        self._grace_sec = min(GRACE_SEC, offline_after_sec / 4)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._departed: dict[UUID, tuple[Link, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._flushed_mono = clock.monotonic()

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

    # ---- arrival

    async def identify(self, gateway_id: str, authorization: str | None) -> tuple[GatewayRef, bytes]:
        """Whose token this is. Raises AuthRequired, InvalidToken (one answer for a wrong id and a wrong token)."""
        if authorization is None:
            raise AuthRequired("Send the gateway's token in the header: Authorization: Bearer gw_…")
        scheme, _, token = authorization.partition(" ")
        digest = hash_token(token.strip())
        try:
            wanted = UUID(gateway_id)
        except ValueError:
            raise InvalidToken from None
        query = Query(
            "SELECT org_id, site_id, token_hash FROM gateways WHERE id = %s AND deleted_at IS NULL", (wanted,)
        )
        rows = (await self._database.look_everywhere(query))[0]
        known = rows[0][2] if rows and rows[0][2] is not None else bytes(32)
        if not hmac.compare_digest(known, digest) or scheme.lower() != "bearer":
            raise InvalidToken("The gateway is unknown, or its token is not valid (any more).")
        return GatewayRef(rows[0][0], rows[0][1], wanted), digest

    async def arrive(self, link: Link, token_hash: bytes, hello: Hello) -> DesiredState:
        """The gateway is online under this connection; what it is to do. Raises LostGateway."""
        gateway = link.gateway
        async with self._slots, self._database.org(gateway.org_id) as connection:
            cursor = await connection.execute(
                "SELECT status, state_version FROM gateways WHERE id = %s AND token_hash = %s AND deleted_at IS NULL FOR NO KEY UPDATE",
                (gateway.id, token_hash),
                prepare=True,
            )
            row = await cursor.fetchone()
            if row is None:
                raise LostGateway
            status, state_version = row
            link.connection_id = new_id()
            await self._write_arrival(connection, link, hello, status)
            for on_hello in self._hub.hello_handlers:
                await on_hello(connection, gateway, hello)
            if status != "online":
                for on_online in self._hub.online_handlers:
                    await on_online(connection, gateway)
            state = await self._hub.describe(connection, gateway)
        self._departed.pop(gateway.id, None)
        return msgspec.structs.replace(state, version=state_version)

    async def _write_arrival(self, connection: Connection, link: Link, hello: Hello, status: str) -> None:
        now, facts = self.clock.now(), _facts(hello)
        await connection.execute(
            "UPDATE gateways SET status = 'online', status_at = CASE status WHEN 'online' THEN status_at ELSE %(now)s END,"
            " connection_id = %(connection)s, last_heartbeat_at = %(now)s, applied_version = %(applied)s,"
            " software_version = %(version)s, hardware = %(facts)s, local_ip = %(ip)s WHERE id = %(id)s",
            {
                **{"now": now, "connection": link.connection_id, "applied": hello.applied_version},
                **{"version": _line(hello.version), "facts": Jsonb(msgspec.to_builtins(facts))},
                **{"ip": facts.local_ip, "id": link.gateway.id},
            },
            prepare=True,
        )
        if status != "online":
            await _log_change(connection, link.gateway, now, "gateway.online", {"before": status})

    async def newer_state(self, link: Link) -> DesiredState | None:
        """The desired state if it is newer than what was sent. Raises LostGateway."""
        async with self._slots, self._database.org(link.gateway.org_id) as connection:
            cursor = await connection.execute(
                "SELECT state_version FROM gateways WHERE id = %s AND deleted_at IS NULL",
                (link.gateway.id,),
                prepare=True,
            )
            row = await cursor.fetchone()
            if row is None:
                raise LostGateway
            if row[0] <= link.sent_version:
                return None
            # The version is read before the cameras: at worst the state is newer than it says, and comes once more.
            state = await self._hub.describe(connection, link.gateway)
        return msgspec.structs.replace(state, version=row[0])

    async def take_report(self, link: Link, report: Report) -> str | None:
        """Into the database, once. Answers a refusal for good, or None. Raises LostGateway, and what DATABASE_AWAY names."""
        gateway = link.gateway
        try:
            async with self._slots, self._database.org(gateway.org_id) as connection:
                cursor = await connection.execute(
                    "INSERT INTO gateway_reports (org_id, gateway_id, id, at)"
                    " SELECT org_id, id, %s, %s FROM gateways WHERE id = %s AND token_hash = %s AND deleted_at IS NULL"
                    " ON CONFLICT DO NOTHING",
                    (report.id, self.clock.now(), gateway.id, link.token_hash),
                    prepare=True,
                )
                if cursor.rowcount == 0:
                    await self._require_repeat(connection, gateway.id, report.id)
                    return None
                handler = self._hub.report_handlers[type(report.body)]
                return await handler(connection, gateway, report.body, report)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # What the database can't hold it will not hold next time either (a NUL in a text, a number out of range).
            log.warning("gateway %s: report refused: %s", gateway.id, type(error).__name__)
            return "invalid"

    async def _require_repeat(self, connection: Connection, gateway_id: UUID, report_id: UUID) -> None:
        cursor = await connection.execute(
            "SELECT 1 FROM gateway_reports WHERE gateway_id = %s AND id = %s", (gateway_id, report_id)
        )
        if await cursor.fetchone() is None:
            raise LostGateway

    # ---- silence

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
        async with self._slots, self._database.org(gateway.org_id) as connection:
            cursor = await connection.execute(
                "UPDATE gateways SET status = 'offline', status_at = %(now)s, connection_id = NULL"  # noqa: S608
                f" WHERE id = %(id)s AND status = 'online' AND {condition}",
                {"now": now, "id": gateway.id, **params},
            )
            if cursor.rowcount == 0:
                return
            for on_offline in self._hub.offline_handlers:
                await on_offline(connection, gateway)
            await _log_change(connection, gateway, now, "gateway.offline", {})

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
        """Write what was heard since the last time; find sockets that no longer count, and state that was not told."""
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
                " AS u (id, connection, at, telemetry, applied)"
                " WHERE g.id = u.id AND g.connection_id = u.connection RETURNING g.id, g.state_version",
                (
                    [link.gateway.id for link in links],
                    [link.connection_id for link in links],
                    [link.heard_at for link in links],
                    [_text(link.telemetry) for link in links],
                    [link.applied for link in links],
                ),
            )
            versions = dict(await cursor.fetchall())
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


async def _log_change(
    connection: Connection, gateway: GatewayRef, now: datetime, action: str, after: dict[str, str]
) -> None:
    await connection.execute(
        "INSERT INTO audit_log (org_id, id, at, actor, action, target_type, target_id, after)"
        " VALUES (%s, %s, %s, 'system', %s, 'gateway', %s, %s)",
        (gateway.org_id, new_id(), now, action, gateway.id, Jsonb(after)),
        prepare=True,
    )


def _facts(hello: Hello) -> HardwareFacts:
    """As far as they are fit to be kept; a box with odd facts is a gateway all the same."""
    try:
        return msgspec.convert(msgspec.to_builtins(hello.facts), HardwareFacts)
    except msgspec.ValidationError:
        return HardwareFacts()


def _line(text: str) -> str | None:
    return "".join(char for char in text if char.isprintable())[:255] or None


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
