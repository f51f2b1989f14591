"""Small pictures of the past, side by side: one JPEG for a timeline."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from novavms_camera.capture import read_segment
from novavms_camera.capture.work import thumbnail_strip
from novavms_gateway.kit.disk import Disk, OffLoop
from novavms_gateway.link.requests import RequestRefusedError
from novavms_gateway.recording.library import Library
from novavms_gateway.recording.media import MediaSender
from novavms_gateway.storage.footage import micros
from novavms_protocol import SendThumbnails

TILES_MAX: Final = 120
WIDTH_MIN, WIDTH_MAX = 32, 640
STRIP_MAX: Final = 16_384
"""Pixels: what decoders of JPEG take everywhere."""
AT_ONCE: Final = 2
FRAGMENT_MAX: Final = 4 * 1024 * 1024
"""Of one key frame and the second that follows; a larger one is cut off behind its first picture by the decoder."""


class Thumbnails:
    """Answers SendThumbnails."""

    def __init__(self, *, library: Library, media: MediaSender, disk: Disk, off_loop: OffLoop) -> None:
        self._library = library
        self._media = media
        self._disk = disk
        self._off_loop = off_loop
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def send(self, ask: SendThumbnails) -> dict[str, Any]:
        """The reply of SendThumbnails, once the picture is sent. Raises RequestRefusedError."""
        width = ask.width // 2 * 2
        if not (WIDTH_MIN <= width <= WIDTH_MAX and 0 < len(ask.times) <= min(TILES_MAX, STRIP_MAX // width)):
            raise RequestRefusedError(
                "unsupported", "That many, or that wide, pictures are not made at once."
            )
        url = self._media.address(ask.url)
        async with self._at_once:
            found = [await self._find(ask, at) for at in ask.times]
            strip = await thumbnail_strip([movie for _, movie in found], width=width)
        if strip is None:
            raise RequestRefusedError("internal", "The pictures could not be made.")
        await self._media.put(url, strip.jpeg, "image/jpeg")
        tiles = [at if shown else None for (at, _), shown in zip(found, strip.shown, strict=True)]
        return {"tiles": msgspec.to_builtins(tiles), "width": width, "height": strip.height}

    async def _find(self, ask: SendThumbnails, at: datetime) -> tuple[datetime | None, bytes]:
        """The key frame at or before `at`: its time, and a movie of its fragment; None and nothing where there is no footage."""
        at_us = micros(at)
        segments, _ = await self._library.segments(ask.camera_id, at_us, at_us + 1)
        if not segments:
            return None, b""
        path = self._library.path(segments[0])
        try:
            return await self._off_loop.run(lambda: _cut_out(self._disk, path, at))
        except FileNotFoundError:
            await self._library.lost(segments[0].id)
        except OSError:
            pass  # unreadable: a black tile
        return None, b""


def _cut_out(disk: Disk, path: Path, at: datetime) -> tuple[datetime | None, bytes]:
    """Blocks. Raises OSError."""
    facts = read_segment(path, disk)
    if facts is None or not facts.keys:
        return None, b""
    entries = [(facts.wall_clock(key.at_90k).at, key) for key in facts.keys]
    number = max((n for n, (begins, _) in enumerate(entries) if begins <= at), default=0)
    begins, key = entries[number]
    end = entries[number + 1][1].offset if number + 1 < len(entries) else facts.size_bytes
    size = min(end - key.offset, FRAGMENT_MAX)
    return begins, disk.read(path, 0, facts.init_bytes) + disk.read(path, key.offset, size)
