"""Access units to RTP payloads: H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640). Done once per file, shared by all cameras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

MAX_PAYLOAD_BYTES: Final = 1400
"""What fits into an Ethernet frame beside IP, UDP and RTP headers, with room for a tunnel."""


def split_length_prefixed(unit: bytes, prefix_bytes: int) -> Iterator[bytes]:
    """The NAL units of a sample as MP4 holds it (ISO/IEC 14496-15)."""
    at = 0
    while at + prefix_bytes <= len(unit):
        size = int.from_bytes(unit[at : at + prefix_bytes], "big")
        at += prefix_bytes
        if size:
            yield unit[at : at + size]
        at += size


def split_annex_b(unit: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream with start codes (ISO/IEC 14496-10 annex B)."""
    for piece in unit.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01"):
        nal = piece.rstrip(b"\x00")
        if nal:
            yield nal


def h264_payloads(nals: Iterable[bytes]) -> list[bytes]:
    """Single NAL unit packets, and FU-A (type 28) for what is too large."""
    payloads = []
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            payloads.append(nal)
            continue
        indicator, kind = (nal[0] & 0xE0) | 28, nal[0] & 0x1F
        payloads.extend(_fragments(bytes([indicator]), kind, nal[1:]))
    return payloads


def h265_payloads(nals: Iterable[bytes]) -> list[bytes]:
    """Single NAL unit packets, and fragmentation units (type 49) for what is too large."""
    payloads = []
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            payloads.append(nal)
            continue
        kind = (nal[0] >> 1) & 0x3F
        header = bytes([(nal[0] & 0x81) | (49 << 1), nal[1]])
        payloads.extend(_fragments(header, kind, nal[2:]))
    return payloads


def _fragments(header: bytes, kind: int, body: bytes) -> Iterator[bytes]:
    room = MAX_PAYLOAD_BYTES - len(header) - 1
    for at in range(0, len(body), room):
        start = 0x80 if at == 0 else 0
        end = 0x40 if at + room >= len(body) else 0
        yield header + bytes([start | end | kind]) + body[at : at + room]


def aac_payload(unit: bytes) -> bytes:
    """One access unit in AAC-hbr mode: one 16-bit AU header (13 bits of size, 3 of index), RFC 3640 section 3.3.6."""
    return b"\x00\x10" + (len(unit) << 3).to_bytes(2, "big") + unit
