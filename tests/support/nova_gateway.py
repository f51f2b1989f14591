"""A gateway of the tests' own: a real WebSocket client that speaks the protocol and answers checks from a script. For tests
of the server where the real gateway is not the point."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import websockets
from nova_world import World
from websockets.asyncio.client import ClientConnection, connect

from novavms_protocol import (
    PROTOCOL_VERSION,
    Ack,
    CameraStatus,
    Check,
    CheckProgress,
    DesiredState,
    GatewayFacts,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reply,
    Report,
    Request,
    Snapshot,
    decode_from_server,
    encode,
)
from novavms_protocol.messages import ReportBody

Answer = Callable[[Check], Awaitable[dict[str, Any]]]
Serve = Callable[[Any], Awaitable[dict[str, Any] | str]]
"""What it does with a request that is neither a check nor a snapshot: the reply's result, or its error's word."""


def good_report(**facts: Any) -> dict[str, Any]:
    """What a gateway says of a healthy ONVIF camera."""
    known = {
        **{
            "transport": "tcp",
            "codec": "h264",
            "width": 1920,
            "height": 1080,
            "fps": 25.0,
            "has_audio": True,
        },
        **{"manufacturer": "Acme", "model": "Dome 4", "firmware": "1.2.3", "serial": f"SN{uuid4().hex[:8]}"},
        **{"mac": None, "endpoint_reference": None, "address": "192.0.2.10"},
        "stream_url": "rtsp://192.0.2.10:554/main",
        "profiles": [{"token": "p0", "name": "main", "codec": "h264", "width": 1920, "tier": "main"}],
        **facts,
    }
    stages = [{"name": "policy", "ok": True, "ms": 0.1}, {"name": "media", "ok": True, "ms": 90.0}]
    return {
        **{"ok": True, "reason": None, "message": None, "hint": None, "elapsed_ms": 120.5},
        **{"stages": stages, "warnings": [], "facts": known},
    }


def bad_report(reason: str) -> dict[str, Any]:
    """What a gateway says of a camera that does not work."""
    stage = {"name": "login", "ok": False, "ms": 3.0, "reason": reason, "detail": "refused"}
    return {
        **{"ok": False, "reason": reason, "message": f"It said {reason}.", "hint": "Do something."},
        **{"elapsed_ms": 12.0, "stages": [stage], "warnings": [], "facts": {}},
    }


@dataclass
class ScriptedGateway:
    """Connected. `answer` is what it does with a Check; it never answers while that waits. `serve`: with anything else."""

    id: UUID
    site_id: UUID
    token: str
    answer: Answer
    serve: Serve | None = None
    checks: list[Check] = field(default_factory=list)
    tells_stages: bool = False
    passing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: stages follow one another; else the check stands still after the first."""
    snapshots: list[Snapshot] = field(default_factory=list)
    states: list[DesiredState] = field(default_factory=list)
    acks: dict[UUID, str | None] = field(default_factory=dict)
    _socket: ClientConnection | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, socket: ClientConnection) -> None:
        self._socket = socket
        with suppress(websockets.ConnectionClosed):
            async for text in socket:
                message = decode_from_server(text)
                if isinstance(message, Request) and isinstance(message.body, Check):
                    self.checks.append(message.body)
                    task = asyncio.create_task(self._reply(message.id, message.body))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif isinstance(message, Request) and isinstance(message.body, Snapshot):
                    self.snapshots.append(message.body)
                    jpeg = base64.b64encode(b"\xff\xd8JPEG").decode()
                    await socket.send(encode(Reply(id=message.id, ok=True, result={"jpeg": jpeg})))
                elif isinstance(message, Request) and self.serve is not None:
                    task = asyncio.create_task(self._serve(message, self.serve))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif isinstance(message, DesiredState):
                    self.states.append(message)
                elif isinstance(message, Ack):
                    self.acks[message.id] = message.refused
                elif isinstance(message, Ping):
                    await socket.send(encode(Pong(nonce=message.nonce)))
                elif isinstance(message, Goodbye):
                    return
                self._told.set()

    async def _reply(self, request_id: UUID, check: Check) -> None:
        assert self._socket is not None
        result = await self.answer(check)
        with suppress(websockets.ConnectionClosed):
            for stage in result["stages"] if self.tells_stages else []:
                await self._socket.send(encode(CheckProgress(id=request_id, stage=stage)))
                await self.passing.wait()
            await self._socket.send(encode(Reply(id=request_id, ok=True, result=result)))

    async def _serve(self, request: Request, serve: Serve) -> None:
        assert self._socket is not None
        said = await serve(request.body)
        reply = (
            Reply(id=request.id, ok=False, error=said)
            if isinstance(said, str)
            else Reply(id=request.id, ok=True, result=said)
        )
        with suppress(websockets.ConnectionClosed):
            await self._socket.send(encode(reply))

    async def until(self, condition: Callable[[], bool], timeout_sec: float = 10) -> None:
        """Waits for what the server says to make `condition` true."""
        async with asyncio.timeout(timeout_sec):
            while not condition():
                self._told.clear()
                await self._told.wait()

    async def report(self, body: ReportBody) -> str | None:
        """Sends a report and waits for its Ack; answers its `refused`."""
        assert self._socket is not None
        report_id = uuid4()
        await self._socket.send(encode(Report(id=report_id, body=body)))
        await self.until(lambda: report_id in self.acks)
        return self.acks[report_id]

    async def say(self, camera_id: str | UUID, status: str, **more: Any) -> str | None:
        """A CameraStatus of now."""
        body: dict[str, Any] = {"revision": 1, "at": datetime.now(UTC), **more}
        return await self.report(CameraStatus(camera_id=UUID(str(camera_id)), status=status, **body))  # type: ignore[arg-type]

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def pair(world: World, site_id: UUID, *, other: bool = False) -> tuple[UUID, str]:
    """A new gateway on the site: (id, token)."""
    client = world.client("admin", other=other)
    body = {"name": f"Box {uuid4().hex[:6]}", "site_id": str(site_id)}
    code = await client.post("/api/v1/gateways/generate-pairing-code", json=body)
    assert code.status_code == 201, code.text
    paired = await client.post("/api/v1/gateways/pair", json={"pairing_code": code.json()["pairing_code"]})
    assert paired.status_code == 201, paired.text
    return UUID(paired.json()["gateway_id"]), paired.json()["gateway_token"]


