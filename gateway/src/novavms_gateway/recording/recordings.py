"""All cameras' recording: made equal to what is desired, driven once a second, told to the server."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import Disk, OffLoop
from novavms_gateway.kit.tasks import Tasks, race
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.recording.continuous import CameraRecording, Stream
from novavms_gateway.recording.library import Library
from novavms_gateway.recording.room import Room
from novavms_gateway.recording.telling import Teller
from novavms_gateway.recording.writer import QueuedFile, Writer
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.repair import Repair
from novavms_gateway.storage.retention import Limits, Retention
from novavms_gateway.storage.volume import Volume
from novavms_protocol import CameraConfig, GapReason, RecordClip

log = logging.getLogger(__name__)

TICK_SEC: Final = 1.0
MEND_RETRY_SEC: Final = 60.0


class Recordings:
    """`reconcile` with each desired state, `run` until cancelled, then `stop`. Everything it works on is handed in."""

    def __init__(
        self,
        *,
        index: Index,
        volume: Volume,
        disk: Disk,
        off_loop: OffLoop,
        clock: Clock,
        outbox: Outbox,
        limits: Limits,
        free_clips: Callable[[], Awaitable[None]],
        segment_sec: float = 10.0,
    ) -> None:
        self._index = index
        self._volume = volume
        self._clock = clock
        self._segment_sec = segment_sec
        self._cameras: dict[UUID, CameraRecording] = {}
        self._is_first = True
        self._stream_of: Callable[[UUID], Stream | None] = lambda camera_id: None
        self._tasks = Tasks()
        self._repair = Repair(index, volume, clock)
        self._room = Room(
            volume,
            Retention(index, volume, limits, clock),
            limits,
            clock,
            free_clips=free_clips,
            on_usable=self._use_volume,
        )
        self._writer = Writer(
            root=volume.root, disk=disk, off_loop=off_loop, clock=clock, on_failed=self._room.disk_failed
        )
        self.teller = Teller(index, outbox, clock)
        self.library = Library(index, volume.root, self._cameras.values, self._lost)

    @property
    def epoch(self) -> UUID:
        return self._index.epoch

    @property
    def state(self) -> str:
        """How the volume is, for telemetry."""
        return self._room.state

    @property
    def recording_count(self) -> int:
        """Cameras that are being recorded."""
        return sum(camera.is_recording for camera in self._cameras.values())

    async def stored_bytes(self) -> int:
        """Bytes of whole segments."""
        return await self._index.read(segment_rows.total_size)

    async def run(self) -> None:
        """Raises only what is a bug of ours."""
        await race(self._index.run(), self._room.run(), self._tick(), self.teller.run())

    async def stop(self) -> None:
        """Ends all files in order; the index has them all then."""
        await asyncio.gather(*(camera.stop() for camera in self._cameras.values()))
        await self._tasks.end()
        await self._index.write()

    # ---- what is desired --------------------------------------------------------------------------------

    def reconcile(self, cameras: list[CameraConfig], stream_of: Callable[[UUID], Stream | None]) -> None:
        """The cameras are now these. One that is not among them any more keeps its footage for as long as it was to be kept."""
        desired = {camera.camera_id: camera for camera in cameras}
        for camera_id in [known for known in self._cameras if known not in desired]:
            self._tasks.start(self._cameras.pop(camera_id).stop())
        self._index.submit(lambda db: _note_plans(db, cameras))
        self._stream_of = stream_of
        for camera_id, config in desired.items():
            camera = self._cameras.get(camera_id)
            if camera is None:
                camera = self._cameras[camera_id] = self._new(config)
                camera.begin(is_restart=self._is_first)
            camera.follow(config, stream_of(camera_id))
            camera.tick()  # at once: its first key frame comes any moment, and the next may be ten seconds later
        self._is_first = False

    def triggered(self, order: RecordClip) -> None:
        """Something happened: a camera that records events only does so now, for as long as the clip."""
        camera = self._cameras.get(order.camera_id)
        if camera is not None:
            camera.on_event(order.pre_roll_sec, order.duration_sec)

    def _new(self, config: CameraConfig) -> CameraRecording:
        return CameraRecording(
            config,
            index=self._index,
            writer=self._writer,
            storage=self,
            clock=self._clock,
            segment_sec=self._segment_sec,
            on_news=self.teller.news,
        )

    # ---- the volume (Storage) ------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        return self._room.is_ready

    @property
    def blocked(self) -> GapReason | None:
        return self._room.blocked

    def left_behind(self, file: QueuedFile, segment_id: int, hole: str) -> None:
        path = Path(file.path.relative_to(self._volume.root))
        self._tasks.start(self._take_in(path, segment_id, hole))

    async def _take_in(self, path: Path, segment_id: int, hole: str) -> None:
        try:
            if await self._repair.take_in(path, segment_id, hole):
                self.teller.news()
        except (OSError, sqlite3.Error, ValueError) as error:
            # It is found again at the next start.
            log.error("segment not taken in", extra={"facts": {"file": path.name, "error": error}})

    async def _lost(self, segment_id: int) -> None:
        await self._repair.missing(segment_id)
        self.teller.news()

    async def _use_volume(self) -> None:
        await self._repair.look()
        self._tasks.start(self._mend())

    async def _mend(self) -> None:
        while True:
            try:
                await self._repair.mend()
                self.teller.news()
                return
            except (OSError, sqlite3.Error) as error:
                log.error("repair cut short", extra={"facts": {"error": error}})
            await self._clock.sleep(MEND_RETRY_SEC)

    async def _tick(self) -> None:
        while True:
            for camera_id, camera in tuple(self._cameras.items()):
                stream = self._stream_of(camera_id)
                if stream is not camera.stream:  # the fleet began it anew
                    camera.follow(camera.config, stream)
                camera.tick()
            await self._clock.sleep(TICK_SEC)


def _note_plans(db: sqlite3.Connection, cameras: list[CameraConfig]) -> None:
    """Retention must know them also while the server is away; who is not here any more keeps the last."""
    db.execute("UPDATE camera SET is_here = 0")
    for camera in cameras:
        plan = camera.recording
        db.execute(
            "UPDATE camera SET is_here = 1, retention_days = ?, retention_bytes = ? WHERE key = ?",
            (plan.retention_days, plan.retention_bytes, ledger_rows.camera_key(db, camera.camera_id)),
        )
