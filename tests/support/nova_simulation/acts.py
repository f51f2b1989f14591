"""What may happen in a world, and how often."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, get_args

import msgspec

from nova_simulation.cameras import Camera
from nova_simulation.ledger import Ledger
from nova_simulation.world import World
from novavms_camera.faults import Reason
from novavms_protocol import RecordingPlan, ScheduleWindow

FAULTS: Final = ("connection_lost", "frozen", "auth_failed", "refused", "malformed_stream", "no_media")
assert set(FAULTS) <= set(get_args(Reason))


class Acts:
    """One method is one thing that happens. `leaps`: the wall's clock may be set in this world."""

    world: World
    chance: random.Random
    leaps: bool
    backups: list[Ledger]
    """What the server's ledger was, some steps ago."""

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def _plan(self) -> RecordingPlan:
        chance = self.chance
        windows = [ScheduleWindow(days=["mon", "tue"], start="23:00", end="23:59")]
        return RecordingPlan(
            mode=chance.choice(("continuous", "continuous", "continuous", "events", "off")),
            schedule=chance.choice((None, None, None, windows)),
            retention_days=30,
            retention_bytes=chance.choice((None, None, 25_000)),
        )

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


ACTS: Final[list[tuple[Callable[[Acts], Any], int]]] = [
    (Acts._camera_fails, 4),
    (Acts._cameras_are_back, 5),
    (Acts._session_breaks, 3),
    (Acts._pictures_are_lost, 3),
    (Acts._timestamps_jump, 1),
    (Acts._format_changes, 2),
    (Acts._power_is_cut, 5),
    (Acts._power_is_cut_within, 5),
    (Acts._twice_in_a_row, 1),
    (Acts._off_for_hours, 1),
    (Acts._restarted, 2),
    (Acts._disk_fills, 2),
    (Acts._disk_breaks, 1),
    (Acts._disk_is_well, 4),
    (Acts._volume_is_unmounted, 1),
    (Acts._databases_take_nothing, 1),
    (Acts._databases_are_well, 3),
    (Acts._uplink_is_cut, 3),
    (Acts._uplink_is_back, 5),
    (Acts._uplink_is_bad, 2),
    (Acts._sockets_break, 3),
    (Acts._server_restarts, 2),
    (Acts._server_is_put_back, 1),
    (Acts._store_is_away, 2),
    (Acts._store_is_back, 3),
    (Acts._triggered, 8),
    (Acts._past_is_cut, 5),
    (Acts._event_is_deleted, 2),
    (Acts._footage_is_held, 2),
    (Acts._hold_is_released, 1),
    (Acts._plan_changes, 3),
    (Acts._clock_leaps, 2),
]
