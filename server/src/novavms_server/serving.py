"""A server that listens: from settings to answering, and back to nothing running.

1. Take the port (so that a taken one is known before anything is started).   2. Find or start PostgreSQL.
3. Bring the schema up to date, under a lock.   4. Open pools and what runs beside requests.   5. Answer.
Stopping is the reverse; requests that run are given time to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

from novavms_server.kit.database import EmbeddedPostgres
from novavms_server.kit.migrations import MigrationError, migrate
from novavms_server.kit.tasks import end
from novavms_server.kit.wire import HttpProtocol, WebSocketProtocol
from novavms_server.server import Server, build_server, find_database
from novavms_server.settings import Settings

log = logging.getLogger("novavms.serving")
GRACE_SEC = 20
"""For requests that run when the server is told to stop: longer than a connection check."""
KEEP_ALIVE_SEC = 75
"""How long a connection may lie idle: longer than clients and load balancers keep theirs (httpx 5 s, Node 4 s, AWS's balancers 60 s), so
that they hang up, and a request is never lost to a server that hangs up in the same moment."""

DEAF_SEC = 4
"""So long nothing leaves: nobody listens."""


class CannotServe(Exception):
    """Why, in a sentence for the person who started it."""


class _Uvicorn(uvicorn.Server):
    """Signals are the business of whoever runs the whole process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises CannotServe."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio sets TCP_NODELAY only where it is
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Listens already, so that a second server on the port fails here; nobody is answered before `serving`.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(
                f"Port {port} of {host} is in use; choose another with --port or NOVAVMS_PORT."
            ) from None
        raise CannotServe(f"{host} port {port} can't be listened on: {error.strerror or error}.") from None
    except OverflowError:
        listener.close()
        raise CannotServe(f"{port} is not a port; ports go from 0 to 65535.") from None
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def serving(
    server: Server, listener: socket.socket, *, grace_sec: int = GRACE_SEC
) -> AsyncIterator[str]:
    """Starts the server and answers on the socket; gives the base URL. Ends in order, however the block is left."""
    config = uvicorn.Config(
        server.app,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=server.settings.trusted_proxies,
        timeout_graceful_shutdown=grace_sec,
        timeout_keep_alive=KEEP_ALIVE_SEC,
        ws_max_size=4 * 1024 * 1024,
    )
    runner = _Uvicorn(config)
    await server.start()
    try:
        task = asyncio.create_task(runner.serve(sockets=[listener]))
        try:
            while not runner.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.002)
            if task.done():
                task.result()
                raise CannotServe("The HTTP server did not start; the lines above say why.")
            host, port = listener.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            server.say_goodbye()
            runner.should_exit = True
            dropping = asyncio.create_task(drop_the_deaf(runner))
            await task
            await end([dropping])
            reset_leftovers(runner)
    finally:
        await server.stop()


async def drop_the_deaf(runner: uvicorn.Server) -> None:
    """While the server stops: ends the connections of clients that take nothing of what waits for them. They would not hear
    a goodbye either, and hold the end up for the whole grace."""
    seen: dict[Any, tuple[int, int]] = {}
    while True:
        await asyncio.sleep(1)
        for connection in list(runner.server_state.connections):
            transport = connection.transport
            waiting = 0 if transport is None else transport.get_write_buffer_size()
            before, rounds = seen.get(connection, (0, 0))
            seen[connection] = (waiting, rounds + 1 if waiting and waiting == before else 0)
            if transport is not None and seen[connection][1] >= DEAF_SEC:
                transport.abort()


def reset_leftovers(runner: uvicorn.Server) -> None:
    """Connections that the grace did not end: uvicorn leaves them open, a WebSocket whose last message nobody took for ever."""
    for connection in list(runner.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()


@contextmanager
def database_of(settings: Settings) -> Iterator[str]:
    """URL of the database, the embedded one running as long as the block; up to date. Raises CannotServe."""
    embedded: EmbeddedPostgres | None = None
    try:
        try:
            url, embedded = find_database(settings)
        except (OSError, subprocess.SubprocessError, AssertionError) as error:
            raise CannotServe(
                f"The embedded PostgreSQL in {settings.data_dir} does not start: {type(error).__name__};"
                f" {settings.data_dir / 'postgres' / 'log'} may say more."
            ) from error
        yield url
    finally:
        if embedded is not None:
            embedded.stop()


def bring_up_to_date(url: str) -> list[str]:
    """Migrates; answers what was applied. Raises CannotServe."""
    try:
        return migrate(url)
    except MigrationError as error:
        raise CannotServe(f"The database can't be brought up to date: {error}.") from error
    except psycopg.OperationalError as error:
        raise CannotServe(f"The database can't be reached: {_first_line(error)}") from None
    except psycopg.ProgrammingError:  # its text would repeat the URL, password and all
        raise CannotServe(
            "NOVAVMS_DATABASE_URL is no PostgreSQL URL, such as postgresql://user@host/name."
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """One server for a data folder: two would share keys and files, but not limits or gateways' sockets."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "server.lock").open("a")
    except OSError as error:
        raise CannotServe(f"The data folder {folder} can't be used: {error.strerror or error}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe(f"Another server runs on the data folder {folder}.") from None
        yield


def refuse_what_is_not_there(settings: Settings) -> None:
    """Several servers would each count requests and hold gateways' sockets for themselves."""
    if settings.workers > 1:
        raise CannotServe("Several workers are not supported yet: set NOVAVMS_WORKERS=1.")
    if settings.redis_url:
        raise CannotServe(
            "Sharing state through Redis is not supported yet: unset NOVAVMS_REDIS_URL and run one server."
        )


def serve_until_stopped(settings: Settings, *, ready_file: Path | None = None) -> None:
    """Blocks until SIGTERM or SIGINT; a second one ends the process at once. Raises CannotServe."""
    refuse_what_is_not_there(settings)
    with (
        hold_folder(settings.data_dir),
        contextlib.closing(listen(settings.host, settings.port)) as listener,
        database_of(settings) as url,
    ):
        applied = bring_up_to_date(url)
        if applied:
            log.info("migrations applied: %s", ", ".join(applied))
        try:
            server = build_server(settings, database_url=url)
        except ValueError as error:
            raise CannotServe(f"A setting can't be used: {error}.") from None
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_until_stopped(server, listener, ready_file))
        finally:
            if ready_file is not None:
                ready_file.unlink(missing_ok=True)


async def _until_stopped(server: Server, listener: socket.socket, ready_file: Path | None) -> None:
    stop = asyncio.Event()

    def asked(name: str) -> None:
        if stop.is_set():
            log.warning("%s again: stopping at once", name)
            os._exit(1)
        log.info("%s: stopping", name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number.name)
    async with serving(server, listener) as base_url:
        log.info("serving on %s", base_url)
        if ready_file is not None:
            write_facts(ready_file, {"base_url": base_url, "pid": os.getpid()})
        await stop.wait()
    log.info("stopped")


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """Whole or not at all, and for this user only."""
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")
    Path(temporary).replace(path)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop
