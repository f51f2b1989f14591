"""A strip of small pictures, made by the worker's process: what cannot be decoded is black, and harms nothing."""

from __future__ import annotations

import io
import random

import av
import pytest
from nova_segments import pictures

from novavms_camera.capture.fmp4 import fragment, init_part
from novavms_camera.capture.model import VideoSample
from novavms_camera.capture.work import thumbnail_strip

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def movie(number: int, size: int = 64) -> bytes:
    """One key frame of greys."""
    fmt, frames = pictures(size)
    _, data = frames[number * 25]
    return init_part(fmt) + fragment(1, [VideoSample(0, 0, True, data)], 3600, [])


async def test_tiles_stand_side_by_side_and_rubbish_is_black() -> None:
    whole = movie(6)
    chance = random.Random(1)
    torn = [whole[: chance.randrange(len(whole))] for _ in range(3)]
    rubbish = [chance.randbytes(5000), b"\0" * 100, whole[:60] + b"\xff" * 4000]
    movies = [movie(2), b"", *torn, *rubbish, whole]
    strip = await thumbnail_strip(movies, width=32)
    assert strip is not None
    assert (strip.shown[0], strip.shown[1], strip.shown[-1], strip.height) == (True, False, True, 32)
    with av.open(io.BytesIO(strip.jpeg)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    assert (frame.width, frame.height) == (32 * len(movies), 32)
    middle = bytes(frame.planes[0])[16 * frame.planes[0].line_size :][: frame.width]
    tones = [middle[tile * 32 + 16] for tile in range(len(movies))]
    assert tones[1] < 10
    assert 40 < tones[0] < tones[-1] - 50, "the later picture is lighter"


async def test_nothing_but_black_has_a_shape() -> None:
    strip = await thumbnail_strip([b"", b"no movie"], width=160)
    assert strip is not None
    assert (strip.shown, strip.height) == ([False, False], 90)
