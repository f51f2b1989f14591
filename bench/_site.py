"""A whole site under load: server (on its PostgreSQL), gateway and simulated cameras, each a process of its own, as a person starts them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

START_SEC = 120.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """`cameras` are ids; the place of each is its number at `control`, the simulated cameras' control server.
    `to_add`: what their ready file tells of those that are not cameras of the gateway yet."""

    server: Any
    gateway: Any
    simcam: subprocess.Popen[bytes]
    client: httpx.AsyncClient
    control: httpx.AsyncClient
    site_id: str
    gateway_id: str
    to_add: list[dict[str, Any]]
    cameras: list[str]

    async def add(self, count: int, *, over_udp: int = 0) -> None:
        """So many more cameras, all of them recorded. The last `over_udp` of them send over UDP."""
        for number in range(count):
            transport = "udp" if number >= count - over_udp else "tcp"
            self.cameras.append(await _add(self, self.to_add.pop(0), transport))
        await _all_recorded(self)

    @property
    def index(self) -> Path:
        return Path(self.gateway.folder) / "recordings.db"

    @property
    def volume(self) -> Path:
        return Path(self.gateway.folder) / "recordings"

    async def act(self, number: int, what: str, **body: Any) -> None:
        """One thing done to a camera: unplug, plug, freeze, thaw, drop."""
        (await self.control.post(f"/cameras/{number}/{what}", json=body)).raise_for_status()

    async def dropped(self) -> int:
        """Frames that cameras threw away because we read too slowly."""
        found = (await self.control.get("/cameras")).json()
        return sum(int(camera["frames_dropped"]) for camera in found)

    async def summary(self) -> list[dict[str, Any]]:
        """How each camera was recorded."""
        cameras: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            asked = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            answer = await self.client.get(f"/sites/{self.site_id}/recordings", params=asked)
            page = answer.raise_for_status().json()
            cameras += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return cameras

    async def recordings(self, camera_id: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """The gaps from `start` to `end`."""
        gaps: list[dict[str, Any]] = []
        asked: str | None = start.isoformat()
        while asked is not None:
            answer = await self.client.get(
                f"/cameras/{camera_id}/recordings", params={"from": asked, "to": end.isoformat()}
            )
            found = answer.raise_for_status().json()
            gaps += found["gaps"]
            asked = found["next_from"]
        return gaps

    async def cut(self, camera_id: str, end: datetime, seconds: float) -> str:
        """Orders a clip of the `seconds` before `end`; the event's id."""
        body = {"from": (end - timedelta(seconds=seconds)).isoformat(), "to": end.isoformat()}
        answer = await self.client.post(f"/cameras/{camera_id}/clips", json=body)
        return str(answer.raise_for_status().json()["event_id"])

    async def clip(self, event_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/events/{event_id}")
        found: dict[str, Any] = answer.raise_for_status().json()["clip"]
        return found

    async def playlist(self, camera_id: str, start: datetime, end: datetime) -> tuple[httpx.URL, list[str]]:
        """As a player asks for it: the playlist's address, and its files (each once)."""
        answer = await self.client.get(
            f"/cameras/{camera_id}/playback", params={"from": start.isoformat(), "to": end.isoformat()}
        )
        if answer.status_code != 302:
            answer.raise_for_status()
        address = answer.url.join(answer.headers["location"])
        text = (await self.client.get(address)).raise_for_status().text
        return address, [line for line in text.splitlines() if line and not line.startswith("#")]

    def look(self, query: str) -> Any:
        """One value of the gateway's index, read beside it."""
        with closing(sqlite3.connect(f"file:{self.index}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(query).fetchone()[0]


@contextmanager
def simulated(
    folder: Path, count: int, media: str, audio: str
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Cameras in one process, with what their ready file tells."""
    ready = folder / "simcam.json"
    command = [str(Path(sys.executable).parent / "novavms-simcam"), "run", "--count", str(count)]
    command += ["--type", "rtsp", "--media", media, "--audio", audio, "--control-port", "0"]
    command += ["--ready-file", str(ready), "--exit-with-parent"]
    with (folder / "simcam.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SEC
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the simulated cameras did not start: {(folder / 'simcam.log').read_text()}"
                )
            time.sleep(0.05)
        yield process, json.loads(ready.read_text())
    finally:
        process.terminate()
        process.wait(30)


@asynccontextmanager
async def make_site(
    folder: Path,
    count: int,
    *,
    media: str = "h264",
    audio: str = "aac",
    settings: dict[str, str],
) -> AsyncIterator[Site]:
    """Everything runs; the gateway has no camera yet. `settings` are the gateway's."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests/support"))
    from nova_programs import GatewayProgram, ServerProgram, first_org

    async with AsyncExitStack() as stack:
        server = stack.enter_context(ServerProgram(folder / "server"))
        key, place = await first_org(server)
        client = await stack.enter_async_context(server.client(key))
        simcam, told = stack.enter_context(simulated(folder, count, media, audio))
        control = await stack.enter_async_context(httpx.AsyncClient(base_url=told["control_url"], timeout=30))
        body = {"name": "Load", "site_id": place["id"]}
        made = (await client.post("/gateways/generate-pairing-code", json=body)).raise_for_status().json()
        gateway = GatewayProgram(server, folder / "gateway", **settings)
        gateway.pair(made["pairing_code"])
        stack.enter_context(gateway)
        site = Site(
            server=server,
            gateway=gateway,
            simcam=simcam,
            client=client,
            control=control,
            site_id=str(place["id"]),
            gateway_id=str(made["id"]),
            to_add=list(told["cameras"]),
            cameras=[],
        )
        await _gateway_online(site)
        yield site


async def _gateway_online(site: Site) -> None:
    deadline = time.monotonic() + START_SEC
    while (await site.client.get(f"/gateways/{site.gateway_id}")).json()["status"] != "online":
        if time.monotonic() > deadline:
            raise RuntimeError(f"the gateway did not come: {site.gateway.log.read_text()[-2000:]}")
        await asyncio.sleep(0.2)


async def _add(site: Site, camera: dict[str, Any], transport: str) -> str:
    body = {
        "site_id": site.site_id,
        "gateway_id": site.gateway_id,
        "name": camera["name"],
        "type": "rtsp",
        "rtsp_url": camera["rtsp_url"],
        "rtsp_username": camera["username"],
        "rtsp_password": camera["password"],
        "recording_mode": "continuous",
    }
    answer = await site.client.post("/cameras", json=body)
    if answer.status_code != 201:
        raise RuntimeError(f"a camera was not added: {answer.text}")
    camera_id = str(answer.json()["id"])
    if transport != "tcp":
        changed = await site.client.patch(f"/cameras/{camera_id}", json={"stream_transport": transport})
        changed.raise_for_status()
    return camera_id


async def _all_recorded(site: Site) -> None:
    deadline = time.monotonic() + START_SEC
    while not all(camera["is_recording"] for camera in await site.summary()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not every camera is recorded: {site.gateway.log.read_text()[-2000:]}")
        await asyncio.sleep(1)
