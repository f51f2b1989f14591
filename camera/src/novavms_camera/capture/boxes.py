"""Boxes of the ISO base media file format (ISO/IEC 14496-12), -14 (AAC) and -15 (AVC, HEVC): building and walking them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import VideoFormat

_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_EPOCH_1904: Final = 2_082_844_800
UNDETERMINED: Final = 0x55C4  # "und", ISO 639-2 packed


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box."""
    size = 8 + sum(map(len, parts))
    return b"".join((size.to_bytes(4, "big"), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """One box with version and flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def since_1904(at: datetime | None) -> int:
    """Seconds as the file format counts them; 0: unknown."""
    return max(0, int(at.timestamp()) + _EPOCH_1904) if at is not None else 0


def mvhd(timescale: int, duration: int, created: int, next_track: int) -> bytes:
    """Movie header, version 1."""
    times = struct.pack(">QQIQ", created, created, timescale, duration)
    return full_box(
        b"mvhd",
        1,
        0,
        times,
        struct.pack(">IH10x", 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", next_track),
    )


def tkhd(track: int, duration: int, created: int, video: VideoFormat | None) -> bytes:
    """Track header, version 1: enabled, in the movie. `duration` in the movie's timescale."""
    volume = 0 if video else 0x100
    size = struct.pack(">II", video.width << 16, video.height << 16) if video else bytes(8)
    times = struct.pack(">QQIIQ8x", created, created, track, 0, duration)
    return full_box(
        b"tkhd", 1, 3, times, struct.pack(">hhHH", 0, 0 if video else 1, volume, 0), _MATRIX, size
    )


def media(timescale: int, duration: int, created: int, *, is_video: bool, table: bytes) -> bytes:
    """`mdia` around a sample table box."""
    mdhd = full_box(
        b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, timescale, duration, UNDETERMINED, 0)
    )
    kind, name = (b"vide", b"VideoHandler\0") if is_video else (b"soun", b"SoundHandler\0")
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), name)
    head = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    return box(b"mdia", mdhd, hdlr, box(b"minf", head, dinf, table))


def video_entry(fmt: VideoFormat) -> bytes:
    """Sample entry `avc1` or `hvc1`: the parameter sets are in it and not in the samples."""
    kind, config = (b"avc1", b"avcC") if fmt.codec == "h264" else (b"hvc1", b"hvcC")
    head = struct.pack(">6xH16xHHII4xH32xHh", 1, fmt.width, fmt.height, 0x480000, 0x480000, 1, 24, -1)
    return box(kind, head, box(config, fmt.config))


def audio_entry(fmt: AudioFormat) -> bytes:
    """Sample entry `mp4a` with its decoder configuration, or `alaw`/`ulaw`, which only our own .part files hold."""
    kind = {"aac": b"mp4a", "pcma": b"alaw", "pcmu": b"ulaw"}[fmt.codec]
    head = struct.pack(">6xH8xHH4xI", 1, fmt.channels, 16, (fmt.rate if fmt.rate < 65536 else 0) << 16)
    return box(kind, head, *((_esds(fmt.config),) if fmt.codec == "aac" else ()))


def _esds(config: bytes) -> bytes:
    """ES descriptor (ISO/IEC 14496-1 clause 7.2.6) around an AudioSpecificConfig."""
    specific = _descriptor(5, config)
    decoder = _descriptor(4, b"\x40\x15" + bytes(11) + specific)
    return full_box(b"esds", 0, 0, _descriptor(3, b"\x00\x00\x00" + decoder + _descriptor(6, b"\x02")))


def _descriptor(tag: int, data: bytes) -> bytes:
    return bytes((tag, 0x80, 0x80, len(data) >> 7 & 127 | 0x80, len(data) & 127)) + data


def stsd(entry: bytes) -> bytes:
    """Sample descriptions: one."""
    return full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)


def walk(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of the contents of each box in `data[start:end]`. Raises ValueError for one that does not fit."""
    while end - start >= 8:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and end - start >= 16:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if size < head or size > end - start:
            raise ValueError("a box that does not fit")
        yield kind, start + head, start + size
        start += size


def find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int]:
    """The contents of the first box at `path`. Raises ValueError when there is none."""
    for kind in path:
        place = next(((a, b) for k, a, b in walk(data, start, end) if k == kind), None)
        if place is None:
            raise ValueError("a box is missing")
        start, end = place
    return start, end
