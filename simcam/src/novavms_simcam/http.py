"""A small HTTP/1.1 server: enough for ONVIF's SOAP and for the control server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from novavms_simcam.wire import BadMessage, Request, RequestReader

PIECES: Final = 20
"""In how many pieces a body dribbles in."""
REASONS: Final = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}


@dataclass(slots=True)
class Reply:
    """An answer; `delay_sec` is waited before it is sent, `closes`: the connection ends with it, `body_sec`: how long the body takes."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay_sec: float = 0.0
    closes: bool = False
    body_sec: float = 0.0

    def encode(self) -> bytes:
        return self.head() + self.body

    def head(self) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


Handler = Callable[[Request, str], "Reply | None"]
"""Takes a request and the local address it came to; None says nothing at all (a silent camera)."""


class HttpConnection(asyncio.Protocol):
    """One client; requests are answered one after the other, the connection stays open unless asked otherwise."""

    def __init__(self, handler: Handler, transports: set[asyncio.Transport]) -> None:
        self._handler = handler
        self._transports = transports
        self._reader = RequestReader()
        self._ready_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # neither asyncio's nor uvloop's derive from it
        self._transports.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transports.discard(self._transport)
            self._transport = None

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        try:
            requests = self._reader.feed(data)
        except BadMessage as bad:
            transport.write(Reply(400, f"{bad}\n".encode(), headers=[("Connection", "close")]).encode())
            transport.close()
            return
        for request in requests:
            reply = self._handler(request, str(transport.get_extra_info("sockname")[0]))
            if reply is not None:
                last = reply.closes or request.headers.get("connection", "").lower() == "close"
                self._answer(reply, close=last or request.version == "HTTP/1.0")

    def _answer(self, reply: Reply, *, close: bool) -> None:
        """Send, late if so wished, but never before an earlier answer."""
        loop = asyncio.get_running_loop()
        self._ready_at = max(self._ready_at, loop.time() + reply.delay_sec)
        if close:
            reply.headers.append(("Connection", "close"))
        if reply.body_sec:
            self._dribble(reply, close)
        elif self._ready_at <= loop.time():
            self._send(reply.encode(), close)
        else:
            loop.call_at(self._ready_at, self._send, reply.encode(), close)

    def _dribble(self, reply: Reply, close: bool) -> None:
        """The head at once, the body in pieces until `body_sec` is over."""
        loop, begun = asyncio.get_running_loop(), self._ready_at
        loop.call_at(begun, self._send, reply.head(), False)
        size = max(1, -(-len(reply.body) // PIECES))
        pieces = [reply.body[at : at + size] for at in range(0, len(reply.body), size)]
        for number, piece in enumerate(pieces, 1):
            at = begun + reply.body_sec * number / len(pieces)
            loop.call_at(at, self._send, piece, close and number == len(pieces))
            self._ready_at = at

    def _send(self, data: bytes, close: bool) -> None:
        if self._transport is not None:
            self._transport.write(data)
            if close:
                self._transport.close()
