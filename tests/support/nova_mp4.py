"""An independent reader of MP4s: PyAV (FFmpeg) decodes every frame."""

from __future__ import annotations

import io
from dataclasses import dataclass

import av


@dataclass(frozen=True)
class Decoded:
    """What a whole decode saw. Times in seconds."""

    video_frames: int
    audio_frames: int
    duration_sec: float
    codec: str
    audio_codec: str | None
    first_is_key: bool
    monotonic: bool
    width: int
    height: int


def decode(data: bytes) -> Decoded:
    """Decode all of it; raises av.error.FFmpegError on damage. `duration_sec` is from the first frame shown to the end of the last."""
    with av.open(io.BytesIO(data)) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        video_times, audio_times, first_key = [], [], None
        step = 0.0
        dts_monotonic = True
        last_dts: dict[int, int] = {}
        for packet in container.demux():
            if packet.dts is not None:
                dts_monotonic &= packet.dts > last_dts.get(packet.stream_index, -(2**62))
                last_dts[packet.stream_index] = packet.dts
            if packet.stream is video and first_key is None:
                first_key = packet.is_keyframe
            for frame in packet.decode():
                assert frame.time is not None
                (video_times if packet.stream is video else audio_times).append(frame.time)
        if len(video_times) > 1:
            step = (video_times[-1] - video_times[0]) / (len(video_times) - 1)
        monotonic = dts_monotonic and video_times == sorted(set(video_times))
        return Decoded(
            video_frames=len(video_times),
            audio_frames=len(audio_times),
            duration_sec=video_times[-1] - video_times[0] + step,
            codec=video.codec_context.name,
            audio_codec=audio.codec_context.name if audio else None,
            first_is_key=bool(first_key),
            monotonic=monotonic,
            width=video.codec_context.width,
            height=video.codec_context.height,
        )


def pictures(data: bytes) -> int:
    """How many are in a file that begins with a key frame, and whose times rise."""
    seen = decode(data)
    assert seen.first_is_key
    assert seen.monotonic
    return seen.video_frames
