"""A stream as it was some seconds ago: what is in memory first, then what comes."""

from __future__ import annotations

from typing import Protocol

from novavms_camera.capture import SampleSink, SampleSource, WallClock
from novavms_camera.capture.model import VIDEO_RATE, StreamFormat
from novavms_camera.capture.ring import Gop


class Remembering(SampleSource, Protocol):
    """A stream with a memory."""

    def recent(self, seconds: float) -> tuple[StreamFormat | None, list[Gop]]:
        """The format and the groups of pictures in memory, from the one on that was on `seconds` ago."""


class PreRolled:
    """`stream`, for a sink that begins `seconds` before now (`SampleSource`)."""

    def __init__(self, stream: Remembering, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds

    def add_sink(self, sink: SampleSink) -> None:
        fmt, gops = self._stream.recent(self._seconds)
        if fmt is not None and gops:
            sink.on_format(fmt)
            rate = fmt.audio.rate if fmt.audio is not None else VIDEO_RATE
            for gop in gops:
                _replay(gop, rate, sink)
        self._stream.add_sink(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        self._stream.remove_sink(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        return self._stream.wall_clock(at_90k)


def _replay(gop: Gop, rate: int, sink: SampleSink) -> None:
    """Picture and sound in the order of their times, the key frame first."""
    sounds = iter(gop.audio)
    sound = next(sounds, None)
    for sample in gop.video:
        while sound is not None and not sample.key and sound.pts * VIDEO_RATE <= sample.dts * rate:
            sink.on_audio(sound)
            sound = next(sounds, None)
        sink.on_video(sample)
    while sound is not None:
        sink.on_audio(sound)
        sound = next(sounds, None)
