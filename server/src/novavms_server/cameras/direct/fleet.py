"""The built-in capture of direct-mode cameras: watches those that were registered, follows their frames, records their clips.

It goes straight to the camera, also where go2rtc serves the viewers: what it says of a camera is then what the camera
did. One server runs it (several servers would each open a session).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from novavms_camera.address import resolve_address
from novavms_camera.capture import CaptureStream, ClipFile, KeyFrame, StreamStatus, snapshot_jpeg
from novavms_camera.check import is_interval_news
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.stream import stream_source
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.source import CameraSource, StreamSource
from novavms_server.cameras.direct.queries import TO_WATCH, Seen, last_seen, one_direct
from novavms_server.cameras.queries import CameraRow
from novavms_server.cameras.sources import AddressRules, source_of_row
from novavms_server.cameras.status import StatusChange, apply_status
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Connection, Database, run
from novavms_server.kit.seal import SealBroken, Sealer
from novavms_server.kit.tasks import end

log = logging.getLogger("novavms.direct")

EVERY_SEC: Final = 10.0
SEEN_EVERY_SEC: Final = 30.0
PRE_ROLL_SEC: Final = 30.0
"""The most that a clip may ask for."""
APPLY_RETRY_SEC: Final = 2.0
OPENING_SEC: Final = 5.0

OnError = Callable[[Connection, UUID, UUID, str], Awaitable[None]]
"""(transaction, org, camera, reason): the camera fell into `error`; see that somebody looks again."""


@dataclass(slots=True)
class Watch:
    """One camera's stream. `said` is the newest status that is not written yet."""

    org_id: UUID
    camera_id: UUID
    revision: int
    source: CameraSource
    stream: CaptureStream
    task: asyncio.Task[None] | None = None
    said: StreamStatus | None = None
    said_event: asyncio.Event = field(default_factory=asyncio.Event)
    told_interval_sec: float | None = None
    writer: asyncio.Task[None] | None = None

    @property
    def interval_sec(self) -> float | None:
        """Between key frames, as measured: known only after the status that says that frames arrive."""
        return None if self.stream.facts is None else self.stream.facts.keyframe_interval_sec


