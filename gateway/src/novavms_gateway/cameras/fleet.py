"""All cameras of this gateway: what runs is made equal to what the server desires."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from novavms_camera.capture import CaptureStream
from novavms_gateway.cameras.finder import Resolve
from novavms_gateway.cameras.recognise import AskIdentity, Recogniser
from novavms_gateway.cameras.watch import BACK_SEC, Watch
from novavms_gateway.kit.clock import Clock
from novavms_protocol import CameraConfig, CameraStatus

log = logging.getLogger(__name__)

OVERTAKEN_SEC: Final = 1.0
"""How long a request waits for the desired state that brings its camera: the two are sent at the same time."""
FIRST_FRAME_SEC: Final = 5.0

STREAM_FIELDS: Final = (
    "kind",
    "host",
    "port",
    "username",
    "password",
    "stream_transport",
    "tls_fingerprint",
    "stream_tls_fingerprint",
    "recording_stream",
    "pre_roll_sec",
)
"""A change of one of these needs a new session. A change of the name, say, does not."""


def needs_restart(before: CameraConfig, after: CameraConfig) -> bool:
    """Whether the running capture no longer does what is desired."""
    if before.revision == after.revision:
        return False
    if any(getattr(before, field) != getattr(after, field) for field in STREAM_FIELDS):
        return True
    # For ONVIF the address is only a hint from the last check: the stream that runs is the better witness.
    return after.kind == "rtsp" and before.rtsp_url != after.rtsp_url


class Fleet:
    """`on_status` gets every change of a camera's state; `on_removed` that a camera is no longer ours."""

    def __init__(
        self,
        *,
        resolve: Resolve,
        clock: Clock,
        on_status: Callable[[CameraStatus], None],
        on_removed: Callable[[UUID], None],
        ask_identity: AskIdentity | None = None,
        new_stream: Callable[..., CaptureStream] = CaptureStream,
    ) -> None:
        self._new_stream = new_stream
        self._resolve = resolve
        self._ask_identity = ask_identity
        self.cameras: list[CameraConfig] = []
        """All that the server desires, the disabled included."""
        self._clock = clock
        self._on_status = on_status
        self._on_removed = on_removed
        self._watches: dict[UUID, Watch] = {}
        self._started = asyncio.Event()
        """A watch began: look again."""

    async def find_soon(self, camera_id: UUID, *, within_sec: float) -> Watch | None:
        """As `find`; one that is not there is waited for: an order may overtake the desired state that brings its camera."""
        try:
            async with asyncio.timeout(within_sec):
                while camera_id not in self._watches:
                    await self._started.wait()
        except TimeoutError:
            pass
        return self.find(camera_id)

    async def find_showing(self, camera_id: UUID, *, timeout_sec: float) -> Watch | None:
        """As `find`, for what needs a picture now. A camera that was only just added shows its first one up to a key-frame
        interval later, and one whose session broke this moment is mostly back a second later: both are waited for, well
        within `timeout_sec`. The one that is found may be offline all the same."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_sec * 0.75

        def at_most(seconds: float) -> float:
            return max(0.0, min(seconds, deadline - loop.time()))

        watch = await self.find_soon(camera_id, within_sec=at_most(OVERTAKEN_SEC))
        if watch is None and self.desires(camera_id):
            # Sessions that end come first, or it is being checked.
            watch = await self.find_soon(camera_id, within_sec=at_most(FIRST_FRAME_SEC))
        if watch is not None:
            await watch.known(within_sec=at_most(FIRST_FRAME_SEC))
            await watch.back(within_sec=at_most(BACK_SEC))
        return watch

    def desires(self, camera_id: UUID) -> bool:
        """Whether it is to run here, though it may not at this moment."""
        return any(camera.camera_id == camera_id and camera.enabled for camera in self.cameras)

    def find(self, camera_id: UUID) -> Watch | None:
        return self._watches.get(camera_id)

    def statuses(self) -> list[CameraStatus]:
        """Every camera of which something is known."""
        known = (watch.current() for watch in self._watches.values())
        return [status for status in known if status is not None]

    def refresh(self) -> None:
        """Tells what changed without a change of state."""
        for watch in self._watches.values():
            watch.refresh()

    @property
    def total(self) -> int:
        return len(self._watches)

    @property
    def online(self) -> int:
        return sum(watch.stream.status.state == "online" for watch in self._watches.values())

    @property
    def bytes_received(self) -> int:
        return sum(watch.stream.bytes_received for watch in self._watches.values())

    async def reconcile(self, cameras: list[CameraConfig]) -> None:
        """Stops what is not desired (its session ended at the camera), starts what is, keeps what need not change."""
        self.cameras = cameras
        desired = {camera.camera_id: camera for camera in cameras if camera.enabled}
        gone = [camera_id for camera_id in self._watches if camera_id not in desired]
        changed = [
            camera_id
            for camera_id, watch in self._watches.items()
            if camera_id in desired and needs_restart(watch.config, desired[camera_id])
        ]
        for camera_id in gone:
            self._on_removed(camera_id)
        await asyncio.gather(*(self._stop(camera_id) for camera_id in (*gone, *changed)))
        for camera_id, camera in desired.items():
            watch = self._watches.get(camera_id)
            if watch is None:
                self._start(camera)
            elif watch.config != camera:
                watch.rename(camera)
        log.info(
            "cameras reconciled",
            extra={"facts": {"running": len(desired), "stopped": len(gone), "restarted": len(changed)}},
        )

    async def stop(self) -> None:
        """Ends all sessions."""
        await asyncio.gather(*(self._stop(camera_id) for camera_id in list(self._watches)))

    def _start(self, camera: CameraConfig) -> None:
        ask = self._ask_identity
        watch = Watch(
            camera,
            resolve=self._resolve,
            clock=self._clock,
            on_status=self._on_status,
            recogniser=None if ask is None else Recogniser(ask, lambda: self.cameras, self._clock),
            new_stream=self._new_stream,
        )
        self._watches[camera.camera_id] = watch
        self._started.set()
        self._started = asyncio.Event()
        watch.start()

    @asynccontextmanager
    async def let_go(self, camera_id: UUID) -> AsyncIterator[bool]:
        """The camera has no session of ours meanwhile. Gives whether it had one; afterwards it is as desired then."""
        if camera_id not in self._watches:
            yield False
            return
        await self._stop(camera_id)
        try:
            yield True
        finally:
            desired = [camera for camera in self.cameras if camera.camera_id == camera_id and camera.enabled]
            if desired and camera_id not in self._watches:
                self._start(desired[0])

    async def _stop(self, camera_id: UUID) -> None:
        await self._watches.pop(camera_id).stop()
