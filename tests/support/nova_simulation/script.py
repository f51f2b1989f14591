"""What happens in a world: a seed draws it, step by step; at the end all is mended, and what was promised must come true."""

from __future__ import annotations

import asyncio
import copy
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from nova_simulation import invariants
from nova_simulation.cameras import Camera
from nova_simulation.clips import BrokenPromiseError
from nova_simulation.disk import ClipFolder
from nova_simulation.ledger import Ledger
from nova_simulation.loop import VirtualLoop, run
from nova_simulation.world import ROOT, World
from novavms_camera.faults import Reason
from novavms_protocol import RecordingPlan, ScheduleWindow

SETTLE_SEC: Final = 600.0
"""Once all is mended, everything owed is done within this time."""
LAG_SEC: Final = 45.0
"""How far a ledger may be behind: a gap grows every 30 s."""
TOLD_LAG_SEC: Final = 80.0
"""And the server's: what grows is told every 30 s."""
FAULTS: Final = ("connection_lost", "frozen", "auth_failed", "refused", "malformed_stream", "no_media")
assert set(FAULTS) <= set(get_args(Reason))


@dataclass(frozen=True)
class Outcome:
    digest: str
    steps: list[str]
    clips: dict[str, int]
    seconds: float


class Script:
    """`play` one seed's."""

    def __init__(self, seed: int, loop: VirtualLoop, base: Path, folder: ClipFolder) -> None:
        chance = self.chance = random.Random(f"{seed} script")
        share = chance.choice((0.1, 0.3, 1.0))
        reserve = chance.choice((0, 20_000))
        self.world = World(
            loop,
            base,
            folder,
            seed,
            uploads_at_once=chance.choice((1, 2)),
            recordings_max_bytes=chance.choice((0, 0, 60_000)),
            recordings_reserve_bytes=reserve,
            retention_share_max=share,
        )
        self.world.is_slow = chance.random() < 0.5
        loop.delay = self.world.pause
        self.steps: list[str] = []
        self.backups: list[Ledger] = []
        self.leaps = chance.random() < 0.25
        for _ in range(chance.choice((1, 1, 2))):
            self.world.add_camera(self._plan())

    def _plan(self) -> RecordingPlan:
        chance = self.chance
        windows = [ScheduleWindow(days=["mon", "tue"], start="23:00", end="23:59")]
        return RecordingPlan(
            mode=chance.choice(("continuous", "continuous", "continuous", "events", "off")),
            schedule=chance.choice((None, None, None, windows)),
            retention_days=30,
            retention_bytes=chance.choice((None, None, 25_000)),
        )

    async def play(self) -> Outcome:
        world = self.world
        try:
            world.start()
            await self._sleep(self.chance.uniform(2, 25))
            for _ in range(self.chance.randint(8, 20)):
                await self._step()
            await self._settle()
        finally:
            await world.end()
        ends: dict[str, int] = {}
        for clip in world.far_end.clips.values():
            word = "deleted" if clip.deleted else clip.reason or clip.status
            ends[word] = ends.get(word, 0) + 1
        return Outcome(world.digest(), self.steps, ends, world.loop.seconds - 1000)

    async def _step(self) -> None:
        self.backups = [*self.backups[-3:], copy.deepcopy(self.world.far_end.ledger)]
        act = self._draw()
        told = act(self)
        if asyncio.iscoroutine(told):
            await told
        name = act.__name__.strip("_")
        self.steps.append(f"{self.world.loop.seconds - 1000:.1f} {name}")
        self.world.note("step", name)
        await self._sleep(
            self.chance.choice((0.02, 0.4, 1.3, 3.0, 6.0, 11.0, 11.0, 25.0)) * self.chance.uniform(0.8, 1.2)
        )

    def _draw(self) -> Callable[[Script], Any]:
        return self.chance.choices([act for act, _ in ACTS], [weight for _, weight in ACTS])[0]

    async def _sleep(self, seconds: float) -> None:
        """With a look in between, so that what is wrong for a moment only is seen, too."""
        while seconds > 0:
            await asyncio.sleep(min(seconds, 5.0))
            seconds -= 5.0
            self.world.check()
        self.world.note("at", self._state())

    def _state(self) -> str:
        db = self.world.index.connection
        seq = db.execute(
            "SELECT count(*), coalesce(sum(end_us - start_us), 0), max(seq) FROM ledger"
        ).fetchone()
        files = sum(len(content.data) for content in self.world.disk.volume_files.values())
        return f"{tuple(seq)} {files} {self.world.disk.calls}"

    # ---- what may happen ----------------------------------------------------------------------------------

    def _camera(self) -> Camera:
        return self.chance.choice(list(self.world.cameras.values()))

    def _camera_fails(self) -> None:
        self._camera().fault = self.chance.choice(FAULTS)

    def _cameras_are_back(self) -> None:
        for camera in self.world.cameras.values():
            camera.fault = None

    def _session_breaks(self) -> None:
        stream = self._camera().stream
        if stream is not None:
            stream.ends_with = "connection_lost"

    def _pictures_are_lost(self) -> None:
        stream = self._camera().stream
        if stream is not None:
            stream.lose(self.chance.choice((0.2, 1.5, 4.0)))

    def _timestamps_jump(self) -> None:
        stream = self._camera().stream
        if stream is not None:
            stream.jump(self.chance.choice((-900_000, 90_000_000)))

    def _format_changes(self) -> None:
        camera = self._camera()
        camera.size = 160 - camera.size

    async def _power_is_cut(self) -> None:
        world = self.world
        if world.life is None:
            return
        await world.crash()
        if self.chance.random() < 0.1 and world.disk.is_mounted:
            world.index.lose()
        await self._sleep(self.chance.choice((0.1, 2.0, 15.0)))
        world.start()

    async def _power_is_cut_within(self) -> None:
        """In the middle of something: between one call to a disk and the next."""
        life = self.world.life
        if life is None:
            return
        life.fuse = self.chance.randint(1, 60)
        for _ in range(100):
            if life.is_over:
                break
            await asyncio.sleep(0.1)
        await self._power_is_cut()

    async def _off_for_hours(self) -> None:
        """What may be removed in an hour is not hidden by what was recorded in it any more."""
        if self.world.life is not None:
            await self.world.crash()
            await asyncio.sleep(self.chance.choice((3700.0, 9000.0)))
            self.world.start()

    async def _twice_in_a_row(self) -> None:
        await self._power_is_cut()
        await self._sleep(self.chance.uniform(0.01, 2))
        await self._power_is_cut()

    async def _restarted(self) -> None:
        if self.world.gateway is None:
            return
        await self.world.stop()
        await self._sleep(self.chance.choice((0.1, 3.0)))
        self.world.start()

    def _disk_fills(self) -> None:
        disk = self.world.disk
        if disk.is_mounted:
            disk.capacity = disk.used + self.chance.choice((0, 1000, 8000, 15_000))

    def _disk_breaks(self) -> None:
        self.world.disk.is_broken = True

    def _disk_is_well(self) -> None:
        disk = self.world.disk
        disk.is_broken = False
        disk.capacity = 1 << 30
        disk.mount()

    def _volume_is_unmounted(self) -> None:
        self.world.disk.unmount()

    def _databases_take_nothing(self) -> None:
        self.chance.choice((self.world.index, self.world.journal)).is_full = True

    def _databases_are_well(self) -> None:
        self.world.index.is_full = self.world.journal.is_full = False

    def _uplink_is_cut(self) -> None:
        self.world.network.cut()

    def _uplink_is_back(self) -> None:
        network = self.world.network
        network.heal()
        network.fails = network.repeats = 0.0
        network.slow = 0.05

    def _uplink_is_bad(self) -> None:
        network = self.world.network
        network.fails, network.repeats, network.slow = 0.4, 0.3, self.chance.choice((0.05, 1.0, 8.0))

    def _sockets_break(self) -> None:
        self.world.network.break_all(silently=self.chance.random() < 0.5)

    async def _server_restarts(self) -> None:
        self.world.far_end.crash()
        await self._sleep(self.chance.choice((0.1, 8.0)))
        self.world.far_end.is_up = True

    async def _server_is_put_back(self) -> None:
        """Its ledger is what it was some steps ago, from a backup."""
        before = self.backups[0]
        if before.epoch is not None and before.epoch == self.world.far_end.ledger.epoch:
            self.world.far_end.crash()
            life = self.world.far_end.ledger.life
            self.world.far_end.ledger = before
            before.life, before.is_restored = life, True
            await self._sleep(0.2)
            self.world.far_end.is_up = True

    def _store_is_away(self) -> None:
        self.world.far_end.is_store_away = True

    def _store_is_back(self) -> None:
        self.world.far_end.is_store_away = False

    def _triggered(self) -> None:
        self.world.far_end.trigger(self._camera().camera_id, self.chance.choice((2.0, 5.0, 12.0)))

    def _past_is_cut(self) -> None:
        end = self.world.clock.now() - timedelta(seconds=self.chance.uniform(-1, 40))
        length = timedelta(seconds=self.chance.choice((3.0, 15.0)))
        self.world.far_end.cut(self._camera().camera_id, end - length, end)

    def _event_is_deleted(self) -> None:
        clips = [clip for clip in self.world.far_end.clips.values() if not clip.deleted]
        if clips:
            self.world.far_end.delete(self.chance.choice(clips))

    def _footage_is_held(self) -> None:
        start = self.world.clock.now() - timedelta(seconds=self.chance.uniform(0, 60))
        self.world.far_end.hold(self._camera().camera_id, start, timedelta(seconds=20))

    def _hold_is_released(self) -> None:
        held = [hold for hold in self.world.far_end.holds.values() if hold.order.is_held]
        if held:
            self.world.far_end.release(self.chance.choice(held))

    def _plan_changes(self) -> None:
        camera = self._camera()
        far_end = self.world.far_end
        before = far_end.cameras[camera.camera_id]
        far_end.cameras[camera.camera_id] = msgspec.structs.replace(
            before,
            revision=before.revision + 1,
            recording=self._plan(),
            enabled=self.chance.random() < 0.8,
            pre_roll_sec=self.chance.choice((5, 5, 4)),
        )
        far_end.version += 1

    def _clock_leaps(self) -> None:
        if self.leaps:
            self.world.footage.has_leapt = True
            self.world.clock.ahead_sec += self.chance.choice(
                (-3600.0, -20.0, -1.5, 1.5, 20.0, 3600.0, 90_000.0)
            )

    # ---- the end ------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """All is mended; then, within a time, nothing is owed any more."""
        world = self.world
        self._disk_is_well()
        self._databases_are_well()
        self._uplink_is_back()
        self._store_is_back()
        self._cameras_are_back()
        if world.life is None:
            world.start()
        world.is_slow = False
        world.note("mended")
        until = world.loop.seconds + SETTLE_SEC
        await self._sleep(12)
        while (owed := self._owed()) is not None:
            if world.loop.seconds > until:
                raise BrokenPromiseError(f"not done in time: {owed}")
            await self._sleep(5)
        self._check_no_clips()
        await world.stop()  # what a life could not mend, the next one does
        world.start()
        await self._sleep(15)
        world.footage.check_files(world.index.connection, world.writing())
        self._check_no_clips()
        for table, which in (("segment", "is_going"), ("hold", "hold_id LIKE 'cut:%'")):
            left = world.index.connection.execute(f"SELECT * FROM {table} WHERE {which}").fetchall()
            if left:
                raise BrokenPromiseError(f"left in the index: {[tuple(row) for row in left]}")

    def _check_no_clips(self) -> None:
        if names := [path.name for path in self.world.clips.path.iterdir()]:
            raise BrokenPromiseError(f"I1: files without a clip: {names}")

    def _owed(self) -> str | None:
        world = self.world
        ledger = world.far_end.ledger
        if any(not clip.is_over and not clip.deleted for clip in world.far_end.clips.values()):
            return "a clip"
        for clip in world.far_end.clips.values():
            if clip.was_held and clip.guessed and not clip.deleted:
                return f"a clip that was only guessed to be lost: {clip}"
        for table in ("clip", "report"):
            if world.journal.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                return f"the journal's {table}s"
        if any(hold.told != ledger.life for hold in world.far_end.holds.values()):
            return "a hold"
        db = world.index.connection
        if db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0] != str(ledger.epoch):
            return "the ledger's epoch"
        for (end_us,) in db.execute("SELECT max(l.end_us) FROM ledger l GROUP BY camera"):
            if invariants.micros(world.clock.now()) - end_us > LAG_SEC * 1e6:
                return "the ledger's growth"
        if not db.execute("SELECT count(*) FROM ledger").fetchone()[0]:
            return self._recording_owed()  # nothing was ever to be recorded
        if ledger.as_of is None or (world.clock.now() - ledger.as_of).total_seconds() > TOLD_LAG_SEC:
            return "the ledger's telling"
        return self._recording_owed()

    def _recording_owed(self) -> str | None:
        """A camera that is to be recorded is."""
        world = self.world
        assert world.gateway is not None, "it runs"
        for camera in world.cameras.values():
            config = world.far_end.cameras[camera.camera_id]
            plan = config.recording
            wanted = config.enabled and plan.mode == "continuous" and plan.schedule is None
            recording = world.gateway._recordings._cameras.get(camera.camera_id)
            if recording is None or recording.is_recording != wanted:
                if wanted and world.gateway._recordings.state in (
                    "retention_held",
                    "recording_stopped",
                    "making_room",
                ):
                    continue  # as full as it may be
                if wanted or plan.mode == "off" or not config.enabled:
                    return f"recording of {config}: {wanted}"
        return None


