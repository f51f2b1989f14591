"""The whole system for tests: a real server in this process, a real gateway in another, simulated cameras.

Nothing here pretends: the gateway pairs with a code and connects by WebSocket, cameras speak RTSP and ONVIF on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
from nova_world import World, make_world

from novavms_simcam import SimCam

BIN = Path(sys.executable).parent


async def until(condition: Callable[[], Awaitable[Any] | Any], *, within: float, what: str) -> Any:
    """The condition's first true value. Fails after `within` seconds: a bound against hanging, and the contract's own limit."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)


class Gateway:
    """A gateway program: paired once, started and stopped at will."""

    def __init__(self, system: System, gateway_id: UUID, folder: Path, settings: dict[str, str]) -> None:
        self._system = system
        # Nothing of a test leaves this machine.
        self._environment = {**os.environ, "NOVAVMS_GATEWAY_SEARCH_MULTICAST": "false", **settings}
        self.id = gateway_id
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder.parent / f"{folder.name}.log"

    async def start(self) -> None:
        """Connected anew: `online` may still be what the server says of an earlier run."""
        hub = self._system.world.server.hub
        await until(
            lambda: not hub.is_connected(self.id), within=15, what="the earlier run's socket is closed"
        )
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                str(BIN / "novavms-gateway"),
                *("run", "--data-dir", str(self.folder), "--exit-with-parent"),
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        await until(
            lambda: hub.is_connected(self.id), within=60, what=f"it connects; its log: {self._said()}"
        )
        await self.wait_for("online", within=30)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 10)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        self.process = None

    async def kill(self) -> None:
        await self.stop(signal.SIGKILL)

    async def wait_for(self, status: str, *, within: float) -> None:
        async def reached() -> bool:
            return bool((await self._system.operator.get(f"/gateways/{self.id}")).json()["status"] == status)

        await until(reached, within=within, what=f"gateway {status}; its log: {self._said()}")

    def _said(self) -> str:
        return self.log.read_text()[-2000:]


class System:
    """A `World` with gateways and cameras; `operator` and the others are HTTP clients below /api/v1."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.operator = self.client("operator")
        self.admin = self.client("admin")
        self.viewer = self.client("viewer")
        self.gateways: list[Gateway] = []
        self._secrets: set[str] = set()
        self._said: list[str] = []

    def client(self, role: str) -> httpx.AsyncClient:
        client = self.world.client(role)
        client.base_url = httpx.URL(self.world.base_url + "/api/v1")
        client.event_hooks["response"].append(self._listen)
        return client

    async def _listen(self, answer: httpx.Response) -> None:
        if "json" in answer.headers.get("content-type", ""):
            self._said.append(f"{answer.headers} {(await answer.aread()).decode()}")

    def keeps_secret(self, secret: str) -> None:
        """It is to be in no answer and no log either."""
        self._secrets.add(secret)

    def assert_no_secret_was_said(self, server_log: str) -> None:
        """No password of a camera that was used here is in any answer or log, plain or percent-encoded."""
        said = "\n".join([server_log, self.logs(), *self._said])
        for secret in self._secrets:
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                assert form not in said, f"{form!r} was said: {said[max(0, said.find(form) - 200) :][:400]}"

    async def gateway(self, *, site: UUID | None = None, **settings: str) -> Gateway:
        """A new one: paired and online. `settings` are environment variables of the program."""
        name = f"Gateway {len(self.gateways) + 1}"
        made = (
            await self.operator.post(
                "/gateways/generate-pairing-code",
                json={"name": name, "site_id": str(site or self.world.site)},
            )
        ).json()
        folder = self.folder / name.replace(" ", "-").lower()
        pairing = await asyncio.create_subprocess_exec(
            str(BIN / "novavms-gateway"),
            *(
                "pair",
                "--server",
                self.world.base_url,
                "--code",
                made["pairing_code"],
                "--data-dir",
                str(folder),
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1"},
        )
        output, _ = await pairing.communicate()
        assert pairing.returncode == 0, output.decode()
        gateway = Gateway(self, UUID(made["id"]), folder, settings)
        self.gateways.append(gateway)
        await gateway.start()
        return gateway

    def body(self, camera: SimCam, gateway: Gateway | None, **changes: Any) -> dict[str, Any]:
        """The body that adds this camera."""
        config = camera.config
        kind = "onvif" if camera.onvif_port is not None else "rtsp"
        body: dict[str, Any] = {"site_id": str(self.world.site), "name": config.name, "type": kind}
        body |= {"gateway_id": str(gateway.id)} if gateway else {"connection_mode": "direct"}
        body |= {f"{kind}_username": config.username, f"{kind}_password": config.password}
        self.keeps_secret(config.password)
        body |= (
            {"host": config.host, "port": camera.onvif_port}
            if kind == "onvif"
            else {"rtsp_url": camera.rtsp_url}
        )
        return {**body, **changes}

    async def add(self, camera: SimCam, gateway: Gateway | None, **changes: Any) -> str:
        """Adds it and answers its id."""
        answer = await self.operator.post("/cameras", json=self.body(camera, gateway, **changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def camera(self, camera_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.operator.get(f"/cameras/{camera_id}")).json()
        return found

    async def wait_status(self, camera_id: str, status: str, *, within: float) -> dict[str, Any]:
        async def reached() -> dict[str, Any] | None:
            found = await self.camera(camera_id)
            return found if found["status"] == status else None

        found: dict[str, Any] = await until(reached, within=within, what=f"camera {status}")
        return found

    async def record(self, camera_id: str, duration_sec: int = 5, note: str = "test") -> str:
        answer = await self.operator.post(
            f"/cameras/{camera_id}/trigger", json={"duration_sec": duration_sec, "note": note}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["event_id"])

    async def wait_clip(self, event_id: str, *statuses: str, within: float = 40) -> dict[str, Any]:
        """The event, once its clip is in one of the statuses."""

        async def reached() -> dict[str, Any] | None:
            event = (await self.operator.get(f"/events/{event_id}")).json()
            return event if event["clip"]["status"] in statuses else None

        try:
            event: dict[str, Any] = await until(reached, within=within, what=f"clip {statuses}")
        except AssertionError as error:
            seen = (await self.operator.get(f"/events/{event_id}")).json()
            raise AssertionError(f"{error}\n{seen['clip']}\n{self.logs()}") from None
        return event

    def logs(self) -> str:
        """The end of every gateway's log."""
        return "\n".join(
            f"{gateway.log.name}:\n{gateway.log.read_text()[-3000:]}" for gateway in self.gateways
        )

    async def fetch_clip(self, event_id: str) -> bytes:
        answer = await self.operator.get(f"/events/{event_id}/clip", follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.content


@asynccontextmanager
async def make_system(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[System]:
    async with make_world(database_url, folder / "server", **settings) as world:
        system = System(world, folder)
        log = io.StringIO()
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        try:
            yield system
            system.assert_no_secret_was_said(log.getvalue())
        finally:
            logging.getLogger().removeHandler(handler)
            await asyncio.gather(*(gateway.stop() for gateway in system.gateways))
