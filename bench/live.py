"""100 viewers of one camera's live view by WebSocket: the server's processor time for each, and how many upstreams they need.

Server (on its PostgreSQL), gateway and a simulated camera (2 Mbit/s, 15 pictures a second, a key frame every 2 s) are programs of their
own, and so are the viewers. The floor is a relay on the same event loop (uvloop), in a process of its own: plain sockets without
WebSocket, login or queues, which sends what comes in to as many; it is given the pieces that a viewer got, at the pace at which they came. The two are
measured one after the other, both also without a viewer; what is compared is what viewers add.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop
from websockets.asyncio.client import connect

from bench import Result
from bench._site import Site, make_site
from bench.record import make_footage

VIEWERS = 100
VIEWERS_PER_KEY = 8
SECONDS = 20.0
SETTLE_SEC = 3.0

# ---- programs: a line of JSON when ready, one for each line that comes in


async def watch(urls: list[str]) -> None:
    """So many viewers, who throw away what they get. Told for each line: bytes so far."""
    got = 0
    begun = asyncio.Semaphore(0)

    async def view(url: str) -> None:
        nonlocal got
        async with connect(url, compression=None, max_size=None, ping_interval=None) as socket:
            is_first = True
            async for message in socket:
                got += len(message) if isinstance(message, bytes) else 0
                if is_first and isinstance(message, bytes):
                    is_first = False
                    begun.release()

    tasks = [asyncio.create_task(view(url)) for url in urls]
    for _ in urls:
        await begun.acquire()
    await _answer(lambda: {"bytes": got, "gone": sum(task.done() for task in tasks)})


async def relay() -> None:
    """The floor. Who connects first sends, all others get it."""
    readers: list[asyncio.Transport] = []

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.Transport", transport)
            readers.append(self.transport)

        def data_received(self, data: bytes) -> None:
            for reader in readers:
                if reader is not self.transport:
                    reader.write(data)

    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await _answer(lambda: {"port": port, "readers": len(readers) - 1})


async def take(port: int, count: int) -> None:
    """So many readers of the floor."""
    got = 0

    class Reader(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            nonlocal got
            got += len(data)

    loop = asyncio.get_running_loop()
    for _ in range(count):
        await loop.create_connection(Reader, "127.0.0.1", port)
    await _answer(lambda: {"bytes": got, "gone": 0})


async def _answer(facts: Any) -> None:
    print(json.dumps(facts()), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(facts()), flush=True)


class Program:
    """One of the above."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "bench.live", *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        self.facts = self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def ask(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[Program]:
    made = await asyncio.to_thread(Program, *arguments)
    try:
        yield made
    finally:
        made.stop()


# ---- measured here


async def cpu_share(pid: int, seconds: float) -> float:
    """Percent of a core, over so long."""
    process = psutil.Process(pid)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


def make_key(site: Site, number: int) -> str:
    asked = ("key", "create", "--org", "Acme", "--role", "operator", "--name", f"Viewer {number}")
    return str(site.server.command(*asked)).strip()


async def addresses(site: Site, camera: str, count: int) -> list[str]:
    urls: list[str] = []
    for number in range(-(-count // VIEWERS_PER_KEY)):
        headers = {"Authorization": f"Bearer {await asyncio.to_thread(make_key, site, number)}"}
        answer = await site.client.get(f"/cameras/{camera}/live", headers=headers)
        found = {each["type"]: each["url"] for each in answer.raise_for_status().json()["protocols"]}
        address = str(site.client.base_url.join(found["mse"])).replace("http", "ws", 1)
        urls += [address] * VIEWERS_PER_KEY
    return urls[:count]


async def metric(site: Site, name: str) -> float:
    address = site.client.base_url.join("/metrics")
    lines = (await site.client.get(address)).raise_for_status().text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


async def what_comes(url: str, seconds: float) -> list[tuple[float, bytes]]:
    """What one viewer gets, with the time of each piece."""
    pieces: list[tuple[float, bytes]] = []
    async with connect(url, compression=None, max_size=None, ping_interval=None) as socket:
        began = time.monotonic()
        async for message in socket:
            if time.monotonic() - began > seconds:
                break
            if isinstance(message, bytes):
                pieces.append((time.monotonic() - began, message))
    return pieces


async def floor(pieces: list[tuple[float, bytes]], viewers: int) -> tuple[float, float]:
    """(percent of a core for each viewer, bytes a second each)."""
    async with program("relay") as middle:
        port = middle.facts["port"]
        _, writer = await asyncio.open_connection("127.0.0.1", port)

        async def send() -> None:
            began = time.monotonic()
            for at, piece in pieces:
                await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                writer.write(piece)

        alone, _ = await asyncio.gather(cpu_share(middle.process.pid, pieces[-1][0]), send())
        async with program("take", str(port), str(viewers)) as readers:
            while middle.ask()["readers"] < viewers:
                await asyncio.sleep(0.1)
            before = readers.ask()["bytes"]
            used, _ = await asyncio.gather(cpu_share(middle.process.pid, pieces[-1][0]), send())
            await asyncio.sleep(0.5)
            got = readers.ask()["bytes"] - before
        writer.close()
    assert got == viewers * sum(len(piece) for _, piece in pieces), "the floor did the same work"
    return (used - alone) / viewers, got / viewers / pieces[-1][0]


async def measure(folder: Path, viewers: int, seconds: float) -> list[Result]:
    media = str(await asyncio.to_thread(make_footage, folder))
    settings = {"NOVAVMS_GATEWAY_RECORDINGS_RESERVE_BYTES": "0"}
    async with make_site(folder, 1, media=media, audio="none", settings=settings) as site:
        await site.add(1)
        urls = await addresses(site, site.cameras[0], viewers)
        pieces = await what_comes(urls[0], seconds)
        alone = await cpu_share(site.server.pid, seconds)
        async with program("watch", *urls) as watching:
            await asyncio.sleep(SETTLE_SEC)
            before = watching.ask()
            used = await cpu_share(site.server.pid, seconds)
            after = watching.ask()
            upstreams = await metric(site, "novavms_live_upstreams")
            dropped = await metric(site, "novavms_live_dropped_fragments_total")
    each, rate = (used - alone) / viewers, (after["bytes"] - before["bytes"]) / viewers / seconds
    bare, bare_rate = await floor(pieces, viewers)
    print(
        f"live: {8e-6 * rate:.2f} Mbit/s a viewer here, {8e-6 * bare_rate:.2f} by the floor; "
        f"{after['gone']} gone, {dropped:.0f} fragments dropped",
        file=sys.stderr,
    )
    return [
        Result(
            f"CPU of the server for each of {viewers} viewers",
            f"{each:.3f} % of a core",
            f"{bare:.3f} % bare relay",
            each / bare,
            3,
        ),
        Result(f"upstreams for {viewers} viewers", f"{upstreams:.0f}", "1", upstreams, 1),
        Result(
            "viewers that were lost, fragments dropped",
            f"{after['gone'] + dropped:.0f}",
            "0",
            after["gone"] + dropped,
            0,
        ),
    ]


def run(*, quick: bool = False) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as folder:
        return asyncio.run(measure(Path(folder), 24 if quick else VIEWERS, 5 if quick else SECONDS))


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "watch":
        uvloop.run(watch(rest))
    elif what == "relay":
        uvloop.run(relay())
    else:
        uvloop.run(take(int(rest[0]), int(rest[1])))
