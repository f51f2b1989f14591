"""Migrations: numbered SQL files, forward only, each in a transaction of its own, under a lock.

1. Take the advisory lock: a second server waits here.
2. Read which are applied. A changed file of an applied number is an error: history is not rewritten.
3. Apply the next in one transaction, together with its row. A crash leaves it wholly undone.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import NamedTuple

import psycopg

_LOCK = 0x6E6F7661  # "nova"


class Migration(NamedTuple):
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationError(Exception):
    """Why the schema can't be brought up to date, in a sentence."""


def packaged() -> list[Migration]:
    """The migrations that this package ships, in order."""
    found = []
    for item in resources.files("novavms_server.migrations").iterdir():
        if item.name.endswith(".sql"):
            number, _, name = item.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(number), name, item.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(url: str, migrations: list[Migration] | None = None) -> list[str]:
    """Bring the database at `url` up to date, as its owner. Answers the names of what was applied. Safe at once from many."""
    wanted = packaged() if migrations is None else migrations
    with psycopg.connect(url, autocommit=True, connect_timeout=10, options="-c timezone=UTC") as connection:
        if connection.info.server_version < 150000:
            raise MigrationError(
                f"PostgreSQL 15 or later is needed, this is {connection.info.server_version // 10000}"
            )
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        try:
            return _apply(connection, wanted)
        finally:
            if not connection.closed and not connection.broken:
                connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _apply(connection: psycopg.Connection[tuple[int, str]], wanted: list[Migration]) -> list[str]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    applied = {row[0]: row[1] for row in connection.execute("SELECT number, checksum FROM schema_migrations")}
    newest = max(applied, default=0)
    if newest > max((item.number for item in wanted), default=0):
        raise MigrationError(
            f"the database is at migration {newest}, newer than this program knows; update the program"
        )
    done = []
    for item in wanted:
        if item.number in applied:
            if applied[item.number] != item.checksum:
                raise MigrationError(
                    f"migration {item.number:04} ({item.name}) was changed after it was applied"
                )
            continue
        try:
            with connection.transaction():
                connection.execute(item.sql.encode())
                connection.execute(
                    "INSERT INTO schema_migrations (number, name, checksum) VALUES (%s, %s, %s)",
                    (item.number, item.name, item.checksum),
                )
        except psycopg.Error as error:
            raise MigrationError(
                f"migration {item.number:04} ({item.name}) failed and left nothing: {error}"
            ) from error
        done.append(f"{item.number:04}_{item.name}")
    return done
