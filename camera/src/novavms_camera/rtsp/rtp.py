"""RTP and RTCP (RFC 3550): packet headers, lost packets, timestamps that wrap, sender reports."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple, Protocol

from novavms_camera.faults import CameraFault

_HEADER: Final = Struct(">BBHII")
_REPORT: Final = Struct(">BBHIIII")
_NTP_TO_UNIX: Final = 2_208_988_800
_MAX_MALFORMED: Final = 200
"""Malformed packets without a good one between them, after which the session is ended."""


class Depacketiser(Protocol):
    """Takes payloads in order."""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        """One payload, `lost`: packets before it are missing. Raises ValueError when malformed."""

    def lose(self) -> None:
        """A packet was unreadable."""


class SenderReport(NamedTuple):
    """The camera's word on which RTP timestamp was when, `utc` in seconds since 1970 by its own clock."""

    ssrc: int
    utc: float
    timestamp: int


class RtpTrack:
    """One track's packets: `on_rtp` and `on_rtcp` are the handlers for RtspClient.setup.

    Packets come in order: over UDP a ReorderBuffer stands in front of this class.
    """

    def __init__(self, payload_type: int, depacketiser: Depacketiser) -> None:
        self._payload_type = payload_type
        self._depacketiser = depacketiser
        self._sequence = -1
        self._ssrc = -1
        self._timestamp = 0
        self._malformed_in_row = 0
        self.packets = 0
        self.lost = 0
        self.malformed = 0
        self.report: SenderReport | None = None
        """The newest sender report; its timestamp is unwrapped like those of the frames."""

    def on_rtp(self, view: memoryview, start: int, end: int) -> None:
        """Takes the packet `view[start:end]`. Raises CameraFault malformed_stream after too many bad ones in a row."""
        if end - start < 12:
            self._bad()
            return
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(view, start)
        if first & 0xC0 != 0x80:
            self._bad()
            return
        if second & 127 != self._payload_type:
            return
        payload = start + 12
        if first & 0x3F:
            payload, end = _optional_parts(view, first, payload, end)
            if payload > end:
                self._bad()
                return
        lost = sequence != self._sequence
        if lost:
            if ssrc == self._ssrc and self._sequence >= 0:
                missing = (sequence - self._sequence) & 0xFFFF
                if missing >= 0x8000:
                    return  # late or repeated
                self.lost += missing
            else:
                lost = self._sequence >= 0
                self._ssrc = ssrc
                self._timestamp = timestamp
        self._sequence = (sequence + 1) & 0xFFFF
        delta = (timestamp - self._timestamp) & 0xFFFFFFFF
        self._timestamp += delta if delta < 0x80000000 else delta - 0x100000000
        self.packets += 1
        if payload == end:
            return  # RFC 3550 allows padding only: keeps ways through firewalls open
        try:
            self._depacketiser.push(view[payload:end], second >= 128, self._timestamp, lost)
        except ValueError:
            self._depacketiser.lose()
            self._bad()
        else:
            self._malformed_in_row = 0

    def on_rtcp(self, view: memoryview, start: int, end: int) -> None:
        """Takes a compound RTCP packet; what is not a readable sender report is passed over."""
        report = parse_sender_report(view[start:end].tobytes())
        if report is not None and report.ssrc == self._ssrc:
            delta = (report.timestamp - self._timestamp) & 0xFFFFFFFF
            delta -= 0x100000000 if delta >= 0x80000000 else 0
            self.report = report._replace(timestamp=self._timestamp + delta)

    def receiver_report(self, block: bytes = b"") -> bytes:
        """Our report on this track (RFC 3550 section 6.4.2) with the required CNAME; `block` holds statistics, if any."""
        name = b"\x01\x07novavms"
        source = (self._ssrc ^ 0x4E4F5641 if self._ssrc >= 0 else 0x4E4F5641).to_bytes(4, "big")
        description = source + name + b"\x00" * (4 - (4 + len(name)) % 4)
        return (
            bytes((0x80 | bool(block), 201, 0, 1 + len(block) // 4))
            + source
            + block
            + b"\x81\xca"
            + (len(description) // 4).to_bytes(2, "big")
            + description
        )

    def _bad(self) -> None:
        self.malformed += 1
        self._malformed_in_row += 1
        if self._malformed_in_row > _MAX_MALFORMED:
            raise CameraFault("malformed_stream", "the camera's media packets are not readable")


def _optional_parts(view: memoryview, first: int, payload: int, end: int) -> tuple[int, int]:
    """(start, end) of the payload inside padding, contributing sources and the header extension; start > end: malformed."""
    payload += 4 * (first & 15)
    if first & 0x10:
        if payload + 4 > end:
            return end + 1, end
        payload += 4 + 4 * (view[payload + 2] << 8 | view[payload + 3])
    if first & 0x20 and payload < end:
        padding = view[end - 1]
        if padding == 0:
            return end + 1, end
        end -= padding
    return payload, end


def parse_sender_report(packet: bytes) -> SenderReport | None:
    """The first sender report of a compound packet, or None. Never raises.

    A clock that was never set still tells how sound and picture lie to each other; one that is zero tells nothing.
    """
    at = 0
    while at + 8 <= len(packet):
        if packet[at] & 0xC0 != 0x80:
            return None
        size = 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        if packet[at + 1] == 200 and size >= 28 and at + 20 <= len(packet):
            _, _, _, ssrc, seconds, fraction, timestamp = _REPORT.unpack_from(packet, at)
            if seconds < 0x80000000:
                seconds += 0x100000000  # RFC 2030: era 1, from 2036 on
            utc = seconds - _NTP_TO_UNIX + fraction / 0x100000000
            return SenderReport(ssrc, utc, timestamp) if packet[at + 8 : at + 16] != bytes(8) else None
        at += size
    return None
