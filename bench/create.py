"""POST /cameras through a gateway: how much of the answer's time is ours, and how much the camera's.

The camera listens on 127.0.0.2; a relay on 127.0.0.1, at the same ports, passes every byte on and adds up how long the camera takes from
a request's last byte to its answer's first. What is left of the POST's time is ours: server, socket, gateway, check, database, and the
relay itself.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import Result

ROUNDS = 40
CAMERA_HOST = "127.0.0.2"


class Relay:
    """Bytes both ways; `camera_sec` is the time spent waiting for the camera."""

    def __init__(self) -> None:
        self.camera_sec = 0.0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, port: int) -> None:
        self._servers.append(
            await asyncio.start_server(
                lambda reader, writer: self._join(port, reader, writer), "127.0.0.1", port
            )
        )

    async def _join(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        camera_reader, camera_writer = await asyncio.open_connection(CAMERA_HOST, port)
        asked: list[float] = []

        async def pump(
            source: asyncio.StreamReader, target: asyncio.StreamWriter, *, to_camera: bool
        ) -> None:
            try:
                while data := await source.read(65536):
                    if to_camera:
                        asked[:] = [time.perf_counter()]
                    elif asked:
                        self.camera_sec += time.perf_counter() - asked.pop()
                    target.write(data)
                    await target.drain()
            except OSError:
                pass
            finally:
                target.close()

        await asyncio.gather(
            pump(reader, camera_writer, to_camera=True), pump(camera_reader, writer, to_camera=False)
        )

    async def close(self) -> None:
        for server in self._servers:
            server.close()


async def measure(count: int) -> dict[str, Any]:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests/support"))
    import psycopg
    from nova_system import make_system
    from psycopg.conninfo import make_conninfo

    from novavms_server.kit.database import EmbeddedPostgres
    from novavms_server.kit.migrations import migrate

    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as name:
        folder = Path(name)
        embedded = EmbeddedPostgres(folder / "postgres")
        url = embedded.start()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        url = make_conninfo(url, dbname="bench")
        migrate(url)
        ready = folder / "simcam.json"
        command = [
            str(Path(sys.executable).parent / "novavms-simcam"),
            "run",
            "--host",
            CAMERA_HOST,
            "--ready-file",
            str(ready),
        ]
        cameras = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        relay = Relay()
        try:
            while not ready.exists():
                await asyncio.sleep(0.05)
            camera = json.loads(ready.read_text())["cameras"][0]
            await relay.listen(camera["onvif_port"])
            await relay.listen(camera["rtsp_port"])
            async with make_system(url, folder) as system:
                gateway = await system.gateway()
                return {
                    kind: await _rounds(system, gateway, camera, relay, kind, count)
                    for kind in ("onvif", "rtsp")
                }
        finally:
            await relay.close()
            cameras.terminate()
            cameras.wait()
            embedded.stop()


async def _rounds(
    system: Any, gateway: Any, camera: dict[str, Any], relay: Relay, kind: str, count: int
) -> dict[str, float]:
    body = {"site_id": str(system.world.site), "gateway_id": str(gateway.id), "name": "Bench", "type": kind}
    body |= {f"{kind}_username": camera["username"], f"{kind}_password": camera["password"]}
    if kind == "onvif":
        body |= {"host": "127.0.0.1", "port": camera["onvif_port"]}
    else:
        body |= {"rtsp_url": camera["rtsp_url"].replace(CAMERA_HOST, "127.0.0.1")}
    totals, ours = [], []
    for number in range(count + 3):
        relay.camera_sec = 0.0
        started = time.perf_counter()
        answer = await system.operator.post("/cameras", json=body)
        took = time.perf_counter() - started
        assert answer.status_code == 201, answer.text
        camera_sec = relay.camera_sec
        await system.operator.delete(f"/cameras/{answer.json()['id']}")
        await asyncio.sleep(0.3)  # the gateway lets go of the stream before the next round
        if number >= 3:
            totals.append(1000 * took)
            ours.append(1000 * (took - camera_sec))
    return {"total_ms_p50": statistics.median(totals), "ours_ms_p50": statistics.median(ours)}


def run(*, quick: bool = False) -> list[Result]:
    """Forty seconds; `quick` takes a quarter of the rounds."""
    found = asyncio.run(measure(ROUNDS // 4 if quick else ROUNDS))
    return [
        Result(
            f"POST /cameras, {kind}, beyond the camera's own answers, p50",
            f"{figures['ours_ms_p50']:.1f} ms of {figures['total_ms_p50']:.1f}",
            "30 ms asked",
            figures["ours_ms_p50"] / 30,
            1,
        )
        for kind, figures in found.items()
    ]