async def works(check: Check) -> dict[str, Any]:
    """The default script: every camera is fine, each another device."""
    url = check.rtsp_url or f"rtsp://{check.host}:554/main"
    return good_report(stream_url=url)


@asynccontextmanager
async def connected(
    world: World,
    *,
    site_id: UUID | None = None,
    answer: Answer = works,
    identity: tuple[UUID, str] | None = None,
    serve: Serve | None = None,
    ledger_epoch: UUID | None = None,
    has_go2rtc: bool = False,
) -> AsyncIterator[ScriptedGateway]:
    """Paired (unless `identity` is given), connected and greeted; it has its first desired state."""
    site_id = site_id or world.site
    gateway_id, token = identity or await pair(world, site_id)
    url = f"ws{world.base_url.removeprefix('http')}/api/v1/gateways/{gateway_id}/ws"
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as socket:
        gateway = ScriptedGateway(gateway_id, site_id, token, answer, serve)
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            version="test",
            facts=GatewayFacts(),
            ledger_epoch=ledger_epoch,
            has_go2rtc=has_go2rtc,
        )
        await socket.send(encode(hello))
        task = asyncio.create_task(gateway.run(socket))
        await gateway.until(lambda: bool(gateway.states))
        try:
            yield gateway
        finally:
            await gateway.end()
            await socket.close()
            await task
