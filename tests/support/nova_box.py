"""A gateway's recording without a machine: made-up cameras, a disk in memory, a clock that is turned, an index that survives.

Everything runs in the loop and in one order; `crash` takes the power, `start` begins the next life on what is left.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from nova_disk import MemoryDisk
from nova_segments import FPS, TICK, pictures

from novavms_camera.capture import Loss, SampleSink, StreamStatus, WallClock
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.capture.ring import Gop, GopRing
from novavms_camera.faults import Reason
from novavms_gateway.kit.disk import Inline
from novavms_gateway.kit.sqlite import Sqlite, connect
from novavms_gateway.link.outbox import Outbox
from novavms_gateway.recording.recordings import Recordings
from novavms_gateway.storage import index as index_module
from novavms_gateway.storage import journal as journal_module
from novavms_gateway.storage import ledger_rows, segment_rows
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.journal import Journal
from novavms_gateway.storage.ledger import NO_GAP_US, Row
from novavms_gateway.storage.opening import open_storage
from novavms_gateway.storage.retention import Limits
from novavms_gateway.storage.segment_rows import Segment
from novavms_gateway.storage.volume import Volume
from novavms_protocol import CameraConfig, LedgerRow, LedgerUpdate, RecordingPlan

T = TypeVar("T")
ROOT = Path("/volume")
SETTLE_TURNS = 60
"""Turns of the loop in which everything that can go on has gone on."""


class TurnedClock:
    """Time that `turn` moves, from one sleeper to the next."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.began = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        over = asyncio.Event()
        entry = (self.seconds + seconds, self._count, over)
        self._sleepers.append(entry)
        try:
            await over.wait()
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)

    async def turn(self, seconds: float) -> None:
        until = self.seconds + seconds
        await settle()
        while self._sleepers and (due := min(self._sleepers, key=lambda s: s[:2]))[0] <= until:
            self.seconds = max(self.seconds, due[0])
            self._sleepers.remove(due)
            due[2].set()
            await settle()
        self.seconds = until
        await settle()


async def settle() -> None:
    for _ in range(SETTLE_TURNS):
        await asyncio.sleep(0)


