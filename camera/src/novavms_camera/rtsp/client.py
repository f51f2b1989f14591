"""The RTSP client (RFC 2326): one camera, one connection, one session; every trouble is a CameraFault."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import quote

from novavms_camera.address import resolve_address
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.auth import Authenticator
from novavms_camera.rtsp.connection import PacketHandler, RtspConnection, connect
from novavms_camera.rtsp.message import Message, format_request
from novavms_camera.rtsp.paths import MediaPath, open_interleaved, open_udp
from novavms_camera.rtsp.refusal import MovedFault, fault_of, hints_at_lock
from novavms_camera.rtsp.sdp import Media, SessionDescription, parse_sdp
from novavms_camera.rtsp.url import RtspUrl, split_credentials
from novavms_camera.source import StreamSource

USER_AGENT: Final = "NovaVMS"
READ_INTERVAL: Final = 0.08
"""Seconds of media that one read gathers while playing: a camera costs 12 wake-ups a second at most."""
_BUSY_RETRY: Final = 0.2
_MAX_REDIRECTS: Final = 2
_MAX_SIGNS: Final = 16
REDIRECT_HINT: Final = (
    "The camera sends viewers to another address: add the camera there, if it is one of yours."
)


class RtspClient:
    """`open`, then `describe`, `setup` for each track, `play`; `teardown` always. Also an async context manager."""

    def __init__(
        self,
        source: StreamSource,
        *,
        connect_timeout: float = 2,
        request_timeout: float = 5,
        read_interval: float = READ_INTERVAL,
    ) -> None:
        self._source = source
        self._url = RtspUrl.parse(source.url)
        self._connect_timeout = connect_timeout
        self._request_timeout = request_timeout
        self._read_interval = read_interval
        self._address = source.address
        self._pin = source.tls_fingerprint
        self._auth = Authenticator(source.username, source.password)
        self._connection: RtspConnection | None = None
        self._lock = asyncio.Lock()
        self._cseq = 0
        self._public: frozenset[str] = frozenset()
        self._session = ""
        self._control = self._target
        self._next_channel = 0
        self._paths: list[MediaPath] = []
        self._past_bytes = 0
        self.signs: set[str] = set()
        """What the answers say of the camera's make: Server headers and realms."""
        self.tls_fingerprint: str | None = None
        """Of the certificate that the camera showed, once connected; SHA-256 in hexadecimal."""
        self.session_timeout = 60.0
        """Seconds after which the camera ends a session that is not kept alive."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.teardown()

    @property
    def url(self) -> str:
        """The address asked for, without credentials; after a redirect, the one redirected to."""
        return str(self._url)

    @property
    def reached(self) -> StreamSource:
        """The source as the session has it, after a redirect where there was one: for another session of the same stream. Raises
        CameraFault address_forbidden where the camera sent us to another machine, which is to get no password in clear."""
        if self._address != self._source.address:
            raise CameraFault("address_forbidden", "The camera sends viewers to another address.")
        return replace(self._source, url=self.url)

    @property
    def _target(self) -> str:
        """The address as it goes to the camera, which may want the password in it."""
        return str(self._url.filled(self._source.password))

    @property
    def bytes_received(self) -> int:
        """All that came, over all ways."""
        now = self._connection.bytes_received if self._connection else 0
        return self._past_bytes + now + sum(path.bytes_received for path in self._paths)

    @property
    def transport(self) -> Literal["tcp", "udp"] | None:
        """How the media of this session comes; None before SETUP."""
        return self._paths[0].transport if self._paths else None

    # ---- the session ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connects (and shakes hands for rtsps). Raises CameraFault as `connection.connect`."""
        self._connection = await connect(
            self._url.host,
            self._url.port,
            address=self._address,
            tls=self._url.scheme == "rtsps",
            fingerprint=self._pin,
            pinned_at=self._source.tls_pinned_at,
            connect_timeout=self._connect_timeout,
            request_timeout=self._request_timeout,
        )
        self.tls_fingerprint = self._connection.tls_fingerprint

    async def options(self) -> frozenset[str]:
        """The methods that the camera says it knows."""
        answer = await self._ask("OPTIONS", {})
        methods = ",".join(answer.headers.get("public", []))
        self._public = frozenset(m.strip().upper() for m in methods.split(",") if m.strip())
        return self._public

    async def learn_methods(self) -> None:
        """OPTIONS, of which servers may think what they like: what matters DESCRIBE says again. Raises CameraFault for the rest."""
        try:
            await self.options()
        except CameraFault as fault:
            if fault.status is None or fault.reason in {"auth_failed", "locked_out", "address_forbidden"}:
                raise

    async def describe(self) -> SessionDescription:
        """The camera's tracks. Raises CameraFault auth_failed, locked_out, path_not_found, too_many_connections, ..."""
        headers = {"Accept": "application/sdp"}
        try:
            answer = await self._ask("DESCRIBE", headers)
        except CameraFault as fault:
            if fault.status != 503:
                raise
            # GStreamer's server answers so right after another connection that only described.
            await asyncio.sleep(_BUSY_RETRY)
            answer = await self._ask("DESCRIBE", headers)
        base = answer.get("content-base") or answer.get("content-location") or self._target
        if not base.lower().startswith(("rtsp://", "rtsps://")):
            base = self._target
        description = parse_sdp(answer.body, base)
        self._control = description.control
        return description

    async def setup(
        self,
        media: Media,
        transport: Literal["tcp", "udp"] = "tcp",
        *,
        on_rtp: PacketHandler | None = None,
        on_rtcp: PacketHandler | None = None,
    ) -> MediaPath:
        """Prepares one track; its packets come by the path returned. Raises transport_unsupported (461: try the other one)."""

        async def ask(offer: str) -> str:
            answer = await self._request("SETUP", media.control, {"Transport": offer})
            self._take_session(answer)
            return answer.get("transport") or offer

        connection = self._connected()
        if transport == "udp":
            udp = await open_udp(connection, media.clock_rate, ask, on_rtp, on_rtcp)
            self._paths.append(udp)
            return udp
        path = await open_interleaved(connection, self._next_channel, ask, on_rtp, on_rtcp)
        self._next_channel = max(self._next_channel, path.rtp_channel, path.rtcp_channel) + 1
        self._paths.append(path)
        return path

    async def play(self) -> Message:
        """Starts the media; packets go to the handlers given to `setup` until `teardown` or a fault."""
        answer = await self._request("PLAY", self._control, {"Range": "npt=0.000-"})
        self._connected().read_interval = self._read_interval
        return answer

    async def keep_alive(self) -> None:
        """Tells the camera that we are here; call at half of `session_timeout`. An answer is not insisted on."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._public else "OPTIONS"
        try:
            await self._request(method, self._control)
        except CameraFault as fault:
            if fault.reason in {"connection_lost", "malformed_stream", "not_rtsp"}:
                raise
            if fault.status is not None:  # 405, 501, 454 for an unknown method: OPTIONS from now on
                self._public = self._public - {"GET_PARAMETER"}

    async def teardown(self, *, timeout: float = 1) -> None:
        """Ends the session within `timeout` seconds whatever the camera does, and closes. Never raises CameraFault."""
        connection = self._connection
        if connection is None:
            return
        try:
            if self._session and not connection.closed.done():
                connection.read_interval = 0
                async with asyncio.timeout(timeout):
                    await self._request("TEARDOWN", self._control)
        except (CameraFault, TimeoutError):
            pass
        finally:
            self._past_bytes = self.bytes_received
            for path in self._paths:
                path.close()
            self._paths = []
            connection.close()
            self._connection = None
            await asyncio.sleep(0)  # lets the loop drop the transport
            self._session = ""

    @property
    def closed(self) -> asyncio.Future[CameraFault]:
        """Has the reason once the connection has ended. Not to be cancelled."""
        return self._connected().closed

    async def wait_closed(self) -> CameraFault:
        """Waits for the connection's end and says why."""
        return await asyncio.shield(self._connected().closed)

    # ---- requests -------------------------------------------------------------------------------------

    def _connected(self) -> RtspConnection:
        if self._connection is None:
            raise CameraFault("connection_lost", "the connection is not open")
        return self._connection

    def _take_session(self, answer: Message) -> None:
        session, _, rest = (answer.get("session") or "").partition(";")
        self._session = session.strip() or self._session
        match = re.search(r"timeout\s*=\s*(\d{1,6})", rest)
        if match:
            self.session_timeout = min(max(float(match[1]), 4.0), 3600.0)

    async def _ask(self, method: str, headers: dict[str, str]) -> Message:
        """A request about the stream's own address, which the camera may say is elsewhere now."""
        for _ in range(_MAX_REDIRECTS):
            try:
                return await self._request(method, self._target, headers)
            except MovedFault as moved:
                await self._follow(moved)
        return await self._request(method, self._target, headers)

    async def _follow(self, moved: MovedFault) -> None:
        """Goes where the camera says, if the policy lets us. Another machine than it does not get a password in clear."""
        try:
            target = RtspUrl.parse(split_credentials(moved.location)[0])
        except CameraFault:
            raise CameraFault(
                "camera_error", "the camera redirects to no valid address", status=moved.status
            ) from None
        policy, told = self._source.redirects, f"the camera redirects to {target.host}:{target.port}"
        if policy is None or (self._url.scheme == "rtsps" and target.scheme != "rtsps"):
            why = "no redirect is followed" if policy is None else "which is not encrypted"
            raise CameraFault("address_forbidden", f"{told}; {why}", hint=REDIRECT_HINT, status=moved.status)
        before = self._connected().peer_address
        try:
            address = str(await resolve_address(target.host, policy))
        except CameraFault as fault:
            raise CameraFault(
                fault.reason,
                f"{told}: {fault.message.rstrip('.')}",
                hint=REDIRECT_HINT,
                status=moved.status,
            ) from None
        await self.teardown()
        self._url, self._address, self._control = target, address, str(target)
        if address != before:
            self._pin = (
                None  # another machine has another certificate; the one that sent us there has shown its own
            )
        self._auth = Authenticator(
            self._source.username, self._source.password, allow_basic=address == before
        )
        await self.open()

    async def _request(self, method: str, uri: str, headers: dict[str, str] | None = None) -> Message:
        """Sends, logs in where asked to, and turns error answers into faults."""
        # A path may hold what people typed; on the wire it is ASCII. What is encoded already stays.
        uri = quote(uri, safe="/?#[]@!$&'()*+,;=:%~-._|^{}")
        async with self._lock:
            for attempt in range(4):  # first try, two logins, one renewed nonce
                try:
                    answer = await self._exchange(method, uri, headers or {})
                except CameraFault as fault:
                    if attempt == 0 or self._session or fault.reason != "connection_lost":
                        raise
                    # Some cameras hang up after each 401; what they asked for is answered on a new connection.
                    self._connected().close()
                    await self.open()
                    answer = await self._exchange(method, uri, headers or {})
                if answer.status != 401:
                    break
                if hints_at_lock(answer) or not self._auth.take(answer.headers.get("www-authenticate", [])):
                    break
        if answer.status < 300:
            self._auth.accepted()
            return answer
        raise fault_of(
            method,
            answer,
            has_credentials=self._auth.has_credentials,
            logged_in=self._auth.has_answered,
        )

    async def _exchange(self, method: str, uri: str, headers: dict[str, str]) -> Message:
        self._cseq += 1
        lines = {"CSeq": str(self._cseq), "User-Agent": USER_AGENT, **headers}
        if self._session:
            lines["Session"] = self._session
        login = self._auth.header(method, uri)
        if login is not None:
            lines["Authorization"] = login
        request = format_request(method, uri, lines)
        answer = await self._connected().exchange(request, self._cseq, self._request_timeout, what=method)
        if len(self.signs) < _MAX_SIGNS:
            told = answer.headers.get("server", []) + answer.headers.get("www-authenticate", [])
            self.signs.update(value[:200] for value in told)
        return answer
