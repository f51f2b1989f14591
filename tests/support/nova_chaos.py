"""A proxy on the way to the server that misbehaves by a seed: cuts, delays, repeats, garbles, answers for itself.

One request a connection. Answers that stream (`text/event-stream`) are passed on as they come, and cut somewhere.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

KINDS = (
    "well",
    "refused",  # the connection ends before the request is passed on
    "answer lost",  # the server did it, and nobody is told
    "answer cut",  # in its middle
    "late",
    "repeated",  # the server gets the request twice; the second answer is passed on
    "garbled",  # a body that is no JSON any more, under the right headers
    "page",  # a 502 of the proxy's own, in HTML
    "trickled",  # byte by byte
)
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Chaos:
    """`url` is where to connect. `done` counts what was done to requests."""

    url: str
    random: random.Random
    kinds: tuple[str, ...] = KINDS
    done: Counter[str] = field(default_factory=Counter)
    _server: tuple[str, int] = ("", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            kind = self.random.choice(self.kinds)
            self.done[kind] += 1
            if kind != "refused":
                await self._pass_on(kind, request, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _pass_on(self, kind: str, request: bytes, writer: asyncio.StreamWriter) -> None:
        if kind == "late":
            await asyncio.sleep(self.random.uniform(0.01, 0.2))
        if kind == "page":
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE))
            await writer.drain()
            return
        if kind == "repeated":
            await self._answer(request)
        reader, upstream = await asyncio.open_connection(*self._server)
        try:
            upstream.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b"text/event-stream" in head.lower():
                await self._stream(head, reader, writer)
                return
            body = await reader.read()
        finally:
            upstream.close()
            with suppress(OSError):
                await upstream.wait_closed()
        await self._spoil(kind, head, body, writer)

    async def _spoil(self, kind: str, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if kind == "answer lost":
            return
        if kind == "garbled" and body:
            body = bytes(byte ^ 0x80 for byte in body)
        answer = head + body
        if kind == "answer cut":
            answer = answer[: self.random.randrange(1, max(2, len(answer)))]
        if kind == "trickled":
            for at in range(0, len(answer), 50):
                writer.write(answer[at : at + 50])
                await writer.drain()
                await asyncio.sleep(0.0005)
            return
        writer.write(answer)
        await writer.drain()

    async def _stream(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self.random.randrange(200, 4000)
        writer.write(head)
        while left > 0 and (data := await reader.read(min(left, 4096))):
            left -= len(data)
            writer.write(data)
            await writer.drain()

    async def _answer(self, request: bytes) -> bytes:
        reader, upstream = await asyncio.open_connection(*self._server)
        try:
            upstream.write(request)
            return await reader.read()
        finally:
            upstream.close()
            with suppress(OSError):
                await upstream.wait_closed()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    """Whole, and asking for the connection's end after the answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kept = [line for line in lines[:-2] if not line.lower().startswith((b"connection:", b"expect:"))]
    size = next(
        (int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0
    )
    body = await reader.readexactly(size) if size else b""
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body


@asynccontextmanager
async def chaos(server_url: str, seed: int, kinds: tuple[str, ...] = KINDS) -> AsyncIterator[Chaos]:
    """A proxy to the server at that address, until the block ends."""
    parts = urlsplit(server_url)
    assert parts.hostname
    assert parts.port
    made = Chaos("", random.Random(seed), kinds, _server=(parts.hostname, parts.port))
    running: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    listener = await asyncio.start_server(begin, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listener.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await listener.wait_closed()
