"""Where a track's packets go: interleaved into the RTSP connection (RFC 2326 section 10.12), or as UDP datagrams."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Final, Protocol

from novavms_simcam.rot import UdpWay

_INTERLEAVED: Final = struct.Struct(">cBHBBHII")
_PLAIN: Final = struct.Struct(">BBHII")

MAX_BACKLOG_BYTES: Final = 2 * 1024 * 1024
"""What may wait for a slow reader; beyond it frames are dropped, as a camera's small memory makes it do."""


class Sink(Protocol):
    """One track's way out."""

    description: str
    """The Transport header that SETUP answers with."""

    @property
    def is_full(self) -> bool: ...

    def frame(self, pt: int, sequence: int, timestamp: int, ssrc: int, payloads: tuple[bytes, ...]) -> int:
        """Send one access unit; the last packet carries the marker. Returns payload bytes sent."""

    def rtp(self, packet: bytes) -> None: ...

    def raw(self, data: bytes) -> None:
        """Write bytes that are no packet, where the way out is a byte stream."""

    def rtcp(self, packet: bytes) -> None: ...

    def close(self) -> None: ...


class InterleavedSink:
    """Packets framed by $, channel, length in the RTSP connection."""

    def __init__(
        self, transport: asyncio.Transport, rtp_channel: int, rtcp_channel: int, *, mute: bool = False
    ) -> None:
        self._transport = transport
        self._mute = mute
        self._rtp_channel = rtp_channel
        self._rtcp_channel = rtcp_channel
        self.description = f"RTP/AVP/TCP;unicast;interleaved={rtp_channel}-{rtcp_channel}"

    @property
    def is_full(self) -> bool:
        return self._transport.get_write_buffer_size() > MAX_BACKLOG_BYTES

    def frame(self, pt: int, sequence: int, timestamp: int, ssrc: int, payloads: tuple[bytes, ...]) -> int:
        parts: list[bytes] = []
        last, sent, channel = len(payloads) - 1, 0, self._rtp_channel
        for i, payload in enumerate(payloads):
            marked = pt | 0x80 if i == last else pt
            size = len(payload)
            parts += (
                _INTERLEAVED.pack(
                    b"$", channel, 12 + size, 0x80, marked, (sequence + i) & 0xFFFF, timestamp, ssrc
                ),
                payload,
            )
            sent += size
        self.raw(b"".join(parts))
        return sent

    def rtp(self, packet: bytes) -> None:
        self.raw(struct.pack(">cBH", b"$", self._rtp_channel, len(packet)) + packet)

    def raw(self, data: bytes) -> None:
        if not self._mute:
            self._transport.write(data)

    def rtcp(self, packet: bytes) -> None:
        self.raw(struct.pack(">cBH", b"$", self._rtcp_channel, len(packet)) + packet)

    def close(self) -> None:
        """Nothing of its own to close: the connection stands for the other tracks."""


class UdpSink:
    """Datagrams from a pair of local ports, RTP on the even one, RTCP on the next (RFC 3550 section 11).

    `way` is the network between; `on_rtcp` takes what the client sends to the second port.
    """

    def __init__(
        self,
        local_host: str,
        peer_host: str,
        rtp_port: int,
        rtcp_port: int,
        way: UdpWay,
        on_rtcp: Callable[[bytes], None],
    ) -> None:
        self._way = way
        self._rtp, self._rtcp = _port_pair(local_host)
        self._on_rtcp = on_rtcp
        asyncio.get_running_loop().add_reader(self._rtcp, self._heard)
        self._to_rtp = (peer_host, rtp_port)
        self._to_rtcp = (peer_host, rtcp_port)
        own = self._rtp.getsockname()[1]
        self.description = f"RTP/AVP;unicast;client_port={rtp_port}-{rtcp_port};server_port={own}-{own + 1};source={local_host}"

    @property
    def is_full(self) -> bool:
        return False

    def frame(self, pt: int, sequence: int, timestamp: int, ssrc: int, payloads: tuple[bytes, ...]) -> int:
        last, sent = len(payloads) - 1, 0
        for i, payload in enumerate(payloads):
            marked = pt | 0x80 if i == last else pt
            self.rtp(_PLAIN.pack(0x80, marked, (sequence + i) & 0xFFFF, timestamp, ssrc) + payload)
            sent += len(payload)
        return sent

    def rtp(self, packet: bytes) -> None:
        for arriving in self._way.carry(packet):
            self._send(self._rtp, arriving, self._to_rtp)

    def raw(self, data: bytes) -> None:
        """Datagrams have no framing to break."""

    def rtcp(self, packet: bytes) -> None:
        if not self._way.is_blocked:
            self._send(self._rtcp, packet, self._to_rtcp)

    @staticmethod
    def _send(sock: socket.socket, packet: bytes, to: tuple[str, int]) -> None:
        try:
            sock.sendto(packet, to)
        except OSError:
            pass  # a full buffer or an absent reader loses packets, which is what UDP does

    def _heard(self) -> None:
        with contextlib.suppress(OSError):
            self._on_rtcp(self._rtcp.recv(2048))

    def close(self) -> None:
        if self._rtcp.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._rtcp)
        self._rtp.close()
        self._rtcp.close()


def _port_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Two bound sockets on neighbouring ports, the first even. OSError when 64 tries find none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(64):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((host, port + 1))
                first.setblocking(False)
                second.setblocking(False)
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise OSError("no free pair of UDP ports")
