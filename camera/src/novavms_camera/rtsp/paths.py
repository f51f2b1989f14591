"""The two ways of a track's packets: interleaved in the RTSP connection, or as UDP datagrams (RFC 2326 section 12.39)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol

from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.connection import PacketHandler, RtspConnection
from novavms_camera.rtsp.reorder import Reception, ReorderBuffer

_RECEIVE_BYTES: Final = 2 * 1024 * 1024
"""A key frame of a 4K camera comes in one burst; what the kernel cannot hold is lost."""
_PAIR_TRIES: Final = 64
_HOLE_PUNCH: Final = b"\x80\x00" + bytes(10)
"""An RTP header without a payload: opens the way back through firewalls that watch who spoke first."""
_EMPTY_REPORT: Final = b"\x80\xc9\x00\x01NVMS"


Ask = Callable[[str], Awaitable[str]]
"""Sends SETUP with this Transport header and gives the one of the answer. Raises CameraFault."""


class MediaPath(Protocol):
    """One track's way, as SETUP made it."""

    transport: Literal["tcp", "udp"]
    bytes_received: int
    """Beyond those of the RTSP connection."""

    def report_block(self) -> bytes:
        """Statistics for the receiver report, where the way can lose packets; else empty."""

    def send_rtcp(self, packet: bytes) -> None:
        """Sends a report to the camera."""

    def close(self) -> None:
        """Gives the ports back."""


class InterleavedPath:
    """Two channels of the RTSP connection. Nothing is lost on the way, so there is nothing to report of it."""

    transport: Literal["tcp", "udp"] = "tcp"
    bytes_received = 0

    def __init__(self, connection: RtspConnection, rtp_channel: int, rtcp_channel: int) -> None:
        self._connection = connection
        self.rtp_channel = rtp_channel
        self.rtcp_channel = rtcp_channel

    def report_block(self) -> bytes:
        return b""

    def send_rtcp(self, packet: bytes) -> None:
        self._connection.send_packet(self.rtcp_channel, packet)

    def close(self) -> None:
        """The channels end with the connection."""


