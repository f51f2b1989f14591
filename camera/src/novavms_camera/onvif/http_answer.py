"""The bytes of HTTP/1.1 (RFC 9112) from the client's side: answers are read leniently and never beyond a bound."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from novavms_camera.faults import CameraFault

MAX_BODY_BYTES: Final = 1 << 20
"""A recorder with 64 channels answers GetProfiles with some 300 KB."""
MAX_HEAD_BYTES: Final = 32 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) +(\d{3})(?: .*)?")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?")
_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")
"""How a TLS record begins (RFC 8446, 5.1): alert or handshake, of any version in use."""


class NotHttp(Exception):
    """What came is no HTTP. `is_tls`: it is TLS."""

    def __init__(self, *, is_tls: bool = False) -> None:
        self.is_tls = is_tls


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer. Header names are lower case; repeated ones stay apart, as WWW-Authenticate must."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


class AnswerReader:
    """One answer out of the bytes that come. `feed` until it gives the answer; `end` where the camera closed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, list[tuple[str, str]]] | None = None
        self._length: int | None = None
        """Of the body; None: until the connection ends."""
        self._chunks: list[bytes] | None = None
        self._size = 0
        self.keeps_alive = True

    @property
    def has_begun(self) -> bool:
        """The head is whole: from here on an end is in the middle of an answer."""
        return self._head is not None

    def feed(self, data: bytes) -> Response | None:
        """Raises NotHttp, and CameraFault camera_error for more than the bounds."""
        self._buffer += data
        while self._head is None:
            if not self._take_head():
                return None
        if self._chunks is not None:
            return self._take_chunks()
        if len(self._buffer) > MAX_BODY_BYTES or (self._length or 0) > MAX_BODY_BYTES:
            raise _too_much()
        if self._length is None or len(self._buffer) < self._length:
            return None
        if len(self._buffer) > self._length:
            self.keeps_alive = False  # nobody asked for more
        return self._answer(bytes(self._buffer[: self._length]))

    def end(self) -> Response | None:
        """The answer that ends with the connection; None where it is cut off."""
        if self._head is None or self._length is not None or self._chunks is not None:
            return None
        return self._answer(bytes(self._buffer))

    def _answer(self, body: bytes) -> Response:
        assert self._head is not None
        return Response(*self._head, body)

    def _take_head(self) -> bool:
        """Whether a head (of no matter what) was there. Sets `_head` unless it is that of a 100 Continue."""
        while self._buffer and self._buffer[0] in b"\r\n":  # left over from before
            del self._buffer[0]
        start = bytes(self._buffer[:7])
        if not b"HTTP/1.".startswith(start):
            raise NotHttp(is_tls=start.startswith(_TLS_RECORDS))
        found = _HEAD_END.search(self._buffer)
        if found is None or found.end() > MAX_HEAD_BYTES:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise NotHttp
            return False
        status_line, *lines = _LINE_END.split(bytes(self._buffer[: found.start()]))
        del self._buffer[: found.end()]
        matched = _STATUS.fullmatch(status_line)
        if matched is None:
            raise NotHttp
        status = int(matched[2])
        if not 100 <= status < 200:
            self._frame(status, _headers(lines), is_http_10=matched[1] == b"0")
        return True

    def _frame(self, status: int, headers: list[tuple[str, str]], *, is_http_10: bool) -> None:
        """Where the body ends (RFC 9112, 6.3), and whether the connection serves another request after it."""
        self._head = (status, headers)
        words = {name: value.lower() for name, value in headers if name in _FRAMING}
        connection = words.get("connection", "")
        self.keeps_alive = "close" not in connection and (not is_http_10 or "keep-alive" in connection)
        length = words.get("content-length", "").partition(",")[0].strip()
        if status in (204, 304):
            self._length = 0
        elif "chunked" in words.get("transfer-encoding", ""):
            self._chunks = []
        elif length.isascii() and length.isdigit() and len(length) < 16:
            self._length = int(length)
        else:
            self.keeps_alive = False

    def _take_chunks(self) -> Response | None:
        """RFC 9112, 7.1. Trailers are left: nothing of ours follows them on this connection."""
        assert self._chunks is not None
        while True:
            found = _LINE_END.search(self._buffer)
            if found is None:
                if len(self._buffer) > MAX_HEAD_BYTES:
                    raise NotHttp
                return None
            matched = _CHUNK.fullmatch(bytes(self._buffer[: found.start()]))
            if matched is None:
                raise NotHttp
            size = int(matched[1], 16)
            self._size += size
            if self._size > MAX_BODY_BYTES:
                raise _too_much()
            if size == 0:
                if bytes(self._buffer[found.end() :]) not in (b"\r\n", b"\n"):
                    self.keeps_alive = False  # trailers, or their rest, are still to come
                return self._answer(b"".join(self._chunks))
            after = found.end() + size
            if len(self._buffer) < after + 2:  # CR LF behind it
                self._size -= size
                return None
            self._chunks.append(bytes(self._buffer[found.end() : after]))
            end = _LINE_END.match(self._buffer, after)
            if end is None:
                raise NotHttp
            del self._buffer[: end.end()]


_FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding"})


def _headers(lines: list[bytes]) -> list[tuple[str, str]]:
    """Lines without a colon are left out, and what is folded under them; other folded lines go to the header before."""
    headers: list[tuple[str, str]] = []
    colon = b""
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if colon:
                name, value = headers[-1]
                headers[-1] = (name, f"{value} {_text(line.strip())}")
            continue
        raw_name, colon, raw_value = line.partition(b":")
        if colon:
            headers.append((raw_name.strip().decode("latin-1").lower(), _text(raw_value.strip())))
    return headers


def _text(value: bytes) -> str:
    """A header's value: UTF-8 where it is (a realm that goes back has to be what came), else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _too_much() -> CameraFault:
    return CameraFault("camera_error", f"sent an answer of over {MAX_BODY_BYTES} bytes")
