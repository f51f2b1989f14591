"""A gateway of the tests' own that takes orders to record and sends clips: for tests of the server's end of a clip's life.

It speaks the protocol over a real WebSocket and uploads over real HTTP, but does each step only when a test says so.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import websockets
from nova_gateway import pair
from nova_world import World
from websockets.asyncio.client import ClientConnection, connect

from novavms_protocol import (
    PROTOCOL_VERSION,
    Ack,
    ClipReady,
    DesiredState,
    ForgetClip,
    GatewayFacts,
    Hello,
    RecordClip,
    Reply,
    Report,
    Request,
    decode_from_server,
    encode,
)
from novavms_protocol.messages import ReportBody
from novavms_server.kit.ids import new_id

FOOTAGE = Path(__file__).parents[2] / "simcam/src/novavms_simcam/footage/pedestrians-h264.mp4"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Recorder:
    """Connected and greeted. `refuse` is the error word it answers orders with; `silent`: it answers nothing."""

    world: World
    id: UUID
    token: str
    camera_id: UUID
    refuse: str | None = None
    silent: bool = False
    orders: list[RecordClip] = field(default_factory=list)
    forgotten: list[UUID] = field(default_factory=list)
    acks: dict[UUID, str | None] = field(default_factory=dict)
    _socket: ClientConnection | None = None
    _greeted: asyncio.Event = field(default_factory=asyncio.Event)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, socket: ClientConnection) -> None:
        self._socket = socket
        with suppress(websockets.ConnectionClosed):
            async for text in socket:
                message = decode_from_server(text)
                if isinstance(message, Request):
                    await self._serve(socket, message)
                elif isinstance(message, Ack):
                    self.acks[message.id] = message.refused
                elif isinstance(message, DesiredState):
                    self._greeted.set()
                self._told.set()

    async def _serve(self, socket: ClientConnection, request: Request) -> None:
        if isinstance(request.body, ForgetClip):
            self.forgotten.append(request.body.clip_id)
        if isinstance(request.body, RecordClip):
            self.orders.append(request.body)
        if self.silent:
            return
        if self.refuse is not None:
            reply = Reply(id=request.id, ok=False, error=self.refuse, message="No.")
        else:
            reply = Reply(id=request.id, ok=True, result={"started_at": now_text()})
        await socket.send(encode(reply))

    async def until_told(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._told.clear()
                await self._told.wait()

    async def report(self, body: ReportBody, report_id: UUID | None = None) -> str | None:
        """Sends it and waits for its Ack; answers its `refused`."""
        assert self._socket is not None
        report_id = report_id or uuid4()
        self.acks.pop(report_id, None)
        await self._socket.send(encode(Report(id=report_id, body=body)))
        await self.until_told(lambda: report_id in self.acks)
        return self.acks[report_id]

    async def ticket(self, clip_id: UUID | str, data: bytes, **more: Any) -> httpx.Response:
        """Asks for an upload with the gateway's own token."""
        client = self.world.client(token=more.pop("token", self.token))
        body = {"size_bytes": len(data), "sha256": sha256(data), **more}
        gateway_id = body.pop("gateway_id", self.id)
        return await client.post(f"/api/v1/gateways/{gateway_id}/clips/{clip_id}/upload", json=body)

    async def send_parts(self, ticket: dict[str, Any], data: bytes, only: Any = None) -> list[int]:
        """PUTs every part that is not done (of `only` these numbers); answers the status codes."""
        client = self.world.client(None)
        codes = []
        for part in ticket["parts"]:
            if part["done"] or (only is not None and part["number"] not in only):
                continue
            begin = part["offset_bytes"]
            body = data[begin : begin + part["size_bytes"]]
            answer = await client.request(part["method"], part["url"], content=body, headers=part["headers"])
            codes.append(answer.status_code)
        return codes

    async def upload(self, clip_id: UUID | str, data: bytes, **more: Any) -> None:
        answer = await self.ticket(clip_id, data, **more)
        assert answer.status_code == 200, answer.text
        codes = await self.send_parts(answer.json(), data)
        assert set(codes) <= {204}

    def ready(self, clip_id: UUID | str, data: bytes, **more: Any) -> ClipReady:
        facts: dict[str, Any] = {
            **{"size_bytes": len(data), "sha256": sha256(data), "duration_sec": 20.0},
            **{"started_at": datetime.now(UTC), "codec": "h264", "width": 768, "height": 432},
            **more,
        }
        return ClipReady(clip_id=UUID(str(clip_id)), **facts)

    async def trigger(self, **body: Any) -> dict[str, Any]:
        """Triggers its camera as an operator; answers the 202's body."""
        answer = await self.world.client("operator").post(
            f"/api/v1/cameras/{self.camera_id}/trigger", json=body
        )
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found


def now_text() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def add_camera(
    world: World,
    gateway_id: UUID | None,
    *,
    site_id: UUID | None = None,
    status: str = "online",
    name: str = "Gate",
) -> UUID:
    """A camera's row as it is once its gateway said it is online."""
    camera_id = new_id()
    mode = "gateway" if gateway_id else "direct"
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'rtsp', '192.0.2.7', 554, %s)",
        *(world.org, camera_id, site_id or world.site, gateway_id, mode, name, status),
    )
    return camera_id


async def forget_trigger(world: World, camera_id: UUID) -> None:
    """As if five seconds had gone by."""
    await world.sql("UPDATE cameras SET last_triggered_at = NULL WHERE id = %s", camera_id)


@asynccontextmanager
async def recording(
    world: World,
    *,
    identity: tuple[UUID, str] | None = None,
    camera_id: UUID | None = None,
    clips: list[UUID] | None = None,
) -> AsyncIterator[Recorder]:
    """A gateway with one online camera, connected; `clips` are those it says it holds."""
    gateway_id, token = identity or await pair(world, world.site)
    camera_id = camera_id or await add_camera(world, gateway_id)
    url = f"ws{world.base_url.removeprefix('http')}/api/v1/gateways/{gateway_id}/ws"
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as socket:
        made = Recorder(world, gateway_id, token, camera_id)
        hello = Hello(protocol=PROTOCOL_VERSION, version="test", facts=GatewayFacts(), clips=clips or [])
        await socket.send(encode(hello))
        task = asyncio.create_task(made.run(socket))
        await asyncio.wait_for(made._greeted.wait(), 10)
        try:
            yield made
        finally:
            await socket.close()
            await task


async def event_when(world: World, event_id: str, condition: Any, timeout_sec: float = 15) -> dict[str, Any]:
    """The event as an admin reads it, once `condition(event)` holds."""
    client = world.client("admin")
    async with asyncio.timeout(timeout_sec):
        while True:
            answer = await client.get(f"/api/v1/events/{event_id}")
            assert answer.status_code == 200, answer.text
            event: dict[str, Any] = answer.json()
            if condition(event):
                return event
            await asyncio.sleep(0.02)


async def clip_id_of(world: World, event_id: str) -> UUID:
    rows = await world.sql("SELECT id FROM clips WHERE event_id = %s", UUID(event_id))
    found: UUID = rows[0][0]
    return found
