"""What the HTTP server does by itself, before the edge hears of it: bytes that are no HTTP are answered in our shape, and what is
compressed already is not compressed again."""

from __future__ import annotations

from typing import cast

import msgspec
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from novavms_server.kit.errors import ValidationError
from novavms_server.kit.ids import new_request_id

PICTURES = "/api/v1/live/"
"""Pictures come by WebSockets below this path."""
ABORT = "novavms.abort"
"""A message of ours to the HTTP server: end the connection now, and drop all that waits for the client."""
TAKE_SEC = 15.0
"""So long a client has, after the last word, to take what waits for it; longer than uvicorn waits for its goodbye."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's, with our error body for what its parser refuses. (No rate limit's headers: nobody asked anything.)"""

    def send_400_response(self, msg: str) -> None:
        request_id = new_request_id()
        body = msgspec.json.encode(ValidationError("This is no valid HTTP request.").body(request_id))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\n"
            "x-content-type-options: nosniff\r\n"
            "cache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's, without its compression for pictures, which they were made by already: it would cost much and save nothing."""

    def handle_connect(self, event: Request) -> None:
        if event.path.startswith(PICTURES):
            self.conn.available_extensions = []
        super().handle_connect(event)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:  # it is closed once all is taken, which a client may never do
            self.loop.call_later(TAKE_SEC, self._give_up)

    def _give_up(self) -> None:
        if not self.disconnected:
            self.transport.abort()

    async def send(self, message: ASGISendEvent) -> None:
        if cast("str", message["type"]) == ABORT:
            self.transport.abort()
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # else uvicorn logs each refusal as an error of ours
