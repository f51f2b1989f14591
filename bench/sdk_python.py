"""The Python library against bare httpx: what importing it costs, and what a call costs beyond httpx's own.

One little server, in a process of its own, answers the API document's examples at once. Bare httpx has its base URL and its key set, and
parses the JSON; the library also checks, retries, and makes typed objects of it. Calls take turns, one by one; medians.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import Result

CALLS, QUICK_CALLS, WARM_UP = 1500, 400, 100
IMPORTS, QUICK_IMPORTS = 9, 5
DOCUMENT = Path(__file__).parents[1] / "sdk/openapi.json"
CAMERA = "/api/v1/cameras/0198f2a4-7d10-7b21-8c43-5e6f7a8b9c0d"
SERVER = r"""
import asyncio, json, sys
one, page = (json.dumps(body).encode() for body in json.load(sys.stdin))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: \"1\"\r\nx-request-id: req_1\r\ncontent-length: %d\r\n\r\n"
answers = {False: HEAD % len(one) + one, True: HEAD % len(page) + page}
class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""
    def data_received(self, data):
        self.data += data
        head, found, rest = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        length = next((int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0)
        if len(rest) >= length:
            self.data = rest[length:]
            self.transport.write(answers[head.startswith(b"GET /api/v1/cameras?")])
async def main():
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def _server() -> Iterator[str]:
    paths = json.loads(DOCUMENT.read_text())["paths"]

    def example(path: str) -> Any:
        return paths[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]

    page = example("/api/v1/cameras")
    page = {**page, "data": page["data"][:1] * 20, "total": 20}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([example("/api/v1/cameras/{camera_id}"), page]))
        process.stdin.close()
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def _turns(ours: Callable[[], Any], bare: Callable[[], Any], calls: int) -> tuple[float, float]:
    """Medians in microseconds of calls that take turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(calls + WARM_UP):
        for one, times in zip((ours, bare), taken, strict=True):
            started = time.perf_counter()
            one()
            if number >= WARM_UP:
                times.append(time.perf_counter() - started)
    return statistics.median(taken[0]) * 1e6, statistics.median(taken[1]) * 1e6


def _sync(url: str, calls: int) -> dict[str, tuple[float, float]]:
    import httpx

    from novavms import Client

    with Client(api_key="sk_live_x", base_url=url) as client, httpx.Client(base_url=url, timeout=60) as http:
        http.headers["authorization"] = "Bearer sk_live_x"
        camera = CAMERA.rpartition("/")[2]
        body = {"name": "Harbour", "timezone": "UTC"}
        return {
            "cameras.get": _turns(lambda: client.cameras.get(camera), lambda: http.get(CAMERA).json(), calls),
            "cameras.list, 20 cameras": _turns(
                lambda: client.cameras.list(limit=20),
                lambda: http.get("/api/v1/cameras", params={"limit": 20}).json(),
                calls,
            ),
            "cameras.update": _turns(
                lambda: client.cameras.update(camera, name="Harbour"),
                lambda: http.patch(CAMERA, json=body).json(),
                calls,
            ),
        }


def _async(url: str, calls: int) -> tuple[float, float]:
    import httpx

    from novavms import AsyncClient

    with asyncio.Runner() as runner:
        client = AsyncClient(api_key="sk_live_x", base_url=url)
        http = httpx.AsyncClient(base_url=url, timeout=60, headers={"authorization": "Bearer sk_live_x"})
        camera = CAMERA.rpartition("/")[2]

        async def bare() -> Any:
            return (await http.get(CAMERA)).json()

        found = _turns(lambda: runner.run(client.cameras.get(camera)), lambda: runner.run(bare()), calls)
        runner.run(client.aclose())
        runner.run(http.aclose())
        return found


def _imports(rounds: int) -> tuple[float, float]:
    """Milliseconds, the interpreter's own start taken off."""
    codes = ("from novavms import Client", "import httpx", "pass")
    taken: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        for code, times in zip(codes, taken, strict=True):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append((time.perf_counter() - started) * 1000)
    ours, httpx_alone, nothing = map(statistics.median, taken)
    return ours - nothing, httpx_alone - nothing


def run(*, quick: bool = False) -> list[Result]:
    ours, bare = _imports(QUICK_IMPORTS if quick else IMPORTS)
    results = [
        Result(
            "from novavms import Client", f"{ours:.0f} ms", f"{bare:.0f} ms import httpx", ours / bare, 1.5
        )
    ]
    calls = QUICK_CALLS if quick else CALLS
    with _server() as url:
        measured = _sync(url, calls) | {"cameras.get, async": _async(url, calls)}
    for name, (mine, httpx_only) in measured.items():
        results.append(
            Result(
                f"{name}, p50", f"{mine:.0f} µs", f"{httpx_only:.0f} µs bare httpx", mine / httpx_only, 1.15
            )
        )
    return results
