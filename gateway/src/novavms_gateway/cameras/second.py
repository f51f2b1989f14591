"""The stream of a camera that is not the recorded one: opened for who looks, ended a little after the last of them."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from novavms_camera.capture import CaptureStream, StreamStatus
from novavms_camera.faults import Reason
from novavms_camera.source import StreamSource, Tier
from novavms_gateway.cameras.finder import StreamFinder
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import Tasks, race

log = logging.getLogger(__name__)

LINGER_SEC: Final = 5.0
"""A reload, the next click: the session is kept for them."""
OPEN_SEC: Final = 8.0
"""A first picture that takes longer is not waited for; the recorded stream has one now."""
AGAIN_SEC: Final = 15.0
AGAIN_MAX_SEC: Final = 600.0
LEFT_ALONE: Final = frozenset({"auth_failed", "locked_out"})
"""Trying again would spend login tries: not before the camera's settings change, which makes another of these."""


class SecondStream:
    """One session, however many readers. What goes wrong ends it: `failure` then says why, until it may be tried again."""

    def __init__(
        self,
        tier: Tier,
        finder: StreamFinder,
        *,
        clock: Clock,
        new_stream: Callable[..., CaptureStream] = CaptureStream,
    ) -> None:
        self.tier: Tier = tier
        self._finder = finder
        self._clock = clock
        self._new_stream = new_stream
        self._tasks = Tasks()
        self._stream: CaptureStream | None = None
        self._over = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._readers = 0
        self._visits = 0
        self._failure: Reason | None = None
        self._again_at = 0.0
        self._hold = AGAIN_SEC

    @property
    def failure(self) -> Reason | None:
        """Why it is not to be opened now; None: it may be."""
        return self._failure if self._clock.monotonic() < self._again_at else None

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    @contextmanager
    def reading(self) -> Iterator[CaptureStream]:
        """The stream, opened where it is not. It may end at any time: `failure` tells."""
        self._readers += 1
        self._visits += 1
        stream = self._stream or self._open()
        try:
            yield stream
        finally:
            self._readers -= 1
            if not self._readers and self._stream is not None:
                self._tasks.start(self._linger(self._visits))

    async def source(self) -> StreamSource:
        """Where it is, judged and pinned as for a session of ours. Raises CameraFault, no_profiles where there is no such stream."""
        return await self._finder()

    async def stop(self) -> None:
        """Ends the session at the camera (TEARDOWN)."""
        self._stream = None
        await self._tasks.end()

    def _open(self) -> CaptureStream:
        self._failure = None
        self._over = over = asyncio.Event()
        stream = self._new_stream(
            self._finder,
            pre_roll_sec=0,
            on_status=lambda status: self._status_changed(status, over),
            clock=self._clock,
        )
        self._stream = stream
        self._running = self._tasks.start(self._run(stream, over, self._running))
        return stream

    async def _run(
        self, stream: CaptureStream, over: asyncio.Event, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait({before})  # a camera may serve one session of a stream only
        try:
            await race(stream.run(), self._give_up(stream, over), _happened(over))
        except Exception:
            # A bug of ours in a picture that somebody looks at must not take the recordings with it.
            log.exception("live capture stopped")
            self._fail("camera_error", over)

    async def _give_up(self, stream: CaptureStream, over: asyncio.Event) -> None:
        await self._clock.sleep(OPEN_SEC)
        if stream.status.state != "online":
            self._fail("timeout", over)
        await asyncio.Event().wait()

    async def _linger(self, visits: int) -> None:
        await self._clock.sleep(LINGER_SEC)
        if not self._readers and self._visits == visits:
            self._close()

    def _status_changed(self, status: StreamStatus, over: asyncio.Event) -> None:
        if status.state == "online":
            self._hold = AGAIN_SEC
        else:
            self._fail(status.reason or "no_media", over)

    def _fail(self, reason: Reason, over: asyncio.Event) -> None:
        if over.is_set():
            return  # it has ended already; another one may run
        log.info("second stream ended", extra={"facts": {"tier": self.tier, "reason": reason}})
        self._finder.failed(reason)
        self._failure = reason
        hold = self._hold
        if reason in LEFT_ALONE:
            hold = math.inf
        elif reason == "no_profiles":
            hold = AGAIN_MAX_SEC
        self._again_at = self._clock.monotonic() + hold
        self._hold = min(AGAIN_MAX_SEC, 2 * self._hold)
        self._close()

    def _close(self) -> None:
        self._stream = None
        self._over.set()


async def _happened(event: asyncio.Event) -> None:
    await event.wait()
