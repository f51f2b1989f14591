"""2,000 gateways connected: what one socket and one heartbeat cost the server.

The server runs in a process of its own, the gateways' sockets in another. Memory is the server's resident size per socket, CPU its user
and system time per gateway, in thousandths of a core, with each gateway sending its telemetry every 15 s. The floor is a bare
WebSocket route in the same Uvicorn configuration, which decodes no message and has no database, with the same sockets and messages.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from bench import Result

GATEWAYS = 2000
HEARTBEAT_SEC = 15
SECONDS = 30
ROOT = Path(__file__).parent.parent


async def serve_ours(folder: Path) -> None:
    """The measured process: a whole server with 2,000 paired gateways in its database."""
    from novavms_server.accounts.bootstrap import create_org
    from novavms_server.accounts.keys import hash_token
    from novavms_server.kit.ids import new_id
    from novavms_server.kit.migrations import migrate
    from novavms_server.server import build_server, find_database
    from novavms_server.settings import Settings

    settings = Settings(data_dir=folder)
    url, embedded = find_database(settings)
    migrate(url)
    server = build_server(settings, database_url=url)
    await server.start()
    gateways = []
    async with server.database.everywhere() as connection:
        org, site = await create_org(connection, "Bench", datetime.now(UTC)), new_id()
        await connection.execute("INSERT INTO sites (org_id, id, name) VALUES (%s, %s, 'Bench')", (org, site))
        for number in range(GATEWAYS):
            gateway, token = new_id(), f"gw_bench_{number}"
            gateways.append((str(gateway), token))
            await connection.execute(
                "INSERT INTO gateways (org_id, id, site_id, name, token_hash, paired_at) VALUES (%s, %s, %s, %s, %s, now())",
                (org, gateway, site, f"Gateway {number}", hash_token(token)),
            )
    try:
        await _uvicorn(server.app, {"gateways": gateways})
    finally:
        await server.stop()
        if embedded is not None:
            embedded.stop()


async def serve_floor(folder: Path) -> None:
    """A bare route that accepts and reads."""
    del folder

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    await _uvicorn(app, {"gateways": [(str(UUID(int=number)), "none") for number in range(GATEWAYS)]})


async def _uvicorn(app: Any, facts: dict[str, Any]) -> None:
    import socket

    import uvicorn

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, lifespan="off", log_level="warning", ws="websockets-sansio", ws_ping_interval=None
        )
        print(json.dumps({**facts, "port": listener.getsockname()[1]}), flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


async def connect_all(facts: dict[str, Any]) -> None:
    """The other process: all sockets, each with its own phase of the heartbeat. Prints a line once all are connected."""
    from websockets.asyncio.client import connect

    from novavms_protocol import GatewayFacts, Hello, Report, Telemetry, encode
    from novavms_server.kit.ids import new_id

    gate = asyncio.Semaphore(50)
    connected = 0
    done = asyncio.Event()

    async def one(number: int, gateway: str, token: str) -> None:
        nonlocal connected
        async with gate:
            socket = await connect(
                f"ws://127.0.0.1:{facts['port']}/api/v1/gateways/{gateway}/ws",
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                ping_interval=None,
                proxy=None,
                open_timeout=60,
            )
            await socket.send(encode(Hello(protocol=1, version="bench", facts=GatewayFacts())))
            connected += 1
            if connected == GATEWAYS:
                done.set()
        await asyncio.sleep(HEARTBEAT_SEC * number / GATEWAYS)
        while True:
            beat = Telemetry(
                at=datetime.now(UTC),
                uptime_sec=1,
                cpu_percent=1,
                memory_bytes=1,
                disk_free_bytes=1,
                disk_total_bytes=1,
                cameras_online=0,
                cameras_total=0,
            )
            await socket.send(encode(Report(id=new_id(), body=beat)))
            await asyncio.sleep(HEARTBEAT_SEC)

    tasks = [
        asyncio.create_task(one(number, gateway, token))
        for number, (gateway, token) in enumerate(facts["gateways"])
    ]
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    print("connected", flush=True)
    await asyncio.gather(*tasks)


def _start(role: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.gateways", role, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the benchmark ended early")
    return line


def measure_one(role: str, folder: Path) -> dict[str, float]:
    server = _start(role, str(folder / role))
    try:
        facts = json.loads(_line(server))
        time.sleep(2)
        watched = psutil.Process(server.pid)
        base = watched.memory_info().rss
        (folder / f"{role}.json").write_text(json.dumps(facts))
        client = _start("client", str(folder / f"{role}.json"))
        try:
            _line(client)
            time.sleep(HEARTBEAT_SEC + 1)
            times, started = watched.cpu_times(), time.monotonic()
            before = times.user + times.system
            time.sleep(SECONDS)
            times = watched.cpu_times()
            used, took = times.user + times.system - before, time.monotonic() - started
            rss = watched.memory_info().rss
        finally:
            client.kill()
            client.communicate()
    finally:
        server.terminate()
        server.communicate(timeout=30)
    return {"memory_kb": (rss - base) / GATEWAYS / 1000, "cpu_millicores": 1000 * used / took / GATEWAYS}


def run(*, quick: bool = False) -> list[Result]:
    """Two minutes. `quick` changes nothing: fewer sockets would measure the noise."""
    del quick
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        ours, floor = (measure_one(role, Path(name)) for role in ("ours", "floor"))
    memory = (f"{ours['memory_kb']:.1f} kB", f"{floor['memory_kb']:.1f} kB bare socket")
    cpu = (
        f"{1000 * ours['cpu_millicores']:.1f} µcore",
        f"{1000 * floor['cpu_millicores']:.1f} µcore bare socket",
    )
    return [
        Result(
            f"memory per gateway, {GATEWAYS} connected", *memory, ours["memory_kb"] / floor["memory_kb"], 3
        ),
        Result(
            "CPU per gateway, a heartbeat every 15 s",
            *cpu,
            ours["cpu_millicores"] / floor["cpu_millicores"],
            6,
        ),
    ]


if __name__ == "__main__":
    import uvloop

    role = sys.argv[1]
    if role == "client":
        uvloop.run(connect_all(json.loads(Path(sys.argv[2]).read_text())))
    else:
        uvloop.run({"ours": serve_ours, "floor": serve_floor}[role](Path(sys.argv[2])))
