"""Messages of RTSP (RFC 2326) and HTTP/1.1 (RFC 9112), which share one grammar, out of a byte stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_BODY_BYTES: Final = 1024 * 1024


class BadMessage(Exception):
    """The peer sent something that is no request; the connection is of no further use."""


@dataclass(slots=True)
class Request:
    """One request. Header names are lower case; of a repeated header the last counts."""

    method: str
    uri: str
    version: str
    headers: dict[str, str]
    body: bytes


class RequestReader:
    """Feed bytes, get whole requests. Interleaved frames from the client ($, RTCP receiver reports) are counted and skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.interleaved_frames = 0

    def feed(self, data: bytes) -> list[Request]:
        """The requests that are complete now, in order. Raises BadMessage."""
        self._buffer += data
        requests: list[Request] = []
        while self._buffer:
            if self._buffer[0] == 0x16:
                raise BadMessage("a TLS client on a port without TLS")
            if self._buffer[0] == 0x24:
                if not self._skip_interleaved():
                    break
                continue
            request = self._take_request()
            if request is None:
                break
            requests.append(request)
        return requests

    def _skip_interleaved(self) -> bool:
        if len(self._buffer) < 4:
            return False
        size = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < size:
            return False
        del self._buffer[:size]
        self.interleaved_frames += 1
        return True

    def _take_request(self) -> Request | None:
        while (
            self._buffer[:2] == b"\r\n"
        ):  # stray blank lines between messages are ignored (RFC 9112 section 2.2)
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadMessage("header too long")
            return None
        first, *rest = bytes(self._buffer[:end]).decode("utf-8", "replace").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise BadMessage("no request line")
        headers = {}
        for line in rest:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            raise BadMessage("bad Content-Length")
        size = int(length)
        if len(self._buffer) < end + 4 + size:
            return None
        body = bytes(self._buffer[end + 4 : end + 4 + size])
        del self._buffer[: end + 4 + size]
        return Request(words[0].upper(), words[1], words[2], headers, body)
