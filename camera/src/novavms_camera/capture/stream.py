"""A camera's stream for as long as the camera is ours: connects, reads, comes back, remembers its last seconds, serves readers."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, NoReturn

from novavms_camera.capture.clip import ClipWriter, until_done
from novavms_camera.capture.finalise import finalise
from novavms_camera.capture.live import Backlog, Broadcast, Subscription
from novavms_camera.capture.model import (
    VIDEO_RATE,
    AudioSample,
    ClipFile,
    Clock,
    Jump,
    KeyFrame,
    Loss,
    MediaFacts,
    SampleSink,
    SourceProvider,
    State,
    StreamFormat,
    StreamStatus,
    SystemClock,
    VideoSample,
    WallClock,
)
from novavms_camera.capture.ring import Gop, GopRing
from novavms_camera.capture.session import CaptureSession
from novavms_camera.capture.timeline import ClockOffset
from novavms_camera.capture.waiting import first_of
from novavms_camera.faults import CameraFault, Reason
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.nal import annex_b
from novavms_camera.source import TRANSPORTS, StreamSource, Transport

PERSON_NEEDED: Final[frozenset[Reason]] = frozenset(
    {
        "auth_failed",
        "locked_out",
        "path_not_found",
        "no_video",
        "codec_unsupported",
        "transport_unsupported",
        "tls_failed",
        "invalid_url",
        "address_forbidden",
    }
)
"""Faults that a person must mend: state `error` instead of `offline`."""
_LOGIN: Final[frozenset[Reason]] = frozenset({"auth_failed", "locked_out"})
_LOGIN_RETRY_SEC: Final = 600.0
_MAX_RETRY_SEC: Final = 60.0
_MAX_RING_BYTES: Final = 64 * 1024 * 1024
_KEYS_SEEN: Final = 5
_INTERVAL_STEP_SEC: Final = 0.25
"""A key-frame interval that differs by less is the same."""


class CaptureStream:
    """One stream, one RTSP session at a time, any number of readers. `run` does the work until it is cancelled.

    `pre_roll_sec` is what memory keeps for clips; `on_status` is called in the loop at each change of state or reason.
    """

    def __init__(
        self,
        source: StreamSource | SourceProvider,
        *,
        pre_roll_sec: float = 5,
        on_status: Callable[[StreamStatus], None] | None = None,
        clock: Clock | None = None,
        frozen_after_sec: float = 10,
        jitter: random.Random | None = None,
    ) -> None:
        self._source = source
        self._on_status = on_status
        self._clock = clock or SystemClock()
        self._frozen_after = frozen_after_sec
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads reconnects, guards nothing
        self._origin = self._clock.monotonic()
        self._ring = GopRing(pre_roll_sec, _MAX_RING_BYTES)
        self._format: StreamFormat | None = None
        self._session: CaptureSession | None = None
        self._client: RtspClient | None = None
        self._sinks: list[SampleSink] = []
        self._broadcast = Broadcast(self._recent)
        self._retry = asyncio.Event()
        self._believed: Literal["tcp", "udp"] = "tcp"
        self._last_pts = 0
        self._last_arrival = 0.0
        self._first_pts = 0
        self._session_frames = 0
        self._key_pts: deque[int] = deque(maxlen=_KEYS_SEEN)
        self._past_bytes = 0
        self._past_damaged = 0
        self._past_clock: ClockOffset | None = None
        self._true_rate: float | None = None
        self.status = StreamStatus("pending", None, None, self._clock.now())
        self.facts: MediaFacts | None = None
        self.frames_received = 0

    @property
    def bytes_received(self) -> int:
        """All that came from the camera, over all sessions."""
        return self._past_bytes + (self._client.bytes_received if self._client else 0)

    @property
    def damaged_count(self) -> int:
        """Frames and packets dropped because something was missing or malformed."""
        return self._past_damaged + (self._session.damaged if self._session else 0)

    @property
    def session_source(self) -> StreamSource | None:
        """Where the stream of the running session is, judged and pinned; None while there are no frames. Raises as RtspClient.reached."""
        is_online = self._client is not None and self.status.state == "online"
        return self._client.reached if is_online and self._client is not None else None

    # ---- life -----------------------------------------------------------------------------------------

    async def run(self) -> NoReturn:
        """Connects, reads, reconnects for ever; cancel it to stop. The session is torn down, within a second, always."""
        failures = 0
        self._broadcast.open()
        try:
            while True:
                self._retry.clear()
                fault = await self._connect_and_read()
                failures = 0 if self._session_frames else failures + 1
                state: State = "error" if fault.reason in PERSON_NEEDED else "offline"
                self._set_status(state, fault.reason, fault.message)
                await first_of(self._clock, self._delay(fault, failures), self._retry.wait())
        finally:
            self._break("connection_lost")  # a clip being made ends with what there is, not by its deadline
            self._broadcast.close()

    def retry_now(self) -> None:
        """Connects at once instead of waiting: the credentials changed, the network is back."""
        self._retry.set()

    def drop(self, fault: CameraFault) -> None:
        """Ends the session for `fault`, which was met beside it; then all goes as after any other. Without one: nothing."""
        with suppress(CameraFault):
            if self._session is not None and self._client is not None and not self._client.closed.done():
                self._client.closed.set_result(fault)

    def _delay(self, fault: CameraFault, failures: int) -> float:
        if fault.reason in _LOGIN:
            return _LOGIN_RETRY_SEC
        longest = min(_MAX_RETRY_SEC, 2.0 ** min(failures, 6))
        return max(1.0, longest * self._jitter.uniform(0.5, 1.0))

    async def _connect_and_read(self) -> CameraFault:
        """One connection from start to end."""
        self._session_frames = 0
        try:
            source = self._source if isinstance(self._source, StreamSource) else await self._source()
            self._client = RtspClient(source)
            await self._client.open()
            await self._client.learn_methods()
            description = await self._client.describe()
            self._session = CaptureSession(
                self._client,
                self,
                self._clock,
                origin=self._origin,
                not_before=self._last_pts + VIDEO_RATE // 10 if self._last_pts else 0,
                frozen_after_sec=self._frozen_after,
                true_rate=self._true_rate,
            )
            await self._session.start(description, self._transports(source.transport))
            fault = await self._session.run()
        except CameraFault as error:
            fault = error
        finally:
            used = self._client.transport if self._client is not None else None
            await self._end_session()
        self._note_silence(fault, used)
        self._break(fault.reason)
        return fault

    def _transports(self, wanted: Transport) -> tuple[Literal["tcp", "udp"], ...]:
        ways = TRANSPORTS[wanted]
        return tuple(sorted(ways, key=lambda way: way != self._believed)) if wanted == "auto" else ways

    def _note_silence(self, fault: CameraFault, used: Literal["tcp", "udp"] | None) -> None:
        """What accepted PLAY and then sent nothing is not tried first again (where there is a choice: `auto`)."""
        silent = fault.reason == "no_media" and not self._session_frames
        if silent or fault.reason == "transport_unsupported":
            self._believed = "tcp" if (used or self._believed) == "udp" else "udp"
        elif self._session_frames and used is not None:
            self._believed = used

    async def _end_session(self) -> None:
        if self._client is not None:
            await self._client.teardown()
            self._past_bytes += self._client.bytes_received
            self._client = None
        if self._session is not None:
            self._session.end()
            if self._session_frames and self._session.timeline is not None:
                self._past_clock = self._session.timeline.clock()
                self._true_rate = self._session.timeline.true_rate
            self._past_damaged += self._session.damaged
            self._session = None

    def _break(self, reason: Reason) -> None:
        self._ring.clear()
        self._key_pts.clear()
        self._broadcast.on_break(reason)
        for sink in tuple(self._sinks):
            sink.on_break(reason)

    def _set_status(self, state: State, reason: Reason | None, message: str | None) -> None:
        old = self.status
        if (old.state, old.reason) != (state, reason):
            now = self._clock.now()
            last = old.last_frame_at
            if self._last_arrival:
                last = now - timedelta(seconds=max(0.0, self._clock.monotonic() - self._last_arrival))
            self.status = StreamStatus(state, reason, message, now, last)
            if self._on_status is not None:
                self._on_status(self.status)

    # ---- what the session tells (SessionOwner) ------------------------------------------------------------

    def on_format(self, fmt: StreamFormat, facts: MediaFacts) -> None:
        self._ring.clear()
        self._key_pts.clear()
        self._format = fmt
        self.facts = facts
        self._broadcast.on_format(fmt)
        for sink in tuple(self._sinks):
            sink.on_format(fmt)

    def on_video(self, sample: VideoSample) -> None:
        if not self._session_frames:
            self._first_pts = sample.pts
        self._session_frames += 1
        self.frames_received += 1
        self._last_pts = max(self._last_pts, sample.pts)
        self._last_arrival = self._clock.monotonic()
        self._ring.add_video(sample)
        self._broadcast.on_video(sample)
        for sink in tuple(self._sinks):
            sink.on_video(sample)
        if self.status.state != "online":
            self._set_status("online", None, None)
        if sample.key and self.facts is not None:
            if self.facts.fps is None:
                self._measure_fps(sample)
            self._measure_interval(sample, self.facts)

    def on_audio(self, sample: AudioSample) -> None:
        self._ring.add_audio(sample)
        self._broadcast.on_audio(sample)
        for sink in tuple(self._sinks):
            sink.on_audio(sample)

    def on_loss(self, loss: Loss) -> None:
        self._key_pts.clear()  # a key frame may be among what was lost
        for sink in tuple(self._sinks):
            sink.on_loss(loss)

    def on_jump(self, jump: Jump) -> None:
        self._key_pts.clear()
        for sink in tuple(self._sinks):
            sink.on_jump(jump)

    def _measure_fps(self, sample: VideoSample) -> None:
        span = sample.pts - self._first_pts
        if span >= VIDEO_RATE and self.facts is not None:
            fps = round((self._session_frames - 1) * VIDEO_RATE / span, 1)
            self.facts = replace(self.facts, fps=fps)

    def _measure_interval(self, sample: VideoSample, facts: MediaFacts) -> None:
        """Of the last few, the longest: smart codecs send key frames when something moves, too."""
        keys = self._key_pts
        keys.append(sample.pts)
        if len(keys) > 1:
            longest = max(after - before for before, after in pairwise(keys)) / VIDEO_RATE
            if abs(longest - (facts.keyframe_interval_sec or 0.0)) > _INTERVAL_STEP_SEC:
                self.facts = replace(facts, keyframe_interval_sec=round(longest, 2))

    # ---- readers --------------------------------------------------------------------------------------

    def add_sink(self, sink: SampleSink) -> None:
        """Gives `sink` every sample from now on; its format first, if there is one."""
        if self._format is not None and self._ring.gops:
            sink.on_format(self._format)
        self._sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        """Forgets it."""
        if sink in self._sinks:
            self._sinks.remove(sink)

    def recent(self, seconds: float) -> tuple[StreamFormat | None, list[Gop]]:
        """The format and the groups of pictures in memory, from the one on that was on `seconds` ago; none without a session."""
        if self._format is None or not self._session_frames:
            return None, []
        return self._format, self._ring.since(self.now_90k() - int(seconds * VIDEO_RATE))

    def now_90k(self) -> int:
        """Where the stream's timeline is at this moment, frames or none."""
        return int((self._clock.monotonic() - self._origin) * VIDEO_RATE)

    def wall_clock(self, at_90k: int) -> WallClock:
        """The time of day of a moment of the stream's timeline, as far as is known now: by this session, else by the one before,
        else by our own clocks. Never raises. A camera's clock that leaps by more than 2 s is not followed."""
        session = self._session
        if session is not None and session.timeline is not None and self._session_frames:
            return session.timeline.clock().wall_clock(at_90k)
        own = ClockOffset(self._clock.now().timestamp() - self.now_90k() / VIDEO_RATE, "arrival", 1.0)
        return (self._past_clock or own).wall_clock(at_90k)

    def subscribe(
        self, *, max_bytes: int = 8_388_608, backlog: Backlog = "all", max_lag_sec: float | None = None
    ) -> Subscription:
        """Fragments for a live viewer: the init piece and what is in memory (`gop`: the last GOP of it) at once, then what comes."""
        return Subscription(self._broadcast, max_bytes, backlog=backlog, max_lag_sec=max_lag_sec)

    def _recent(self) -> tuple[StreamFormat | None, list[Gop]]:
        return (self._format if self._session_frames else None), list(self._ring.gops)

    def keyframe(self) -> KeyFrame | None:
        """The newest key frame, or None before the first."""
        session, fmt = self._session, self._format
        if session is None or session.timeline is None or fmt is None or not self._ring.gops:
            return None
        sample = self._ring.gops[-1].video[0]
        return KeyFrame(
            fmt.video.codec,
            fmt.video.parameter_sets + annex_b(sample.data),
            session.timeline.utc(sample.pts),
        )

    async def record_clip(
        self, path: Path, *, duration_sec: float, pre_roll_sec: float = 5, work_folder: Path | None = None
    ) -> ClipFile:
        """Records [now - pre_roll, now + duration) to `path` and returns when it stands there whole.

        Meanwhile `<work_folder or path's folder>/<path's name>.part` grows by a fragment a second; a crash or a cancel leaves it
        for `salvage_clip`. A stream that breaks and does not come back within seconds gives the clip as far as it came, with
        `failure_reason`. Raises CameraFault when not online, OSError when the disk fails.
        """
        session, fmt = self._session, self._format
        if self.status.state != "online" or session is None or session.timeline is None or fmt is None:
            reason = self.status.reason or "no_media"
            raise CameraFault(reason, f"the camera is {self.status.state}, so nothing can be recorded")
        since_last = min(max(self._clock.monotonic() - self._last_arrival, 0.0), self._frozen_after)
        trigger = self._last_pts + int(since_last * VIDEO_RATE)
        wanted = trigger - int(pre_roll_sec * VIDEO_RATE)
        gops = self._ring.since(wanted)
        if not gops:
            raise CameraFault("no_media", "no key frame is in memory, so nothing can be recorded")
        part = (work_folder or path.parent) / f"{path.name}.part"
        end = trigger + int(duration_sec * VIDEO_RATE)
        writer = ClipWriter(part, fmt, gops, wanted_start_90k=wanted, end_90k=end)
        try:
            writer.open(session.timeline.utc(writer.start_90k))
            self._sinks.append(writer)
            reason_text = await until_done(writer, self._clock, duration_sec)
        finally:
            self.remove_sink(writer)
            await writer.close()
        path.parent.mkdir(parents=True, exist_ok=True)
        clip = await finalise(part, path, failure_reason=reason_text)
        if clip is None:
            raise CameraFault("malformed_stream", "nothing that was recorded can be shown")
        return clip
