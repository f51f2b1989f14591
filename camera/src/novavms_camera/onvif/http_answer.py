"""The bytes of HTTP/1.1 (RFC 9112) from the client's side: answers are read leniently and never beyond a bound."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Final, cast

from novavms_camera.faults import CameraFault

MAX_BODY_BYTES: Final = 1 << 20
"""A recorder with 64 channels answers GetProfiles with some 300 KB."""
MAX_HEAD_BYTES: Final = 32 * 1024
_FLUSH_SEC: Final = 0.5
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


class Wire(asyncio.Protocol):
    """One connection. Requests leave in turn, each the moment that the answer to the one before is whole: what we make of an
    answer takes none of the camera's time. What comes unasked ends it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[bytes, asyncio.Future[Response | None]]] = deque()
        """The first one has been sent."""
        self._reader = AnswerReader()
        self._closed = self._loop.create_future()
        self.is_used = False
        """An answer came over it."""
        self.is_usable = True

    @property
    def is_busy(self) -> bool:
        return bool(self._queue)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> ssl.SSLObject:
        """Raises OSError, TimeoutError or ValueError where it does not succeed."""
        assert self._transport is not None
        transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        if transport is None:
            raise ConnectionResetError
        self._transport = transport
        ssl_object: ssl.SSLObject = transport.get_extra_info("ssl_object")
        return ssl_object

    async def exchange(self, request: bytes) -> Response | None:
        """None where the connection ended before an answer began. Raises NotHttp, CameraFault camera_error."""
        if not self.is_usable:
            return None
        waiting: asyncio.Future[Response | None] = self._loop.create_future()
        entry = (request, waiting)
        self._queue.append(entry)
        if len(self._queue) == 1:
            self._send_first()
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._queue and self._queue[0] is entry:
                self._drop()  # its answer would be taken for the next one's
            elif entry in self._queue:
                self._queue.remove(entry)
            raise

    def _send_first(self) -> None:
        assert self._transport is not None
        self._reader = AnswerReader()
        self._transport.write(self._queue[0][0])

    def begin_close(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.close()

    async def close(self) -> None:
        self.begin_close()
        if self._transport is None or self._closed.done():
            return
        await asyncio.sleep(0)  # lets the loop close the socket, which is all there is to it without TLS
        if not self._closed.done():
            await asyncio.wait({self._closed}, timeout=_FLUSH_SEC)
        if not self._closed.done():
            self._transport.abort()

    # ---- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no instance of asyncio's class

    def data_received(self, data: bytes) -> None:
        if not self._queue:
            self._drop()
            return
        try:
            answer = self._reader.feed(data)
        except (NotHttp, CameraFault) as error:
            self._settle(error)
            self._drop()
            return
        if answer is None:
            return
        self.is_used = True
        self._settle(answer)
        if not self._reader.keeps_alive:
            self.is_usable = False
            self._fail_all()
        elif self._queue:
            self._send_first()

    def _settle(self, outcome: Response | Exception | None) -> None:
        """Gives the first request in the queue what became of it."""
        _, waiting = self._queue.popleft()
        if waiting.done():
            return
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _fail_all(self) -> None:
        while self._queue:
            self._settle(None)

    def _drop(self) -> None:
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_usable = False
        if not self._closed.done():
            self._closed.set_result(None)
        if self._queue:
            answer = self._reader.end() if exc is None else None
            cut_off = answer is None and self._reader.has_begun
            self._settle(
                CameraFault("camera_error", "closed the connection in the middle of its answer")
                if cut_off
                else answer
            )
        self._fail_all()
