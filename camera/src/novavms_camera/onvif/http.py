"""HTTP/1.1 to one judged address: a single kept connection, no redirects, no proxies, everything bounded.

Written over h11 and not over an HTTP library, because the check needs what those hide: the connect as a stage with
its own time and its own errors, the socket pinned to the judged IP address, and a bound on every byte that a
camera may send.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import h11

from novavms_camera.certificate import certificate_fingerprint, judge_fingerprint, tls_context
from novavms_camera.faults import CameraFault

MAX_BODY_BYTES = 1 << 20
"""A recorder with 64 channels answers GetProfiles with some 300 KB."""
MAX_HEADER_BYTES = 32 * 1024
READ_SIZE = 65536
_TLS_ALERT = (b"\x15\x03", b"\x16\x03")
"""How a TLS record begins (RFC 8446, 5.1): alert or handshake, of any version in use."""


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


@dataclass(slots=True)
class HttpConnection:
    """Requests to `address`, one after the other, over one connection that is opened again when the camera closed it.

    `host` is what the person wrote: it goes into the Host header, and is never looked up again.
    """

    host: str
    address: str
    port: int
    tls: bool = False
    connect_timeout_sec: float = 2.0
    tls_fingerprint: str | None = None
    """Of the certificate that has to be shown; None believes the first one, which is then found here."""
    tls_pinned_at: datetime | None = None
    tls_sign: Literal["none", "maybe", "sure"] = "none"
    """Whether plain HTTP was answered (or not) as a TLS port does: it says so in TLS, in words, or hangs up."""
    _reader: asyncio.StreamReader | None = field(default=None, repr=False)
    _writer: asyncio.StreamWriter | None = field(default=None, repr=False)
    _protocol: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT), repr=False)

    @property
    def where(self) -> str:
        """Address and port, as messages name them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    async def connect(self) -> None:
        """Open the TCP connection. Raises CameraFault refused, unreachable or timeout."""
        await self.close()
        try:
            async with asyncio.timeout(self.connect_timeout_sec):
                self._reader, self._writer = await asyncio.open_connection(self.address, self.port)
        except TimeoutError as error:
            raise CameraFault(
                "timeout",
                f"{self.where} did not accept a TCP connection within {self.connect_timeout_sec:g} s.",
            ) from error
        except ConnectionRefusedError as error:
            raise CameraFault("refused", f"{self.where} refused the TCP connection.") from error
        except OSError as error:
            raise CameraFault(
                "unreachable", f"{self.where} cannot be reached: {error.strerror or type(error).__name__}."
            ) from error
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)

    async def start_tls(self) -> None:
        """TLS over the open connection. No authority vouches for a camera: its certificate is pinned at first sight."""
        assert self._writer is not None
        try:
            async with asyncio.timeout(self.connect_timeout_sec):
                await self._writer.start_tls(tls_context(), server_hostname=self.host)
        except (TimeoutError, OSError, ValueError) as error:
            await self.close()
            raise CameraFault("tls_failed", f"{self.where} did not complete the TLS handshake.") from error
        seen = certificate_fingerprint(self._writer.get_extra_info("ssl_object"))
        try:
            judge_fingerprint(seen, self.tls_fingerprint or seen or "", self.tls_pinned_at)
        except CameraFault as fault:
            await self.close()
            raise CameraFault(fault.reason, f"{self.where}: {fault.message}.", hint=fault.hint) from None
        self.tls_fingerprint = seen

    async def post(self, path: str, body: bytes, headers: list[tuple[str, str]]) -> Response:
        """One POST. A kept connection that the camera closed meanwhile is opened again, once.

        Raises CameraFault as `connect`, or camera_error (connection lost, oversized answer), or not_onvif (not HTTP).
        The caller bounds the time.
        """
        fresh = await self._ready()
        try:
            return await self._exchange(path, body, headers)
        except _ClosedBeforeAnswer:
            await self.close()
            if fresh:
                raise self._closed() from None
        except BaseException:
            await self.close()  # half an exchange: this connection can serve no other
            raise
        await self._ready()
        try:
            return await self._exchange(path, body, headers)
        except _ClosedBeforeAnswer:
            await self.close()
            raise self._closed() from None
        except BaseException:
            await self.close()
            raise

    def _closed(self) -> CameraFault:
        if self.tls_sign == "none":
            self.tls_sign = "maybe"
        return CameraFault("camera_error", f"{self.where} closed the connection without an answer.")

    async def _ready(self) -> bool:
        """Make the connection usable for a request; true where it is a new one."""
        if self._writer is not None and self._protocol.states == {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}:
            return self._protocol.their_http_version is None
        await self.connect()
        if self.tls:
            await self.start_tls()
        return True

    async def _exchange(self, path: str, body: bytes, headers: list[tuple[str, str]]) -> Response:
        assert self._writer is not None
        host = f"[{self.host}]" if ":" in self.host else self.host
        request = h11.Request(
            method="POST",
            target=path,
            headers=[
                (name.encode(), value.encode())  # a user's name may be UTF-8 (RFC 7616, 3.4)
                for name, value in [
                    ("Host", host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"),
                    ("User-Agent", "NovaVMS"),
                    ("Content-Length", str(len(body))),
                    *headers,
                ]
            ],
        )
        head = self._protocol.send(request)
        data = self._protocol.send(h11.Data(data=body))
        end = self._protocol.send(h11.EndOfMessage())
        try:
            self._writer.write(b"".join((head or b"", data or b"", end or b"")))  # one packet, one round trip
            await self._writer.drain()
        except OSError as error:
            raise _ClosedBeforeAnswer from error
        return await self._receive()

    async def _receive(self) -> Response:
        status, headers, parts, size = 0, list[tuple[str, str]](), list[bytes](), 0
        while True:
            event = await self._next_event(started=status > 0)
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = [(name.decode("latin-1").lower(), _text(value)) for name, value in event.headers]
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > MAX_BODY_BYTES:
                    raise CameraFault(
                        "camera_error", f"{self.where} sent an answer of over {MAX_BODY_BYTES} bytes."
                    )
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._finish()
                body = b"".join(parts)
                if status == 400 and b"https" in body[:2048].lower():  # as nginx, Apache and Go say it
                    self.tls_sign = "maybe"
                return Response(status, headers, body)

    async def _next_event(self, *, started: bool) -> h11.Event | type[h11.PAUSED]:
        assert self._reader is not None
        while True:
            try:
                event = self._protocol.next_event()
            except h11.RemoteProtocolError as error:
                if self._protocol.trailing_data[1]:  # the camera has closed its side
                    if not started:
                        raise _ClosedBeforeAnswer from error
                    raise CameraFault(
                        "camera_error", f"{self.where} closed the connection in the middle of its answer."
                    ) from error
                if self._protocol.trailing_data[0].startswith(_TLS_ALERT):
                    self.tls_sign = "sure"
                raise CameraFault(
                    "not_onvif", f"{self.where} answered with something that is not HTTP."
                ) from error
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # the other sentinel; h11's union is wider than mypy can narrow
            try:
                data = await self._reader.read(READ_SIZE)
            except OSError as error:
                raise _ClosedBeforeAnswer from error
            if not data and not started and not self._protocol.trailing_data[0]:
                raise _ClosedBeforeAnswer
            self._protocol.receive_data(data)

    def _finish(self) -> None:
        if self._protocol.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._protocol.start_next_cycle()

    async def close(self) -> None:
        """Close the connection, if one is open. Never raises for the peer's sake."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            try:
                async with asyncio.timeout(0.5):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                writer.transport.abort()


def _text(value: bytes) -> str:
    """A header's value: UTF-8 where it is (a realm that goes back has to be what came), else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class _ClosedBeforeAnswer(Exception):
    """The camera closed the connection before the first byte of its answer: worth one new try on a kept connection."""