class DirectCameras:
    """`record_clip` and `is_online` are what clips need, `stream_of` is what live view needs. `on_error` is set before `start`."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, rules: AddressRules) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._rules = rules
        self.on_error: OnError | None = None
        self._watches: dict[UUID, Watch] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._seen_mono = clock.monotonic()

    # ---- for clips

    def is_online(self, camera_id: UUID) -> bool:
        """Frames arrive."""
        watch = self._watches.get(camera_id)
        return watch is not None and watch.stream.status.state == "online"

    async def record_clip(
        self, camera_id: UUID, path: Path, duration_sec: float, pre_roll_sec: float
    ) -> ClipFile:
        """Returns when the file is whole. Raises CameraFault where there is nothing to record."""
        stream, _ = await self._showing(camera_id)
        if stream is None:
            raise CameraFault("connection_lost", "the camera is not watched by this server")
        return await stream.record_clip(
            path, duration_sec=duration_sec, pre_roll_sec=min(pre_roll_sec, PRE_ROLL_SEC)
        )

    async def snapshot(self, camera_id: UUID, width: int | None) -> bytes | None:
        """A JPEG of the newest key frame; None without one that decodes."""
        _, keyframe = await self._showing(camera_id)
        if keyframe is None:
            return None
        try:
            return await snapshot_jpeg(keyframe, width=width)
        except CameraFault as fault:
            log.warning("camera %s: no snapshot: %s", camera_id, fault.message)
            return None

    async def _showing(self, camera_id: UUID) -> tuple[CaptureStream | None, KeyFrame | None]:
        """Its stream, and the newest key frame. A camera that was registered or came back this moment is waited for: it is
        `online` since its check, its session is being opened, and the first key frame is up to its interval away."""
        deadline = self._clock.monotonic() + OPENING_SEC
        while True:
            stream = self.stream_of(camera_id)
            keyframe = None if stream is None else stream.keyframe()
            if keyframe is not None or self._clock.monotonic() >= deadline:
                return stream, keyframe
            await self._clock.sleep(0.05)

    def stream_of(self, camera_id: UUID) -> CaptureStream | None:
        """For live view; None: it is not watched. The stream may end, and be another the next time."""
        watch = self._watches.get(camera_id)
        return watch.stream if watch is not None else None

    # ---- life

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tears all sessions down; no status is changed: the next server goes on watching."""
        if self._task is not None:
            await end([self._task])
            self._task = None
        await asyncio.gather(*(self.drop(camera_id) for camera_id in list(self._watches)))

    def nudge(self) -> None:
        """Which cameras are to be watched has changed."""
        self._wake.set()

    async def drop(self, camera_id: UUID) -> None:
        """Stop watching; the session is torn down when this returns."""
        async with self._turn:
            await self._drop(camera_id)

    async def _drop(self, camera_id: UUID) -> None:
        watch = self._watches.pop(camera_id, None)
        if watch is not None:
            tasks = [task for task in (watch.task, watch.writer) if task is not None]
            await end(tasks)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.reconcile()
            except DATABASE_AWAY as error:
                log.warning("direct cameras: %s", type(error).__name__)
            except Exception:
                log.exception("direct cameras")
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SEC):
                    await self._wake.wait()

    async def reconcile(self) -> None:
        """Watch exactly what is to be watched, as it is described now."""
        async with self._turn:
            wanted: dict[UUID, Seen] = {
                seen.id: seen for seen in (await self._database.look_everywhere(TO_WATCH))[0]
            }
            for camera_id in [each for each in self._watches if each not in wanted]:
                await self._drop(camera_id)
            for seen in wanted.values():
                watch = self._watches.get(seen.id)
                if watch is None or watch.revision != seen.revision:
                    await self._watch(seen)
                elif is_interval_news(watch.interval_sec, watch.told_interval_sec):
                    watch.said_event.set()
        await self._write_seen()

    async def _watch(self, seen: Seen) -> None:
        async with self._database.org(seen.org_id) as connection:
            row: CameraRow | None = await (await run(connection, one_direct(seen.org_id, seen.id))).fetchone()
        if row is None:
            return
        try:
            source = source_of_row(row, self._sealer)
        except SealBroken as broken:
            log.error("camera %s: its credentials can't be opened: %s", seen.id, broken)
            return
        watch = self._watches.get(seen.id)
        if watch is not None and watch.source == source:
            watch.revision = row.revision  # its name changed, or the like
            watch.said_event.set()  # what could not be written under the old number
            return
        await self._drop(seen.id)
        self._start(seen.org_id, row, source)

    def _start(self, org_id: UUID, row: CameraRow, source: CameraSource) -> None:
        async def provide() -> StreamSource:
            """Judged and pinned anew for each connection: a name may point elsewhere by now."""
            url = RtspUrl.parse(source.rtsp_url or "")
            policy = self._rules.policy("direct")
            address = await resolve_address(url.host, policy)
            return stream_source(source, url, str(address), redirects=policy)

        def said(status: StreamStatus) -> None:
            watch.said = status
            watch.said_event.set()

        stream = CaptureStream(provide, pre_roll_sec=PRE_ROLL_SEC, on_status=said)
        watch = Watch(org_id, row.camera.id, row.revision, source, stream)
        watch.task = asyncio.create_task(_run_stream(watch))
        watch.writer = asyncio.create_task(self._follow(watch))
        self._watches[row.camera.id] = watch

    # ---- what is seen, into the table

    async def _follow(self, watch: Watch) -> None:
        while True:
            await watch.said_event.wait()
            watch.said_event.clear()
            status = watch.said
            if status is None or status.state == "pending":
                continue
            try:
                await self._apply(watch, status)
            except DATABASE_AWAY as error:
                log.warning("camera %s: status not written: %s", watch.camera_id, type(error).__name__)
                await self._clock.sleep(APPLY_RETRY_SEC)
                watch.said_event.set()
            except Exception:
                log.exception("camera %s: status", watch.camera_id)

    async def _apply(self, watch: Watch, status: StreamStatus) -> None:
        change = StatusChange(
            status=status.state,
            at=status.since,
            reason=status.reason,
            message=status.message,
            last_frame_at=status.last_frame_at or (status.since if status.state == "online" else None),
            active_tier="main",
        )
        facts = watch.stream.facts
        if facts is not None and status.state == "online":
            change = replace(
                change,
                codec=facts.codec,
                width=facts.width,
                height=facts.height,
                fps=facts.fps,
                has_audio=facts.has_audio,
                keyframe_interval_sec=facts.keyframe_interval_sec,
            )
        interval_sec = watch.interval_sec
        async with self._database.org(watch.org_id) as connection:
            row = await (
                await run(connection, one_direct(watch.org_id, watch.camera_id, lock=True))
            ).fetchone()
            if (
                row is None
                or row.revision != watch.revision
                or row.camera.status not in ("online", "offline")
            ):
                self.nudge()  # no longer this watch's to say
                return
            await apply_status(
                connection, watch.org_id, watch.camera_id, change, now=max(self._clock.now(), status.since)
            )
            watch.told_interval_sec = interval_sec
            if status.state == "error" and self.on_error is not None:
                await self.on_error(connection, watch.org_id, watch.camera_id, status.reason or "")
        if status.state == "error":
            self.nudge()

    async def _write_seen(self) -> None:
        now = self._clock.monotonic()
        if now - self._seen_mono < SEEN_EVERY_SEC:
            return
        self._seen_mono = now
        online = [each.camera_id for each in self._watches.values() if each.stream.status.state == "online"]
        if online:
            at: list[datetime] = [self._clock.now()] * len(online)
            async with self._database.everywhere() as connection:
                await connection.execute(*last_seen(online, at))


async def _run_stream(watch: Watch) -> None:
    """The stream comes back by itself from all that cameras do; what gets here is a bug of ours, of one camera."""
    while True:
        try:
            await watch.stream.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("camera %s: capture", watch.camera_id)
            await asyncio.sleep(5)
