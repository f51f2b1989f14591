"""A stream being played: footage in real time, endlessly, with RTP timestamps that only grow and RTCP sender reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from novavms_simcam import rot
from novavms_simcam.faults import Faults
from novavms_simcam.media import VIDEO_CLOCK, AudioTrack, Media, other_footage
from novavms_simcam.outgoing import Outgoing
from novavms_simcam.reel import Reel
from novavms_simcam.sdp import VIDEO_PT, audio_payload_type
from novavms_simcam.sinks import Sink

REPORT_EVERY_SEC: Final = 5.0
CHANGE_EVERY_SEC: Final = 4.0
"""Of `format_change`; and how long after PLAY `timestamp_jump_sec` comes."""
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
    receiver_reports: int = 0
    last_receiver_report: bytes = b""
    """Of those over UDP."""
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


class Playback:
    """Plays one media to one client. `play` starts or resumes, `stop` pauses; timestamps go on with real time between."""

    def __init__(self, media: Media, state: CameraState, on_drop: Callable[[], None]) -> None:
        self._media = media
        self._state = state
        self._on_drop = on_drop
        self._video: Outgoing | None = None
        self._audio: Outgoing | None = None
        self._timer: asyncio.Handle | None = None
        self._origin: float | None = None
        """Loop time of the first PLAY: tick 0 of every track."""
        self._played_at = 0.0
        self._begun = 0.0
        """When the present run began: at PLAY, or at the end of a freeze."""
        self._reel = Reel(media.video)
        self._changed_at = 0.0
        self._is_changed = False
        self._has_leapt = False
        self._heard_report_at = 0.0
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
        self._video = Outgoing(sink, VIDEO_PT, VIDEO_CLOCK, self._state.faults, is_video=True)

    def add_audio(self, sink: Sink, track: AudioTrack) -> None:
        if self._audio is not None:
            self._audio.sink.close()
        self._audio = Outgoing(
            sink, audio_payload_type(track), track.clock_rate, self._state.faults, is_video=False
        )

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
        self._played_at = self._report_at = self._changed_at = self._heard_report_at = now
        self._has_leapt = False
        self._timer = asyncio.get_running_loop().call_soon(self._tick)
        info: list[tuple[int, int] | None] = []
        for out in (self._video, self._audio):
            ticks = 0 if out is None else round((now - self._origin) * out.clock_rate)
            info.append(None if out is None else (out.sequence, out.timestamp(ticks)))
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

    def heard_report(self) -> None:
        """A receiver report came."""
        self._heard_report_at = asyncio.get_running_loop().time()
        self._state.stats.receiver_reports += 1

    def heard_datagram(self, packet: bytes) -> None:
        """Something came on the RTCP port."""
        if len(packet) >= 8 and packet[1] == 201:
            self._state.stats.last_receiver_report = packet
            self.heard_report()

    def _locate(self, now: float) -> None:
        """Set the position of a run that begins now: video at a frame of the footage, sound at the same moment of it."""
        mid_gop = self._state.faults.start_mid_gop
        self._reel.locate(now, mid_gop=mid_gop)
        self._last_key_at = now if mid_gop else float("-inf")
        self._begun = now
        self._audio_next = 0
        audio = self._media.audio
        if audio is not None:
            self._audio_first = round(self._reel.first_ticks / VIDEO_CLOCK * audio.clock_rate)

    # -- the beat --------------------------------------------------------------------------------------
    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        faults = self._state.faults
        if faults.drop_every_sec and now - self._played_at >= faults.drop_every_sec:
            self._timer = None
            self._on_drop()
            return
        if faults.timestamp_jump_sec and not self._has_leapt and now - self._played_at >= CHANGE_EVERY_SEC:
            self._has_leapt = True
            for out in (self._video, self._audio):
                if out is not None:
                    out.leap(faults.timestamp_jump_sec)
        quiet = (
            self._state.frozen
            or bool(faults.needs_reports_sec and now - self._heard_report_at >= faults.needs_reports_sec)
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

    def _audio_due(self, count: int) -> float:
        audio = self._media.audio
        assert audio is not None
        return self._begun + count * audio.frame_ticks / audio.clock_rate

    def _next_due(self) -> float:
        """With a picture its frames give the beat, and sound goes along: half the timers."""
        if self._video is not None:
            return self._reel.due
        return self._audio_due(self._audio_next)

    def _send_due(self, now: float) -> None:
        until = now + EARLY_SEC
        if self._video is not None:
            while self._reel.due <= until:
                self._change_format(now)
                self._send_video(self._video, now)
                self._reel.index += 1
        audio = self._media.audio
        if self._audio is not None and audio is not None:
            while self._audio_due(self._audio_next) <= until:
                self._send_audio(self._audio, audio)
                self._audio_next += 1

    def _change_format(self, now: float) -> None:
        """Other footage, by the fault `format_change`; the camera's own again once the fault is off."""
        kind = self._state.faults.format_change
        if kind and now - self._changed_at >= CHANGE_EVERY_SEC:
            self._is_changed = not self._is_changed
        elif kind or not self._is_changed:
            return
        else:
            self._is_changed = False
        self._changed_at = now
        own = self._media.video
        self._reel.splice(other_footage(own, kind) if self._is_changed else own)

    def _send_video(self, out: Outgoing, now: float) -> None:
        faults, stats = self._state.faults, self._state.stats
        if faults.mjpeg:
            return
        sample = self._reel.sample
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
            out.sink.rtp(self._rot.next(out.pt, out.sequence, out.ssrc, self._reel.video.codec))
        if faults.malformed_framing and not self._framing_broken and now - self._played_at >= 2.0:
            self._framing_broken = True
            out.sink.raw(rot.BROKEN_FRAMING)
        due = self._reel.due - (self._origin or 0.0)
        ticks = round(due * VIDEO_CLOCK) + sample.timestamp - sample.send_at
        before = out.octets
        out.send(ticks, sample.payloads)
        stats.frames_sent += 1
        stats.packets_sent += len(sample.payloads)
        stats.bytes_sent += out.octets - before

    def _send_audio(self, out: Outgoing, audio: AudioTrack) -> None:
        """Timestamps are contiguous; which piece of sound goes out follows the picture, so that the two never drift apart."""
        video = self._media.video
        loop_ticks = video.loop_ticks * audio.clock_rate / VIDEO_CLOCK
        at = (self._audio_first + self._audio_next * audio.frame_ticks) % loop_ticks
        payload = audio.payloads[int(at / audio.frame_ticks) % len(audio.payloads)]
        due = self._audio_due(self._audio_next)
        if out.sink.is_full or due - self._played_at < self._state.faults.audio_late_sec:
            return
        before = out.octets
        out.send(round((due - (self._origin or 0.0)) * audio.clock_rate), (payload,))
        self._state.stats.packets_sent += 1
        self._state.stats.bytes_sent += out.octets - before
