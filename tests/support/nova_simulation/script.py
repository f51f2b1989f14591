"""What happens in a world: a seed draws it, step by step; at the end all is mended, and what was promised must come true."""

from __future__ import annotations

import asyncio
import copy
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nova_simulation import invariants
from nova_simulation.acts import ACTS, Acts
from nova_simulation.clips import BrokenPromiseError
from nova_simulation.disk import ClipFolder
from nova_simulation.ledger import Ledger
from nova_simulation.loop import VirtualLoop, run
from nova_simulation.world import ROOT, World

SETTLE_SEC: Final = 600.0
"""Once all is mended, everything owed is done within this time."""
LAG_SEC: Final = 45.0
"""How far a ledger may be behind: a gap grows every 30 s."""
TOLD_LAG_SEC: Final = 80.0
"""And the server's: what grows is told every 30 s."""


@dataclass(frozen=True)
class Outcome:
    digest: str
    steps: list[str]
    clips: dict[str, int]
    seconds: float


class Script(Acts):
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
