"""SQLite with one writer: one connection, used from one thread of its own, so that an fsync never holds up the loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from novavms_gateway.kit.tasks import to_its_end

T = TypeVar("T")


class Sqlite:
    """`await run(work)` is one transaction: all of `work` is on disk when it returns, or none of it.

    Without a `thread` everything runs in the loop, on a connection that `connect` made: for a simulation.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor | None = None) -> None:
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, path: Path, migrations: tuple[str, ...]) -> Sqlite:
        """Opens or makes the file and brings it to the newest of `migrations`. Raises sqlite3.Error, OSError."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, connect, path, migrations)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` as one transaction. Raises what `work` raises, after rolling back.

        A caller that is cancelled does not undo it: the transaction ends as it would have.
        """
        return await self._in_thread("BEGIN IMMEDIATE", work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `run`, for what only reads: goes on working on a card that has turned read-only."""
        return await self._in_thread("BEGIN", work)

    async def _in_thread(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread is None:
            return _transaction(self._connection, begin, work)
        future = asyncio.get_running_loop().run_in_executor(
            self._thread, _transaction, self._connection, begin, work
        )
        return await to_its_end(future)

    async def close(self) -> None:
        """Waits for what was begun, then closes. Nothing may be run after."""
        if self._thread is None:
            self._connection.close()
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


def connect(path: Path | str, migrations: tuple[str, ...]) -> sqlite3.Connection:
    """The connection that `Sqlite` works on. `path` may be ":memory:". Raises sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL, not WAL's usual NORMAL: what we told the server must still be true after the plug was pulled.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA foreign_keys = ON")
        done = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for number, script in enumerate(migrations[done:], start=done + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _transaction(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
