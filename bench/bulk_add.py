"""200 cameras through one gateway, one after another and twenty at a time: how long the slowest waited for its answer.

Asked: none slower than twice a single one's time plus the camera's own. A single one is the middle of twenty POSTs on the idle system.
The camera's own is what it takes to answer: each simulated camera answers a request after 20 ms, as cameras do (3 to 30 ms), and
counts the requests of one check. Cameras are switched off as soon as they are added: this is about adding, not about playing 200
streams on the machine that also simulates them.
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

import httpx

from bench import Result

COUNT = 200
AT_ONCE = 20
SINGLES = 20
ANSWER_SEC = 0.02


async def measure(count: int) -> dict[str, float]:
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
        cameras = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "novavms-simcam"),
                *("run", "--count", str(count), "--fault", f"slow_answer_sec={ANSWER_SEC}"),
                *("--control-port", "0", "--ready-file", str(ready), "--exit-with-parent"),
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not ready.exists():
                await asyncio.sleep(0.05)
            facts = json.loads(ready.read_text())
            async with make_system(url, folder) as system:
                return await _Bench(system, await system.gateway(), facts).run()
        finally:
            cameras.terminate()
            cameras.wait()
            embedded.stop()


class _Bench:
    def __init__(self, system: Any, gateway: Any, facts: dict[str, Any]) -> None:
        self._system = system
        self._gateway = gateway
        self._cameras = facts["cameras"]
        self._control = facts["control_url"]

    async def run(self) -> dict[str, float]:
        own = await self._own()
        singles = [await self._added(self._cameras[0]) for _ in range(SINGLES + 3)][3:]
        found = {"single": statistics.median(singles), "own": own}
        for at_once in (1, AT_ONCE):
            room = asyncio.Semaphore(at_once)

            async def one(camera: dict[str, Any], room: asyncio.Semaphore = room) -> float:
                async with room:
                    return await self._added(camera)

            started = time.perf_counter()
            times = await asyncio.gather(*(one(camera) for camera in self._cameras))
            found[f"slowest {at_once}"] = max(times)
            found[f"middle {at_once}"] = statistics.median(times)
            found[f"all {at_once}"] = time.perf_counter() - started
        return found

    def _body(self, camera: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "onvif",
            "gateway_id": str(self._gateway.id),
            "host": camera["host"],
            "port": camera["onvif_port"],
            "onvif_username": camera["username"],
            "onvif_password": camera["password"],
        }

    async def _own(self) -> float:
        """What one camera spends on answering one check, seconds."""
        async with httpx.AsyncClient(base_url=self._control, trust_env=False) as control:
            answer = await self._system.operator.post("/cameras/test", json=self._body(self._cameras[0]))
            assert answer.json()["ok"], answer.text
            requests = (await control.get("/cameras/0")).json()["requests"]
        return ANSWER_SEC * sum(requests.values())

    async def _added(self, camera: dict[str, Any]) -> float:
        """Seconds until the answer; then it is switched off, and gone before the next."""
        body = {**self._body(camera), "site_id": str(self._system.world.site), "name": camera["name"]}
        started = time.perf_counter()
        answer = await self._system.operator.post("/cameras", json=body)
        took = time.perf_counter() - started
        assert answer.status_code == 201, answer.text
        path = f"/cameras/{answer.json()['id']}"
        await self._system.operator.patch(path, json={"enabled": False})
        await self._system.operator.delete(path)
        return took


def run(*, quick: bool = False) -> list[Result]:
    """A minute and a half; `quick` takes 40 cameras."""
    count = 40 if quick else COUNT
    found = asyncio.run(measure(count))
    allowed = 2 * found["single"] + found["own"]
    return [
        Result(
            f"slowest of {count} cameras added, {words}",
            f"{1000 * found[f'slowest {at_once}']:.0f} ms (middle {1000 * found[f'middle {at_once}']:.0f}, all {found[f'all {at_once}']:.1f} s)",
            f"{1000 * allowed:.0f} ms: twice a single one's {1000 * found['single']:.0f} and the camera's {1000 * found['own']:.0f}",
            found[f"slowest {at_once}"] / allowed,
            1,
        )
        for at_once, words in ((1, "one after another"), (AT_ONCE, f"{AT_ONCE} at a time"))
    ]
