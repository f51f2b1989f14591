"""What the RTSP server answers with: status lines, headers, bodies (RFC 2326 section 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
REASONS: Final = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Stream Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
HTTP_GARBAGE: Final = (
    b"HTTP/1.0 400 Bad Request\r\nServer: lighttpd\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    b"<html><head><title>400 Bad Request</title></head><body><h1>Bad Request</h1></body></html>"
)


@dataclass(slots=True)
class Answer:
    """A response before it has its CSeq."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def encode(self, cseq: str) -> bytes:
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}", f"CSeq: {cseq}", "Server: NovaVMS SimCam"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body
