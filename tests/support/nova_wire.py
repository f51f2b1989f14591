"""A gateway's socket, bare: the test says every word, also wrong ones. (`nova_gateway` is one that answers by itself.)"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from nova_world import World
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from novavms_protocol import (
    PROTOCOL_VERSION,
    Ack,
    DesiredState,
    FromGateway,
    GatewayFacts,
    Hello,
    Ping,
    Pong,
    Reply,
    Report,
    Request,
    Telemetry,
    decode_from_server,
    encode,
)
from novavms_protocol.messages import ReportBody

M = TypeVar("M")
DEADLINE_SEC = 10.0


class WireGateway:
    """One open socket. `expect` reads until the wanted kind of message comes; all that came is kept in `seen`. A Ping that nobody waits
    for is answered: a test that takes its time is not a gateway that went silent."""

    def __init__(self, gateway_id: UUID, token: str, socket: ClientConnection) -> None:
        self.id = gateway_id
        self.token = token
        self.socket = socket
        self.seen: list[Any] = []

    async def send(self, message: FromGateway) -> None:
        await self.socket.send(encode(message))

    async def expect(self, kind: type[M]) -> M:
        async with asyncio.timeout(DEADLINE_SEC):
            while True:
                message = decode_from_server(await self.socket.recv())
                self.seen.append(message)
                if isinstance(message, kind):
                    return message
                if isinstance(message, Ping):
                    await self.send(Pong())

    async def report(self, body: ReportBody, report_id: UUID | None = None) -> Ack:
        """Sent once; its acknowledgement."""
        report = Report(id=report_id or uuid4(), body=body)
        await self.send(report)
        while True:
            ack = await self.expect(Ack)
            if ack.id == report.id:
                return ack

    async def answer(self, result: dict[str, Any] | None = None, **words: Any) -> Request:
        """Replies to the next request, ok unless `error` is given."""
        request = await self.expect(Request)
        await self.send(Reply(id=request.id, ok="error" not in words, result=result, **words))
        return request

    async def closed(self) -> int | None:
        """Reads to the socket's end; its close code."""
        async with asyncio.timeout(DEADLINE_SEC):
            with suppress(ConnectionClosedError):
                async for frame in self.socket:
                    self.seen.append(decode_from_server(frame))
                    if isinstance(self.seen[-1], Ping):
                        await self.send(Pong())
        return self.socket.close_code


def hello(**changes: Any) -> Hello:
    facts = GatewayFacts(hostname="box", local_ip="192.0.2.7", cpu_count=4)
    return Hello(**{"protocol": PROTOCOL_VERSION, "version": "1.0.0", "facts": facts, **changes})


def telemetry(**changes: Any) -> Telemetry:
    values: dict[str, Any] = {
        **{"at": datetime.now(UTC), "uptime_sec": 5.0, "cpu_percent": 3.5, "memory_bytes": 1},
        **{"disk_free_bytes": 2, "disk_total_bytes": 3, "cameras_online": 0, "cameras_total": 0},
        **changes,
    }
    return Telemetry(**values)


async def pair(client: httpx.AsyncClient, site_id: UUID, name: str = "Box", **more: Any) -> tuple[UUID, str]:
    """(gateway id, its token), with an operator's client."""
    made = await client.post(
        "/api/v1/gateways/generate-pairing-code", json={"name": name, "site_id": str(site_id), **more}
    )
    assert made.status_code == 201, made.text
    body = {"pairing_code": made.json()["pairing_code"], "version": "1.0.0", "hardware": {"hostname": "box"}}
    paired = await client.post("/api/v1/gateways/pair", json=body)
    assert paired.status_code == 201, paired.text
    return UUID(paired.json()["gateway_id"]), paired.json()["gateway_token"]


def socket_url(base_url: str, gateway_id: UUID | str) -> str:
    return f"{base_url.replace('http', 'ws', 1)}/api/v1/gateways/{gateway_id}/ws"


@asynccontextmanager
async def open_socket(world: World | str, gateway_id: UUID, token: str) -> AsyncIterator[WireGateway]:
    """Accepted, nothing said yet. `world`, or a base URL."""
    base_url = world if isinstance(world, str) else world.base_url
    async with connect(
        socket_url(base_url, gateway_id),
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        close_timeout=1,
        max_size=None,
        ping_interval=None,
        proxy=None,
    ) as socket:
        yield WireGateway(gateway_id, token, socket)


@asynccontextmanager
async def greeted(
    world: World | str, gateway_id: UUID, token: str, **changes: Any
) -> AsyncIterator[WireGateway]:
    """The first desired state has been read: it is `seen[0]`."""
    async with open_socket(world, gateway_id, token) as gateway:
        await gateway.send(hello(**changes))
        await gateway.expect(DesiredState)
        yield gateway


async def until(condition: Any) -> Any:
    """Polls the async `condition` until it is true; answers its value."""
    async with asyncio.timeout(DEADLINE_SEC):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(0.02)


async def status(world: World, gateway_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = (await world.client("operator").get(f"/api/v1/gateways/{gateway_id}")).json()
    return found


async def becomes(world: World, gateway_id: UUID, wanted: str) -> None:
    async def there() -> bool:
        return (await status(world, gateway_id))["status"] == wanted

    await until(there)
