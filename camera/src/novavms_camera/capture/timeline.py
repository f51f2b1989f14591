"""One session's times: RTP timestamps onto the stream's own timeline, sound to picture, and both to the time of day.

RTP timestamps begin anywhere, wrap, on some cameras leap, on some count at another rate than is said. Here they become times that only
go forward, from session to session too, and as fast as time does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

from novavms_camera.capture.model import VIDEO_RATE, Clock, Jump, TimeSource, WallClock
from novavms_camera.capture.order import DecodeOrder
from novavms_camera.capture.pace import Pace
from novavms_camera.rtsp.rtp import RtpTrack, SenderReport

_LEAP_90K: Final = VIDEO_RATE
"""A frame that is further ahead than this of those before it, both by its step and by its arrival, did not come from there in time."""
_MAX_BACK: Final = 2 * VIDEO_RATE
_MIN_BACK: Final = VIDEO_RATE // 2
_TOLD_90K: Final = VIDEO_RATE // 4
"""A smaller leap is mended without a word."""
_LEAD_PART: Final = 64
_RESYNC_SEC: Final = 0.04
"""Sound is moved when the sender reports say that it is off by more than this: less is not seen on lips."""
_MAX_SYNC_SEC: Final = 5.0
_SOUND_LEAP_SEC: Final = 2.0
_ARRIVAL_ERROR_SEC: Final = 0.5
"""What camera and network take at most, as a rule, from the picture to its arrival."""
_RTCP_ERROR_SEC: Final = 0.02
_MAX_CLOCK_ERROR_SEC: Final = 2.0
"""A camera whose clock is further off than this is not asked for the time of day: its frames are dated as they arrive."""


class ClockOffset(NamedTuple):
    """How a timeline lies to the time of day: its zero in seconds since 1970, how that is known and how far off it may be, and
    how far the camera's clock is from ours."""

    zero: float
    source: TimeSource
    uncertainty_sec: float
    camera_offset_sec: float | None = None

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of `at_90k`."""
        at = datetime.fromtimestamp(self.zero + at_90k / VIDEO_RATE, UTC)
        return WallClock(at, self.source, self.uncertainty_sec, self.camera_offset_sec)


class Timeline:
    """Times of one session. `origin`: the monotonic time of the timeline's zero; `not_before`: where the last session ended.

    `video_rate` is what the camera says its clock counts, `true_rate` what the last session found out.
    """

    def __init__(
        self,
        clock: Clock,
        origin: float,
        not_before: int,
        video: RtpTrack,
        audio: RtpTrack | None,
        *,
        video_rate: int,
        true_rate: float | None = None,
    ) -> None:
        self._clock = clock
        self._origin = origin
        self._not_before = not_before
        self._video = video
        self._audio = audio
        self._pace = Pace(video_rate, true_rate)
        self._scale = VIDEO_RATE / self._pace.rate
        self._has_base = False
        self._base_timestamp = 0
        self._base_90k = 0
        self._lead = 0.0
        """How far frames are ahead of the timeline's now when they arrive, in the middle; 90 kHz."""
        self._last_pts = 0
        self._last_arrival = 0.0
        self._order = DecodeOrder(None)
        self._reorders = True
        self._arrival_offset: float | None = None
        self._audio_shift: float | None = None
        self._audio_report: SenderReport | None = None
        self._stale: tuple[SenderReport | None, SenderReport | None] = (None, None)
        """Reports from before the timestamps leapt."""
        self.frame_90k = VIDEO_RATE // 25
        """How long a frame lasts, by the last ones."""
        self.jump: Jump | None = None
        """The leap that the last call of `video` met."""

    def now_90k(self) -> int:
        """Where the timeline is at this moment."""
        return int((self._clock.monotonic() - self._origin) * VIDEO_RATE)

    @property
    def true_rate(self) -> float:
        """What the camera's clock counts in a second, by what is known."""
        return self._pace.rate

    def set_reorder(self, depth: int | None) -> None:
        """How many frames may come after one that is shown later, where the stream says so."""
        self._order = DecodeOrder(depth, after=max(self._order.last, self._not_before - 1))
        self._reorders = depth != 0

    # ---- picture ------------------------------------------------------------------------------------------

    def video(self, timestamp: int, arrival: float) -> tuple[int, int]:
        """(dts, pts) in 90 kHz of a frame that arrived at the monotonic time `arrival`."""
        self.jump = None
        now = int((arrival - self._origin) * VIDEO_RATE)
        if not self._has_base:
            pts = max(now, self._not_before)
            self._place(timestamp, pts)
            self._has_base = True
            self._lead = pts - now
        else:
            pts = self._at_90k(timestamp)
            step = pts - self._last_pts
            if not self._reorders and -_TOLD_90K <= step <= 0:
                pts = self._last_pts + self.frame_90k // 8 + 1  # staggers: those that follow are right again
            elif self._leaps(step, arrival, pts - now):
                pts = max(self._last_pts + self.frame_90k // 2, now + round(self._lead))
                self._leap(timestamp, pts, step - (pts - self._last_pts))
            elif 0 < step < VIDEO_RATE:
                self.frame_90k = step
        if arrival >= self._pace.next_look and self._pace.look(timestamp, arrival, self._reports()[0]):
            before, pts = pts, now if now - pts > _LEAP_90K else pts
            self._scale = VIDEO_RATE / self._pace.rate
            self._leap(timestamp, pts, before - pts, same_pace=True)
            self._lead = pts - now
        self._lead += (pts - now - self._lead) / _LEAD_PART
        self._last_pts, self._last_arrival = pts, arrival
        return self._order.next(pts, self.frame_90k)

    def _at_90k(self, timestamp: int) -> int:
        ticks = timestamp - self._base_timestamp
        return self._base_90k + (ticks if self._scale == 1 else round(ticks * self._scale))

    def _place(self, timestamp: int, at_90k: int) -> None:
        self._base_timestamp, self._base_90k = timestamp, at_90k

    def _leaps(self, step: int, arrival: float, ahead: int) -> bool:
        """Whether a frame's timestamp cannot be right: it comes from the future, or from before the pictures that it follows."""
        if step < 0:
            back = min(max(16 * self.frame_90k, _MIN_BACK), _MAX_BACK) if self._reorders else 0
            return step < -back
        return (
            step > _LEAP_90K  # nearly never
            and step - int((arrival - self._last_arrival) * VIDEO_RATE) > _LEAP_90K
            and ahead - self._lead > _LEAP_90K
        )

    def _leap(self, timestamp: int, pts: int, shift: int, *, same_pace: bool = False) -> None:
        self._place(timestamp, pts)
        if abs(shift) > _TOLD_90K:
            self.jump = Jump(pts, shift)
        if not same_pace:
            self._pace.restart()
            self._stale = (self._video.report, self._audio.report if self._audio else None)
            self._audio_shift = None

    # ---- sound --------------------------------------------------------------------------------------------

    def audio(self, timestamp: int, duration: int, rate: int, arrival: float) -> int | None:
        """The time, in ticks of `rate`, of an audio frame; None before there is a picture to go with it."""
        if not self._has_base:
            return None
        assert self._audio is not None
        report = self._audio.report
        shift = self._audio_shift
        arrived = arrival - self._origin + (self._lead / VIDEO_RATE) - (timestamp + duration) / rate
        if shift is None or (report is not self._audio_report and report is not None):
            self._audio_report = report
            current = arrived if shift is None else shift
            told = self._audio_shift_by_reports(rate)
            if told is not None and abs(told - arrived) < _MAX_SYNC_SEC and abs(told - current) > _RESYNC_SEC:
                current = told
            self._audio_shift = shift = current
        elif abs(arrived - shift) > _SOUND_LEAP_SEC:
            beside = timestamp / rate + shift - self._last_pts / VIDEO_RATE
            if abs(beside) > _SOUND_LEAP_SEC:  # neither as it arrives nor beside the picture: the sound leapt
                self._stale = (self._stale[0], report)
                self._audio_shift = shift = arrived
        return timestamp + round(shift * rate)

    def _reports(self) -> tuple[SenderReport | None, SenderReport | None]:
        """Picture's and sound's newest, where they speak of the timestamps as they are now."""
        video, audio = self._video.report, self._audio.report if self._audio else None
        return (
            None if video is self._stale[0] else video,
            None if audio is self._stale[1] else audio,
        )

    def _audio_shift_by_reports(self, rate: int) -> float | None:
        video, audio = self._reports()
        if video is None or audio is None or not self._has_base:
            return None
        picture_at = self._at_90k(video.timestamp) / VIDEO_RATE
        return audio.utc - audio.timestamp / rate - (video.utc - picture_at)

    # ---- the time of day ----------------------------------------------------------------------------------

    def note_arrival(self, pts: int) -> None:
        """Learns from a frame that just arrived; those that came with the least delay tell the time best."""
        offset = self._clock.now().timestamp() - pts / VIDEO_RATE
        known = self._arrival_offset
        if known is None or offset < known or abs(offset - known) > _MAX_CLOCK_ERROR_SEC:
            self._arrival_offset = offset
        else:
            self._arrival_offset = known + (offset - known) * 0.02  # follows clocks that drift

    def clock(self) -> ClockOffset:
        """How this timeline lies to the time of day: by the camera's sender report where its clock is right."""
        offset = self._arrival_offset
        if offset is None:
            return ClockOffset(self._clock.now().timestamp() - self.now_90k() / VIDEO_RATE, "arrival", 1.0)
        report = self._reports()[0]
        if report is not None and self._has_base:
            told = report.utc - self._at_90k(report.timestamp) / VIDEO_RATE
            ahead = round(told - offset, 3)
            if abs(ahead) < _MAX_CLOCK_ERROR_SEC:
                return ClockOffset(told, "rtcp", max(abs(ahead), _RTCP_ERROR_SEC), ahead)
            return ClockOffset(offset, "arrival", _ARRIVAL_ERROR_SEC, ahead)
        return ClockOffset(offset, "arrival", _ARRIVAL_ERROR_SEC)

    def utc(self, pts: int) -> datetime:
        """The time of day of a time of the timeline."""
        return self.clock().wall_clock(pts).at
