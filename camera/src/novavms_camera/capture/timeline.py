"""One session's times: RTP timestamps onto the stream's own timeline, sound to picture, and both to the time of day.

RTP timestamps begin anywhere, wrap, and on some cameras jump. Here they become times that only go forward, from session to session too.
"""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import Final, NamedTuple

from novavms_camera.capture.model import VIDEO_RATE, Clock, Jump, TimeSource, WallClock
from novavms_camera.rtsp.rtp import RtpTrack

_MAX_REORDER: Final = 16
_JUMP_FORWARD: Final = 10 * VIDEO_RATE
_JUMP_BACK: Final = 2 * VIDEO_RATE
_RESYNC_SEC: Final = 0.04
"""Sound is moved when the sender reports say that it is off by more than this: less is not seen on lips."""
_MAX_SYNC_SEC: Final = 5.0
_ARRIVAL_ERROR_SEC: Final = 0.5
"""What camera and network take at most, as a rule, from the picture to its arrival."""
_RTCP_ERROR_SEC: Final = 0.02
_MAX_CLOCK_ERROR_SEC: Final = 2.0
"""A camera whose clock is further off than this is not asked for the time of day: its frames are dated as they arrive."""


class DecodeOrder:
    """Decoding times for frames that come in decoding order with presentation times (B-frames are late ones).

    A frame's decoding time is the smallest presentation time not given out yet, `depth` frames behind.
    """

    def __init__(self, depth: int | None, *, after: int = -(1 << 62)) -> None:
        self._depth = depth or 0
        self._heap: list[int] = []
        self._last = self._highest = after

    def next(self, pts: int, frame_90k: int) -> tuple[int, int]:
        """(dts, pts) of the next frame; dts goes up by at least 1, pts is never before it."""
        if not self._depth and pts > self._last:  # the way of nearly all cameras
            self._last = self._highest = pts
            return pts, pts
        if pts < self._highest and not self._depth:
            self._depth = 1
        self._highest = max(self._highest, pts)
        heapq.heappush(self._heap, pts)
        if len(self._heap) > self._depth:
            dts = heapq.heappop(self._heap)
        else:
            dts = self._heap[0] - (self._depth + 1 - len(self._heap)) * frame_90k
        dts = self._last = max(dts, self._last + 1)
        if pts < dts and self._depth < _MAX_REORDER:
            self._depth += 1  # the stream reorders more than it said
        return dts, max(pts, dts)