class UdpPath:
    """A pair of ports on the interface that the RTSP connection goes out by. Only the camera's own address is heard.

    A handler's CameraFault ends the RTSP connection, as it does for interleaved packets.
    """

    transport: Literal["tcp", "udp"] = "udp"

    def __init__(
        self,
        connection: RtspConnection,
        clock_rate: int,
        on_rtp: PacketHandler | None,
        on_rtcp: PacketHandler | None,
    ) -> None:
        self._connection = connection
        self._camera = ipaddress.ip_address(connection.peer_address)
        self._reception = Reception(clock_rate)
        self._buffer = ReorderBuffer(on_rtp or _ignore, self._reception, on_timer=self._guard)
        self._on_rtcp = on_rtcp
        self._ports: list[asyncio.DatagramTransport] = []
        self._to: tuple[int, int] | None = None
        self.port = 0
        self.bytes_received = 0
        self.strangers = 0
        """Datagrams from elsewhere, thrown away."""

    async def open(self) -> None:
        """Takes an even port and the next one (RFC 3550 section 11). Raises OSError when there are none."""
        loop = asyncio.get_running_loop()
        pair = _port_pair(self._connection.local_address)
        self.port = pair[0].getsockname()[1]
        takers: list[Callable[[bytes], None]] = [self._rtp, self._rtcp]
        try:
            for sock, take in zip(pair, takers, strict=True):
                transport, _ = await loop.create_datagram_endpoint(
                    lambda take=take: _Port(self, take),  # type: ignore[misc]
                    sock=sock,
                )
                self._ports.append(transport)
        except BaseException:
            self.close()
            for sock in pair:
                sock.close()
            raise

    def answered(self, transport: str) -> None:
        """Takes SETUP's Transport header: where our reports go. Says hello there, for firewalls that are in between."""
        match = re.search(r"server_port\s*=\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?", transport)
        if match is None:
            return
        rtp = int(match[1])
        rtcp = int(match[2]) if match[2] else rtp + 1
        if 0 < rtp < 65536 and 0 < rtcp < 65536:
            self._to = (rtp, rtcp)
            self._send(0, _HOLE_PUNCH)
            self._send(1, _EMPTY_REPORT)

    def report_block(self) -> bytes:
        return self._reception.block(time.monotonic())

    def send_rtcp(self, packet: bytes) -> None:
        self._send(1, packet)

    def close(self) -> None:
        self._buffer.close()
        for port in self._ports:
            port.abort()
        self._ports = []

    def hears(self, address: tuple[Any, ...]) -> bool:
        """Whether a datagram's sender is the camera. Its port may be any: not all cameras send from the one they name."""
        with contextlib.suppress(ValueError):
            sender = ipaddress.ip_address(str(address[0]).partition("%")[0])
            if sender == self._camera:
                return not self._connection.closed.done()
        self.strangers += 1
        return False

    def _rtp(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self._guard(lambda: self._buffer.push(data))

    def _rtcp(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self._reception.sender_report(data, time.monotonic())
        handler = self._on_rtcp
        if handler is not None:
            self._guard(lambda: handler(memoryview(data), 0, len(data)))

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            if not self._connection.closed.done():
                work()
        except CameraFault as fault:
            self._connection.end(fault)

    def _send(self, which: int, packet: bytes) -> None:
        if self._ports and self._to is not None and not self._ports[which].is_closing():
            self._ports[which].sendto(packet, (str(self._camera), self._to[which]))


async def open_interleaved(
    connection: RtspConnection,
    channel: int,
    ask: Ask,
    on_rtp: PacketHandler | None,
    on_rtcp: PacketHandler | None,
) -> InterleavedPath:
    """A track over the connection itself, by `channel` and the next unless the camera chooses others. Raises CameraFault."""
    connection.route(channel, on_rtp)
    connection.route(channel + 1, on_rtcp)
    chosen = await ask(f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}")
    if "TCP" not in chosen.upper() and "interleaved" not in chosen.lower():
        raise CameraFault("transport_unsupported", "the camera insists on media over UDP", status=200)
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
    return InterleavedPath(connection, rtp, rtcp)


async def open_udp(
    connection: RtspConnection,
    clock_rate: int,
    ask: Ask,
    on_rtp: PacketHandler | None,
    on_rtcp: PacketHandler | None,
) -> UdpPath:
    """A track over a pair of ports of its own. Raises CameraFault."""
    path = UdpPath(connection, clock_rate, on_rtp, on_rtcp)
    try:
        await path.open()
        chosen = await ask(f"RTP/AVP;unicast;client_port={path.port}-{path.port + 1}")
        if "TCP" in chosen.upper() or "multicast" in chosen.lower():
            what = "TCP" if "TCP" in chosen.upper() else "multicast"
            raise CameraFault("transport_unsupported", f"the camera insists on media over {what}", status=200)
    except OSError:
        path.close()
        raise CameraFault("transport_unsupported", "no UDP ports are free on this machine") from None
    except BaseException:
        path.close()
        raise
    path.answered(chosen)
    return path


class _Port(asyncio.DatagramProtocol):
    def __init__(self, path: UdpPath, take: Callable[[bytes], None]) -> None:
        self._path = path
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._path.hears(addr):
            self._take(data)

    def error_received(self, exc: Exception) -> None:
        """A port of the camera that is closed to our reports is no trouble of the media's."""


def _ignore(view: memoryview, start: int, end: int) -> None:
    """For a track that nobody listens to."""


def _port_pair(address: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(_PAIR_TRIES):
        first, second = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        try:
            first.bind((address, 0))
            port = first.getsockname()[1]
            if port % 2 == 0 and port < 65535:
                second.bind((address, port + 1))
                for sock in (first, second):
                    sock.setblocking(False)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise OSError("no free pair of UDP ports")
