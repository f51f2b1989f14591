"""`GET /cameras?limit=20`: against a floor, and with a million cameras against a thousand.

The floor is the same two statements by bare psycopg (same pool, pipelined, prepared, binary), rows into the same structs,
encoded by msgspec in a bare ASGI application: no key, no limits, no scope, no row-level security, no routing. Both run in
the same Uvicorn configuration, one process each, on the same database; the load comes from a third process over kept-alive
sockets. Requests per second: 16 connections; p50: one connection, so that it is the server's time and no queue.
All million cameras are in the asking org, over 10,000 gateways: the worst case for lists and totals.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench import Result

SMALL, LARGE = 1_000, 1_000_000
CAMERAS_A_GATEWAY = 100
PAGE_DEEP = 1_000
ROUNDS, ROUND_SEC = 7, 1.5
CONNECTIONS = 16
PATH = "/api/v1/cameras?limit=20"


# ---- the measured processes ------------------------------------------------------------------------------------


async def serve_ours(url: str, folder: Path) -> None:
    from novavms_server.server import build_server
    from novavms_server.settings import Settings

    settings = Settings(data_dir=folder, rate_per_min=10**9, rate_burst=10**9)
    server = build_server(settings, database_url=url)
    await server.start()
    try:
        await _uvicorn(server.app)
    finally:
        await server.stop()


async def serve_floor(url: str, folder: Path) -> None:
    import msgspec
    from psycopg.rows import args_row
    from psycopg_pool import AsyncConnectionPool

    from novavms_server.cameras import listing
    from novavms_server.cameras.models import Camera, Filters
    from novavms_server.kit.caller import Caller, Role
    from novavms_server.kit.pages import Page

    facts = json.loads((folder / "facts.json").read_text())
    caller = Caller(facts["org"], "key", facts["org"], Role.viewer, None, 1)
    page, total = listing.page(caller, Filters(), None, 21), listing.total(caller, Filters())
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0}
    encoder = msgspec.json.Encoder()
    async with AsyncConnectionPool(url, kwargs=options, min_size=2, max_size=20, open=False) as pool:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            del scope, receive
            async with pool.connection() as connection:
                async with connection.pipeline():
                    listed = connection.cursor(binary=True, row_factory=args_row(Camera))
                    await listed.execute(page.sql, page.params, prepare=True)
                    counted = connection.cursor(binary=True)
                    await counted.execute(total.sql, total.params, prepare=True)
                rows, totals = await listed.fetchall(), await counted.fetchall()
            data: list[Camera] = rows[:20]
            body = encoder.encode(Page(data=data, next_cursor=str(rows[-1].id), total=totals[0][0]))
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        await _uvicorn(app)


async def _uvicorn(app: Any) -> None:
    import uvicorn

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, ws="websockets-sansio"
    )
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


# ---- the load --------------------------------------------------------------------------------------------------


async def load(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests one after the other on each connection: {"rps", "p50_ms"}."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            times.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return {"rps": len(times) / (time.perf_counter() - began), "p50_ms": statistics.median(times) * 1000}


def ask(port: int, key: str, path: str, connections: int, seconds: float) -> dict[str, float]:
    """`load` in a process of its own."""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n"
    command = [sys.executable, "-m", "bench.list_cameras", "load", str(port), str(connections), str(seconds)]
    done = subprocess.run(command, input=request, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


# ---- the run ---------------------------------------------------------------------------------------------------


@contextmanager
def serving(role: str, url: str, folder: Path) -> Iterator[int]:
    """The port of a server process."""
    command = [sys.executable, "-m", "bench.list_cameras", role, url, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def make_world(url: str) -> dict[str, str]:
    """An org, its key."""
    from novavms_server.accounts.bootstrap import create_key, create_org

    connection = await psycopg.AsyncConnection.connect(url)
    async with connection:
        org = await create_org(connection, "Bench", datetime.now(UTC))
        key = (await create_key(connection, org, "bench", "operator")).key
    return {"org": str(org), "key": key}


_SITES = """
INSERT INTO sites (org_id, id, name)
SELECT %(org)s, md5('site' || n)::uuid, 'Site ' || n FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""
_GATEWAYS = """
INSERT INTO gateways (org_id, id, site_id, name)
SELECT %(org)s, md5('gateway' || n)::uuid, md5('site' || n)::uuid, 'Gateway ' || n FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""
_CAMERAS = """
INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, rtsp_url, credentials, status,
    codec, width, height, fps, has_audio, manufacturer, model, firmware, serial, profiles, last_check, last_seen_at)
