"""Tries to log in: five in 15 minutes for an email, whichever server they reach. A success clears the count."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.errors import RateLimited

WINDOW = timedelta(minutes=15)
MOST = 5


class Attempts:
    """Counts by a keyed hash of who is tried: the table names nobody."""

    def __init__(self, database: Database, clock: Clock, key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._key = key

    def _hash(self, subject: str) -> bytes:
        return hashlib.blake2b(subject.strip().lower().encode(), key=self._key, digest_size=20).digest()

    async def begin(self, subject: str) -> None:
        """Counts the try before it is made, so that many at once are not more than five. Raises RateLimited."""
        digest, now = self._hash(subject), self._clock.now()
        async with self._database.everywhere() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(encode(%s, 'hex'), 0))",
                (digest,),
                prepare=True,
            )
            await connection.execute(
                "DELETE FROM login_attempts WHERE email_hash = %s AND at <= %s",
                (digest, now - WINDOW),
                prepare=True,
            )
            cursor = await connection.execute(
                "SELECT count(*), min(at) FROM login_attempts WHERE email_hash = %s", (digest,), prepare=True
            )
            row = await cursor.fetchone()
            if row and row[0] >= MOST:
                wait = row[1] + WINDOW - now
                raise RateLimited(
                    "Too many tries for this email; wait as long as Retry-After says.",
                    retry_after_sec=math.ceil(wait.total_seconds()),
                )
            await connection.execute(
                "INSERT INTO login_attempts (email_hash, at) VALUES (%s, %s)", (digest, now), prepare=True
            )

    async def forget(self, subject: str) -> None:
        async with self._database.everywhere() as connection:
            await connection.execute(
                "DELETE FROM login_attempts WHERE email_hash = %s", (self._hash(subject),), prepare=True
            )
