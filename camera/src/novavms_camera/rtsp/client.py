"""The RTSP client (RFC 2326): one camera, one connection, one session; every trouble is a CameraFault."""

from __future__ import annotations

import asyncio
import re
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import quote

from novavms_camera.faults import CameraFault, Reason
from novavms_camera.rtsp.auth import Authenticator
from novavms_camera.rtsp.connection import PacketHandler, RtspConnection, connect
from novavms_camera.rtsp.message import Message, format_request
from novavms_camera.rtsp.sdp import Media, SessionDescription, parse_sdp
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.source import StreamSource

USER_AGENT: Final = "NovaVMS"
READ_INTERVAL: Final = 0.08
"""Seconds of media that one read gathers while playing: a camera costs 12 wake-ups a second at most."""
_BUSY_RETRY: Final = 0.2
_LOCK_HINT: Final = re.compile(
    rb"\block(?:ed|out)?\b|\bblocked\b|too many (?:failed|attempts)", re.IGNORECASE
)
_REASONS: Final[dict[int, Reason]] = {
    404: "path_not_found",
    423: "locked_out",
    453: "too_many_connections",
    461: "transport_unsupported",
    503: "too_many_connections",
}


class RtspClient:
    """`open`, then `describe`, `setup` for each track, `play`; `teardown` always. Also an async context manager."""

    def __init__(
        self, source: StreamSource, *, connect_timeout: float = 2, request_timeout: float = 5
    ) -> None:
        self._source = source
        self._url = RtspUrl.parse(source.url)
        self._connect_timeout = connect_timeout
        self._request_timeout = request_timeout
        self._auth = Authenticator(source.username, source.password)
        self._connection: RtspConnection | None = None
        self._lock = asyncio.Lock()
        self._cseq = 0
        self._public: frozenset[str] = frozenset()
        self._session = ""
        self._control = str(self._url)
        self._next_channel = 0
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
        """The address asked for, without credentials."""
        return str(self._url)

    @property
    def bytes_received(self) -> int:
        return self._connection.bytes_received if self._connection else 0

    # ---- the session ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connects (and shakes hands for rtsps). Raises CameraFault as `connection.connect`."""
        self._connection = await connect(
            self._url.host,
            self._url.port,
            address=self._source.address,
            tls=self._url.scheme == "rtsps",
            connect_timeout=self._connect_timeout,
            request_timeout=self._request_timeout,
        )

    async def options(self) -> frozenset[str]:
        """The methods that the camera says it knows."""
        answer = await self._request("OPTIONS", self.url)
        methods = ",".join(answer.headers.get("public", []))
        self._public = frozenset(m.strip().upper() for m in methods.split(",") if m.strip())
        return self._public

    async def describe(self) -> SessionDescription:
        """The camera's tracks. Raises CameraFault auth_failed, locked_out, path_not_found, too_many_connections, ..."""
        headers = {"Accept": "application/sdp"}
        try:
            answer = await self._request("DESCRIBE", self.url, headers)
        except CameraFault as fault:
            if fault.status != 503:
                raise
            # GStreamer's server answers so right after another connection that only described.
            await asyncio.sleep(_BUSY_RETRY)
            answer = await self._request("DESCRIBE", self.url, headers)
        base = answer.get("content-base") or answer.get("content-location") or self.url
        if not base.lower().startswith(("rtsp://", "rtsps://")):
            base = self.url
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
    ) -> int:
        """Prepares one track and returns its RTP channel. Only TCP so far: raises transport_unsupported for udp."""
        if transport != "tcp":
            raise CameraFault("transport_unsupported", "media over UDP is not supported yet")
        channel = self._next_channel
        offer = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        connection = self._connected()
        connection.route(channel, on_rtp)
        connection.route(channel + 1, on_rtcp)
        answer = await self._request("SETUP", media.control, {"Transport": offer})
        chosen = answer.get("transport") or offer
        if "TCP" not in chosen.upper() and "interleaved" not in chosen.lower():
            raise CameraFault(
                "transport_unsupported", "the camera insists on media over UDP", status=answer.status
            )
        self._take_session(answer)
        match = re.search(r"interleaved\s*=\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?", chosen)
        rtp = int(match[1]) if match else channel
        rtcp = int(match[2]) if match and match[2] else rtp + 1
        if max(rtp, rtcp) > 255:
            raise CameraFault("malformed_stream", "the camera chose a channel above 255")
        if rtp != channel:
            connection.route(channel, None)
            connection.route(channel + 1, None)
        connection.route(rtp, on_rtp)
        connection.route(rtcp, on_rtcp)
        self._next_channel = max(self._next_channel, rtp, rtcp) + 1
        return rtp

    async def play(self) -> Message:
        """Starts the media; packets go to the handlers given to `setup` until `teardown` or a fault."""
        answer = await self._request("PLAY", self._control, {"Range": "npt=0.000-"})
        self._connected().read_interval = READ_INTERVAL
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
            connection.close()
            self._connection = None
            await asyncio.sleep(0)  # lets the loop drop the transport
            self._session = ""

    async def wait_closed(self) -> CameraFault:
        """Waits for the connection's end and says why."""
        return await asyncio.shield(self._connected().closed)

    def send_rtcp(self, channel: int, packet: bytes) -> None:
        """Sends a receiver report on the RTCP channel of a track; some cameras end sessions without."""
        if self._connection is not None:
            self._connection.send_packet(channel, packet)

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

    async def _request(self, method: str, uri: str, headers: dict[str, str] | None = None) -> Message:
        """Sends, logs in where asked to, and turns error answers into faults."""
        # A path may hold what people typed; on the wire it is ASCII. What is encoded already stays.
        uri = quote(uri, safe="/?#[]@!$&'()*+,;=:%~-._|^{}")
        async with self._lock:
            for _ in range(4):  # first try, two logins, one renewed nonce
                answer = await self._exchange(method, uri, headers or {})
                if answer.status != 401:
                    break
                if _hints_at_lock(answer) or not self._auth.take(answer.headers.get("www-authenticate", [])):
                    break
        if answer.status < 300:
            self._auth.accepted()
            return answer
        raise self._fault(method, answer)

    async def _exchange(self, method: str, uri: str, headers: dict[str, str]) -> Message:
        self._cseq += 1
        lines = {"CSeq": str(self._cseq), "User-Agent": USER_AGENT, **headers}
        if self._session:
            lines["Session"] = self._session
        login = self._auth.header(method, uri)
        if login is not None:
            lines["Authorization"] = login
        request = format_request(method, uri, lines)
        return await self._connected().exchange(request, self._cseq, self._request_timeout)

    def _fault(self, method: str, answer: Message) -> CameraFault:
        status = answer.status
        locked = status in {401, 403} and _hints_at_lock(answer)
        if locked or status == 423:
            return CameraFault("locked_out", f"the camera has locked the account ({status})", status=status)
        if status == 401:
            given = (
                "refused user or password" if self._auth.has_credentials else "wants a user and a password"
            )
            return CameraFault("auth_failed", f"the camera {given} (401)", status=status)
        if status == 403:
            return CameraFault(
                "auth_failed", "the camera does not let this user see the stream (403)", status=status
            )
        reason = _REASONS.get(status, "camera_error")
        if status == 400 and method == "DESCRIBE":
            reason = (
                "path_not_found"  # what several servers say to a path that they don't know; the status tells
            )
        phrase = re.sub(r"[^\x20-\x7e]", "", answer.phrase)[:80]
        return CameraFault(
            reason, f"the camera answered {method} with {status} {phrase}".rstrip(), status=status
        )


def _hints_at_lock(answer: Message) -> bool:
    told = " ".join([answer.phrase, *answer.headers.get("www-authenticate", [])]).encode()
    return bool(_LOCK_HINT.search(told) or _LOCK_HINT.search(answer.body))
