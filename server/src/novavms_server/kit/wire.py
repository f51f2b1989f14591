"""What never becomes a request: bytes that are no HTTP. They are answered before the edge hears of them, in the same shape."""

from __future__ import annotations

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from novavms_server.kit.errors import ValidationError
from novavms_server.kit.ids import new_request_id


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
