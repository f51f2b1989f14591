"""From RTP payloads to access units: H.264 (RFC 6184) and H.265 (RFC 7798), the parts that cameras use.

An access unit leaves as one `bytes` of 4-byte length-prefixed NAL units without parameter sets (they go to ParameterSets),
as MP4 wants it. One that misses a packet is dropped, and so is what refers to it, up to the next key frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from novavms_camera.rtsp.parameter_sets import Codec, ParameterSets

Emit = Callable[[int, bool, bytes], None]
"""Takes (unwrapped RTP timestamp, is key frame, access unit)."""

MAX_ACCESS_UNIT: Final = 8 * 1024 * 1024
_MAX_PARTS: Final = 32_768
_SHORT_WAY: Final = 1024 * 1024
"""Bigger NAL units go the long way, which holds the bounds. The short one adds a byte at least each time, so it ends."""


class NalDepacketiser:
    """What H.264 and H.265 have in common: collecting the NAL units of one timestamp. Not used by itself."""

    codec: Codec
    _keys: frozenset[int]
    _kept: frozenset[int]
    _coded: frozenset[int]
    _fragment_at: int
    _fragment_type: int
    _type_mask: int

    def __init__(self, sets: ParameterSets, emit: Emit) -> None:
        self._sets = sets
        self._emit = emit
        self._parts: list[bytes] = []
        self._size = 0
        self._slot = -1
        self._fragment_kind = 0
        self.middle: bytes | None = None
        """How the payload begins of the packets that come next: within a fragmented NAL unit, and within its bounds."""
        self._fragment_size = 0
        self._timestamp = -1
        self._is_key = False
        self._has_picture = False
        self._is_damaged = False
        self._is_sent = False
        self._wants_key = True
        self._trusts_marker = True
        self.damaged = 0
        """Access units dropped because something of them was missing or wrong."""
        self.skipped = 0
        """Access units dropped because they refer to a dropped one."""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        """Takes one packet's payload. Raises ValueError for one that no camera should send."""
        at = self._fragment_at
        if (
            self._slot >= 0  # the short way of nine packets in ten: the middle of a fragmented NAL unit
            and not marker
            and not lost
            and timestamp == self._timestamp
            and len(payload) > at + 1
            and payload[0] & self._type_mask == self._fragment_type
            and payload[at] == self._fragment_kind
            and self._fragment_size < _SHORT_WAY
        ):
            piece = payload[at + 1 :].tobytes()
            self._parts.append(piece)
            self._fragment_size += len(piece)
            return
        if timestamp != self._timestamp:
            if self._parts:
                self._is_damaged = self._is_damaged or lost
                self._finish()
            self._clear()
            self._is_sent = False
            self._timestamp = timestamp
        if lost:
            self._is_damaged = True
        self._payload(payload)
        if marker and self._trusts_marker:
            if self._slot >= 0:
                self._trusts_marker = False  # within a NAL unit: this camera marks what is not the end
            else:
                self._finish()

    def push_middle(self, pieces: Sequence[bytes]) -> None:
        """Takes payloads that began with `middle`, without that: `push`, for many at once."""
        self._parts += pieces
        self._fragment_size += sum(map(len, pieces))
        if self._fragment_size >= _SHORT_WAY:
            self.middle = None

    def lose(self) -> None:
        """A packet is known to be missing or unreadable."""
        self._is_damaged = True
        self._wants_key = True

    def refuse(self) -> None:
        """The access unit just given out is of no use, nor what refers to it."""
        self.damaged += 1
        self._wants_key = True

    def _payload(self, payload: memoryview) -> None:
        raise NotImplementedError

    def _unit(self, kind: int, unit: bytes) -> None:
        """Takes one whole NAL unit."""
        if kind not in self._kept:
            self._sets.take(unit)
            return
        self._parts.append(len(unit).to_bytes(4, "big"))
        self._parts.append(unit)
        self._grow(kind, len(unit))

    def _fragment(self, flags: int, kind: int, header: bytes, payload: bytes, head: memoryview) -> None:
        """Takes one fragment of a NAL unit; `flags` has the start bit at 0x80 and the end bit at 0x40.

        `header` is the NAL unit's, `head` the payload's before the flags.
        """
        parts = self._parts
        if flags & 0x80:
            if self._slot >= 0:
                self._is_damaged = True
            self._slot = len(parts)
            self._fragment_kind = kind
            self._fragment_size = len(header)
            self.middle = head.tobytes() + bytes((kind,))
            parts.append(b"")
            parts.append(header)
        elif self._slot < 0 or kind != self._fragment_kind:
            self._is_damaged = True
            return
        parts.append(payload)
        self._fragment_size += len(payload)
        if self._size + self._fragment_size > MAX_ACCESS_UNIT or len(parts) > _MAX_PARTS:
            self._clear()
            self._is_damaged = True
        elif flags & 0x40:
            if kind in self._kept:
                parts[self._slot] = self._fragment_size.to_bytes(4, "big")
                self._grow(kind, self._fragment_size)
            else:
                unit = b"".join(parts[self._slot + 1 :])
                del parts[self._slot :]
                self._unit(kind, unit)
            self._slot = -1
            self.middle = None

    def _grow(self, kind: int, size: int) -> None:
        self._size += size
        if kind in self._coded:
            self._has_picture = True
            if kind in self._keys:
                self._is_key = True
            if (
                self._is_sent
            ):  # more of a picture that the marker bit had ended: wait for the timestamps from now on
                self._trusts_marker = False
                self._is_damaged = True
        if self._size > MAX_ACCESS_UNIT or len(self._parts) > _MAX_PARTS:
            self._clear()
            self._is_damaged = True

    def _finish(self) -> None:
        if self._is_damaged or self._slot >= 0:
            self.damaged += 1
            self._wants_key = True
        elif self._has_picture:
            if self._is_key:
                self._wants_key = False
            if self._wants_key:
                self.skipped += 1
            else:
                self._is_sent = True
                self._emit(self._timestamp, self._is_key, b"".join(self._parts))
        self._clear()

    def _clear(self) -> None:
        self._parts = []
        self._size = 0
        self._slot = -1
        self.middle = None
        self._is_key = False
        self._has_picture = False
        self._is_damaged = False