SELECT %(org)s, (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
    md5('site' || n / %(each)s::int)::uuid, md5('gateway' || n / %(each)s::int)::uuid, 'gateway', 'Camera ' || n,
    CASE WHEN n %% 3 = 0 THEN 'rtsp' ELSE 'onvif' END, '192.0.2.' || n %% 250, 80, 'rtsp://192.0.2.10:554/Streaming/Channels/101',
    decode(repeat('ab', 120), 'hex'), (ARRAY['online', 'online', 'online', 'offline', 'error'])[1 + n %% 5],
    'h264', 1920, 1080, 25, true, 'Acme', 'Dome 4', '1.2.3', 'SN' || n,
    '[{"token": "p0", "name": "main", "codec": "h264", "width": 1920, "height": 1080, "fps": 25.0, "tier": "main"}]',
    '{"ok": true, "elapsed_ms": 812.5, "stages": [], "warnings": [], "facts": {}}', now()
FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""


def fill(url: str, org: str, first: int, last: int) -> None:
    """Cameras number `first` to `last` - 1, with the sites and gateways they need. As the owner."""
    with psycopg.connect(url, autocommit=True) as connection:
        boxes = {"org": org, "from": -(-first // CAMERAS_A_GATEWAY), "to": (last - 1) // CAMERAS_A_GATEWAY}
        connection.execute(_SITES, boxes)
        connection.execute(_GATEWAYS, boxes)
        for start in range(first, last, 100_000):
            some = {
                "org": org,
                "from": start,
                "to": min(start + 100_000, last) - 1,
                "each": CAMERAS_A_GATEWAY,
            }
            connection.execute(_CAMERAS, some)
        connection.execute("VACUUM ANALYZE cameras")
        connection.execute("VACUUM ANALYZE camera_totals")
        connection.execute("VACUUM ANALYZE camera_totals_by_org")


def deep_cursor(port: int, key: str) -> str:
    """Of page 1,000: its place is looked up by walking there in pages of 100, then 20."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    cursor, rows = "", 0
    while rows < (PAGE_DEEP - 1) * 20:
        limit = 100 if rows + 100 <= (PAGE_DEEP - 1) * 20 else 20
        path = f"/api/v1/cameras?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        page = json.loads(connection.getresponse().read())
        cursor, rows = page["next_cursor"], rows + limit
    connection.close()
    return cursor


def rounds(
    ports: dict[str, tuple[int, str]], key: str, count: int, seconds: float
) -> dict[str, list[dict[str, float]]]:
    """Each target in turn, `count` times: throughput, then latency."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
    for port, path in ports.values():
        ask(port, key, path, 4, 0.5)  # warm: plans, caches, pools
    for _ in range(count):
        for name, (port, path) in ports.items():
            many = ask(port, key, path, CONNECTIONS, seconds)
            single = ask(port, key, path, 1, seconds / 2)
            found[name].append({"rps": many["rps"], "p50_ms": single["p50_ms"]})
    return found


def middle(found: list[dict[str, float]], what: str) -> float:
    return statistics.median(item[what] for item in found)


def run(*, quick: bool = False, rows: int | None = None) -> list[Result]:
    """Needs about 2 GB of disk and three minutes with all rows; `quick` takes a tenth of them."""
    from novavms_server.kit.database import EmbeddedPostgres
    from novavms_server.kit.migrations import migrate

    large = rows or (LARGE // 10 if quick else LARGE)
    count, seconds = (3, 1.0) if quick else (ROUNDS, ROUND_SEC)
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        embedded = EmbeddedPostgres(folder / "postgres")
        url = embedded.start()
        try:
            migrate(url)
            facts = asyncio.run(make_world(url))
            (folder / "facts.json").write_text(json.dumps(facts))
            key = facts["key"]
            fill(url, facts["org"], 0, SMALL)
            with serving("ours", url, folder) as ours, serving("floor", url, folder) as floor:
                small = rounds({"ours": (ours, PATH), "floor": (floor, PATH)}, key, count, seconds)
            fill(url, facts["org"], SMALL, large)
            with serving("ours", url, folder) as ours, serving("floor", url, folder) as floor:
                deep = f"{PATH}&cursor={deep_cursor(ours, key)}"
                targets = {"ours": (ours, PATH), "floor": (floor, PATH), "deep": (ours, deep)}
                big = rounds(targets, key, count, seconds)
        finally:
            embedded.stop()
    return _results(small, big, large)


def _results(small: dict[str, Any], big: dict[str, Any], large: int) -> list[Result]:
    found = []
    for title, some in (("1,000 cameras", small), (f"{large:,} cameras", big)):
        ratios = [a["rps"] / b["rps"] for a, b in zip(some["ours"], some["floor"], strict=True)]
        ours, floor = middle(some["ours"], "rps"), middle(some["floor"], "rps")
        found.append(
            Result(
                f"GET /cameras?limit=20, {title}",
                f"{ours:.0f}/s",
                f"{floor:.0f}/s floor",
                statistics.median(ratios),
                0.5,
                True,
            )
        )
    before = middle(small["ours"], "p50_ms")
    for title, where in (("first page", "ours"), (f"page {PAGE_DEEP:,}", "deep")):
        now = middle(big[where], "p50_ms")
        found.append(
            Result(
                f"p50, {title} of {large:,}",
                f"{now:.2f} ms",
                f"{before:.2f} ms with 1,000",
                now / before,
                1.3,
            )
        )
    return found


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[:1] == ["load"]:
        port, connections, seconds = int(arguments[1]), int(arguments[2]), float(arguments[3])
        request = sys.stdin.read().replace("\n", "\r\n").replace("\r\r", "\r").encode()
        print(json.dumps(uvloop.run(load(port, request, connections, seconds))))
    elif arguments[:1] in (["ours"], ["floor"]):
        uvloop.run({"ours": serve_ours, "floor": serve_floor}[arguments[0]](arguments[1], Path(arguments[2])))
    else:
        from bench.__main__ import show

        chosen = int(arguments[arguments.index("--rows") + 1]) if "--rows" in arguments else None
        show(run(quick="--quick" in arguments, rows=chosen))
        print(f"{os.cpu_count()} cores", file=sys.stderr)


if __name__ == "__main__":
    _main(sys.argv[1:])
