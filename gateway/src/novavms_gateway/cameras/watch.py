"""One enabled camera: its capture, and what is told of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from novavms_camera.capture import CaptureStream, StreamStatus
from novavms_camera.check import is_interval_news
from novavms_camera.faults import CameraFault
from novavms_camera.source import StreamSource, Tier
from novavms_gateway.cameras.finder import Resolve, StreamFinder
from novavms_gateway.cameras.recognise import Recogniser
from novavms_gateway.cameras.second import SecondStream
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import Tasks
from novavms_protocol import CameraConfig, CameraStatus

log = logging.getLogger(__name__)

LEFT_ALONE: Final = frozenset({"auth_failed", "locked_out"})
"""Trying again would spend login tries; the capture's own long waits stand."""
NUDGE_EVERY_SEC: Final = 8.0
RECENT_SEC: Final = 3600.0
"""A camera that showed frames within the last hour is tried every few seconds, so that it is back within 15 s of
answering; one away for longer is left to the capture's back-off, which ends at a minute."""
BACK_SEC: Final = 3.0
BACK_LOOK_SEC: Final = 0.1

NEWS: Final = (
    *("revision", "status", "reason", "active_tier"),
    *("codec", "width", "height", "has_audio", "transport"),
)


class Watch:
    """Runs one camera's capture until stopped. `on_status` gets each state that differs from the one told before."""

    def __init__(
        self,
        config: CameraConfig,
        *,
        resolve: Resolve,
        clock: Clock,
        on_status: Callable[[CameraStatus], None],
        recogniser: Recogniser | None = None,
        new_stream: Callable[..., CaptureStream] = CaptureStream,
    ) -> None:
        self._config = config
        self._clock = clock
        self._on_status = on_status
        self._told: CameraStatus | None = None
        self._online_at: float | None = None
        self._known = asyncio.Event()
        self._finder = StreamFinder(config, resolve, recogniser)
        self._recogniser = recogniser
        self._tasks = Tasks()
        self.stream = new_stream(
            self._finder, pre_roll_sec=config.pre_roll_sec, on_status=self._status_changed, clock=clock
        )
        other: Tier = "sub" if config.recording_stream == "main" else "main"
        self.second = (
            SecondStream(
                other,
                StreamFinder(config, resolve, recogniser, only=other),
                clock=clock,
                new_stream=new_stream,
            )
            if config.kind == "onvif"
            else None
        )
        """The stream that is not recorded; None where the camera has one only."""
        self._brought_down = 0

    @property
    def config(self) -> CameraConfig:
        return self._config

    def start(self) -> None:
        self._tasks.start(self._run())
        self._tasks.start(self._nudge())

    async def stop(self) -> None:
        """Ends the sessions at the camera (TEARDOWN) and tells nothing more."""
        self._on_status = lambda status: None
        ends = [self._tasks.end()] if self.second is None else [self._tasks.end(), self.second.stop()]
        await asyncio.gather(*ends)

    @property
    def recorded_tier(self) -> Tier:
        """Which of the camera's streams `stream` is."""
        return self._finder.tier

    async def source(self, wished: Tier) -> StreamSource | None:
        """Where a stream is that somebody else is to open beside ours: judged and pinned as ours is, and of a camera that shows
        pictures, so that nobody spends its login tries. The recorded one where there is no other. None: not now. Raises CameraFault."""
        recorded, second = self.stream.session_source, self.second
        if recorded is None or wished == self.recorded_tier or second is None or second.failure is not None:
            return recorded
        try:
            return await second.source()
        except CameraFault as fault:
            if fault.reason != "no_profiles":
                raise
            return recorded

    @contextmanager
    def brought_down(self) -> Iterator[None]:
        """Meanwhile who wishes for main gets sub, and `active_tier` says so."""
        self._brought_down += 1
        self.refresh()
        try:
            yield
        finally:
            self._brought_down -= 1
            self.refresh()

    async def known(self, *, within_sec: float) -> None:
        """Waits until the camera's first state is known, but not longer."""
        try:
            async with asyncio.timeout(within_sec):
                await self._known.wait()
        except TimeoutError:
            pass

    async def back(self, *, within_sec: float) -> None:
        """Waits while the stream is offline, but only so long after it broke."""
        ago_sec = max(0.0, (self._clock.now() - self.stream.status.since).total_seconds())
        deadline = self._clock.monotonic() + within_sec - ago_sec
        while self.stream.status.state == "offline" and self._clock.monotonic() < deadline:
            await self._clock.sleep(BACK_LOOK_SEC)

    def rename(self, config: CameraConfig) -> None:
        """Takes a config that differs in nothing the stream depends on."""
        self._config = config
        self.refresh()

    def current(self) -> CameraStatus | None:
        """None while nothing is known yet: a camera just begun is neither online nor offline."""
        status = self.stream.status
        if status.state == "pending":
            return None
        facts = self.stream.facts
        known = CameraStatus(
            camera_id=self._config.camera_id,
            revision=self._config.revision,
            status=status.state,
            reason=status.reason,
            message=status.message,
            at=status.since,
            last_frame_at=status.last_frame_at,
            active_tier="sub" if self._brought_down else self.recorded_tier,
        )
        if facts is None:
            return known
        return msgspec.structs.replace(
            known,
            codec=facts.codec,
            width=facts.width,
            height=facts.height,
            fps=facts.fps,
            has_audio=facts.has_audio,
            transport=facts.transport,
            keyframe_interval_sec=facts.keyframe_interval_sec,
        )

    async def _run(self) -> None:
        while True:
            try:
                await self.stream.run()
            except Exception:
                # A bug of ours in one camera's capture must not take the other cameras with it.
                log.exception("capture stopped", extra={"facts": {"camera": self._config.camera_id}})
                await self._clock.sleep(NUDGE_EVERY_SEC)

    async def _nudge(self) -> None:
        while True:
            await self._clock.sleep(NUDGE_EVERY_SEC)
            status = self.stream.status
            now = self._clock.monotonic()
            if status.state == "online":
                self._online_at = now
                await self._ask_who_is_there()
            elif (
                self._online_at is not None
                and now - self._online_at < RECENT_SEC
                and status.reason not in LEFT_ALONE
            ):
                self.stream.retry_now()

    async def _ask_who_is_there(self) -> None:
        """Once more after a session began; one that began without the device's word goes on until it gives another."""
        if self._recogniser is None or self._recogniser.is_sure:
            return
        try:
            await self._recogniser(self._config)
        except CameraFault as fault:
            if fault.reason == "other_device":
                self.stream.drop(fault)

    def _status_changed(self, status: StreamStatus) -> None:
        self._known.set()
        if status.state == "online":
            self._online_at = self._clock.monotonic()
            if self._recogniser is not None:
                self._recogniser.is_sure = False  # between its word and the session it may have gone
        else:
            self._finder.failed(status.reason)
        self.refresh()

    def refresh(self) -> None:
        """Tells what differs from what was told: a frame rate is measured only some time after the first frame."""
        current = self.current()
        if current is None or _same(current, self._told):
            return
        self._told = current
        log.info(
            "camera",
            extra={
                "facts": {
                    "camera": current.camera_id,
                    "status": current.status,
                    "reason": current.reason or "",
                }
            },
        )
        self._on_status(current)


def _same(status: CameraStatus, told: CameraStatus | None) -> bool:
    """Whether the server would learn nothing: times and a wobbling frame rate are no news."""
    return (
        told is not None
        and (status.fps is None) == (told.fps is None)
        and not is_interval_news(status.keyframe_interval_sec, told.keyframe_interval_sec)
        and all(getattr(status, field) == getattr(told, field) for field in NEWS)
    )
