"""Pairing: a code, made by an operator, becomes a box's identity, once.

Codes have 6 characters without look-alikes (30 bits), live 10 minutes, at most 5 are open in an org. Guessing is bounded
three ways: tries per client address, tries altogether, and the time a code is open. Stored is a keyed hash, so that a
copy of the database gives no codes away; the hash is what is compared, by the index.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from math import ceil
from typing import Final
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from novavms_server.accounts.keys import hash_token
from novavms_server.audit.service import record
from novavms_server.feed.log import tell
from novavms_server.gateways import queries
from novavms_server.gateways.errors import UnknownPairingCode
from novavms_server.gateways.feed_models import gateway_item
from novavms_server.gateways.hub import GatewayHub
from novavms_server.gateways.models import GatewayRow, Paired, PairingCode, PairingCodeCreate, PairRequest
from novavms_server.gateways.service import MISSING
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database
from novavms_server.kit.errors import RateLimited, ValidationError
from novavms_server.kit.ids import new_id
from novavms_server.kit.limits import LocalLimiter
from novavms_server.kit.work import Work
from novavms_server.sites.service import SiteService

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 and O, 1, I and L."""
CODE_LENGTH: Final = 6
LIFETIME: Final = timedelta(minutes=10)
OPEN_MAX: Final = 5
TRIES_PER_ADDRESS: Final = 10
TRIES_ALTOGETHER: Final = 300


class PairingService:
    """`key` is for the codes' hashes only."""

    def __init__(
        self, database: Database, clock: Clock, sites: SiteService, hub: GatewayHub, key: bytes
    ) -> None:
        self._database = database
        self._clock = clock
        self._sites = sites
        self._hub = hub
        self._key = key
        self._by_address = LocalLimiter(clock, rate_per_min=TRIES_PER_ADDRESS, burst=TRIES_PER_ADDRESS)
        self._altogether = LocalLimiter(clock, rate_per_min=TRIES_ALTOGETHER, burst=TRIES_ALTOGETHER)

    def _hash(self, code: str) -> bytes:
        return hmac.new(self._key, code.upper().encode(), hashlib.sha256).digest()

    async def generate(self, work: Work, asked: PairingCodeCreate) -> PairingCode:
        """A code for a new gateway, or for one that exists (whose older open code then dies). Raises RateLimited."""
        await self._sites.hold(work, asked.site_id)
        gateway = (
            await self._create(work, asked)
            if asked.gateway_id is None
            else await self._hold(work, asked, asked.gateway_id)
        )
        return await self._issue(work, gateway)

    async def _create(self, work: Work, asked: PairingCodeCreate) -> GatewayRow:
        gateway = GatewayRow(new_id(), asked.site_id, asked.name or "", "registered", 0)
        await work.execute(
            "INSERT INTO gateways (org_id, id, site_id, name, status_at, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (work.caller.org_id, gateway.id, gateway.site_id, gateway.name, work.now, work.now, work.now),
        )
        after = {"name": gateway.name, "site_id": gateway.site_id}
        await record(work, "gateway.created", "gateway", gateway.id, after=after)
        item = gateway_item("created", gateway.id, gateway.site_id, gateway.name)
        await tell(await work.write(), work.caller.org_id, work.now, item)
        return gateway

    async def _hold(self, work: Work, asked: PairingCodeCreate, gateway_id: UUID) -> GatewayRow:
        gateway: GatewayRow = await work.get(queries.row(work.caller, gateway_id, hold=True), MISSING)
        if gateway.site_id != asked.site_id:
            raise ValidationError.of("site_id", "site_id must be the gateway's own site")
        await work.execute(
            "DELETE FROM pairing_codes WHERE org_id = %s AND gateway_id = %s",
            (work.caller.org_id, gateway_id),
        )
        return gateway

    async def _issue(self, work: Work, gateway: GatewayRow) -> PairingCode:
        connection = await work.write()
        await self._refuse_sixth(work, connection)
        expires_at = work.now + LIFETIME
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
            try:
                async with connection.transaction():
                    await work.execute(
                        "INSERT INTO pairing_codes (org_id, gateway_id, hash, expires_at) VALUES (%s, %s, %s, %s)",
                        (work.caller.org_id, gateway.id, self._hash(code), expires_at),
                    )
            except pg.UniqueViolation:  # one of a billion; perhaps another org's, so nobody is told
                continue
            await record(work, "gateway.pairing_code_generated", "gateway", gateway.id)
            return PairingCode(gateway.id, code, expires_at, gateway.status)

    async def _refuse_sixth(self, work: Work, connection: Connection) -> None:
        """Counted under the org's row lock: two at once can't both be the fifth."""
        org = work.caller.org_id
        await connection.execute("SELECT 1 FROM orgs WHERE id = %s FOR NO KEY UPDATE", (org,))
        cursor = await connection.execute(
            "SELECT expires_at FROM pairing_codes WHERE org_id = %s AND used_at IS NULL AND expires_at > %s ORDER BY 1",
            (org, work.now),
        )
        still_open = [row[0] for row in await cursor.fetchall()]
        if len(still_open) >= OPEN_MAX:
            raise RateLimited(
                f"{OPEN_MAX} pairing codes are open already; use one of them or wait until one expires.",
                # never longer than a code lives: the oldest may be younger than this request
                retry_after_sec=min(
                    ceil((still_open[0] - work.now).total_seconds()), int(LIFETIME.total_seconds())
                ),
            )

    async def pair(self, asked: PairRequest, client: str) -> Paired:
        """Spend the code. Raises UnknownPairingCode, RateLimited."""
        for verdict in (self._by_address.take_now(client), self._altogether.take_now("all")):
            if not verdict.allowed:
                raise RateLimited(retry_after_sec=verdict.retry_after_sec)
        token = "gw_" + secrets.token_urlsafe(32)
        async with self._database.everywhere() as connection:
            paired = await self._spend(connection, asked, token)
        self._hub.drop(paired.gateway_id, "revoked", "This gateway was paired anew.")
        return paired

    async def _spend(self, connection: Connection, asked: PairRequest, token: str) -> Paired:
        now = self._clock.now()
        cursor = await connection.execute(
            "UPDATE pairing_codes SET used_at = %(now)s WHERE hash = %(hash)s AND used_at IS NULL AND expires_at > %(now)s"
            " RETURNING gateway_id",
            {"now": now, "hash": self._hash(asked.pairing_code)},
        )
        spent = await cursor.fetchone()
        if spent is None:
            raise UnknownPairingCode
        facts = asked.hardware
        cursor = await connection.execute(
            "UPDATE gateways SET token_hash = %s, paired_at = %s, connection_id = NULL, software_version = %s, hardware = %s,"
            " local_ip = %s, updated_at = %s WHERE id = %s AND deleted_at IS NULL RETURNING org_id, site_id, name",
            (
                *(hash_token(token), now, asked.version or None, Jsonb(facts_of(facts))),
                *(facts.local_ip, now, spent[0]),
            ),
        )
        row = await cursor.fetchone()
        if row is None:
            raise UnknownPairingCode
        org_id, site_id, name = row
        await connection.execute(
            "INSERT INTO audit_log (org_id, id, at, actor, action, target_type, target_id, after)"
            " VALUES (%s, %s, %s, %s, 'gateway.paired', 'gateway', %s, %s)",
            (org_id, new_id(), now, f"gateway:{spent[0]}", spent[0], Jsonb(facts_of(facts))),
        )
        await tell(connection, org_id, now, gateway_item("updated", spent[0], site_id, name))
        return Paired(spent[0], token, org_id, site_id, name)


def facts_of(facts: object) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(facts)
    return plain
