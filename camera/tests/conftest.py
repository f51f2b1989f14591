"""Shared by the camera package's tests."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Seen:
    """What an independent decoder sees in a file."""

    duration: float
    packets: int
    first_is_key: bool
    is_monotonic: bool
    times: list[float]
    pictures: list[int]
    """The first pixel's luma of each picture."""
    audio_times: list[float]
    tag: str
    audio: str | None


def _look(path: Path) -> Seen:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        assert container.duration is not None
        duration, tag = container.duration / av.time_base, str(video.codec_context.codec_tag)
        name = audio.codec_context.name if audio else None
        packets = [p for p in container.demux(video) if p.size]
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    audio_times: list[float] = []
    if name:
        with av.open(str(path)) as container:
            audio_times = [float(f.time or 0) for f in container.decode(audio=0)]
    dts = [p.dts or 0 for p in packets]
    times = [float(f.time or 0) for f in frames]
    rising = all(a < b for a, b in [*pairwise(dts), *pairwise(times), *pairwise(audio_times)])
    brightness = [bytes(f.planes[0])[0] for f in frames]
    return Seen(
        duration, len(packets), packets[0].is_keyframe, rising, times, brightness, audio_times, tag, name
    )


@pytest.fixture
def look() -> Callable[[Path], Seen]:
    """Decodes a whole movie with PyAV and says what was in it: a witness that shares no code with our writer."""
    return _look
