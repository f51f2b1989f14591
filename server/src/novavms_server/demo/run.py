"""The demo, step by step. Everything is in a temporary folder that goes with it; nothing is left running.

1. Simulated cameras (a process)      2. PostgreSQL, the server (this process)     3. an org with people, keys, sites
4. a gateway, paired and run (a process)     5. two of the cameras added over the API     6. tell how to go on
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from novavms_server.accounts.bootstrap import create_key, create_org, create_user
from novavms_server.demo.children import Child, DemoError
from novavms_server.demo.guide import guide
from novavms_server.kit.ids import new_id
from novavms_server.kit.migrations import migrate
from novavms_server.server import Server, build_server, find_database
from novavms_server.serving import CannotServe, listen, serving
from novavms_server.settings import Settings

Say = Callable[[str], None]
_CAMERAS = (("Harbour entrance", "onvif"), ("Loading dock", "rtsp"), ("Car park", "onvif"))
"""The first two are added already; the third is left for the reader."""


async def run_demo(*, port: int, ready_file: Path | None, say: Say) -> None:
    """Runs until SIGINT or SIGTERM. Raises DemoError with a sentence."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        demo = _Demo(stack, say)
        ready = asyncio.create_task(demo.start(port))
        stopping = asyncio.create_task(stop.wait())
        stack.push_async_callback(_cancel, ready, stopping)
        await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            say("demo: stopping")
            return
        facts = ready.result()
        if ready_file is not None:
            _write(ready_file, facts)
            stack.callback(ready_file.unlink, missing_ok=True)
        say(guide(facts))
        say(f"demo: ready in {time.monotonic() - started:.1f} s; Ctrl-C stops everything")
        await _until_over(stopping, demo.children)
        say("demo: stopping")
    say("demo: stopped; nothing is left running")


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def _until_over(stopping: asyncio.Task[Any], children: list[Child]) -> None:
    """Until someone stops us, or one of the programs ends by itself, which is a failure."""
    watches = {asyncio.create_task(child.process.wait()): child for child in children}
    done, _ = await asyncio.wait({stopping, *watches}, return_when=asyncio.FIRST_COMPLETED)
    for task in watches:
        task.cancel()
    for task in done:
        if task in watches:
            raise DemoError(f"{watches[task].name} ended by itself{watches[task].tail()}")


def _write(path: Path, facts: dict[str, Any]) -> None:
    """Whole or not at all, and for this user only: it holds keys and passwords."""
    handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        json.dump(facts, file, indent=2)
    Path(temporary).replace(path)


