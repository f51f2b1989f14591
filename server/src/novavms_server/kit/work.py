"""A request's `Work`: who asks, the clock, and the transaction. The framework commits it before the answer leaves;
nobody else does.

Reads without a transaction are one pipeline: nova_enter and the queries, one implicit transaction, one round trip.
`write()` opens the transaction that later reads and writes of the request share. `release()` gives the connection back
before a long wait (a gateway's check); it may only be called with nothing written.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, TypeVar

import psycopg

from novavms_server.kit.caller import Caller
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Connection, Database, Query, run, run_all
from novavms_server.kit.errors import NotFound

log = logging.getLogger("novavms.work")
T = TypeVar("T")
_ENTER = "SELECT nova_enter(%s)"


class CallerChanged(Exception):
    """Roles, grants or keys changed since the caller was authenticated: start the request again."""


class Work:
    """See the module's head. `refresh` authenticates the caller anew (None: no longer anybody)."""

    def __init__(
        self,
        database: Database,
        caller: Caller,
        clock: Clock,
        *,
        request_id: str,
        refresh: Callable[[], Awaitable[Caller | None]],
    ) -> None:
        self.database = database
        self.caller = caller
        self.clock = clock
        self.request_id = request_id
        self._refresh = refresh
        self._stack: AsyncExitStack | None = None
        self._connection: Connection | None = None
        self._began_at: datetime | None = None
        self._after_commit: list[Callable[[], Awaitable[None] | None]] = []

    @property
    def now(self) -> datetime:
        """Inside the transaction, the time at which it began: all its rows say the same."""
        return self._began_at or self.clock.now()

    @property
    def writing(self) -> bool:
        return self._connection is not None

    async def read(self, *queries: Query) -> list[list[Any]]:
        """Rows of each query, all in one round trip, inside the caller's org."""
        if self._connection is not None:
            return await run_all(self._connection, queries)
        async with self.database.app.connection() as connection:
            entered, *rows = await run_all(connection, (Query(_ENTER, (self.caller.org_id,)), *queries))
        await self._judge(entered[0][0])
        return rows

    async def list(self, query: Query) -> list[Any]:
        return (await self.read(query))[0]

    async def find(self, query: Query) -> Any | None:
        """The one row, or None."""
        rows = (await self.read(query))[0]
        return rows[0] if rows else None

    async def get(self, query: Query, missing: str | None = None) -> Any:
        """The one row; NotFound (with the sentence `missing`) without it."""
        row = await self.find(query)
        if row is None:
            raise NotFound(missing)
        return row

    async def write(self) -> Connection:
        """The request's transaction, opened on first use. psycopg's errors of broken constraints pass through."""
        if self._connection is None:
            stack = AsyncExitStack()
            try:
                connection = await stack.enter_async_context(self.database.app.connection())
                await stack.enter_async_context(connection.transaction())
                entered = await (await run(connection, Query(_ENTER, (self.caller.org_id,)))).fetchone()
                await self._judge(entered[0] if entered else None)
            except BaseException as error:
                await stack.__aexit__(type(error), error, error.__traceback__)
                raise
            self._stack, self._connection, self._began_at = stack, connection, self.clock.now()
        return self._connection

    async def execute(self, sql: str, params: Any = ()) -> int:
        """One statement in the request's transaction; answers the number of rows it touched."""
        cursor = await run(await self.write(), Query(sql, params))
        return cursor.rowcount

    async def _judge(self, epoch: int | None) -> None:
        if epoch == self.caller.epoch:
            return
        fresh = await self._refresh()
        if fresh is None or not fresh.same_powers(self.caller):
            raise CallerChanged
        self.caller = fresh

    def after_commit(self, action: Callable[[], Awaitable[None] | None]) -> None:
        """Run once the transaction is in (or at the end of a request without one); never after a rollback. What must not
        be lost is a row in the transaction; this is for nudging whoever reads that row."""
        self._after_commit.append(action)

    async def commit(self) -> None:
        if self._stack is not None:
            stack, self._stack, self._connection = self._stack, None, None
            await stack.aclose()
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            try:
                waiting = action()
                if waiting is not None:
                    await waiting
            except Exception:  # the transaction is in: the caller must not hear of a failure
                log.exception("request %s: an action after its commit failed", self.request_id)

    async def rollback(self) -> None:
        self._after_commit.clear()
        if self._stack is not None:
            stack, self._stack, self._connection = self._stack, None, None
            error = psycopg.Rollback()
            await stack.__aexit__(psycopg.Rollback, error, None)

    async def release(self) -> None:
        """Before a long wait: hold no connection. Nothing may have been written."""
        assert self._connection is None, "release() after write(): the wait belongs before the transaction"
