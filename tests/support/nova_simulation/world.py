"""One world: a gateway's lives, its cameras, its disk, its uplink, and the server, under one seed."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx

from nova_simulation import invariants
from nova_simulation.cameras import Camera, maker
from nova_simulation.clips import BrokenPromiseError
from nova_simulation.clock import SimClock
from nova_simulation.database import Database, IndexFile
from nova_simulation.disk import ClipFolder, SimDisk, is_dead
from nova_simulation.far_end import FarEnd
from nova_simulation.loop import LIFE, Life, PowerCutError, VirtualLoop
from nova_simulation.network import Network, Transport
from novavms_camera.capture.cutting import Cut, cut_segments
from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.machine import DiskSpace, Machine
from novavms_gateway.kit.tasks import to_its_end
from novavms_gateway.settings import Settings
from novavms_gateway.station import Gateway, Outside
from novavms_gateway.storage import index as index_module
from novavms_gateway.storage import journal as journal_module
from novavms_gateway.storage.identity import Identity
from novavms_gateway.storage.index import Index
from novavms_gateway.storage.journal import Journal
from novavms_gateway.storage.opening import open_storage
from novavms_gateway.storage.volume import Volume
from novavms_protocol import RecordingPlan

T = TypeVar("T")
ROOT: Final = Path("/volume")
RESTART_SEC: Final = 5.0
TURNS_TO_DIE: Final = 500


class SimMachine(Machine):
    """A box without a network of its own, whose disk is the simulated one."""

    def __init__(self, world: World) -> None:
        super().__init__(Path("/"))
        self._world = world

    def disk(self) -> DiskSpace:
        return DiskSpace(self._world.clips_free, 1 << 30)

    def cpu_percent(self) -> float:
        return 1.0

    @staticmethod
    def memory_used_bytes() -> int:
        return 1

    @staticmethod
    def hardware_id() -> str | None:
        return None

    @staticmethod
    def address_towards(host: str, port: int) -> str | None:
        return None


class SimOffLoop:
    """Blocking work takes a while, and goes on where its caller is cancelled."""

    def __init__(self, pause: Callable[[], float]) -> None:
        self._pause = pause

    async def run(self, work: Callable[[], T]) -> T:
        if is_dead():
            raise PowerCutError
        pause = self._pause()
        if not pause:
            return work()
        return await to_its_end(asyncio.get_running_loop().create_task(self._later(work, pause)))

    async def _later(self, work: Callable[[], T], pause: float) -> T:
        await asyncio.sleep(pause)
        if is_dead():
            raise PowerCutError
        return work()


class World:
    """Made inside the loop. `limits` are of Settings."""

    def __init__(self, loop: VirtualLoop, base: Path, folder: ClipFolder, seed: int, **limits: Any) -> None:
        self.chance = random.Random(f"{seed} world")
        self._pauses = random.Random(f"{seed} pauses")
        self.is_slow = False
        self.trace: list[str] = []
        self.clock = SimClock(loop)
        self.loop = loop
        self.settings = Settings(data_dir=base, search_after_sec=0, **limits)
        self.identity = Identity(
            **{"server_url": "http://server", "gateway_token": "gw_x", "name": "Box"},
            **{name: UUID(int=number + 1) for number, name in enumerate(("gateway_id", "org_id", "site_id"))},
        )
        self.disk = SimDisk(ROOT, capacity=1 << 30)
        self.clips = folder
        self.clips_free = 1 << 30
        self.index = Database(index_module.MIGRATIONS, self.pause)
        self.journal = Database(journal_module.MIGRATIONS, self.pause)
        self.far_end = FarEnd(self.clock, self.chance, self.note)
        self.network = Network(self.far_end, random.Random(f"{seed} network"))
        self.cameras: dict[str, Camera] = {}
        self.gateway: Gateway | None = None
        self.life: Life | None = None
        self.failure: BaseException | None = None
        self.sent: list[tuple[float, str, int]] = []
        """(when, path, bytes) of what went up."""
        self._lives = 0
        self._main: asyncio.Task[None] | None = None
        self._scratch = base / "scratch"
        self._scratch.mkdir()
        self.footage = invariants.Footage(
            self.disk, self.settings.retention_share_max, self.settings.recordings_reserve_bytes
        )
        self.disk.on_change = self._checked(self.footage.changing)
        self.disk.on_unlink = self._checked(lambda path: self.footage.unlinking(self.index.connection, path))
        self.index.on_commit = self._checked(lambda db: self.footage.committed(db, self.clock.monotonic()))
        self._looking = loop.create_task(self._look())

    def pause(self) -> float:
        """Of a call to a disk: mostly none, so that runs stay cheap."""
        if not self.is_slow or self._pauses.random() < 0.7:
            return 0.0
        return self._pauses.choice((0.0, 0.001, 0.05, 0.7))

    def note(self, what: str, *facts: object) -> None:
        """Into the trace."""
        self.trace.append(f"{self.loop.seconds - 1000:.6f} {what} {' '.join(map(str, facts))}")

    def digest(self) -> str:
        """Two runs are the same where this is the same."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def _checked(self, check: Callable[[Any], None]) -> Callable[[Any], None]:
        """What is found amiss in the middle of the gateway's work must not be taken for a fault by it."""

        def work(what: Any) -> None:
            try:
                check(what)
            except BrokenPromiseError as error:
                self.failure = self.failure or error

        return work

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            try:
                self.far_end.look()
            except BrokenPromiseError as error:
                self.failure = self.failure or error

    # ---- lives ---------------------------------------------------------------------------------------------

    def add_camera(self, plan: RecordingPlan) -> Camera:
        number = len(self.cameras) + 1
        camera = Camera(UUID(int=1000 + number), f"192.0.2.{number}")
        self.cameras[camera.ip] = camera
        self.far_end.cameras[camera.camera_id] = camera.config(1, plan)
        self.far_end.version += 1
        return camera

    def start(self) -> None:
        """The box is switched on."""
        assert self.life is None, "it runs"
        self._lives += 1
        life = self.life = Life(self._lives)
        token = LIFE.set(life)
        self._main = self.loop.create_task(self._live())
        LIFE.reset(token)

    async def _live(self) -> None:
        """As run_gateway, and as what starts it again where its disk was not there."""
        while True:
            try:
                gateway, index = await self._open()
            except (OSError, sqlite3.Error) as error:
                self.note("no start", type(error).__name__)
                await asyncio.sleep(RESTART_SEC)
                continue
            break
        self.gateway = gateway
        try:
            await gateway.run()
        except (asyncio.CancelledError, PowerCutError):
            raise
        except Exception as error:
            self.failure = self.failure or error
        finally:
            await index.close()

    async def _open(self) -> tuple[Gateway, Index]:
        transport = Transport(self.network, self._sent)
        off_loop = SimOffLoop(self.pause)
        volume = Volume(
            ROOT, gateway_id=self.identity.gateway_id, disk=self.disk, off_loop=off_loop, clock=self.clock
        )
        index = await open_storage(
            IndexFile(self.index), volume, self.clock, gateway_id=self.identity.gateway_id
        )
        gateway = Gateway(
            identity=self.identity,
            settings=self.settings,
            journal=Journal(self.journal.open(), self.clips.path),
            http=httpx.AsyncClient(transport=transport, trust_env=False),
            machine=SimMachine(self),
            clock=self.clock,
            version="0",
            new_backoff=lambda: Backoff(first_sec=0.2, cap_sec=3.0),
            index=index,
            volume=volume,
            disk=self.disk,
            off_loop=off_loop,
            outside=Outside(
                connect=self.network.connect,
                new_stream=maker(self.cameras, self.clock, self.chance),
                cut=self._cut,
            ),
        )
        return gateway, index

    def _sent(self, path: str, size: int) -> None:
        self.sent.append((self.loop.seconds, path, size))

    async def _cut(self, paths: list[Path], target: Path, *more: Any) -> Cut | None:
        """Of files that are in memory; the cutting is the real one."""
        files: list[Path] = []
        for number, path in enumerate(paths):
            copy = self._scratch / f"{number}-{path.name}"
            copy.write_bytes(self.disk.read(path, 0, 1 << 30))
            files.append(copy)
        try:
            return await cut_segments(files, target, *more)
        finally:
            for copy in files:
                copy.unlink(missing_ok=True)

    async def crash(self) -> None:
        """The power goes."""
        life, self.life = self.life, None
        assert life is not None, "it runs"
        life.is_over = True
        self.gateway = None
        self.network.crash(life)
        for camera in self.cameras.values():
            camera.stream = None
        for _ in range(TURNS_TO_DIE):
            if not life.tasks:
                break
            for task in list(life.tasks):
                task.cancel()
            await asyncio.sleep(0)
        else:
            raise AssertionError(f"tasks that do not end: {list(life.tasks)}")
        self.disk.lose_power(self.chance)
        self.clips.lose_power(self.chance)

    async def stop(self) -> None:
        """In order, as by SIGTERM."""
        assert self._main is not None, "it runs"
        self._main.cancel()
        done, _ = await asyncio.wait([self._main], timeout=60)
        if not done:
            raise BrokenPromiseError("the gateway does not stop")
        life, self.life, self.gateway = self.life, None, None
        assert life is not None, "it ran"
        for _ in range(100):
            if not life.tasks:
                break
            await asyncio.sleep(0.1)
        left = [task for task in life.tasks if not task.done()]
        if left:
            raise BrokenPromiseError(f"the gateway stopped and left {left}")
        life.is_over = True

    async def end(self) -> None:
        """Closes what is open."""
        self._looking.cancel()
        if self.life is not None:
            await self.crash()
        await self.far_end.end()
        self.index.close()
        self.journal.close()

    # ---- checks ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every invariant that holds at any moment. Raises BrokenPromiseError, or what the gateway ended with."""
        if self.failure is not None:
            raise self.failure
        self.footage.check(self.index.connection, self.clock.monotonic())
        invariants.check_told(self.index.connection, self.far_end)
        invariants.check_holds(self.index.connection, self.far_end)
        if self.index.lives == 0:
            invariants.check_cuts(self.journal.connection, self.index.connection)
        invariants.check_journal(self.journal.connection, self.clips, self.far_end)

    def writing(self) -> set[Path]:
        """Files of segments that are being written."""
        assert self.gateway is not None, "it runs"
        recordings = self.gateway._recordings._cameras.values()
        return {
            Path(writing.file.path.relative_to(ROOT))
            for recording in recordings
            for writing in recording._files.values()
        }


Act = Callable[[World], Awaitable[None] | None]
