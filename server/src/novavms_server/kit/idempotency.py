"""`Idempotency-Key`: the first answer is kept for 24 h per caller and given again.

1. Reserve: a row with a lease, committed at once. An equal request meanwhile waits for its answer.
2. Run. A success's answer is written in the request's own transaction: both are there or neither.
   Losing the lease (it ran out, another took over) makes that write touch no row, and the request fails whole.
3. An error's answer is written after the rollback. Answers that may differ next time (401, 403, 429, 5xx) are not kept.
If the server dies in the middle, the lease runs out and the next equal request takes over.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from litestar.types import HTTPScope
from psycopg.types.json import Jsonb

from novavms_server.kit.caller import Caller
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.errors import Conflict, ValidationError
from novavms_server.kit.seal import Sealer
from novavms_server.kit.work import Work

LEASE_SEC = 25
"""Longer than the longest request (the connection check's 15 s and its margin)."""
WAIT_SEC = 27
KEPT_HEADERS = frozenset({b"content-type", b"content-length", b"etag", b"location", b"retry-after"})

Kept = tuple[int, list[tuple[bytes, bytes]], bytes]


class Reservation(NamedTuple):
    org_id: UUID
    caller: str
    key: str
    lease: UUID


class Idempotency:
    """Keeps answers by (org, caller, key)."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._hash_key = sealer.derive("idempotency")
        """Keyed: a plain hash of a body with a weak password in it could be guessed from a stolen table."""

    async def take(self, caller: Caller, raw_key: bytes, scope: HTTPScope, body: bytes) -> Reservation | Kept:
        """The reservation to run under, or the kept answer. Raises Conflict for another body under the key."""
        key = raw_key.decode("latin-1")
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise ValidationError.of(
                "Idempotency-Key", "Idempotency-Key must be 1 to 255 printable characters"
            )
        target = b"\0".join((scope["method"].encode(), scope["path"].encode(), scope["query_string"], body))
        digest = hmac.digest(self._hash_key, target, "sha256")
        reservation = Reservation(caller.org_id, caller.label, key, uuid4())
        deadline = self._clock.monotonic() + WAIT_SEC
        pause = 0.05
        while True:
            found = await self._try(reservation, digest)
            if found is not None:
                return found
            if self._clock.monotonic() >= deadline:
                raise Conflict(
                    "A request with this Idempotency-Key is still running.", headers={"Retry-After": "1"}
                )
            await self._clock.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    async def _try(self, mine: Reservation, digest: bytes) -> Reservation | Kept | None:
        now = self._clock.now()
        until = now + timedelta(seconds=LEASE_SEC)
        async with self._database.org(mine.org_id) as connection:
            cursor = await connection.execute(
                "INSERT INTO idempotency_keys AS k (org_id, caller, key, request_hash, lease, lease_until, created_at)"
                " VALUES (%(org)s, %(caller)s, %(key)s, %(hash)s, %(lease)s, %(until)s, %(now)s)"
                " ON CONFLICT (org_id, caller, key) DO UPDATE SET lease = excluded.lease, lease_until = excluded.lease_until,"
                " request_hash = excluded.request_hash, status = NULL, headers = NULL, body = NULL, created_at = excluded.created_at"
                " WHERE (k.lease IS NOT NULL AND k.lease_until < %(now)s AND k.request_hash = excluded.request_hash)"
                " OR k.created_at < %(old)s RETURNING 1",
                {
                    **{
                        "org": mine.org_id,
                        "caller": mine.caller,
                        "key": mine.key,
                        "hash": digest,
                        "lease": mine.lease,
                    },
                    **{"until": until, "now": now, "old": now - timedelta(hours=24)},
                },
            )
            if await cursor.fetchone():
                return mine
            cursor = await connection.execute(
                "SELECT request_hash, lease, status, headers, body FROM idempotency_keys WHERE org_id = %s AND caller = %s AND key = %s",
                (mine.org_id, mine.caller, mine.key),
            )
            row = await cursor.fetchone()
        if row is None:  # given back in between: try again
            return None
        request_hash, lease, status, headers, body = row
        if request_hash != digest:
            raise Conflict("This Idempotency-Key was used with another request.")
        if lease is not None:
            return None
        return status, [(name.encode(), value.encode()) for name, value in headers], self._sealer.open(body)

    async def keep(
        self,
        mine: Reservation,
        work: Work | None,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Keep the answer: in the request's transaction where one is open, else by itself."""
        if status in (401, 403, 429) or status >= 500:
            await self.give_back(mine)
            return
        kept = [
            (name.decode().lower(), value.decode()) for name, value in headers if name.lower() in KEPT_HEADERS
        ]
        sql = (
            "UPDATE idempotency_keys SET status = %s, headers = %s, body = %s, lease = NULL, lease_until = NULL"
            " WHERE org_id = %s AND caller = %s AND key = %s AND lease = %s"
        )
        params = (
            status,
            Jsonb(kept),
            self._sealer.seal(body),
            mine.org_id,
            mine.caller,
            mine.key,
            mine.lease,
        )
        if work is not None and work.writing:
            touched = await work.execute(sql, params)
        else:
            async with self._database.org(mine.org_id) as connection:
                touched = (await connection.execute(sql, params)).rowcount
        if touched != 1:
            raise Conflict(
                "This request took too long and another with its Idempotency-Key took over.",
                headers={"Retry-After": "1"},
            )

    async def give_back(self, mine: Reservation) -> None:
        """Nothing is kept: the next request with the key runs."""
        async with self._database.org(mine.org_id) as connection:
            await connection.execute(
                "DELETE FROM idempotency_keys WHERE org_id = %s AND caller = %s AND key = %s AND lease = %s",
                (mine.org_id, mine.caller, mine.key, mine.lease),
            )
