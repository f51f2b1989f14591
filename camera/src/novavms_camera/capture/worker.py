"""The process that decodes: `python -m novavms_camera.capture.worker aac|jpeg|strip ...`, data on stdin, result on stdout.

Decoders run on bytes that a camera made up. Here they can crash or loop without harm: the capture kills the process.
"""

from __future__ import annotations

import struct
import sys
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from novavms_camera.capture.strip import make_strip


def encode_aac(codec: str, rate: int, channels: int, data: bytes) -> bytes:
    """G.711 to AAC-LC. Returns records of a 4-byte length and data: the AudioSpecificConfig, then each frame."""
    layout = "mono" if channels == 1 else "stereo"
    decoder = cast(
        AudioCodecContext, av.CodecContext.create({"pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}[codec], "r")
    )
    decoder.sample_rate = rate
    decoder.layout = layout
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate = rate
    encoder.layout = layout
    encoder.format = "fltp"
    encoder.bit_rate = 32_000 * channels
    encoder.open()
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=encoder.frame_size)
    frames: list[bytes] = []
    step = 1024 * channels
    position = 0
    for at in range(0, len(data), step):
        for frame in decoder.decode(av.Packet(data[at : at + step])):
            frame.pts = position
            frame.sample_rate = rate
            position += frame.samples
            for piece in resampler.resample(frame):
                frames += [bytes(p) for p in encoder.encode(piece)]
    for tail in [*resampler.resample(None), None]:
        frames += [bytes(p) for p in encoder.encode(tail)]
    records = [encoder.extradata or b"", *frames]
    return b"".join(struct.pack(">I", len(r)) + r for r in records)


def encode_jpeg(codec: str, width: int, data: bytes) -> bytes:
    """One key frame in Annex B form to JPEG; `width` 0 keeps the size, else the height follows."""
    decoder = cast(VideoCodecContext, av.CodecContext.create({"h264": "h264", "h265": "hevc"}[codec], "r"))
    frames: list[VideoFrame] = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    if not frames:
        raise ValueError("no picture")
    source = frames[0]
    out_width = min(width or source.width, source.width) // 2 * 2
    out_height = max(2, round(source.height * out_width / source.width) // 2 * 2)
    picture = source.reformat(width=out_width, height=out_height, format="yuvj420p")
    picture.pts = 0
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = out_width, out_height, "yuvj420p"
    encoder.options = {"qmin": "3", "qmax": "3"}
    encoder.framerate = 25  # type: ignore[assignment]
    return b"".join(bytes(p) for p in [*encoder.encode(picture), *encoder.encode(None)])


def main(arguments: list[str]) -> int:
    """Runs one job. 2: what came in can't be decoded."""
    av.logging.set_level(av.logging.PANIC)
    data = sys.stdin.buffer.read()
    try:
        if arguments[0] == "strip":
            result = make_strip(int(arguments[1]), data)
        elif arguments[0] == "aac":
            result = encode_aac(arguments[1], int(arguments[2]), int(arguments[3]), data)
        else:
            result = encode_jpeg(arguments[1], int(arguments[2]), data)
    except (av.FFmpegError, ValueError):
        return 2
    sys.stdout.buffer.write(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
