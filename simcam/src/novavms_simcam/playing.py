"""A stream being played: footage in real time, endlessly, with RTP timestamps that only grow and RTCP sender reports."""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from novavms_simcam import rot
from novavms_simcam.faults import Faults
from novavms_simcam.media import VIDEO_CLOCK, AudioTrack, Media, VideoTrack
from novavms_simcam.sdp import VIDEO_PT, audio_payload_type
from novavms_simcam.sinks import Sink

NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905)."""
REPORT_EVERY_SEC: Final = 5.0
EARLY_SEC: Final = 0.002
"""Timers fire a little off; what is due within this time goes out now."""


@dataclass(slots=True)
class Stats:
    """What the camera has done since it was made."""

    connections: int = 0
    connections_total: int = 0
    sessions_total: int = 0
    teardowns: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    """RTSP methods and ONVIF calls ("tds:GetDeviceInformation"), each with its count."""


@dataclass(slots=True)
class CameraState:
    """What playing needs to know of its camera."""

    faults: Faults
    stats: Stats
    now: Callable[[], float]
    """The camera's clock, Unix seconds."""
    frozen: bool = False


class _Out:
    """One track's RTP state. Sequence, timestamp base and SSRC are random at first (RFC 3550 section 5.1)."""

    def __init__(self, sink: Sink, pt: int, clock_rate: int) -> None:
        self.sink = sink
        self.pt = pt
        self.clock_rate = clock_rate
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(16)
        self.base = secrets.randbits(32)
        self.packets = 0
        self.octets = 0

    def send(self, ticks: int, payloads: tuple[bytes, ...]) -> None:
        self.octets += self.sink.frame(
            self.pt, self.sequence, (self.base + ticks) & 0xFFFFFFFF, self.ssrc, payloads
        )
        self.sequence = (self.sequence + len(payloads)) & 0xFFFF
        self.packets += len(payloads)

    def report(self, ticks: int, unix: float) -> None:
        """A sender report with a CNAME (RFC 3550 sections 6.4.1 and 6.5.1): this timestamp is that moment."""
        ntp = int((unix + NTP_EPOCH) * 2**32)
        timestamp = (self.base + ticks) & 0xFFFFFFFF
        sr = struct.pack(
            ">BBHIQIII",
            0x80,
            200,
            6,
            self.ssrc,
            ntp,
            timestamp,
            self.packets & 0xFFFFFFFF,
            self.octets & 0xFFFFFFFF,
        )
        sdes = struct.pack(">BBHIBB", 0x81, 202, 4, self.ssrc, 1, 6) + b"simcam\x00\x00"
        self.sink.rtcp(sr + sdes)

    def bye(self) -> None:
        self.sink.rtcp(struct.pack(">BBHI", 0x81, 203, 1, self.ssrc))


