"""SQLite without a file: what was committed outlives a crash, what was not does not. That SQLite keeps this on a real disk is
SQLite's own promise (`synchronous = FULL`), and not simulated.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from nova_simulation.disk import burn, is_dead
from nova_simulation.loop import PowerCutError
from novavms_gateway.kit.sqlite import Sqlite, _transaction, connect
from novavms_gateway.kit.tasks import Tasks

T = TypeVar("T")


def trouble(code: int) -> sqlite3.OperationalError:
    """As the library raises it."""
    error = sqlite3.OperationalError("the simulated disk refuses")
    error.sqlite_errorcode = code
    return error


class Database:
    """One file. `open` for each life; `pause` says how long the next transaction waits, before it and after it."""

    def __init__(self, migrations: tuple[str, ...], pause: Callable[[], float]) -> None:
        self._migrations = migrations
        self.pause = pause
        self.is_full = False
        self.on_commit: Callable[[sqlite3.Connection], None] = lambda connection: None
        self.connection = connect(":memory:", migrations)
        self.lives = 0
        """How often it was lost."""

    def open(self) -> Sqlite:
        return _LifeSqlite(self)

    def lose(self) -> None:
        self.close()
        self.lives += 1
        self.connection = connect(":memory:", self._migrations)

    def close(self) -> None:
        self.connection.close()


class _LifeSqlite(Sqlite):
    def __init__(self, file: Database) -> None:
        super().__init__(file.connection)
        self._of = file
        self._lock = asyncio.Lock()
        self._tasks = Tasks()

    async def _in_thread(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        # One thread, first come first served; whoever is cancelled meanwhile does not stop it.
        if not self._lock.locked() and not self._of.pause():
            return self._act(begin, work)
        return await asyncio.shield(self._tasks.start(self._later(begin, work, self._of.pause())))

    async def _later(self, begin: str, work: Callable[[sqlite3.Connection], T], pause: float) -> T:
        async with self._lock:
            await asyncio.sleep(pause)
            result = self._act(begin, work)
            await asyncio.sleep(self._of.pause())
            return result

    def _act(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        burn()
        if is_dead() or self._of.connection is not self._connection:
            raise PowerCutError
        if self._of.is_full and begin == "BEGIN IMMEDIATE":
            raise trouble(sqlite3.SQLITE_FULL)
        result = _transaction(self._connection, begin, work)
        if begin == "BEGIN IMMEDIATE":
            self._of.on_commit(self._connection)
        return result

    async def close(self) -> None:
        """The file stays."""


class IndexFile:
    """The recording's index (`IndexFile` of the gateway)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self) -> Sqlite:
        return self._database.open()

    async def put_aside(self) -> None:
        self._database.lose()
