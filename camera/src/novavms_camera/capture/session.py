"""One connection to one stream: from SETUP to samples, watched for silence, ended with TEARDOWN."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal, Protocol

from novavms_camera.capture.model import (
    AudioSample,
    Clock,
    Jump,
    Loss,
    MediaFacts,
    StreamFormat,
    VideoSample,
)
from novavms_camera.capture.timeline import Timeline
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.audio import AudioFormat, audio_depacketiser, audio_format
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.nal import H264Depacketiser, H265Depacketiser, NalDepacketiser
from novavms_camera.rtsp.parameter_sets import ParameterSets
from novavms_camera.rtsp.paths import MediaPath
from novavms_camera.rtsp.rtp import RtpTrack
from novavms_camera.rtsp.sdp import Media, SessionDescription

_REPORT_SEC: Final = 10.0
_NO_KEY_SEC: Final = 60.0
"""Frames that never begin with a key frame are of no use: after this long the session is ended with no_media."""
_LAST_SEC: Final = 0.25
"""The last of the wait for a frame: a few reads long (`rtsp/beat.py`)."""


class SessionOwner(Protocol):
    """What a session tells its stream. Called in the loop as the bytes arrive."""

    def on_format(self, fmt: StreamFormat, facts: MediaFacts) -> None:
        """A format begins, with the key frame that follows."""

    def on_video(self, sample: VideoSample) -> None:
        """A video frame."""

    def on_audio(self, sample: AudioSample) -> None:
        """An audio frame."""

    def on_loss(self, loss: Loss) -> None:
        """Pictures were lost, up to the key frame that follows."""

    def on_jump(self, jump: Jump) -> None:
        """The camera's timestamps leapt, with the frame that follows."""


def choose_video(description: SessionDescription) -> Media:
    """The track to record. Raises CameraFault no_video or codec_unsupported."""
    media = description.video
    if media is None:
        raise CameraFault("no_video", "the stream has no video track")
    if media.encoding not in {"H264", "H265"}:
        name = "".join(c for c in media.encoding if c.isalnum())[:16] or "unknown"
        raise CameraFault("codec_unsupported", f"the stream's video is {name}, not H.264 or H.265")
    return media