class H264Depacketiser(NalDepacketiser):
    """RFC 6184, non-interleaved: single NAL units, STAP-A, FU-A. Undefined types, makers' own, are passed over."""

    codec = "h264"
    _fragment_at, _fragment_type, _type_mask = 1, 28, 0x9F
    _keys = frozenset({5})
    _coded = frozenset({1, 2, 3, 4, 5})
    _kept = frozenset({1, 2, 3, 4, 5, 6})

    def _payload(self, payload: memoryview) -> None:
        if len(payload) < 2:
            raise ValueError("a payload without a NAL unit")
        first = payload[0]
        kind = first & 31
        if first & 0x80:
            self._is_damaged = True
        if kind == 28:
            flags = payload[1]
            kind = flags & 31
            header = bytes((first & 0xE0 | kind,)) if flags & 0x80 else b""
            self._fragment(flags, kind, header, payload[2:].tobytes(), payload[:1])
        elif 0 < kind < 24:
            self._unit(kind, payload.tobytes())
        elif kind == 24:
            for unit in split_aggregate(payload[1:].tobytes(), smallest=1, between=0):
                self._unit(unit[0] & 31, unit)
        elif kind in {25, 26, 27, 29}:
            raise ValueError("a packetisation mode that was not agreed on")


class H265Depacketiser(NalDepacketiser):
    """RFC 7798: single NAL units, aggregation packets, fragmentation units; with or without DONL fields."""

    codec = "h265"
    _fragment_at, _fragment_type, _type_mask = 2, 49 << 1, 0xFE
    _keys = frozenset(range(16, 24))
    _coded = frozenset(range(32))
    _kept = frozenset({*range(32), 39, 40})

    def __init__(self, sets: ParameterSets, emit: Emit, *, has_donl: bool = False) -> None:
        super().__init__(sets, emit)
        self._donl = 2 if has_donl else 0

    def _payload(self, payload: memoryview) -> None:
        donl = self._donl
        if len(payload) < 3 + donl:
            raise ValueError("a payload without a NAL unit")
        first = payload[0]
        kind = first >> 1 & 63
        if first & 0x80:
            self._is_damaged = True
        if kind == 49:
            flags = payload[2]
            kind = flags & 63
            begins = flags & 0x80
            header = bytes((first & 0x81 | kind << 1, payload[1])) if begins else b""
            rest = payload[3 + (donl if begins else 0) :].tobytes()
            self._fragment(flags, kind, header, rest, payload[:2])
        elif kind < 48:
            unit = payload.tobytes()
            self._unit(kind, unit[:2] + unit[4:] if donl else unit)
        elif kind == 48:
            for unit in split_aggregate(payload[2 + donl :].tobytes(), smallest=2, between=donl // 2):
                self._unit(unit[0] >> 1 & 63, unit)
        elif kind == 50:
            raise ValueError("a packetisation mode that was not agreed on")


def split_aggregate(data: bytes, *, smallest: int, between: int) -> list[bytes]:
    """The NAL units of a STAP-A or AP, each behind its 16-bit size; `between`: bytes of a DOND field. Raises ValueError."""
    units: list[bytes] = []
    at = 0
    while len(data) - at >= 2:
        size = data[at] << 8 | data[at + 1]
        at += 2
        if size < smallest or size > len(data) - at:
            raise ValueError("an aggregate that does not add up")
        units.append(data[at : at + size])
        at += size + between
    return units


def annex_b(data: bytes) -> bytes:
    """An access unit with start codes instead of lengths, as decoders take it."""
    parts: list[bytes] = []
    at = 0
    while len(data) - at > 4:
        size = int.from_bytes(data[at : at + 4], "big")
        parts += (b"\x00\x00\x00\x01", data[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(parts)
