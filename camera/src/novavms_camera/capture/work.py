"""Handing decoding to a worker process: AAC from G.711, JPEG from a key frame, a strip of small pictures."""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from novavms_camera.capture.model import KeyFrame
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.audio import AudioCodec

_TIMEOUT_SEC: Final = 30.0


async def snapshot_jpeg(keyframe: KeyFrame, *, width: int | None = None) -> bytes:
    """The key frame as JPEG, at most `width` wide. Raises CameraFault malformed_stream where it does not decode."""
    result = await _run(["jpeg", keyframe.codec, str(width or 0)], keyframe.data)
    if not result:
        raise CameraFault("malformed_stream", "the camera's picture does not decode")
    return result


async def encode_aac(
    codec: AudioCodec, rate: int, channels: int, data: bytes
) -> tuple[bytes, list[bytes]] | None:
    """(AudioSpecificConfig, frames of 1024 samples) of G.711 sound; the first frame is priming. None where it fails."""
    result = await _run(["aac", codec, str(rate), str(channels)], data)
    records: list[bytes] = []
    at = 0
    while len(result or b"") - at >= 4:
        assert result is not None
        size = struct.unpack_from(">I", result, at)[0]
        records.append(result[at + 4 : at + 4 + size])
        at += 4 + size
    return (records[0], records[1:]) if len(records) > 1 and records[0] else None


class Strip(NamedTuple):
    """Pictures side by side. `shown` says of each tile whether it has one; the others are black."""

    jpeg: bytes
    height: int
    shown: list[bool]


async def thumbnail_strip(movies: Sequence[bytes], *, width: int) -> Strip | None:
    """The first picture of each fragmented MP4, `width` (even) wide; b"" makes a black tile. None where the worker failed."""
    data = b"".join(struct.pack(">I", len(movie)) + movie for movie in movies)
    result = await _run(["strip", str(width)], data)
    if result is None or len(result) <= 2 + len(movies):
        return None
    shown = [bool(byte) for byte in result[2 : 2 + len(movies)]]
    return Strip(result[2 + len(movies) :], struct.unpack_from(">H", result)[0], shown)


async def _run(arguments: list[str], data: bytes) -> bytes | None:
    """The worker's output, or None when it failed, crashed or took too long. It never outlives this call."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novavms_camera.capture.worker",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SEC):
            output, _ = await process.communicate(data)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output if process.returncode == 0 else None