ACTS: Final[list[tuple[Callable[[Script], Any], int]]] = [
    (Script._camera_fails, 4),
    (Script._cameras_are_back, 5),
    (Script._session_breaks, 3),
    (Script._pictures_are_lost, 3),
    (Script._timestamps_jump, 1),
    (Script._format_changes, 2),
    (Script._power_is_cut, 5),
    (Script._power_is_cut_within, 5),
    (Script._twice_in_a_row, 1),
    (Script._off_for_hours, 1),
    (Script._restarted, 2),
    (Script._disk_fills, 2),
    (Script._disk_breaks, 1),
    (Script._disk_is_well, 4),
    (Script._volume_is_unmounted, 1),
    (Script._databases_take_nothing, 1),
    (Script._databases_are_well, 3),
    (Script._uplink_is_cut, 3),
    (Script._uplink_is_back, 5),
    (Script._uplink_is_bad, 2),
    (Script._sockets_break, 3),
    (Script._server_restarts, 2),
    (Script._server_is_put_back, 1),
    (Script._store_is_away, 2),
    (Script._store_is_back, 3),
    (Script._triggered, 8),
    (Script._past_is_cut, 5),
    (Script._event_is_deleted, 2),
    (Script._footage_is_held, 2),
    (Script._hold_is_released, 1),
    (Script._plan_changes, 3),
    (Script._clock_leaps, 2),
]


class SeedFailedError(AssertionError):
    """A seed that breaks a promise; says how to play it again, and what happened in it."""


def simulate(seed: int) -> Outcome:
    """One seed, from its beginning to its end. Raises SeedFailedError."""
    script: Script | None = None

    async def main(loop: VirtualLoop) -> Outcome:
        nonlocal script
        script = Script(seed, loop, base, folder)
        return await script.play()

    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="nova-") as name:
        base = Path(name)
        folder = ClipFolder(base)
        try:
            return run(seed, main, fsync=folder.fsync)
        except Exception as error:
            steps = "" if script is None else "; ".join(script.steps)
            raise SeedFailedError(
                f"seed {seed}: {type(error).__name__}: {error}\n  make simulate SEED={seed}\n  steps: {steps}"
            ) from error


__all__ = ["ROOT", "Outcome", "Script", "SeedFailedError", "simulate"]
