"""1,000 readers of GET /stream on one server: what an idle one costs in memory, and how long a change takes to the last of them.

The server runs in a process of its own, the readers in another, bare sockets, so that they cost little themselves. They belong to
one org, with 50 keys. Measured is from before the transaction of the change (which the server's process makes: `tell` and commit)
to the last reader's last byte. The floor is a bare asyncio server in that place: it sends the same bytes to 1,000 sockets at once.
Its memory is that of a bare ASGI route under the same Uvicorn that sends a head and waits.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench import Result

READERS = 1000
KEYS = 50
ROUNDS = 15
ROOT = Path(__file__).parent.parent
ITEM: dict[str, Any] = {
    "camera_id": "0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d",
    **{
        "site_id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e",
        "gateway_id": "0198f2a4-6d00-7a1b-8c2d-3e4f5a6b7c8d",
    },
    **{
        "status": "offline",
        "reason": "frozen",
        "message": "No new frame for 10 s.",
        "since": "2026-03-01T12:14:03Z",
    },
    **{"active_tier": "main", "codec": "h264", "width": 1920, "height": 1080, "has_audio": True},
}

# ---- the servers, each in a process: a line of facts, then one change for each line that comes in


async def serve_ours(folder: Path) -> None:
    from novavms_server.accounts.bootstrap import create_key, create_org
    from novavms_server.feed.log import NewItem, tell
    from novavms_server.kit.ids import new_id
    from novavms_server.kit.migrations import migrate
    from novavms_server.server import build_server, find_database
    from novavms_server.settings import Settings

    settings = Settings(data_dir=folder)
    url, embedded = find_database(settings)
    migrate(url)
    server = build_server(settings, database_url=url)
    await server.start()
    async with server.database.everywhere() as connection:
        org, site = await create_org(connection, "Bench", datetime.now(UTC)), new_id()
        await connection.execute("INSERT INTO sites (org_id, id, name) VALUES (%s, %s, 'Bench')", (org, site))
        keys = [(await create_key(connection, org, f"k{n}", "admin", None)).key for n in range(KEYS)]

    async def change() -> None:
        async with server.database.org(org) as connection:
            await tell(connection, org, server.clock.now(), NewItem("camera_status", site, ITEM))

    try:
        await _uvicorn(server.app, {"keys": keys}, change)
    finally:
        await server.stop()
        if embedded is not None:
            embedded.stop()


async def serve_route(folder: Path) -> None:
    """The floor of memory."""
    del folder

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"event: hello\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def change() -> None:
        return

    await _uvicorn(app, {"keys": ["none"]}, change)


async def serve_fanout(folder: Path) -> None:
    """The floor of time: no HTTP, no database, the item's bytes into each socket."""
    del folder
    sockets: list[asyncio.StreamWriter] = []
    item = b"event: camera_status\ndata: " + json.dumps(ITEM).encode() + b"\n\n"

    async def took(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"event: hello\n\n")
        sockets.append(writer)

    async def change() -> None:
        for socket in sockets:
            socket.write(item)

    server = await asyncio.start_server(took, "127.0.0.1", 0, backlog=2048)
    print(json.dumps({"keys": ["none"], "port": server.sockets[0].getsockname()[1]}), flush=True)
    await _obey(change)


async def _uvicorn(app: Any, facts: dict[str, Any], change: Callable[[], Awaitable[None]]) -> None:
    import socket

    import uvicorn

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        runner = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", backlog=2048))
        serving = asyncio.create_task(runner.serve(sockets=[listener]))
        print(json.dumps({**facts, "port": listener.getsockname()[1]}), flush=True)
        await _obey(change)
        runner.should_exit = runner.force_exit = True
        await serving


async def _obey(change: Callable[[], Awaitable[None]]) -> None:
    """Each line on stdin is a change; its answer is when it was begun (CLOCK_MONOTONIC is the machine's)."""
    while await asyncio.to_thread(sys.stdin.readline):
        began = time.monotonic()
        await change()
        print(began, flush=True)


# ---- the readers, in another process: "connected", then for each change a line: when the last had it


class _Socket(asyncio.Protocol):
    """Counts items by their end; looks at nothing else."""

    def __init__(self, request: bytes, heard: Callable[[bytes], None]) -> None:
        self._request = request
        self._heard = heard

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._heard(data)


async def read_all(facts: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    counts = {b"event: hello": 0, b"event: camera_status": 0}
    rounds = 0

    def heard(data: bytes) -> None:
        nonlocal rounds
        for word in counts:
            counts[word] += data.count(word)
        if counts[b"event: camera_status"] == READERS:
            counts[b"event: camera_status"] = 0
            rounds += 1
            print(time.monotonic(), flush=True)

    for number in range(READERS):
        key = facts["keys"][number % len(facts["keys"])]
        request = f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        await loop.create_connection(
            lambda request=request: _Socket(request, heard), "127.0.0.1", facts["port"]
        )  # type: ignore[misc]
        while counts[b"event: hello"] < number - 20:
            await asyncio.sleep(0.001)
    while counts[b"event: hello"] < READERS:
        await asyncio.sleep(0.01)
    print("connected", flush=True)
    await asyncio.Event().wait()


# ---- both together


def _start(role: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.stream", role, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the benchmark ended early")
    return line


class Side:
    """A server with its readers."""

    def __init__(self, role: str, folder: Path) -> None:
        self.server = _start(role, str(folder / role))
        facts = json.loads(_line(self.server))
        time.sleep(1)
        watched = psutil.Process(self.server.pid)
        before = watched.memory_info().rss
        (folder / f"{role}.json").write_text(json.dumps(facts))
        self.readers = _start("readers", str(folder / f"{role}.json"))
        _line(self.readers)
        time.sleep(1)
        self.memory_kb = (watched.memory_info().rss - before) / READERS / 1000

    def change_ms(self) -> float:
        """From the change's beginning to the last reader's last byte."""
        assert self.server.stdin is not None
        self.server.stdin.write("\n")
        self.server.stdin.flush()
        began, ended = float(_line(self.server)), float(_line(self.readers))
        return 1000 * (ended - began)

    def stop(self) -> None:
        for process in (self.readers, self.server):
            if process is self.readers:
                process.terminate()
            with process:  # closes its pipes, and waits; the end of its stdin ends a server
                pass


def run(*, quick: bool = False) -> list[Result]:
    rounds = 3 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        route = Side("route", Path(name))
        route.stop()
        sides: list[Side] = []
        try:
            sides.append(Side("ours", Path(name)))
            sides.append(Side("fanout", Path(name)))
            ours, floor = sides
            for side in sides:
                side.change_ms()
            pairs = [(ours.change_ms(), floor.change_ms()) for _ in range(rounds)]
        finally:
            for side in sides:
                side.stop()
    mine, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    return [
        Result(
            f"memory per idle reader, {READERS} of them",
            f"{ours.memory_kb:.1f} kB",
            f"{route.memory_kb:.1f} kB bare route",
            ours.memory_kb / route.memory_kb,
            4,
        ),
        Result(
            f"from a change to the last of {READERS} readers, p50",
            f"{mine:.1f} ms",
            f"{bare:.1f} ms bare fan-out",
            mine / bare,
            6,
        ),
    ]


if __name__ == "__main__":
    import uvloop

    role = sys.argv[1]
    if role == "readers":
        uvloop.run(read_all(json.loads(Path(sys.argv[2]).read_text())))
    else:
        uvloop.run(
            {"ours": serve_ours, "route": serve_route, "fanout": serve_fanout}[role](Path(sys.argv[2]))
        )
