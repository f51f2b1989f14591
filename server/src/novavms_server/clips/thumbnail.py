"""A process of its own that decodes: `python -m novavms_server.clips.thumbnail FILE WIDTH`, a JPEG on stdout.

Decoders run on bytes that a camera made up. Here they can crash or loop without harm.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

WIDTH: Final = 640
_TIMEOUT_SEC: Final = 30.0


async def make(path: Path) -> bytes | None:
    """The first picture of an MP4 as JPEG, at most WIDTH wide; None where it does not decode, or takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novavms_server.clips.thumbnail",
        str(path),
        str(WIDTH),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SEC):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output if process.returncode == 0 and output else None


def main(file: str, width: int) -> int:
    """2: there is no picture that decodes."""
    import av

    av.logging.set_level(av.logging.PANIC)
    try:
        with av.open(file) as container:
            source = next(container.decode(container.streams.video[0]))
        out_width = min(width, source.width) // 2 * 2
        out_height = max(2, round(source.height * out_width / source.width) // 2 * 2)
        picture = source.reformat(width=out_width, height=out_height, format="yuvj420p")
        picture.pts = 0
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = out_width, out_height, "yuvj420p"
        encoder.options = {"qmin": "3", "qmax": "3"}
        encoder.framerate = 25  # type: ignore[assignment]
        jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
    except (av.FFmpegError, StopIteration, IndexError, ValueError):
        return 2
    sys.stdout.buffer.write(jpeg)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
