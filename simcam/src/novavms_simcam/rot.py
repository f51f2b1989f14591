"""Packets that no camera should send, and some do; and the network that loses and reorders good ones."""

from __future__ import annotations

import random
import struct
from typing import Final, Literal

from novavms_simcam.faults import Faults

BROKEN_FRAMING: Final = b"\x00\xff\x13 not a frame, not an answer \xfe" * 40
"""Bytes that are neither $-framed packets nor an RTSP message."""


class RottenPackets:
    """A fixed round of malformed RTP packets, one per call, so that a test meets them all in the first second."""

    def __init__(self) -> None:
        self._turn = 0

    def next(self, pt: int, sequence: int, ssrc: int, codec: Literal["h264", "h265"]) -> bytes:
        """The next bad packet. Those with a whole header carry the sequence number before the coming good one's, so are late repeats."""
        late = (sequence - 1) & 0xFFFF

        def packet(payload: bytes, first: int = 0x80) -> bytes:
            return struct.pack(">BBHII", first, pt, late, 0, ssrc) + payload

        middle = b"\x7c\x05\xaa" if codec == "h264" else b"\x62\x01\x13\xaa"  # a fragment without its start
        unknown = b"\x1f\xff\xff" if codec == "h264" else b"\x7e\x01\xff\xff"  # NAL types nobody defined
        aggregate = (
            b"\x18\xff\xff\x01" if codec == "h264" else b"\x60\x01\xff\xff\x01"
        )  # longer than its packet
        kinds = [
            packet(b"\x41\x00", first=0x00),  # version 0
            b"\x80\x60",  # cut within the header
            packet(b""),  # no payload
            packet(middle),
            packet(unknown),
            packet(aggregate),
            packet(b"\x41", first=0x8F),  # fifteen CSRCs announced, none there
            packet(b"\x41\xff", first=0xA0),  # padding longer than the packet
            packet(b"\xbe\xde\xff\xff", first=0x90),  # header extension longer than the packet
            packet(middle[:1]),  # fragment without its header
        ]
        self._turn += 1
        return kinds[(self._turn - 1) % len(kinds)]


class UdpWay:
    """The network between camera and client, for one track. Its dice are seeded, so that each run loses the same packets."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._dice = random.Random(1)  # noqa: S311 - no secret
        self._held: bytes | None = None

    @property
    def is_blocked(self) -> bool:
        return self._faults.udp_blocked

    def carry(self, packet: bytes) -> tuple[bytes, ...]:
        """The packets that arrive now, in their order: none, one, or one and the one that it overtook."""
        if self._faults.udp_blocked or self._dice.random() * 100 < self._faults.udp_loss_percent:
            return ()
        if self._held is not None:
            late, self._held = self._held, None
            return packet, late
        if self._dice.random() * 100 < self._faults.udp_reorder_percent:
            self._held = packet
            return ()
        return (packet,)
