"""A strip of small pictures side by side, out of fragments of recorded footage. Runs in the worker's process: it decodes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

import av
from av.video.frame import VideoFrame

_BLACK: Final = (0, 128, 128)
_RATIO: Final = 9 / 16
"""Height to width of tiles where not one of them has a picture."""


def make_strip(width: int, data: bytes) -> bytes:
    """`data`: records of a 4-byte length and a fragmented MP4 (init part and one fragment; empty: a black tile).

    Returns the tiles' height (2 bytes), a byte for each tile that says whether it shows a picture, and the JPEG. Each tile is `width` wide.
    """
    tiles = [_first_picture(movie) for movie in _records(data)]
    height = next((_height(tile, width) for tile in tiles if tile is not None), _even(width * _RATIO))
    strip = VideoFrame(width * len(tiles), height, "yuvj420p")
    small = [
        None if tile is None else tile.reformat(width=width, height=height, format="yuvj420p")
        for tile in tiles
    ]
    for number, plane in enumerate(strip.planes):
        size = width if number == 0 else width // 2
        rows = height if number == 0 else height // 2
        plane.update(_plane(small, number, size, rows, plane.line_size))
    strip.pts = 0
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = strip.width, strip.height, "yuvj420p"
    encoder.options = {"qmin": "4", "qmax": "4"}
    encoder.framerate = 25  # type: ignore[assignment]
    jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(strip), *encoder.encode(None)])
    return struct.pack(">H", height) + bytes(tile is not None for tile in tiles) + jpeg


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while len(data) - at >= 4:
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _first_picture(movie: bytes) -> VideoFrame | None:
    """None where there is none, or it does not decode."""
    if not movie:
        return None
    try:
        with av.open(io.BytesIO(movie), "r", format="mp4") as container:
            return next(container.decode(video=0), None)
    except (av.FFmpegError, ValueError, IndexError):
        return None


def _plane(tiles: list[VideoFrame | None], number: int, size: int, rows: int, line_size: int) -> bytes:
    """One plane of the strip, row by row."""
    black = bytes((_BLACK[number],)) * size
    planes = [None if tile is None else tile.planes[number] for tile in tiles]
    content = [b"" if plane is None else bytes(plane) for plane in planes]
    lines: list[bytes] = []
    for row in range(rows):
        line = b"".join(
            black if plane is None else data[row * plane.line_size : row * plane.line_size + size]
            for plane, data in zip(planes, content, strict=True)
        )
        lines.append(line.ljust(line_size, b"\0"))
    return b"".join(lines)


def _height(tile: VideoFrame, width: int) -> int:
    return _even(tile.height * width / tile.width)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