class _Demo:
    """What `start` has put together; the exit stack takes it apart in reverse."""

    def __init__(self, stack: AsyncExitStack, say: Say) -> None:
        self._stack = stack
        self._say = say
        self.folder = Path(tempfile.mkdtemp(prefix="novavms-demo-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.children: list[Child] = []

    async def start(self, port: int) -> dict[str, Any]:
        """Answers the facts that scripts read."""
        listener = _listen(port)
        self._stack.callback(listener.close)
        self._say("demo: starting three simulated cameras, PostgreSQL and the server")
        cameras, server = await asyncio.gather(self._cameras(), self._server())
        base_url = await self._stack.enter_async_context(serving(server, listener, grace_sec=2))
        self._say("demo: making an organization with people, keys and two sites")
        facts = {"base_url": base_url, "pid": os.getpid(), **await _populate(server)}
        async with httpx.AsyncClient(base_url=base_url + "/api/v1", timeout=30) as api:
            api.headers["Authorization"] = f"Bearer {facts['keys']['operator']}"
            self._say("demo: pairing a gateway")
            facts["gateway_id"] = await self._gateway(api, base_url, facts["site_ids"][0])
            self._say("demo: adding two of the cameras; the gateway checks them first")
            facts["simulated_cameras"] = await _add_cameras(api, facts, cameras)
        return facts

    async def _cameras(self) -> dict[str, Any]:
        ready = self.folder / "simcam.json"
        specs = [
            {"name": name, "type": kind, "username": "admin", "password": secrets.token_urlsafe(9)}
            for name, kind in _CAMERAS
        ]
        child = await self._child(
            "novavms-simcam",
            ["run", "--config", "-", "--control-port", "0", "--ready-file", str(ready), "--exit-with-parent"],
            stdin=json.dumps(specs).encode(),
        )
        found: dict[str, Any] = await _until(lambda: _read(ready), child, "the simulated cameras", 30)
        return found

    async def _server(self) -> Server:
        settings = Settings(data_dir=self.folder / "server", allow_loopback_cameras=True)
        url, embedded = await asyncio.to_thread(find_database, settings)
        if embedded is not None:
            self._stack.callback(embedded.stop)
        await asyncio.to_thread(migrate, url)
        return build_server(settings, database_url=url)

    async def _child(
        self,
        name: str,
        arguments: list[str],
        *,
        stdin: bytes | None = None,
        environment: dict[str, str] | None = None,
    ) -> Child:
        child = await Child.start(name, arguments, folder=self.folder, stdin=stdin, environment=environment)
        self._stack.push_async_callback(child.stop)
        self.children.append(child)
        return child

    async def _gateway(self, api: httpx.AsyncClient, base_url: str, site_id: str) -> str:
        answer = await api.post(
            "/gateways/generate-pairing-code", json={"name": "Demo gateway", "site_id": site_id}
        )
        made = _ok(answer)
        data = str(self.folder / "gateway")
        pairing = await Child.start(
            "novavms-gateway",
            ["pair", "--server", base_url, "--code", made["pairing_code"], "--data-dir", data],
            folder=self.folder,
        )
        await pairing.finish(30)
        child = await self._child(
            "novavms-gateway",
            ["run", "--data-dir", data, "--exit-with-parent"],
            # The demo's cameras are on this machine: its gateway asks nobody else for them.
            environment={"NOVAVMS_GATEWAY_SEARCH_MULTICAST": "false"},
        )
        gateway_id: str = made["id"]

        async def online() -> bool:
            return bool(_ok(await api.get(f"/gateways/{gateway_id}"))["status"] == "online")

        await _until(online, child, "the gateway", 30)
        return gateway_id


async def _add_cameras(
    api: httpx.AsyncClient, facts: dict[str, Any], simulated: dict[str, Any]
) -> list[dict[str, Any]]:
    """All simulated cameras as facts; `camera_id` is None for the one that is left to add."""
    shown = ("name", "type", "host", "port", "username", "password", "rtsp_url")
    cameras = [{**{key: camera[key] for key in shown}, "camera_id": None} for camera in simulated["cameras"]]
    for camera in cameras[:2]:
        body = {
            "site_id": facts["site_ids"][0],
            "gateway_id": facts["gateway_id"],
            "name": camera["name"],
            "type": camera["type"],
        }
        prefix = camera["type"]
        body |= {f"{prefix}_username": camera["username"], f"{prefix}_password": camera["password"]}
        body |= (
            {"host": camera["host"], "port": camera["port"]}
            if prefix == "onvif"
            else {"rtsp_url": camera["rtsp_url"]}
        )
        camera["camera_id"] = _ok(await api.post("/cameras", json=body))["id"]
    for camera in cameras[:2]:

        async def online(camera_id: str = camera["camera_id"]) -> bool:
            return bool(_ok(await api.get(f"/cameras/{camera_id}"))["status"] == "online")

        await _until(online, None, f"camera {camera['name']}", 20)
    return cameras


async def _populate(server: Server) -> dict[str, Any]:
    """An org, two sites, a person and a key for each role; the viewer sees the first site only."""
    now = server.clock.now()
    async with server.database.everywhere() as connection:
        org = await create_org(connection, "NovaVMS demo", now)
        sites = [new_id(), new_id()]
        for site_id, name in zip(sites, ("Harbour", "Warehouse"), strict=True):
            await connection.execute(
                "INSERT INTO sites (org_id, id, name, timezone, created_at, updated_at) VALUES (%s, %s, %s, 'Europe/Berlin', %s, %s)",
                (org, site_id, name, now, now),
            )
        logins, keys = {}, {}
        for role in ("owner", "admin", "operator", "viewer"):
            granted = sites[:1] if role == "viewer" else None
            password = "Demo-" + secrets.token_urlsafe(9) + "-1a"
            email = f"{role}@demo.example.com"
            await create_user(connection, org, email, f"Demo {role}", role, password, granted)
            logins[role] = {"email": email, "password": password}
            if role != "owner":
                keys[role] = (await create_key(connection, org, f"Demo {role}", role, granted)).key
    return {"org_id": str(org), "site_ids": [str(site) for site in sites], "logins": logins, "keys": keys}


def _listen(port: int) -> socket.socket:
    try:
        return listen("127.0.0.1", port)
    except CannotServe as error:
        raise DemoError(f'{error} Take a free one: make demo ARGS="--port 0"') from None


async def _until(condition: Callable[[], Any], child: Child | None, what: str, timeout: float) -> Any:
    """The condition's first true value; DemoError when the time is over or the program it depends on ended."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if child is not None and child.process.returncode is not None:
            raise DemoError(f"{child.name} ended by itself{child.tail()}")
        if time.monotonic() > deadline:
            raise DemoError(f"{what} did not get ready within {timeout:.0f} s{child.tail() if child else ''}")
        await asyncio.sleep(0.05)


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else None


def _ok(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise DemoError(
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        )
    return answer.json()
