"""HTTP/1.1 to one judged address: a single kept connection, no redirects, no proxies, everything bounded.

Written here and not over an HTTP library, because the check needs what those hide: the connect as a stage with its own time
and its own errors, the socket pinned to the judged IP address, a bound on every byte that a camera may send, and answers of
cameras that no strict reader takes. It is also most of what a check costs us: an exchange here takes half of h11's time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from novavms_camera.certificate import certificate_fingerprint, judge_fingerprint, tls_context
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.http_answer import MAX_BODY_BYTES, NotHttp, Response
from novavms_camera.onvif.http_wire import Wire

__all__ = ["MAX_BODY_BYTES", "HttpConnection", "Response"]


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
    _wire: Wire | None = field(default=None, repr=False)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def where(self) -> str:
        """Address and port, as messages name them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    async def connect(self) -> None:
        """Open the TCP connection. Raises CameraFault refused, unreachable or timeout."""
        await self.close()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.connect_timeout_sec):
                _, self._wire = await loop.create_connection(Wire, self.address, self.port)
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

    async def start_tls(self) -> None:
        """TLS over the open connection. No authority vouches for a camera: its certificate is pinned at first sight."""
        assert self._wire is not None
        try:
            async with asyncio.timeout(self.connect_timeout_sec):
                ssl_object = await self._wire.start_tls(tls_context(), self.host)
        except (TimeoutError, OSError, ValueError) as error:
            await self.close()
            raise CameraFault("tls_failed", f"{self.where} did not complete the TLS handshake.") from error
        seen = certificate_fingerprint(ssl_object)
        try:
            judge_fingerprint(seen, self.tls_fingerprint or seen or "", self.tls_pinned_at)
        except CameraFault as fault:
            await self.close()
            raise CameraFault(fault.reason, f"{self.where}: {fault.message}.", hint=fault.hint) from None
        self.tls_fingerprint = seen

    async def turn_to_tls(self) -> bool:
        """Speaks https from now on, where plain HTTP was answered as a TLS port does. False where that was no TLS.

        Raises CameraFault tls_failed where it surely was, and no handshake succeeds.
        """
        sign = self.tls_sign
        if self.tls or sign == "none":
            return False
        self.tls = True
        try:
            await self.connect()
            await self.start_tls()
        except CameraFault as fault:
            if sign == "sure" and fault.reason == "tls_failed":
                raise
            self.tls = False
            return False
        return True

    async def post(self, path: str, body: bytes, headers: list[tuple[str, str]]) -> Response:
        """One POST; several at once leave one after the other. A kept connection that the camera closed meanwhile is opened
        again, once.

        Raises CameraFault as `connect`, or camera_error (connection lost, oversized answer), or not_onvif (not HTTP).
        The caller bounds the time.
        """
        request = self._request(path, body, headers)
        answer, is_kept = await self._exchange(request)
        if answer is None and is_kept:
            answer, _ = await self._exchange(request)
        if answer is None:
            if self.tls_sign == "none":
                self.tls_sign = "maybe"
            raise CameraFault("camera_error", f"{self.where} closed the connection without an answer.")
        if answer.status == 400 and b"https" in answer.body[:2048].lower():  # as nginx, Apache and Go say it
            self.tls_sign = "maybe"
        return answer

    def _request(self, path: str, body: bytes, headers: list[tuple[str, str]]) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.tls else 80) else f":{self.port}"
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {host}{port}",
            "User-Agent: NovaVMS",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {value}" for name, value in headers]
        if any("\r" in line or "\n" in line for line in lines):
            raise CameraFault("invalid_url", "a header may not hold line ends")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body  # a user's name may be UTF-8 (RFC 7616, 3.4)

    async def _exchange(self, request: bytes) -> tuple[Response | None, bool]:
        """(answer, whether the connection had been there before). None: it ended before an answer began."""
        wire = await self._ready()
        is_kept = wire.is_used or wire.is_busy
        try:
            answer = await wire.exchange(request)
        except NotHttp as error:
            await self._discard(wire)
            if error.is_tls:
                self.tls_sign = "sure"
            raise CameraFault(
                "not_onvif", f"{self.where} answered with something that is not HTTP."
            ) from error
        except CameraFault as fault:
            await self._discard(wire)
            raise CameraFault(fault.reason, f"{self.where} {fault.message}.") from None
        except BaseException:
            if not wire.is_usable:
                await self._discard(wire)  # half an exchange: this connection can serve no other
            raise
        if answer is None:
            await self._discard(wire)
        return answer, is_kept

    async def _ready(self) -> Wire:
        if self._wire is not None and self._wire.is_usable and not self._opening.locked():
            return self._wire
        async with self._opening:
            if self._wire is None or not self._wire.is_usable:
                await self.connect()
                if self.tls:
                    await self.start_tls()
            assert self._wire is not None
            return self._wire

    async def _discard(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None
        await wire.close()

    def begin_close(self) -> None:
        """As `close`, which ends what this begins."""
        if self._wire is not None:
            self._wire.begin_close()

    async def close(self) -> None:
        """Close the connection, if one is open. Never raises for the peer's sake."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()
