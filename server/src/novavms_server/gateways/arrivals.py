"""What a gateway's socket brings into the database: its arrival, and its reports; and what it is told, out of it."""

from __future__ import annotations

import asyncio
import hmac
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from novavms_protocol import DesiredState, Hello, Report, Telemetry
from novavms_server.accounts.keys import hash_token
from novavms_server.feed.log import tell
from novavms_server.gateways.feed_models import gateway_status_item
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRef, HardwareFacts
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, Query
from novavms_server.kit.errors import AuthRequired, InvalidToken
from novavms_server.kit.ids import new_id

if TYPE_CHECKING:
    from novavms_server.gateways.link import Link

log = logging.getLogger("novavms.gateways")

AT_ONCE: Final = 8
"""Transactions for gateways at the same time: the rest of the pool is for requests, also when all gateways return at once."""


_MOST: Final = 2**60
"""No count, size or time of a gateway is larger; integers up to here fit PostgreSQL's and, near enough, JavaScript's."""


class LostGateway(Exception):
    """It was removed, or paired anew: this socket speaks for nobody."""


class Arrivals:
    """One for the server. `slots` bounds the transactions that are for gateways."""

    def __init__(self, database: Database, clock: Clock, hub: GatewayHub) -> None:
        self.clock = clock
        self.slots = asyncio.Semaphore(AT_ONCE)
        self._database = database
        self._hub = hub

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
        async with self.slots, self._database.org(gateway.org_id) as connection:
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
            await log_change(connection, link.gateway, now, "gateway.online", {"before": status})
            item = gateway_status_item(link.gateway, "online", now)
            await tell(connection, link.gateway.org_id, now, item)

    async def newer_state(self, link: Link) -> DesiredState | None:
        """The desired state if it is newer than what was sent. Raises LostGateway."""
        async with self.slots, self._database.org(link.gateway.org_id) as connection:
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
            async with self.slots, self._database.org(gateway.org_id) as connection:
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


async def log_change(
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


def storable(said: Telemetry) -> bytes | None:
    """A heartbeat as JSON, or None where PostgreSQL could not hold it or readers would choke on it: it is written together
    with those of hundreds of other gateways, of other orgs, which must not fail for it."""
    plain = msgspec.structs.replace(
        said, version=_line(said.version) or "", storage_state=_line(said.storage_state or "")
    )
    numbers = [value for value in msgspec.structs.astuple(plain) if isinstance(value, int | float)]
    if plain.at.tzinfo is None or any(not 0 <= number <= _MOST for number in numbers):
        return None
    return msgspec.json.encode(plain)


def _line(text: str) -> str | None:
    return "".join(char for char in text if char.isprintable())[:255] or None