class ClockOffset(NamedTuple):
    """How a timeline lies to the time of day: its zero in seconds since 1970, how that is known and how far off it may be."""

    zero: float
    source: TimeSource
    uncertainty_sec: float

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of `at_90k`."""
        at = datetime.fromtimestamp(self.zero + at_90k / VIDEO_RATE, UTC)
        return WallClock(at, self.source, self.uncertainty_sec)


class Timeline:
    """Times of one session. `origin`: the monotonic time of the timeline's zero; `not_before`: where the last session ended."""

    def __init__(
        self,
        clock: Clock,
        origin: float,
        not_before: int,
        video: RtpTrack,
        audio: RtpTrack | None,
        *,
        video_rate: int,
    ) -> None:
        self._clock = clock
        self._origin = origin
        self._not_before = not_before
        self._video = video
        self._audio = audio
        self._video_rate = video_rate
        self._shift: int | None = None
        self._last_pts = 0
        self._last_arrival = 0.0
        self._order = DecodeOrder(None)
        self._frame_90k = VIDEO_RATE // 25
        self._arrival_offset: float | None = None
        self._audio_shift: float | None = None
        self._audio_report: object = None
        self.jump: Jump | None = None
        """The leap that the last call of `video` met."""

    def now_90k(self) -> int:
        """Where the timeline is at this moment."""
        return int((self._clock.monotonic() - self._origin) * VIDEO_RATE)

    def set_reorder(self, depth: int | None) -> None:
        """How many frames may come after one that is shown later, where the stream says so."""
        self._order = DecodeOrder(depth, after=max(self._last_pts, self._not_before) - 1)

    def video(self, timestamp: int, arrival: float) -> tuple[int, int]:
        """(dts, pts) in 90 kHz of a frame that arrived at the monotonic time `arrival`."""
        self.jump = None
        ticks = timestamp if self._video_rate == VIDEO_RATE else timestamp * VIDEO_RATE // self._video_rate
        if self._shift is None:
            start = max(int((arrival - self._origin) * VIDEO_RATE), self._not_before)
            self._shift = start - ticks
        pts = ticks + self._shift
        if self._last_arrival:
            elapsed = int((arrival - self._last_arrival) * VIDEO_RATE)
            step = pts - self._last_pts
            if step < -_JUMP_BACK or step > elapsed + _JUMP_FORWARD:
                pts = self._last_pts + max(elapsed, 1)
                self.jump = Jump(pts, step - max(elapsed, 1))
                self._shift = pts - ticks
                self._audio_shift = None
            elif 0 < step < VIDEO_RATE:
                self._frame_90k = step
        self._last_pts, self._last_arrival = pts, arrival
        return self._order.next(pts, self._frame_90k)

    def audio(self, timestamp: int, duration: int, rate: int, arrival: float) -> int | None:
        """The time, in ticks of `rate`, of an audio frame; None before there is a picture to go with it."""
        if self._shift is None:
            return None
        assert self._audio is not None
        report = self._audio.report
        if self._audio_shift is None or (report is not self._audio_report and report is not None):
            self._audio_report = report
            arrived = arrival - self._origin - (timestamp + duration) / rate
            current = arrived if self._audio_shift is None else self._audio_shift
            told = self._audio_shift_by_reports(rate)
            if told is not None and abs(told - arrived) < _MAX_SYNC_SEC and abs(told - current) > _RESYNC_SEC:
                current = told
            self._audio_shift = current
        return timestamp + round(self._audio_shift * rate)

    def _audio_shift_by_reports(self, rate: int) -> float | None:
        video, audio = self._video.report, self._audio.report if self._audio else None
        if video is None or audio is None or self._shift is None:
            return None
        picture_at = video.timestamp / self._video_rate + self._shift / VIDEO_RATE
        return audio.utc - audio.timestamp / rate - (video.utc - picture_at)

    def note_arrival(self, pts: int) -> None:
        """Learns from a frame that just arrived; those that came with the least delay tell the time best."""
        offset = self._clock.now().timestamp() - pts / VIDEO_RATE
        known = self._arrival_offset
        if known is None or offset < known or abs(offset - known) > _MAX_CLOCK_ERROR_SEC:
            self._arrival_offset = offset
        else:
            self._arrival_offset = known + (offset - known) * 0.02  # follows clocks that drift

    @property
    def frame_90k(self) -> int:
        """How long a frame lasts, by the last ones."""
        return self._frame_90k

    def clock(self) -> ClockOffset:
        """How this timeline lies to the time of day: by the camera's sender report where its clock is right."""
        offset = self._arrival_offset
        if offset is None:
            return ClockOffset(self._clock.now().timestamp() - self.now_90k() / VIDEO_RATE, "arrival", 1.0)
        report = self._video.report
        if report is not None and self._shift is not None:
            told = report.utc - report.timestamp / self._video_rate - self._shift / VIDEO_RATE
            error = abs(told - offset)
            if error < _MAX_CLOCK_ERROR_SEC:
                return ClockOffset(told, "rtcp", round(max(error, _RTCP_ERROR_SEC), 3))
        return ClockOffset(offset, "arrival", _ARRIVAL_ERROR_SEC)

    def utc(self, pts: int) -> datetime:
        """The time of day of a time of the timeline."""
        return self.clock().wall_clock(pts).at
