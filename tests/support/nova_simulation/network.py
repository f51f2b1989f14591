"""The way between gateway and server: connections that keep their order, and between which there is none; that break, are cut off,
stall, and repeat what was asked over HTTP.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from typing import Any, Protocol, TypeVar

import httpx
from websockets.exceptions import ConnectionClosedError

from nova_simulation.disk import is_dead
from nova_simulation.loop import LIFE, Life
from novavms_gateway.storage.identity import Identity

T = TypeVar("T")


class Listener(Protocol):
    """The server's side of the network."""

    is_up: bool

    def opened(self, connection: Connection) -> None: ...

    def heard(self, connection: Connection, text: str) -> None: ...

    def closed(self, connection: Connection) -> None: ...

    def http(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]: ...


class Connection:
    """One socket. What one side sends arrives in order, once, or not at all."""

    def __init__(self, network: Network, number: int, life: Life | None) -> None:
        self.network = network
        self.number = number
        self.life = life
        self.is_open = True
        self.is_silent = False
        """Both sides take it for alive, and nothing gets through."""
        self._to_gateway: deque[str] = deque()
        self._wake = asyncio.Event()
        self._held: list[tuple[bool, str]] = []
        self._arrives = {True: 0.0, False: 0.0}

    # ---- the gateway's end (`Socket`) --------------------------------------------------------------------

    async def send(self, message: str | bytes) -> None:
        if not self.is_open:
            raise ConnectionClosedError(None, None)
        self.carry(True, message if isinstance(message, str) else message.decode())

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            while self._to_gateway:
                yield self._to_gateway.popleft()
            if not self.is_open:
                raise ConnectionClosedError(None, None)
            self._wake.clear()
            await self._wake.wait()

    @property
    def transport(self) -> Any:
        return self

    def abort(self) -> None:
        self.close()

    # ---- both ----------------------------------------------------------------------------------------------

    def carry(self, to_server: bool, text: str) -> None:
        """Sends it off."""
        if self.is_silent or (to_server and self.life is not None and self.life.is_over):
            return
        if self.network.is_cut:
            self._held.append((to_server, text))
            return
        loop = asyncio.get_running_loop()
        at = max(self._arrives[to_server] + 1e-6, loop.time() + self.network.delay())
        self._arrives[to_server] = at
        loop.call_at(at, self._arrive, to_server, text, context=self.network.context.copy())

    def release(self) -> None:
        """The way is free again: what was held up goes on."""
        held, self._held = self._held, []
        for to_server, text in held:
            self.carry(to_server, text)

    def _arrive(self, to_server: bool, text: str) -> None:
        if self.is_silent or not self.is_open:
            return
        if to_server:
            if self.network.server.is_up:
                self.network.server.heard(self, text)
        else:
            self._to_gateway.append(text)
            self._wake.set()

    def close(self) -> None:
        """Both sides hear of it, unless nothing gets through."""
        if not self.is_open:
            return
        self.is_open = False
        self._wake.set()
        self.network.connections.pop(self, None)
        self.network.at_server(self.network.server.closed, self)


class Network:
    """`is_cut`: nothing gets through, and nobody is told. `slow`: seconds that a message takes at most."""

    def __init__(self, server: Listener, chance: random.Random) -> None:
        self.server = server
        self.chance = chance
        self.is_cut = False
        self.slow = 0.05
        self.fails = 0.0
        """The chance that an HTTP exchange breaks, before, within or after."""
        self.repeats = 0.0
        self.bytes_per_sec = 1e9
        self.connections: dict[Connection, None] = {}
        self._count = 0
        self._healed = asyncio.Event()
        self._healed.set()
        self.context = copy_context()
        """The server's: it is no part of a life of the gateway."""

    def at_server(self, work: Callable[..., T], *args: Any) -> T:
        """Runs what the server does."""
        return self.context.copy().run(work, *args)

    def delay(self) -> float:
        return self.chance.uniform(0.0005, self.slow)

    def cut(self) -> None:
        self.is_cut = True
        self._healed.clear()

    def heal(self) -> None:
        self.is_cut = False
        self._healed.set()
        for connection in list(self.connections):
            connection.release()

    def break_all(self, *, silently: bool) -> None:
        for connection in list(self.connections):
            if silently:
                connection.is_silent = True
            else:
                connection.close()

    def connect(self, identity: Identity, user_agent: str) -> AbstractAsyncContextManager[Any]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Connection]:
        await asyncio.sleep(self.delay())
        if self.is_cut:
            await asyncio.sleep(10)
            raise TimeoutError
        if not self.server.is_up:
            raise ConnectionRefusedError
        self._count += 1
        connection = Connection(self, self._count, LIFE.get())
        self.connections[connection] = None
        self.at_server(self.server.opened, connection)
        try:
            yield connection
        finally:
            if not is_dead():
                connection.close()

    def crash(self, life: Life) -> None:
        """A dead box closes nothing: the server finds out by the silence, or by the next hello."""
        for connection in list(self.connections):
            if connection.life is life:
                connection.is_silent = True


class Transport(httpx.AsyncBaseTransport):
    """HTTP over the network, without a socket."""

    def __init__(self, network: Network, sent: Callable[[str, int], None] = lambda path, size: None) -> None:
        self._network = network
        self._sent = sent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        network = self._network
        await asyncio.sleep(network.delay())
        await self._passable(request)
        breaks = network.chance.random() < network.fails
        break_at = network.chance.random() if breaks else 2.0
        body = bytearray()
        size = int(request.headers.get("content-length", 0))
        async for piece in request.stream:  # type: ignore[union-attr]
            await asyncio.sleep(len(piece) / network.bytes_per_sec)
            await self._passable(request)
            body += piece
            self._sent(request.url.path, len(piece))
            if len(body) >= break_at * max(size, 1):
                raise httpx.WriteError("the line broke", request=request)
        if is_dead():
            raise httpx.WriteError("the power is gone", request=request)
        if len(body) != size:
            raise httpx.WriteError("fewer bytes than were announced", request=request)
        status, answer = self._serve(request, bytes(body))
        if network.chance.random() < network.repeats:
            status, answer = self._serve(request, bytes(body))
        await asyncio.sleep(network.delay())
        await self._passable(request)
        if breaks:
            raise httpx.ReadError("the answer was lost", request=request)
        return httpx.Response(status, content=answer, request=request)

    def _serve(self, request: httpx.Request, body: bytes) -> tuple[int, bytes]:
        if not self._network.server.is_up:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.raw_path.decode()
        http = self._network.server.http
        return self._network.at_server(http, request.method, path, dict(request.headers), body)

    async def _passable(self, request: httpx.Request) -> None:
        network = self._network
        if not network.server.is_up:
            raise httpx.ConnectError("refused", request=request)
        if network.is_cut:
            try:
                async with asyncio.timeout(30):
                    await network._healed.wait()
            except TimeoutError:
                raise httpx.ConnectTimeout("no way", request=request) from None
