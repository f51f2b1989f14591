"""Made-up cameras: the capture's own stream, memory and clip recording, fed by a script in place of a socket.

Pictures are real H.264, two a second, a key frame each second.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NoReturn
from uuid import UUID

from nova_segments import pictures

from nova_simulation.clock import SimClock
from novavms_camera.capture import CaptureStream, Jump, Loss
from novavms_camera.capture.model import VIDEO_RATE, MediaFacts, StreamFormat, VideoSample
from novavms_camera.capture.timeline import ClockOffset
from novavms_camera.faults import Reason
from novavms_protocol import CameraConfig, RecordingPlan

HALF = VIDEO_RATE // 2
NEEDS_PERSON = ("auth_failed", "locked_out")


@lru_cache
def footage(size: int) -> tuple[StreamFormat, bytes, bytes]:
    """Format, key frame, and a frame that refers to it."""
    fmt, frames = pictures(size)
    return StreamFormat(fmt.video, None), frames[0][1], frames[1][1]


@dataclass
class Camera:
    """A camera on the site, whichever of the gateway's lives looks at it."""

    camera_id: UUID
    ip: str
    fault: Reason | None = None
    """Why it gives no session; None: it does."""
    size: int = 64
    off_sec: float = 0.0
    """What its sender reports are off by; None of it counts with `has_reports` false."""
    has_reports: bool = True
    stream: SimStream | None = None

    def config(self, revision: int, plan: RecordingPlan, *, enabled: bool = True) -> CameraConfig:
        return CameraConfig(
            camera_id=self.camera_id,
            revision=revision,
            name="Yard",
            kind="rtsp",
            host=self.ip,
            port=554,
            enabled=enabled,
            recording=plan,
        )


class SimStream(CaptureStream):
    """`CaptureStream` without its sockets."""

    def __init__(self, camera: Camera, clock: SimClock, chance: random.Random, **more: Any) -> None:
        super().__init__(_nowhere, clock=clock, jitter=random.Random(1), **more)
        self._camera = camera
        self._sim = clock
        self._chance = chance
        self._at = 0
        self._pending_loss = 0.0
        self._pending_jump = 0
        self._bytes = 0
        self.ends_with: Reason | None = None

    @property
    def bytes_received(self) -> int:
        return self._bytes

    async def run(self) -> NoReturn:
        camera = self._camera
        camera.stream = self
        try:
            while True:
                self._retry.clear()
                reason = camera.fault or await self._play()
                self._set_status("error" if reason in NEEDS_PERSON else "offline", reason, "made up")
                try:
                    async with asyncio.timeout(self._chance.uniform(0.5, 4)):
                        await self._retry.wait()
                except TimeoutError:
                    pass
        finally:
            self._break("connection_lost")

    async def _play(self) -> Reason:
        camera = self._camera
        await asyncio.sleep(self._chance.uniform(0.1, 1.5))
        self._session = SimpleNamespace(timeline=self, damaged=0)  # type: ignore[assignment]
        self._session_frames = 0
        self._at = max(self._at, self.now_90k())
        size, self.ends_with = 0, None
        try:
            while True:
                if camera.size != size:
                    size = camera.size
                    fmt, key, other = footage(size)
                    facts = MediaFacts("h264", size, size, 2.0, False, None, "tcp")
                    CaptureStream.on_format(self, fmt, facts)
                self._speak(key, other)
                await asyncio.sleep(1.0)
                if (reason := self.ends_with or camera.fault) is not None:
                    break
        finally:
            self._session = None
        self._session_frames = 0
        self._break(reason)
        return reason

    def _speak(self, key: bytes, other: bytes) -> None:
        """The second that begins now; of one that was lost the loss is told when the next key frame is there."""
        lost, self._pending_loss = self._pending_loss, 0.0
        if lost and self._session_frames:
            end = max(self._at, self.now_90k())
            self.on_loss(Loss(self._at, end + int(lost * VIDEO_RATE), 1, 1))
            self._at = end + int(lost * VIDEO_RATE)
        if self._pending_jump:
            self.on_jump(Jump(self._at, self._pending_jump))
            self._pending_jump = 0
        if self._at > self.now_90k() + VIDEO_RATE:
            return  # what is lost takes its time
        self._at = max(self._at, self.now_90k() - VIDEO_RATE)
        for number, data in enumerate((key, other)):
            at = self._at + number * HALF
            self.on_video(VideoSample(at, at, number == 0, data))
            self._bytes += len(data)
        self._at += VIDEO_RATE

    def lose(self, seconds: float) -> None:
        self._pending_loss = seconds

    def jump(self, shift_90k: int) -> None:
        self._pending_jump = shift_90k

    # ---- the session's timeline --------------------------------------------------------------------------

    true_rate = None

    def clock(self) -> ClockOffset:
        own = self._sim.now().timestamp() - self.now_90k() / VIDEO_RATE
        if self._camera.has_reports:
            return ClockOffset(own + self._camera.off_sec, "rtcp", 0.02)
        return ClockOffset(own, "arrival", 0.5)

    def utc(self, at_90k: int) -> datetime:
        return self.clock().wall_clock(at_90k).at


async def _nowhere() -> NoReturn:
    raise AssertionError("a made-up camera has no address")


def maker(cameras: dict[str, Camera], clock: SimClock, chance: random.Random) -> Callable[..., CaptureStream]:
    """In place of CaptureStream: the finder's configured host says which camera it is."""

    def make(source: Any, **more: Any) -> CaptureStream:
        more.pop("clock", None)
        return SimStream(cameras[source._config.host], clock, chance, **more)

    return make
