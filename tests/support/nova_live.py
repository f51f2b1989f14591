"""Both ends of live view, for tests of the server: a gateway that PUTs when it is told to, and a watcher that reads the WebSocket.
What is shown is real H.264: greys that tell their number."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from random import randbytes
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from nova_footage import add_camera
from nova_gateway import ScriptedGateway, connected, pair
from nova_segments import FPS, PERIOD, TICK, pictures
from nova_world import World
from websockets.asyncio.client import ClientConnection, connect

from novavms_camera.capture.fmp4 import FragmentBuilder, init_part
from novavms_camera.capture.model import StreamFormat, VideoSample
from novavms_protocol.live import INIT, MEDIA, LiveNote, Watch, live_frame, note_frame

DEADLINE_SEC = 10.0
MB = 1_000_000


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE_SEC):
        while not condition():
            await asyncio.sleep(0.005)


@dataclass
class Film:
    """Fragments of a camera, one after the other: five pictures each, a key frame each second."""

    size: int = 64
    at_90k: int = 900_000
    number: int = 0

    @property
    def fmt(self) -> StreamFormat:
        return replace(pictures(self.size)[0], audio=None)

    def note(self, **more: Any) -> LiveNote:
        facts: dict[str, Any] = {"tier": "main", "codecs": self.fmt.video.codec_string, "codec": "h264"}
        return LiveNote(**{**facts, "width": self.size, "height": self.size, **more})

    def beginning(self, **more: Any) -> bytes:
        return note_frame(self.note(**more)) + live_frame(INIT, init_part(self.fmt))

    def fragments(self, seconds: float) -> Iterator[tuple[bytes, bool, int]]:
        """(data, begins on a key frame, start)."""
        frames, builder = pictures(self.size)[1], FragmentBuilder(self.fmt, longest_sec=0.2)
        for _ in range(round(seconds * FPS)):
            key, data = frames[self.number % PERIOD]
            due = builder.add_video(VideoSample(self.at_90k, self.at_90k, key, data))
            if due is not None:
                yield due, builder.starts_on_key, builder.start_90k
            self.number += 1
            self.at_90k += TICK
        last = builder.flush(self.at_90k)
        if last is not None:
            yield last, builder.starts_on_key, builder.start_90k

    def play(self, seconds: float) -> bytes:
        """Frames of a live body."""
        return b"".join(
            live_frame(MEDIA, data, is_key=key, start_90k=at) for data, key, at in self.fragments(seconds)
        )

    def padded(self) -> bytes:
        """A second of which the picture is a megabyte: a fragment with a box that players skip."""
        pieces = list(self.fragments(1))
        data, key, at = pieces[0]
        filler = MB.to_bytes(4, "big") + b"free" + randbytes(MB - 8)
        return live_frame(MEDIA, data + filler, is_key=key, start_90k=at)


class Body:
    """One PUT of the gateway's, over a bare socket, so that it hears at once when it is hung up on. `status`: of the answer; 0: none."""

    def __init__(self, ask: Watch, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ask = ask
        self.status: int | None = None
        self._reader = reader
        self._writer = writer
        self._hears = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        line = b""
        with suppress(OSError):
            line = await self._reader.readline()
        self.status = int(line.split()[1]) if line else 0

    async def send(self, data: bytes) -> None:
        with suppress(OSError):
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await self._writer.drain()

    async def ended(self) -> int:
        async with asyncio.timeout(DEADLINE_SEC):
            await asyncio.shield(self._hears)
        assert self.status is not None
        return self.status

    async def break_off(self) -> None:
        self._writer.close()
        self._writer.transport.abort()
        await self._hears
        with suppress(OSError):
            await self._writer.wait_closed()

    async def close(self) -> None:
        await self.break_off()


async def put(world: World, url: str, token: str, ask: Watch | None = None) -> Body:
    """Begins a PUT."""
    at = urlsplit(world.base_url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    head = f"PUT {url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    return Body(ask or Watch(camera_id=UUID(int=0), tier="main", url=url), reader, writer)


@dataclass
class Sender:
    """What the gateway does with `Watch`. `refuse`: the error's word. `mute`: it says yes, and does nothing. `opening`: what each
    body begins with."""

    world: World
    film: Film = field(default_factory=Film)
    token: str = ""
    refuse: str | None = None
    mute: bool = False
    opening: bytes | None = None
    asked: list[Watch] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)

    async def serve(self, ask: Any) -> dict[str, Any] | str:
        assert isinstance(ask, Watch)
        self.asked.append(ask)
        if self.refuse is not None:
            return self.refuse
        if not self.mute:
            body = await put(self.world, ask.url, self.token, ask)
            self.bodies.append(body)
            await body.send(
                self.film.beginning(tier=ask.tier) + self.film.play(1)
                if self.opening is None
                else self.opening
            )
        return {}

    async def body(self, count: int = 1) -> Body:
        """The newest, once there are so many."""
        await until(lambda: len(self.bodies) >= count)
        return self.bodies[-1]

    async def close(self) -> None:
        for body in self.bodies:
            await body.close()


@dataclass
class Scene:
    world: World
    gateway: ScriptedGateway
    sender: Sender
    camera_id: UUID
    drop: Callable[[], Awaitable[None]]
    """Its socket goes; `again` brings another."""

    @asynccontextmanager
    async def again(self) -> AsyncIterator[None]:
        identity = (self.gateway.id, self.gateway.token)
        async with connected(self.world, identity=identity, serve=self.sender.serve):
            yield

    async def live(self, role: str = "viewer", **query: Any) -> dict[str, Any]:
        answer = await self.world.client(role).get(f"/api/v1/cameras/{self.camera_id}/live", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def address(self, role: str = "viewer") -> str:
        url: str = (await self.live(role))["protocols"][0]["url"]
        return url

    @asynccontextmanager
    async def watching(self, role: str = "viewer", query: str = "") -> AsyncIterator[Watcher]:
        async with watch(self.world, await self.address(role) + query) as watcher:
            yield watcher


@asynccontextmanager
async def scene(world: World, **camera: Any) -> AsyncIterator[Scene]:
    """A gateway with a camera. Upstreams linger as short as can be."""
    world.server.live.upstreams.linger_sec = 0.05
    identity = await pair(world, world.site)
    sender = Sender(world)
    sender.token = identity[1]
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(connected(world, identity=identity, serve=sender.serve))
        camera_id = await add_camera(world, gateway, **camera)
        try:
            yield Scene(world, gateway, sender, camera_id, stack.aclose)
        finally:
            await sender.close()


ONVIF: dict[str, Any] = {
    **{"type": "onvif", "host": "192.0.2.12", "onvif_username": "admin", "onvif_password": "x"},
    "rtsp_url": None,
}


class Watcher:
    """An open WebSocket. `movie`: all that was given since the newest `init`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.init: dict[str, Any] | None = None
        self.movie = b""

    async def next(self) -> dict[str, Any] | bytes:
        async with asyncio.timeout(DEADLINE_SEC):
            message = await self.socket.recv()
        if isinstance(message, bytes):
            self.movie += message
            return message
        said: dict[str, Any] = json.loads(message)
        if said["type"] == "init":
            self.init, self.movie = said, b""
        return said

    async def hear(self, kind: str) -> dict[str, Any]:
        """Reads on until this is said."""
        async with asyncio.timeout(3 * DEADLINE_SEC):
            while True:
                said = await self.next()
                if isinstance(said, dict) and said["type"] == kind:
                    return said

    async def see(self, pieces: int) -> bytes:
        """Reads on until so many binary messages have come."""
        while pieces:
            pieces -= isinstance(await self.next(), bytes)
        return self.movie

    async def ask(self, tier: str) -> None:
        await self.socket.send(json.dumps({"type": "tier", "tier": tier}))

    async def closed(self) -> tuple[int | None, str | None]:
        async with asyncio.timeout(DEADLINE_SEC):
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def watch(world: World, path: str, **more: Any) -> AsyncIterator[Watcher]:
    url = f"ws{world.base_url.removeprefix('http')}{path}"
    async with connect(url, proxy=None, close_timeout=1, max_size=None, **more) as socket:
        yield Watcher(socket)


def narrow(world: World) -> socket.socket:
    """For `watch(sock=…)`: a connection that takes little unless it is read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    at = urlsplit(world.base_url)
    made.connect((at.hostname, at.port))
    made.setblocking(False)
    return made