class MadeCamera:
    """A stream of greys (`Stream` of the recording)."""

    def __init__(self, clock: TurnedClock) -> None:
        self.camera_id = uuid4()
        self._clock = clock
        self._origin = clock.seconds
        self._sinks: list[SampleSink] = []
        self._at = 0
        self._ring = GopRing(5, 1 << 20)
        self.status = StreamStatus("pending", None, None, clock.now())

    def config(self, **plan: Any) -> CameraConfig:
        return CameraConfig(
            camera_id=self.camera_id,
            revision=1,
            name="Yard",
            kind="rtsp",
            host="192.0.2.1",
            port=554,
            recording=RecordingPlan(**{"mode": "continuous"} | plan),
        )

    def add_sink(self, sink: SampleSink) -> None:
        if self._ring.gops:
            sink.on_format(pictures()[0])
        self._sinks.append(sink)

    def remove_sink(self, sink: SampleSink) -> None:
        if sink in self._sinks:
            self._sinks.remove(sink)

    def wall_clock(self, at_90k: int) -> WallClock:
        off = (self._clock.seconds - self._origin) - at_90k / VIDEO_RATE
        return WallClock(self._clock.now() - timedelta(seconds=off), "arrival", 0.5)

    def recent(self, seconds: float) -> tuple[StreamFormat | None, list[Gop]]:
        if not self._ring.gops:
            return None, []
        return pictures()[0], self._ring.since(self._now_90k() - int(seconds * VIDEO_RATE))

    def _now_90k(self) -> int:
        return int((self._clock.seconds - self._origin) * VIDEO_RATE)

    def second(self) -> None:
        """A second of pictures, a key frame first, that ends now."""
        if self.status.state != "online":
            self.status = StreamStatus("online", None, None, self._clock.now())
            for sink in tuple(self._sinks):
                sink.on_format(pictures()[0])
        self._at = max(self._at, self._now_90k() - VIDEO_RATE)
        for key, data in pictures()[1][:FPS]:
            sample = VideoSample(self._at, self._at, key, data)
            self._ring.add_video(sample)
            for sink in tuple(self._sinks):
                sink.on_video(sample)
                sink.on_audio(AudioSample(self._at * 8 // 90, 320, b"\xd5" * 320))
            self._at += TICK

    def lose(self, seconds: float) -> None:
        """So much of what comes next is lost on its way."""
        end = self._at + int(seconds * VIDEO_RATE)
        for sink in tuple(self._sinks):
            sink.on_loss(Loss(self._at, end, 1, int(seconds * FPS) - 1))
        self._at = end

    def breaks(self, reason: Reason) -> None:
        """The session ends."""
        self._ring.clear()
        for sink in tuple(self._sinks):
            sink.on_break(reason)
        state = "error" if reason == "auth_failed" else "offline"
        self.status = StreamStatus(state, reason, None, self._clock.now())


class Stoppable(Inline):
    """Runs blocking work at once; while it is blocked, nothing goes on."""

    def __init__(self) -> None:
        self._gate: asyncio.Event | None = None

    def block(self) -> Callable[[], None]:
        """Gives what lets it go on."""
        gate = self._gate = asyncio.Event()

        def release() -> None:
            self._gate = None
            gate.set()

        return release

    async def run(self, work: Callable[[], T]) -> T:
        if self._gate is not None:
            await self._gate.wait()
        return work()


class PoweredSqlite(Sqlite):
    """On the same power as the disk: a write is a call of the disk's, too. Takes nothing while `is_full`."""

    disk: MemoryDisk
    is_full = False

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self.disk.calls += 1
        dies_at = self.disk.dies_at
        if self.is_full or (dies_at is not None and self.disk.calls > dies_at):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return await super().run(work)


@dataclass
class IndexInMemory:
    """The index's file: survives lives, and can be lost."""

    disk: MemoryDisk
    connection: sqlite3.Connection | None = None
    database: PoweredSqlite | None = None

    async def open(self) -> Sqlite:
        if self.connection is None:
            self.connection = connect(":memory:", index_module.MIGRATIONS)
        self.database = PoweredSqlite(self.connection)
        self.database.disk = self.disk
        return self.database

    async def put_aside(self) -> None:
        self.lose()

    def lose(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@dataclass
class Server:
    """What the server keeps of the ledger: by id, the highest seq; all anew with another epoch."""

    epoch: UUID | None = None
    rows: dict[int, LedgerRow] = field(default_factory=dict)
    seq: int = 0
    updates: list[LedgerUpdate] = field(default_factory=list)

    def take(self, update: LedgerUpdate) -> None:
        self.updates.append(update)
        if update.epoch != self.epoch:
            self.epoch, self.rows, self.seq = update.epoch, {}, 0
        for row in update.rows:
            if row.id not in self.rows or self.rows[row.id].seq < row.seq:
                self.rows[row.id] = row
        self.seq = max(self.seq, update.through_seq)

    @property
    def standing(self) -> list[LedgerRow]:
        return sorted((row for row in self.rows.values() if not row.deleted), key=lambda row: row.start)


class Box:
    """`async with Box() as box`, or `start` and `crash` by hand."""

    def __init__(
        self, *, limits: Limits | None = None, segment_sec: float = 5.0, capacity: int = 1 << 40
    ) -> None:
        self.clock = TurnedClock()
        self.disk = MemoryDisk(capacity=capacity)
        self.file = IndexInMemory(self.disk)
        self.off_loop = Stoppable()
        self.limits = limits or Limits(max_bytes=None, reserve_bytes=0, share_max=1.0)
        self.segment_sec = segment_sec
        self.gateway_id = uuid4()
        self.server = Server()
        self.is_linked = True
        self.desired: list[CameraConfig] = []
        self.streams: dict[UUID, MadeCamera] = {}
        self.chance = random.Random(1)
        self.volume: Volume
        self.index: Index
        self.recordings: Recordings
        self._outbox: Outbox
        self._running: asyncio.Future[None] | None = None
        self._journal = connect(":memory:", journal_module.MIGRATIONS)

    async def __aenter__(self) -> Box:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self.close()

    def close(self) -> None:
        self.file.lose()
        self._journal.close()

    # ---- lives ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """A life begins; the desired state comes at once."""
        self.volume = Volume(
            ROOT, gateway_id=self.gateway_id, disk=self.disk, off_loop=self.off_loop, clock=self.clock
        )
        self.index = await open_storage(self.file, self.volume, self.clock, gateway_id=self.gateway_id)
        self._outbox = Outbox(Journal(Sqlite(self._journal), Path("/nowhere")), self.clock)

        async def free_clips() -> None:
            self.clips_freed = True

        self.recordings = Recordings(
            index=self.index,
            volume=self.volume,
            disk=self.disk,
            off_loop=self.off_loop,
            clock=self.clock,
            outbox=self._outbox,
            limits=self.limits,
            free_clips=free_clips,
            segment_sec=self.segment_sec,
        )
        self._running = asyncio.ensure_future(self.recordings.run())
        self.greet()
        self.recordings.reconcile(self.desired, self.streams.get)  # type: ignore[arg-type]
        await settle()

    clips_freed = False

    def greet(self) -> None:
        """The link is up: the server says how far it knows."""
        known = self.server.seq if self.server.epoch == self.index.epoch else None
        self.recordings.teller.resume(known)

    async def stop(self) -> None:
        """In order."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.recordings.stop()
        self._running = None

    async def crash(self) -> None:
        """The power goes: nothing reaches disk or index any more, and what was not synced may be lost."""
        self.disk.dies_at = -1
        await self.stop()
        for stream in self.streams.values():
            stream._sinks.clear()
        self.disk.lose_power(self.chance)

    # ---- what happens ---------------------------------------------------------------------------------------------

    def add(self, **plan: Any) -> MadeCamera:
        camera = MadeCamera(self.clock)
        self.streams[camera.camera_id] = camera
        self.desired.append(camera.config(**plan))
        return camera

    async def reconcile(self) -> None:
        self.recordings.reconcile(self.desired, self.streams.get)  # type: ignore[arg-type]

    async def plan(self, camera: MadeCamera, **plan: Any) -> None:
        """The camera is to be recorded so from now on; `enabled` too."""
        enabled = plan.pop("enabled", True)
        config = camera.config(**plan)
        self.desired = [
            msgspec.structs.replace(config, enabled=enabled) if known.camera_id == camera.camera_id else known
            for known in self.desired
        ]
        await self.reconcile()

    async def play(self, seconds: float, *cameras: MadeCamera) -> None:
        """Time passes, and these cameras show pictures."""
        for _ in range(round(seconds)):
            await self.clock.turn(1.0)
            for camera in cameras:
                camera.second()
            await settle()
            await self.tell()

    async def tell(self) -> None:
        """What waits for the server goes there."""
        while self.is_linked and (due := self._outbox.take_due()):
            for report in due:
                assert isinstance(report.body, LedgerUpdate)
                self.server.take(report.body)
                await self._outbox.acknowledged(report.id)
            await settle()

    # ---- what there is -----------------------------------------------------------------------------------------------

    async def rows(self, camera: MadeCamera) -> list[Row]:
        await self.index.write()
        return await self.index.read(
            lambda db: ledger_rows.rows_between(db, ledger_rows.camera_key(db, camera.camera_id), 0, 1 << 60)
        )

    async def reasons(self, camera: MadeCamera) -> list[str]:
        """In order; a span is "footage"."""
        return [row.reason or "footage" for row in await self.rows(camera)]

    async def segments(self, camera: MadeCamera) -> list[Segment]:
        await self.index.write()
        return await self.index.read(
            lambda db: segment_rows.between(db, ledger_rows.camera_key(db, camera.camera_id), 0, 1 << 60)
        )

    def files(self) -> dict[Path, bytes]:
        return {
            path.relative_to(ROOT): bytes(content.data)
            for path, content in self.disk.files.items()
            if path.suffix == ".mp4"
        }

    async def check(self) -> None:
        """The invariants of docs/design/recording.md that can be seen at rest."""
        files = self.files()
        known: set[Path] = set()
        writing = {
            Path(w.file.path.relative_to(ROOT))
            for recording in self.recordings._cameras.values()
            for w in recording._files.values()
        }
        for camera in self.streams.values():
            segments = await self.segments(camera)
            for segment in segments:
                data = files.get(Path(segment.path))
                assert data is not None, "R1: a row has its file"
                assert len(data) == segment.size, "R2"
                assert hashlib.sha256(data).digest() == segment.sha256, "R2"
                known.add(Path(segment.path))
            self._check_rows(await self.rows(camera), segments)
        assert set(files) - known - writing == set(), "R1: a file has its row"

    @staticmethod
    def _check_rows(rows: list[Row], segments: list[Segment]) -> None:
        for before, after in pairwise(rows):
            assert before.end_us == after.start_us, "R3: no hole, no overlap"
            assert not before.is_like(after)
        for row in rows:
            assert row.end_us > row.start_us
            if row.reason is not None:
                continue
            at = row.start_us
            for segment in sorted(segments, key=lambda s: s.start_us):
                if segment.end_us > at:
                    assert segment.start_us - at < NO_GAP_US, "R3: a span claims only what a segment has"
                    at = max(at, segment.end_us)
                if at >= row.end_us:
                    break
            assert row.end_us - at < NO_GAP_US, "R3: a span claims only what a segment has"

    async def check_server(self) -> None:
        """R8: once all is told, the server's rows are the index's."""
        self.greet()
        await self.clock.turn(40)
        await self.tell()
        await self.clock.turn(40)
        await self.tell()
        assert self.server.epoch == self.index.epoch
        told = [(r.start, r.kind, r.reason) for r in self.server.standing]
        mine: list[Any] = []
        for camera in self.streams.values():
            for row in await self.rows(camera):
                start = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=row.start_us)
                mine.append((start, "span" if row.reason is None else "gap", row.reason))
        assert sorted(told, key=str) == sorted(mine, key=str)
