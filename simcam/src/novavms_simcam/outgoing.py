"""One track on its way out: RTP sequence numbers and timestamps, RTCP sender reports."""

from __future__ import annotations

import secrets
import struct
from typing import Final

from novavms_simcam.faults import Faults
from novavms_simcam.sinks import Sink

NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905)."""


class Outgoing:
    """One track's RTP state. Sequence, timestamp base and SSRC are random at first (RFC 3550 section 5.1) unless a fault says where."""

    def __init__(self, sink: Sink, pt: int, clock_rate: int, faults: Faults, *, is_video: bool) -> None:
        self.sink = sink
        self.pt = pt
        self.clock_rate = clock_rate
        self.ssrc = secrets.randbits(32)
        self.sequence = 0xFFFF - 100 if faults.sequence_wrap else secrets.randbits(16)
        wrap = round(faults.timestamp_wrap_sec * clock_rate)
        self.base = (1 << 32) - wrap if wrap else secrets.randbits(32)
        self._faults = faults
        self._is_video = is_video
        self.packets = 0
        self.octets = 0

    def timestamp(self, ticks: int) -> int:
        """The RTP timestamp of a moment, in ticks since the first PLAY."""
        percent = self._faults.rtp_clock_percent
        if percent and self._is_video:
            ticks = round(ticks * percent / 100)
        return (self.base + ticks) & 0xFFFFFFFF

    def leap(self, seconds: float) -> None:
        """From now on timestamps are other ones."""
        self.base += round(seconds * self.clock_rate)

    def send(self, ticks: int, payloads: tuple[bytes, ...]) -> None:
        self.octets += self.sink.frame(self.pt, self.sequence, self.timestamp(ticks), self.ssrc, payloads)
        self.sequence = (self.sequence + len(payloads)) & 0xFFFF
        self.packets += len(payloads)

    def report(self, ticks: int, unix: float) -> None:
        """A sender report with a CNAME (RFC 3550 sections 6.4.1 and 6.5.1): this timestamp is that moment."""
        ntp = int((unix + NTP_EPOCH) * 2**32)
        sr = struct.pack(
            ">BBHIQIII",
            0x80,
            200,
            6,
            self.ssrc,
            ntp,
            self.timestamp(ticks),
            self.packets & 0xFFFFFFFF,
            self.octets & 0xFFFFFFFF,
        )
        sdes = struct.pack(">BBHIBB", 0x81, 202, 4, self.ssrc, 1, 6) + b"simcam\x00\x00"
        self.sink.rtcp(sr + sdes)

    def bye(self) -> None:
        self.sink.rtcp(struct.pack(">BBHI", 0x81, 203, 1, self.ssrc))
