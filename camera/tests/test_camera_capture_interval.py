"""How far a stream's key frames are apart, as its capture measures it."""

from __future__ import annotations

import pytest

from novavms_camera.capture import CaptureStream, MediaFacts
from novavms_camera.capture.model import VIDEO_RATE, Jump, Loss, StreamFormat, VideoSample
from novavms_camera.check import is_interval_news
from novavms_camera.rtsp.parameter_sets import VideoFormat
from novavms_camera.source import StreamSource


@pytest.fixture
def stream() -> CaptureStream:
    made = CaptureStream(StreamSource(url="rtsp://127.0.0.1/x"))
    begin(made)
    return made


def begin(stream: CaptureStream) -> None:
    video = VideoFormat("h264", 64, 64, None, b"", b"", "avc1.640028", 0)
    stream.on_format(StreamFormat(video, None), MediaFacts("h264", 64, 64, 5.0, False, None, "tcp"))


def play(stream: CaptureStream, *keys_at: float) -> float | None:
    """Pictures up to a second after the last key frame, five a second."""
    for at, following in zip(keys_at, [*keys_at[1:], keys_at[-1] + 1], strict=True):
        for number in range(round((following - at) * 5)):
            pts = round((at + number / 5) * VIDEO_RATE)
            stream.on_video(VideoSample(pts, pts, number == 0, b"x"))
    return interval(stream)


def interval(stream: CaptureStream) -> float | None:
    assert stream.facts is not None
    return stream.facts.keyframe_interval_sec


def test_it_is_known_once_two_key_frames_came(stream: CaptureStream) -> None:
    assert play(stream, 0) is None
    assert play(stream, 10) == 10
    assert play(stream, 20, 30.1) == 10, "a tenth of a second is no change"


def test_the_longest_of_the_last_few_counts(stream: CaptureStream) -> None:
    """A smart codec's: long while nothing moves."""
    assert play(stream, 0, 2, 10, 12, 14) == 8
    assert play(stream, 16) == 8
    assert play(stream, 18, 20, 22) == 2


def test_key_frames_that_may_be_missing_are_not_measured_over(stream: CaptureStream) -> None:
    assert play(stream, 0, 2) == 2
    stream.on_loss(Loss(2 * VIDEO_RATE, 6 * VIDEO_RATE, 1, 9))
    assert play(stream, 6) == 2
    stream.on_jump(Jump(6 * VIDEO_RATE, 10**7))
    assert play(stream, 26, 28) == 2
    begin(stream)
    assert play(stream, 60) is None, "another format, another interval"
    assert play(stream, 61) == 1


@pytest.mark.parametrize(
    ("measured", "told", "is_news"),
    [(None, None, False), (None, 9.0, False), (2.0, None, True), (3.0, 2.0, False), (9.0, 2.0, True), (2.0, 9.0, True)],
)  # fmt: skip
def test_what_is_worth_telling(measured: float | None, told: float | None, is_news: bool) -> None:
    assert is_interval_news(measured, told) is is_news
