"""Packets as UDP brings them, put back in order and counted (RFC 3550 sections 6.4.1 and A.1, A.3, A.8)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from struct import Struct
from typing import Final

from novavms_camera.rtsp.connection import PacketHandler

MAX_HELD: Final = 32
"""Packets that wait for a missing one at most."""
MAX_WAIT_SEC: Final = 0.1
"""How long they wait at most: longer than a switch reorders, shorter than a viewer notices."""
_HEAD: Final = Struct(">HII")
_BLOCK: Final = Struct(">IIIIII")


class Reception:
    """What a receiver report says of one source. Fed with each packet's header as it arrives, late ones included."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._report_middle = 0
        self._report_at = 0.0
        self._begin(-1, 0)

    def _begin(self, ssrc: int, sequence: int) -> None:
        """Another source: nothing of the last one counts."""
        self._ssrc = ssrc
        self._base = self._highest = sequence
        self._received = 0
        self._told_expected = self._told_received = 0
        self._jitter = 0.0
        self._transit: float | None = None

    def packet(self, ssrc: int, sequence: int, timestamp: int, arrival: float) -> None:
        """One RTP packet; `arrival` in seconds of a clock that never goes back."""
        if ssrc != self._ssrc:
            self._begin(ssrc, sequence)
        ahead = (sequence - self._highest) & 0xFFFF
        if ahead < 0x8000:
            self._highest += ahead
        self._received += 1
        transit = arrival * self._rate - timestamp
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < 0x40000000:  # not where the timestamp wrapped
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def sender_report(self, packet: bytes, arrival: float) -> None:
        """The newest sender report, for the round trip that the camera computes from our answer."""
        if len(packet) >= 16 and packet[1] == 200:
            self._report_middle = int.from_bytes(packet[10:14], "big")
            self._report_at = arrival

    def block(self, now: float) -> bytes:
        """The 24 bytes of a report block; empty before the first packet. Begins the next interval."""
        if self._ssrc < 0:
            return b""
        expected = self._highest - self._base + 1
        lost = min(max(expected - self._received, -0x800000), 0x7FFFFF)
        interval = expected - self._told_expected
        missing = interval - (self._received - self._told_received)
        self._told_expected, self._told_received = expected, self._received
        fraction = min(255, (missing << 8) // interval) if interval > 0 and missing > 0 else 0
        delay = min(int((now - self._report_at) * 65536), 0xFFFFFFFF) if self._report_middle else 0
        return _BLOCK.pack(
            self._ssrc,
            fraction << 24 | (lost & 0xFFFFFF),
            self._highest & 0xFFFFFFFF,
            int(min(self._jitter, 0xFFFFFFFF)),
            self._report_middle,
            delay,
        )


class ReorderBuffer:
    """Hands packets on in the order of their sequence numbers; after a bounded wait goes on without the missing ones.

    What is in order goes through at once and uncopied; `deliver` sees a hole as a jump of the sequence number.
    """

    def __init__(
        self,
        deliver: PacketHandler,
        reception: Reception,
        *,
        on_timer: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._deliver = deliver
        self._guarded = on_timer or (lambda work: work())
        self._loop = asyncio.get_running_loop()
        self._reception = reception
        self._next = -1
        self._ssrc = -1
        self._held: dict[int, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None

    def push(self, packet: bytes) -> None:
        """Takes one datagram of the track, whatever is in it. Raises what `deliver` raises."""
        if len(packet) < 12 or packet[0] & 0xC0 != 0x80:
            self._deliver(memoryview(packet), 0, len(packet))  # to be counted as malformed there
            return
        sequence, timestamp, ssrc = _HEAD.unpack_from(packet, 2)
        self._reception.packet(ssrc, sequence, timestamp, time.monotonic())
        if ssrc != self._ssrc:
            self.flush()
            self._ssrc, self._next = ssrc, sequence
        ahead = (sequence - self._next) & 0xFFFF
        if ahead == 0:
            self._pass(packet)
            self._drain()
        elif ahead < 0x8000:  # else late or repeated: its place has gone by
            self._held[sequence] = packet
            if len(self._held) > MAX_HELD:
                self._skip()
            elif self._timer is None:
                self._timer = self._loop.call_later(MAX_WAIT_SEC, self._guarded, self._waited)

    def flush(self) -> None:
        """Hands on all that is held, holes or not."""
        while self._held:
            self._skip()

    def close(self) -> None:
        """Forgets all."""
        self._held.clear()
        self._stop_timer()

    def _waited(self) -> None:
        self._timer = None
        self.flush()

    def _skip(self) -> None:
        """Goes on behind the hole."""
        self._next = min(self._held, key=lambda sequence: (sequence - self._next) & 0xFFFF)
        self._drain()

    def _drain(self) -> None:
        while (packet := self._held.pop(self._next, None)) is not None:
            self._pass(packet)
        if not self._held:
            self._stop_timer()

    def _pass(self, packet: bytes) -> None:
        self._next = (self._next + 1) & 0xFFFF
        self._deliver(memoryview(packet), 0, len(packet))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