class CaptureSession:
    """Plays a described stream into `owner`. Made per connection; `run` once."""

    def __init__(
        self,
        client: RtspClient,
        owner: SessionOwner,
        clock: Clock,
        *,
        origin: float,
        not_before: int,
        frozen_after_sec: float,
        true_rate: float | None = None,
    ) -> None:
        self._client = client
        self._owner = owner
        self._clock = clock
        self._origin = origin
        self._not_before = not_before
        self._frozen_after = frozen_after_sec
        self._true_rate = true_rate
        self._sets: ParameterSets | None = None
        self._nal: NalDepacketiser | None = None
        self._track: RtpTrack | None = None
        self._audio: AudioFormat | None = None
        self._paths: list[tuple[MediaPath, RtpTrack]] = []
        self._format: StreamFormat | None = None
        self._last_frame = 0.0
        self._frames = 0
        self._audio_rate = 0
        self._last_dts = 0
        self._damaged_before = self._skipped_before = 0
        self.timeline: Timeline | None = None

    @property
    def damaged(self) -> int:
        """Frames dropped, packets unreadable."""
        nal, track = self._nal, self._track
        return (nal.damaged + nal.skipped if nal else 0) + (track.malformed if track else 0)

    async def start(
        self, description: SessionDescription, transports: Sequence[Literal["tcp", "udp"]] = ("tcp",)
    ) -> None:
        """SETUP of picture and sound, PLAY. `transports`: the next one is tried where the camera refuses one. Raises CameraFault."""
        video = choose_video(description)
        codec = "h264" if video.encoding == "H264" else "h265"
        self._sets = ParameterSets("h264" if codec == "h264" else "h265")
        for unit in video.parameter_sets():
            self._sets.take(unit)
        if codec == "h264":
            self._nal = H264Depacketiser(self._sets, self._on_frame)
        else:
            donl = video.fmtp.get("sprop-max-don-diff", "0") not in {"", "0"}
            self._nal = H265Depacketiser(self._sets, self._on_frame, has_donl=donl)
        self._track = RtpTrack(video.payload_type, self._nal, self._nal)
        audio_track = self._audio_track(description.audio)
        self.timeline = Timeline(
            self._clock,
            self._origin,
            self._not_before,
            self._track,
            audio_track,
            video_rate=video.clock_rate,
            true_rate=self._true_rate,
        )
        path = await self._setup(video, self._track, transports)
        self._paths = [(path, self._track)]
        if audio_track is not None and description.audio is not None:
            try:
                path = await self._setup(description.audio, audio_track, (path.transport,))
                self._paths.append((path, audio_track))
            except CameraFault as fault:
                if fault.status is None:
                    raise
                self._audio = None  # a camera that refuses its sound still has its picture
        self._last_frame = self._clock.monotonic()
        await self._client.play()

    async def _setup(
        self, media: Media, track: RtpTrack, transports: Sequence[Literal["tcp", "udp"]]
    ) -> MediaPath:
        *first, last = transports
        for transport in first:
            try:
                return await self._client.setup(media, transport, on_rtp=track.on_rtp, on_rtcp=track.on_rtcp)
            except CameraFault as fault:
                if fault.status != 461:
                    raise
        return await self._client.setup(media, last, on_rtp=track.on_rtp, on_rtcp=track.on_rtcp)

    def _audio_track(self, media: Media | None) -> RtpTrack | None:
        self._audio = audio_format(media) if media is not None else None
        if media is None or self._audio is None:
            return None
        self._audio_rate = self._audio.rate
        return RtpTrack(media.payload_type, audio_depacketiser(media, self._audio, self._on_audio))

    async def run(self) -> CameraFault:
        """Keeps the session alive until it ends, and says why."""
        closed = asyncio.ensure_future(self._client.wait_closed())
        tasks = [asyncio.create_task(job()) for job in (self._watch, self._keep_alive, self._report)]
        try:
            await asyncio.wait({closed, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                return closed.result()
            error = next(task.exception() for task in tasks if task.done())
            if isinstance(error, CameraFault):
                return error
            assert error is not None, "these tasks end by a fault only"
            raise error
        finally:
            for waiting in (closed, *tasks):
                waiting.cancel()
            await asyncio.gather(closed, *tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """Ends the session when no new frame comes. Frames that wait for a key frame are a sign of life, for a while."""
        assert self._nal is not None
        started = self._clock.monotonic()
        seen = self._nal.skipped
        while True:
            last_frame = self._last_frame
            await self._clock.sleep(
                max(0.0, last_frame + self._frozen_after - _LAST_SEC - self._clock.monotonic())
            )
            if self._last_frame == last_frame:
                # If this process stood still, or the machine did, what came meanwhile waits in the kernel: it is read first.
                await self._clock.sleep(_LAST_SEC)
            if self._last_frame != last_frame:
                continue
            if self._nal.skipped != seen and (
                self._frames or self._clock.monotonic() - started < _NO_KEY_SEC
            ):
                seen = self._nal.skipped
                self._last_frame = self._clock.monotonic()
            elif self._frames:
                raise CameraFault("frozen", f"no new frame for {self._frozen_after:g} s")
            else:
                raise CameraFault("no_media", "the session plays, but no key frame came")

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep(self._client.session_timeout / 2)
            await self._client.keep_alive()

    async def _report(self) -> None:
        while True:
            await self._clock.sleep(_REPORT_SEC)
            for path, track in self._paths:
                path.send_rtcp(track.receiver_report(path.report_block()))

    # ---- as bytes arrive ------------------------------------------------------------------------------

    def _on_frame(self, timestamp: int, key: bool, data: bytes) -> None:
        assert self._sets is not None
        assert self.timeline is not None
        arrival = self._clock.monotonic()
        self._last_frame = arrival
        if key:
            self._sets.settle()
            if self._format is None or self._sets.changed:
                self._begin_format()
        elif self._sets.changed and self._format is not None:
            # In mid-GOP: what is recorded under the old sets could not be decoded, so it counts as lost.
            assert self._nal is not None
            self._nal.refuse()
            return
        if self._format is None:
            return
        usual = self.timeline.frame_90k
        dts, pts = self.timeline.video(timestamp, arrival)
        if key:
            if self.timeline.jump is not None:
                self._owner.on_jump(self.timeline.jump)
            self._tell_loss(dts, usual)
            self.timeline.note_arrival(pts)
        elif self.timeline.jump is not None:
            self._owner.on_jump(self.timeline.jump)
        self._frames += 1
        self._last_dts = dts
        self._owner.on_video(VideoSample(dts, pts, key, data))

    def end(self) -> None:
        """Tells of what is still missing when the session is over."""
        if self._frames and self.timeline is not None:
            end = max(self.timeline.now_90k(), self._last_dts + 1)
            self._tell_loss(end, self.timeline.frame_90k)

    def _tell_loss(self, end_90k: int, frame_90k: int) -> None:
        """After a loss the next frame is a key frame, so it is enough to ask there. What came before the first one is no loss.

        `frame_90k`: how long frames were before it.
        """
        assert self._nal is not None
        assert self.timeline is not None
        damaged, skipped = self._nal.damaged, self._nal.skipped
        lost = Loss(
            min(self._last_dts + frame_90k, end_90k),
            end_90k,
            damaged - self._damaged_before,
            skipped - self._skipped_before,
        )
        self._damaged_before, self._skipped_before = damaged, skipped
        if self._frames and lost.damaged + lost.skipped:
            self.timeline.frame_90k = frame_90k
            self._owner.on_loss(lost)

    def _begin_format(self) -> None:
        assert self._sets is not None
        assert self.timeline is not None
        try:
            video = self._sets.format()
        except ValueError:
            return  # parameter sets are still to come
        fmt = StreamFormat(video, self._audio)
        if fmt == self._format:
            return
        self._format = fmt
        self.timeline.set_reorder(video.reorder)
        audio = self._audio.codec if self._audio else None
        way = self._client.transport or "tcp"
        facts = MediaFacts(video.codec, video.width, video.height, video.fps, audio is not None, audio, way)
        self._owner.on_format(fmt, facts)

    def _on_audio(self, timestamp: int, duration: int, data: bytes) -> None:
        assert self.timeline is not None
        if self._format is None:
            return
        pts = self.timeline.audio(timestamp, duration, self._audio_rate, self._clock.monotonic())
        if pts is not None:
            self._owner.on_audio(AudioSample(pts, duration, data))
