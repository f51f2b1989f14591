"""One TCP (or TLS) connection to an RTSP server: bytes in, RTP packets and answers out, nothing unbounded.

The hot path of the product: an `asyncio.BufferedProtocol` that reads large pieces into one buffer and hands each interleaved
packet (RFC 2326 section 10.12) to its track as a slice, without a task, a future or a copy per packet.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

from novavms_camera.certificate import certificate_fingerprint, judge_fingerprint, tls_context
from novavms_camera.faults import CameraFault, Reason
from novavms_camera.rtsp.beat import Beat, join_beat
from novavms_camera.rtsp.message import MAX_HEAD, Message, find_end, format_answer, parse_head

RunTaker = Callable[[bytearray, int, int], int]
"""Takes as many interleaved packets of `buffer[start:end]` as it can at once, none at worst; answers where the rest begins."""
PacketHandler = Callable[[memoryview, int, int], RunTaker | None]
"""Takes `(buffer, start, end)` of one packet; valid only during the call. May raise CameraFault to end the connection.

Answers who takes a run of packets like this one, where more of them are to be expected.
"""

_BUFFER: Final = 192 * 1024
_ROOM: Final = 64 * 1024
_MAX_JUNK: Final = 64 * 1024
_DOLLAR: Final = 0x24
_UNREACHABLE: Final = {
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
    errno.EINVAL,
}


class RtspConnection(asyncio.BufferedProtocol):
    """Made by `connect`. `read_interval` > 0 lets the kernel gather that many seconds of media per read, on a beat shared with others."""

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._handlers: list[PacketHandler | None] = [None] * 256
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[Message] | None = None
        self._waiting_cseq = 0
        self._head: tuple[Message, int] | None = None
        self._junk = 0
        self._spoken = False
        self._beat: Beat | None = None
        self._is_paused = False
        self.closed: asyncio.Future[CameraFault] = self._loop.create_future()
        self.read_interval = 0.0
        self.bytes_received = 0
        self.dropped_packets = 0

    # ---- for the client -----------------------------------------------------------------------------

    def route(self, channel: int, handler: PacketHandler | None) -> None:
        """Sends the packets of an interleaved channel to `handler`."""
        self._handlers[channel] = handler

    async def exchange(self, request: bytes, cseq: int, timeout: float, *, what: str = "request") -> Message:
        """Sends a request (`what`, for the message) and waits for its answer. Raises CameraFault timeout, connection_lost, not_rtsp, malformed_stream."""
        if self.closed.done():
            raise self.closed.result()
        assert self._transport is not None
        assert self._waiting is None, "one request at a time"
        self._waiting = self._loop.create_future()
        self._waiting_cseq = cseq
        self._unpause()
        self._transport.write(request)
        late = self._loop.call_later(timeout, self._too_late, self._waiting, what, timeout)
        try:
            return await self._waiting
        finally:
            late.cancel()
            self._waiting = None

    @staticmethod
    def _too_late(waiting: asyncio.Future[Message], what: str, timeout: float) -> None:
        if not waiting.done():
            waiting.set_exception(CameraFault("timeout", f"the {what} was not answered within {timeout:g} s"))

    def send_packet(self, channel: int, packet: bytes) -> None:
        """Sends one interleaved packet (our RTCP reports); dropped if the camera does not take what we sent before."""
        transport = self._transport
        if transport is not None and not self.closed.done() and transport.get_write_buffer_size() < 4096:
            transport.write(bytes((_DOLLAR, channel, len(packet) >> 8, len(packet) & 0xFF)) + packet)

    @property
    def local_address(self) -> str:
        """Our address on the interface that leads to the camera."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    @property
    def peer_address(self) -> str:
        assert self._transport is not None
        return str(self._transport.get_extra_info("peername")[0])

    @property
    def tls_fingerprint(self) -> str | None:
        """SHA-256 of the camera's certificate (DER) in hexadecimal; None without TLS."""
        ssl_object = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return certificate_fingerprint(ssl_object) if ssl_object is not None else None

    def end(self, fault: CameraFault) -> None:
        """Ends the connection for `fault`, which its other ways in (UDP) met."""
        self._fail(fault)

    def close(self) -> None:
        """Closes at once, what is unsent included."""
        self._fail(CameraFault("connection_lost", "closed by us"))

    # ---- asyncio.BufferedProtocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no instance of asyncio's class

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(CameraFault("connection_lost", "the camera closed the connection"))

    def eof_received(self) -> bool:
        return False

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        self._end += nbytes
        self.bytes_received += nbytes
        try:
            self._read()
        except CameraFault as fault:
            self._fail(fault)
            return
        if self._start == self._end:
            self._start = self._end = 0
        elif _BUFFER - self._end < _ROOM:
            rest = self._view[self._start : self._end].tobytes()
            self._view[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        if self.read_interval and self._waiting is None and nbytes < _ROOM and self._transport is not None:
            self._pause()

    def _pause(self) -> None:
        assert self._transport is not None
        if self._beat is None:
            self._beat = join_beat(self.read_interval)
        self._transport.pause_reading()
        self._is_paused = True
        self._beat.wait(self._unpause)

    def _unpause(self) -> None:
        if self._is_paused:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    # ---- the stream of packets and messages ------------------------------------------------------------

    def _read(self) -> None:
        """Takes all whole packets and messages out of the buffer."""
        buffer, view, handlers = self._buffer, self._view, self._handlers
        start, end = self._start, self._end
        while end - start >= 4:
            if self._head is None and buffer[start] == _DOLLAR:
                following = start + 4 + (buffer[start + 2] << 8 | buffer[start + 3])
                if following > end:
                    break
                handler = handlers[buffer[start + 1]]
                if handler is not None:
                    run = handler(view, start + 4, following)
                    start = following if run is None else run(buffer, following, end)
                else:
                    self.dropped_packets += 1
                    start = following
            else:
                self._start = start
                if not self._read_message():
                    return
                start = self._start
                if self.closed.done():
                    return
        self._start = start

    def _read_message(self) -> bool:
        """Takes one message, or junk before one, off the buffer's front; False when more bytes are needed."""
        if self._head is None:
            first = self._buffer[self._start]
            if not (65 <= first <= 90 or first in b"\r\n"):
                return self._skip_junk()
            if first in b"\r\n":
                self._start += 1
                return True
            waiting = self._view[self._start : min(self._end, self._start + MAX_HEAD)].tobytes()
            size = find_end(waiting)
            if size < 0:
                self._check_first_words(waiting)
                if len(waiting) >= MAX_HEAD:
                    return self._skip_junk()
                return False
            try:
                self._head = parse_head(waiting[:size])
            except CameraFault as fault:
                if not self._spoken or fault.reason != "not_rtsp":
                    raise
                return self._skip_junk()
            self._start += size
        message, length = self._head
        if self._end - self._start < length:
            return False
        body = self._view[self._start : self._start + length].tobytes()
        self._start += length
        self._head = None
        self._spoken = True
        self._deliver(Message(message.status, message.phrase, message.method, message.headers, body))
        return True

    def _check_first_words(self, waiting: bytes) -> None:
        """Something that begins like HTTP or SSH will never become RTSP: said at once instead of after a timeout."""
        if not self._spoken and not b"RTSP/".startswith(waiting[:5]) and b"\n" in waiting:
            parse_head(waiting)

    def _skip_junk(self) -> bool:
        """Some cameras leave stray bytes between packets: goes on to the next `$` or answer, within a bound."""
        if not self._spoken:
            raise CameraFault("not_rtsp", "what answered does not speak RTSP")
        places = [self._buffer.find(mark, self._start + 1, self._end) for mark in (b"$", b"RTSP/")]
        found = min((p for p in places if p >= 0), default=self._end)
        self._junk += found - self._start
        if self._junk > _MAX_JUNK:
            raise CameraFault("malformed_stream", "the camera sent too much that is neither RTP nor RTSP")
        self._start = found
        return found < self._end

    def _deliver(self, message: Message) -> None:
        waiting = self._waiting
        if message.method:
            self._answer(message)
        elif waiting is not None and not waiting.done() and message.cseq in (None, self._waiting_cseq):
            waiting.set_result(message)

    def _answer(self, request: Message) -> None:
        """Servers ask too: keep-alives get a 200; TEARDOWN means the end."""
        if request.method == "TEARDOWN":
            raise CameraFault("connection_lost", "the camera ended the session")
        known = request.method in {"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"}
        assert self._transport is not None
        if self._transport.get_write_buffer_size() < 4096:
            status = (200, "OK") if known else (501, "Not Implemented")
            self._transport.write(format_answer(*status, (request.get("cseq") or "0")[:32]))

    def _fail(self, fault: CameraFault) -> None:
        if not self.closed.done():
            self.closed.set_result(fault)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(fault)
        if self._beat is not None:
            self._beat.members -= 1
            self._beat = None
        self._is_paused = False
        self._handlers = [None] * 256
        if self._transport is not None:
            self._transport.abort()


async def connect(
    host: str,
    port: int,
    *,
    address: str | None,
    tls: bool,
    fingerprint: str | None = None,
    pinned_at: datetime | None = None,
    connect_timeout: float,
    request_timeout: float,
) -> RtspConnection:
    """Resolves (unless `address` is given), connects, shakes hands.

    Raises CameraFault dns_failed, unreachable, refused, timeout, tls_failed, connection_lost. No authority vouches for a
    camera's certificate: it is believed at first sight and pinned by `fingerprint` from then on, as SSH does with hosts.
    """
    loop = asyncio.get_running_loop()
    target = address or await _resolve(host, port, request_timeout)
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    # The protocol is named, for asyncio sets TCP_NODELAY only where it is
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(connect_timeout):
            await loop.sock_connect(sock, (target, port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except (OSError, TimeoutError) as error:
        sock.close()
        raise _connect_fault(error) from None
    except BaseException:
        sock.close()
        raise
    context = tls_context() if tls else None
    try:
        async with asyncio.timeout(request_timeout):
            _, protocol = await loop.create_connection(
                RtspConnection, sock=sock, ssl=context, server_hostname=host if tls else None
            )
    except (OSError, TimeoutError):
        sock.close()
        reason: Reason = "tls_failed" if tls else "connection_lost"
        raise CameraFault(
            reason, "the TLS handshake did not succeed" if tls else "the connection broke"
        ) from None
    except BaseException:
        sock.close()
        raise
    if fingerprint is not None and tls:
        try:
            judge_fingerprint(protocol.tls_fingerprint, fingerprint, pinned_at)
        except CameraFault:
            protocol.close()
            raise
    return protocol


async def _resolve(host: str, port: int, timeout: float) -> str:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CameraFault("dns_failed", "the host name does not resolve") from None
    if not found:
        raise CameraFault("dns_failed", "the host name does not resolve")
    found.sort(
        key=lambda entry: entry[0] != socket.AF_INET
    )  # many cameras announce an IPv6 that does not work
    return str(found[0][4][0])


def _connect_fault(error: OSError | TimeoutError) -> CameraFault:
    if isinstance(error, ConnectionRefusedError):
        return CameraFault("refused", "the port is closed")
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return CameraFault("unreachable", "no route to the camera")
    if isinstance(error, TimeoutError):  # asyncio's, and the kernel's ETIMEDOUT
        return CameraFault("timeout", "the camera did not answer the connection in time")
    return CameraFault("connection_lost", "the camera broke off the connection")
