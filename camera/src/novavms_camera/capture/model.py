"""The words of the capture: what it is told, what it reports, what it hands out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

from novavms_camera.faults import Reason
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import VideoFormat
from novavms_camera.source import StreamSource

VIDEO_RATE: Final = 90_000
"""Ticks a second of a stream's own timeline, on which all `_90k` values are: zero when its CaptureStream was made."""

State = Literal["pending", "online", "offline", "error"]
SourceProvider = Callable[[], Awaitable[StreamSource]]
"""Called before each connection (ONVIF finds its stream address there). Raises CameraFault."""


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> datetime:
        """The time of day, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Where a stream stands. `since` is when `state` or `reason` last changed; `last_frame_at` when a frame last came."""

    state: State
    reason: Reason | None
    message: str | None
    since: datetime
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a stream carries. `fps` is what the camera says, else as measured; `audio_codec`: aac, pcma, pcmu.
    `keyframe_interval_sec`: the longest of late, once two key frames came."""

    codec: Literal["h264", "h265"]
    width: int
    height: int
    fps: float | None
    has_audio: bool
    audio_codec: str | None
    transport: Literal["tcp", "udp"]
    keyframe_interval_sec: float | None = None


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """One picture that decodes by itself. `data` is Annex B, parameter sets in front."""

    codec: Literal["h264", "h265"]
    data: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A finished MP4. `failure_reason` is set when it is shorter than asked: camera_offline, frozen, format_changed, ..."""

    path: Path
    size_bytes: int
    sha256: str
    duration_sec: float
    started_at: datetime
    codec: str
    width: int
    height: int
    has_audio: bool
    failure_reason: str | None
    gap_sec: float = 0.0
    """Seconds within it of which there is no picture: the connection broke and came back, or packets were lost (UDP)."""


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """One coding format of a session; what is recorded together has one format."""

    video: VideoFormat
    audio: AudioFormat | None


class VideoSample(NamedTuple):
    """One access unit, 4-byte length-prefixed NAL units. Times in `_90k` of the stream."""

    dts: int
    pts: int
    key: bool
    data: bytes


class AudioSample(NamedTuple):
    """One AAC frame or one packet of G.711. Times in ticks of the format's rate, on the stream's timeline."""

    pts: int
    duration: int
    data: bytes


class Loss(NamedTuple):
    """The camera sent pictures that we do not have: none is decodable in `[start_90k, end_90k)`.

    `damaged`: access units of which something was missing or unreadable; `skipped`: those that refer to one of them.
    """

    start_90k: int
    end_90k: int
    damaged: int
    skipped: int


class Jump(NamedTuple):
    """The camera's timestamps leapt by `shift_90k` at `at_90k` of the stream's timeline, which went on as the frames arrived."""

    at_90k: int
    shift_90k: int


TimeSource = Literal["rtcp", "arrival"]


class WallClock(NamedTuple):
    """A time of day (UTC), how it is known, and how far off it may be, in seconds.

    `rtcp`: by the camera's sender reports, where its clock agrees with ours within 2 s. `arrival`: by our own clock when the
    frames arrived, so late by what camera and network took. `camera_offset_sec`: the camera's clock minus ours as its sender
    reports told, on whichever the time is based; None where it told none.
    """

    at: datetime
    source: TimeSource
    uncertainty_sec: float
    camera_offset_sec: float | None = None


class SampleSink(Protocol):
    """A reader of a stream's samples. Called in the loop, in decoding order; must be quick and must not raise."""

    def on_format(self, fmt: StreamFormat) -> None:
        """What follows is in this format, and begins with a key frame."""

    def on_video(self, sample: VideoSample) -> None:
        """A video frame."""

    def on_audio(self, sample: AudioSample) -> None:
        """An audio frame."""

    def on_loss(self, loss: Loss) -> None:
        """Pictures were lost on their way. Comes before the key frame that ends the loss, or before `on_break`."""

    def on_jump(self, jump: Jump) -> None:
        """The camera's timestamps leapt. Comes before the frame that leapt."""

    def on_break(self, reason: Reason) -> None:
        """The session ended; another one may follow."""


class SampleSource(Protocol):
    """What a recorder reads from: CaptureStream, or a made-up camera."""

    def add_sink(self, sink: SampleSink) -> None:
        """Gives `sink` every sample from now on."""

    def remove_sink(self, sink: SampleSink) -> None:
        """Forgets it."""

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of a moment of the stream's timeline, as far as is known now. Never raises."""
