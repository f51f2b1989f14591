"""What runs beside requests by the calendar: rows that have served their time go."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from psycopg import sql

from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.jobs import Jobs

EVERY_SEC: Final = 600.0
_CHUNK: Final = 5000

KEPT: Final[dict[str, tuple[str, timedelta]]] = {
    "idempotency_keys": ("created_at", timedelta(hours=24)),
    "gateway_reports": ("at", timedelta(days=2)),
    "login_attempts": ("at", timedelta(days=1)),
    "sessions": ("expires_at", timedelta(0)),
    "refresh_tokens": ("used_at", timedelta(days=30)),
    "password_resets": ("expires_at", timedelta(0)),
    "owner_nominations": ("expires_at", timedelta(days=1)),
    "pairing_codes": ("expires_at", timedelta(days=1)),
    "gateway_telemetry": ("at", timedelta(days=7)),
    "jobs": ("failed_at", timedelta(days=30)),
    "feed_items": ("at", timedelta(hours=25)),  # an hour more than is promised (stream/positions.py)
}
"""Table: the column that says how old a row is, and how long it is kept."""


class Housekeeping:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def register(self, jobs: Jobs) -> None:
        jobs.periodic("housekeeping", EVERY_SEC, self.run)

    async def run(self) -> None:
        for table in KEPT:
            while await self._delete(table) == _CHUNK:
                pass

    async def _delete(self, table: str) -> int:
        """A chunk at a time, so that nobody waits long for a lock."""
        column, kept = KEPT[table]
        statement = sql.SQL(
            "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} < %s LIMIT {chunk}))"
        ).format(table=sql.Identifier(table), column=sql.Identifier(column), chunk=_CHUNK)
        async with self._database.everywhere() as connection:
            return (await connection.execute(statement, (self._clock.now() - kept,))).rowcount
