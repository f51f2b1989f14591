"""A whole server on a real socket, with two orgs in it: for the tests of the server and of all parts together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from novavms_server.accounts.bootstrap import create_key, create_org
from novavms_server.kit.clock import Clock, SystemClock
from novavms_server.kit.ids import new_id
from novavms_server.kit.wire import WebSocketProtocol
from novavms_server.server import Server, build_server
from novavms_server.serving import KEEP_ALIVE_SEC, reset_leftovers
from novavms_server.settings import Settings


@dataclass
class World:
    """A running server with two orgs. In `org`: two sites, a key of each role (the viewer's sees `site` only)."""

    server: Server
    base_url: str
    org: UUID
    other_org: UUID
    site: UUID
    ungranted_site: UUID
    other_site: UUID
    keys: dict[str, str]
    other_keys: dict[str, str]
    _clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(
        self, role: str | None = "admin", *, other: bool = False, token: str | None = None
    ) -> httpx.AsyncClient:
        """An HTTP client with a role's key; None sends no credential."""
        token = token or ((self.other_keys if other else self.keys)[role] if role else None)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.AsyncClient(base_url=self.base_url, headers=headers, timeout=30)
        self._clients.append(client)
        return client

    async def sql(self, statement: str, *params: Any) -> list[Any]:
        """As the system role, across orgs."""
        async with self.server.database.everywhere() as connection:
            cursor = await connection.execute(statement, params)
            return await cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def serve(server: Server) -> AsyncIterator[str]:
    """The server on a free port of 127.0.0.1; answers its base URL."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            server.app,
            lifespan="off",
            log_level="warning",
            ws=WebSocketProtocol,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=KEEP_ALIVE_SEC,
        )
        # Its parts rather than serve(), whose loop looks only ten times a second whether it is to end.
        runner = uvicorn.Server(config)
        config.load()
        runner.lifespan = config.lifespan_class(config)
        await server.start()
        await runner.startup(sockets=[listener])
        await runner.on_tick(0)  # the Date header
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.say_goodbye()
            asyncio.get_running_loop().remove_reader(listener)
            for _ in range(
                3
            ):  # what was being accepted comes in: asyncio loses it if the server closes meanwhile
                await asyncio.sleep(0)
            await runner.shutdown(sockets=[listener])
            reset_leftovers(runner)
            await server.stop()


async def make_org(server: Server, name: str, sites: int) -> tuple[UUID, list[UUID], dict[str, str]]:
    now = SystemClock().now()
    async with server.database.everywhere() as connection:
        org = await create_org(connection, name, now)
        site_ids = [new_id() for _ in range(sites)]
        for number, site_id in enumerate(site_ids):
            await connection.execute(
                "INSERT INTO sites (org_id, id, name) VALUES (%s, %s, %s)", (org, site_id, f"Site {number}")
            )
        keys = {}
        for role in ("admin", "operator", "viewer"):
            granted = site_ids[:1] if role == "viewer" else None
            keys[role] = (await create_key(connection, org, role, role, granted)).key
    return org, site_ids, keys


@asynccontextmanager
async def make_world(
    database_url: str, folder: Path, *, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[World]:
    settings = {"allow_loopback_cameras": True, "rate_burst": 100_000, "rate_per_min": 1_000_000, **settings}
    server = build_server(Settings(data_dir=folder, **settings), database_url=database_url, clock=clock)
    async with serve(server) as base_url:
        org, (site, ungranted), keys = await make_org(server, "Acme", 2)
        other_org, (other_site,), other_keys = await make_org(server, "Globex", 1)
        world = World(server, base_url, org, other_org, site, ungranted, other_site, keys, other_keys)
        try:
            yield world
        finally:
            await world.close()