class Playback:
    """Plays one media to one client. `play` starts or resumes, `stop` pauses; timestamps go on with real time between."""

    def __init__(self, media: Media, state: CameraState, on_drop: Callable[[], None]) -> None:
        self._media = media
        self._state = state
        self._on_drop = on_drop
        self._video: _Out | None = None
        self._audio: _Out | None = None
        self._timer: asyncio.Handle | None = None
        self._origin: float | None = None
        """Loop time of the first PLAY: tick 0 of every track."""
        self._played_at = 0.0
        self._begun = 0.0
        """When the present run began: at PLAY, or at the end of a freeze."""
        self._index = 0
        self._index_ticks = 0
        self._audio_next = 0
        self._audio_first = 0
        self._last_key_at = float("-inf")
        self._report_at = 0.0
        self._starved = False
        self._was_frozen = False
        self._rot = rot.RottenPackets()
        self._framing_broken = False

    def add_video(self, sink: Sink) -> None:
        if self._video is not None:
            self._video.sink.close()
        self._video = _Out(sink, VIDEO_PT, VIDEO_CLOCK)

    def add_audio(self, sink: Sink, track: AudioTrack) -> None:
        if self._audio is not None:
            self._audio.sink.close()
        self._audio = _Out(sink, audio_payload_type(track), track.clock_rate)

    @property
    def is_playing(self) -> bool:
        return self._timer is not None

    def play(self, now: float) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Begin at the camera's present position (moved to a key frame unless `start_mid_gop`); the first packets follow at the
        loop's next turn. Returns (sequence, timestamp) of each track's first packet, for RTP-Info."""
        self.stop()
        if self._origin is None:
            self._origin = now
        self._locate(now)
        self._played_at = self._report_at = now
        self._timer = asyncio.get_running_loop().call_soon(self._tick)
        info: list[tuple[int, int] | None] = []
        for out in (self._video, self._audio):
            ticks = 0 if out is None else round((now - self._origin) * out.clock_rate)
            info.append(None if out is None else (out.sequence, (out.base + ticks) & 0xFFFFFFFF))
        return info[0], info[1]

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self, *, say_bye: bool) -> None:
        """End for good, with RTCP BYE where the way out still stands."""
        self.stop()
        for out in (self._video, self._audio):
            if out is not None:
                if say_bye and not self._state.faults.no_rtcp:
                    out.bye()
                out.sink.close()
        self._video = self._audio = None

    def _locate(self, now: float) -> None:
        """Set the position of a run that begins now: video at a frame of the footage, sound at the same moment of it."""
        video = self._media.video
        position = round(now * VIDEO_CLOCK) % video.loop_ticks
        index = max(k for k in video.keys if k == 0 or video.samples[k].send_at <= position)
        if self._state.faults.start_mid_gop:
            following = [k for k in video.keys if k > index]
            end = following[0] if following else len(video.samples)
            index = min(index + max(1, (end - index) // 2), len(video.samples) - 1)
            self._last_key_at = now
        else:
            self._last_key_at = float("-inf")
        self._begun = now
        self._index = index
        self._index_ticks = video.samples[index].send_at
        self._audio_next = 0
        audio = self._media.audio
        if audio is not None:
            self._audio_first = round(self._index_ticks / VIDEO_CLOCK * audio.clock_rate)

    # -- the beat --------------------------------------------------------------------------------------
    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        faults = self._state.faults
        if faults.drop_every_sec and now - self._played_at >= faults.drop_every_sec:
            self._timer = None
            self._on_drop()
            return
        quiet = (
            self._state.frozen
            or faults.silent
            or faults.no_media
            or bool(faults.freeze_after_sec and now - self._played_at >= faults.freeze_after_sec)
        )
        if quiet:
            self._was_frozen = True
            self._timer = loop.call_later(0.05, self._tick)
            return
        if self._was_frozen:
            self._was_frozen = False
            self._locate(now)
        if now >= self._report_at:
            self._report(now)
        self._send_due(now)
        self._timer = loop.call_at(self._next_due(), self._tick)

    def _report(self, now: float) -> None:
        self._report_at = now + REPORT_EVERY_SEC
        if self._state.faults.no_rtcp:
            return
        for out in (self._video, self._audio):
            if out is not None:
                out.report(round((now - (self._origin or 0.0)) * out.clock_rate), self._state.now())

    def _video_due(self, index: int) -> float:
        video = self._media.video
        loops, at = divmod(index, len(video.samples))
        ticks = loops * video.loop_ticks + video.samples[at].send_at - self._index_ticks
        return self._begun + ticks / VIDEO_CLOCK

    def _audio_due(self, count: int) -> float:
        audio = self._media.audio
        assert audio is not None
        return self._begun + count * audio.frame_ticks / audio.clock_rate

    def _next_due(self) -> float:
        """With a picture its frames give the beat, and sound goes along: half the timers."""
        if self._video is not None:
            return self._video_due(self._index)
        return self._audio_due(self._audio_next)

    def _send_due(self, now: float) -> None:
        until = now + EARLY_SEC
        if self._video is not None:
            while self._video_due(self._index) <= until:
                self._send_video(self._video, self._media.video, now)
                self._index += 1
        audio = self._media.audio
        if self._audio is not None and audio is not None:
            while self._audio_due(self._audio_next) <= until:
                self._send_audio(self._audio, audio)
                self._audio_next += 1

    def _send_video(self, out: _Out, video: VideoTrack, now: float) -> None:
        faults, stats = self._state.faults, self._state.stats
        if faults.mjpeg:
            return
        sample = video.samples[self._index % len(video.samples)]
        if sample.is_key:
            if faults.long_gop and now - self._last_key_at < faults.long_gop:
                return
            self._starved = False
        if out.sink.is_full:
            self._starved = True
        if self._starved:  # after a loss nothing is worth sending until the next key frame
            stats.frames_dropped += 1
            return
        if sample.is_key:
            self._last_key_at = now
        if faults.malformed_rtp:
            out.sink.rtp(self._rot.next(out.pt, out.sequence, out.ssrc, video.codec))
        if faults.malformed_framing and not self._framing_broken and now - self._played_at >= 2.0:
            self._framing_broken = True
            out.sink.raw(rot.BROKEN_FRAMING)
        due = self._video_due(self._index) - (self._origin or 0.0)
        ticks = round(due * VIDEO_CLOCK) + sample.timestamp - sample.send_at
        before = out.octets
        out.send(ticks, sample.payloads)
        stats.frames_sent += 1
        stats.packets_sent += len(sample.payloads)
        stats.bytes_sent += out.octets - before

    def _send_audio(self, out: _Out, audio: AudioTrack) -> None:
        """Timestamps are contiguous; which piece of sound goes out follows the picture, so that the two never drift apart."""
        video = self._media.video
        loop_ticks = video.loop_ticks * audio.clock_rate / VIDEO_CLOCK
        at = (self._audio_first + self._audio_next * audio.frame_ticks) % loop_ticks
        payload = audio.payloads[int(at / audio.frame_ticks) % len(audio.payloads)]
        if out.sink.is_full:
            return
        due = self._audio_due(self._audio_next) - (self._origin or 0.0)
        before = out.octets
        out.send(round(due * audio.clock_rate), (payload,))
        self._state.stats.packets_sent += 1
        self._state.stats.bytes_sent += out.octets - before
