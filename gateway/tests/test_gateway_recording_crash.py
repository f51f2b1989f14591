"""The plug is pulled after every call to the disk, and the index is lost: what is left is mended, and no invariant is broken."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from nova_box import ROOT, Box, MadeCamera

from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.kit.disk import Inline, SystemDisk
from novavms_gateway.storage.index import Index, IndexDamagedError, get_meta, set_meta
from novavms_gateway.storage.ledger import SECOND_US
from novavms_gateway.storage.opening import SystemIndexFile, open_storage
from novavms_gateway.storage.segment_rows import Segment
from novavms_gateway.storage.volume import Volume

pytestmark = pytest.mark.anyio
LIFE_SEC = 24


async def life(box: Box, dies_at: int | None) -> MadeCamera:
    """Two short segments and a third, and the removal of the first; the disk dies on the way."""
    camera = box.add(retention_bytes=60_000)
    await box.start()
    box.disk.calls, box.disk.dies_at, box.disk.died_at = 0, dies_at, box.clock.now()
    for _ in range(LIFE_SEC):
        await box.play(1, camera)
        if dies_at is None or box.disk.calls <= dies_at:
            box.disk.died_at = box.clock.now()
    return camera


@pytest.mark.slow
async def test_the_plug_is_pulled_after_every_call_to_the_disk() -> None:
    counting = Box()
    await life(counting, None)
    calls = counting.disk.calls
    assert any(
        row.reason == "retention" for row in await counting.rows(next(iter(counting.streams.values())))
    )
    await counting.stop()
    counting.close()
    assert calls > 40
    for dies_at in range(calls):
        await pull_the_plug(dies_at)


async def pull_the_plug(dies_at: int) -> None:
    box = Box()
    box.chance = random.Random(dies_at)
    camera = await life(box, dies_at)
    await box.crash()
    await box.start()
    await box.play(3)
    try:
        await box.check()
        await box.play(12, camera)
        await box.check()
        rows = await box.rows(camera)
        assert rows[-1].reason is None
        lost = [row for row in rows if row.reason == "storage_lost"]
        assert box.disk.died_at is not None
        died_us = int(box.disk.died_at.timestamp() * SECOND_US)
        assert all(row.start_us >= died_us - SECOND_US for row in lost), (
            "R4: footage goes with its reason first"
        )
        await box.check_server()
    except AssertionError as error:
        raise AssertionError(f"died after {dies_at} calls: {error}") from error
    finally:
        await box.stop()
        box.close()


@pytest.mark.slow
async def test_a_power_cut_costs_two_seconds_at_most_and_says_so() -> None:
    box = Box(segment_sec=30)
    camera = box.add()
    await box.start()
    for life_sec in (17, 28, 41, 55, 29):
        await box.play(life_sec, camera)
        await box.crash()
        crashed_us = int(box.clock.now().timestamp() * SECOND_US)
        await box.clock.turn(60)
        await box.start()
        await box.play(35, camera)
        *_, before, gap, _ = await box.rows(camera)
        assert (before.reason, gap.reason) == (None, "gateway_restart")
        assert crashed_us - before.end_us < 3 * SECOND_US
        await box.check()
    await box.check_server()
    await box.stop()
    box.close()


async def test_footage_of_long_ago_that_was_removed_does_not_come_back() -> None:
    box = Box()
    camera = box.add(retention_days=1)
    await box.start()
    await box.play(42, camera)
    camera.breaks("connection_lost")
    box.clock.began += timedelta(days=3)
    await box.play(15)
    assert box.files() == {}
    await box.crash()
    await box.start()
    await box.play(12, camera)
    await box.check()
    await box.stop()
    box.close()


async def test_an_index_that_is_lost_is_made_anew_from_the_files() -> None:
    box = Box()
    camera = box.add()
    await box.start()
    await box.play(22, camera)
    camera.breaks("connection_lost")
    await box.play(20)
    await box.play(22, camera)
    await box.tell()
    await box.stop()
    before, files = facts(await box.segments(camera)), box.files()
    epoch = box.server.epoch
    box.file.lose()
    await box.start()
    await box.play(3)
    assert box.files().keys() >= files.keys()
    assert facts(await box.segments(camera))[: len(before)] == before
    reasons = await box.reasons(camera)
    assert reasons[:3] == ["footage", "unknown", "footage"]
    await box.check()
    await box.play(8, camera)
    await box.check_server()
    assert box.server.epoch != epoch, "another life of the index"
    assert len({s.id for s in await box.segments(camera)}) == len(await box.segments(camera))
    await box.stop()
    box.close()


def facts(segments: list[Segment]) -> list[tuple[object, ...]]:
    return [(s.id, s.start_us, s.end_us, s.size, s.sha256) for s in segments]


async def test_a_volume_that_was_swapped_has_its_own_index() -> None:
    box = Box()
    camera = box.add()
    await box.start()
    await box.play(12, camera)
    await box.stop()
    first = box.server.epoch
    box.disk.files.clear()  # a new disk, and the owner says so
    await box.start()
    assert box.recordings.blocked == "storage_lost"
    await box.volume.make()
    await box.stop()
    await box.start()
    await box.play(12, camera)
    assert await box.reasons(camera) == ["footage"]
    assert box.index.epoch != first
    await box.check()
    await box.stop()
    box.close()


async def test_a_file_that_vanished_is_storage_lost() -> None:
    box = Box()
    camera = box.add()
    await box.start()
    await box.play(17, camera)
    await box.stop()
    victim = sorted(box.files())[1]
    del box.disk.files[ROOT / victim]
    await box.start()
    await box.play(3)
    assert (await box.reasons(camera))[:3] == ["footage", "storage_lost", "footage"]
    await box.check()
    await box.stop()
    box.close()


async def test_an_index_that_takes_nothing_costs_no_footage_at_first_and_is_told_of_at_last() -> None:
    async with Box() as box:
        camera = box.add()
        await box.reconcile()
        await box.play(12, camera)
        assert box.file.database is not None
        box.file.database.is_full = True
        await box.play(40, camera)
        box.file.database.is_full = False
        await box.play(12, camera)
        assert await box.reasons(camera) == ["footage"]
        box.file.database.is_full = True
        await box.play(90, camera)
        assert box.index.is_stuck
        box.file.database.is_full = False
        await box.play(25, camera)
        assert await box.reasons(camera) == ["footage", "disk_full", "footage"]
        await box.check()
        await box.check_server()


async def test_an_index_that_is_damaged_is_put_aside(tmp_path: Path) -> None:
    file = SystemIndexFile(tmp_path)
    database = await file.open()
    index = await Index.open(database, SystemClock())
    for number in range(300):
        index.submit(partial(set_meta, key=f"k{number}", value="x" * 200))
    await index.close()
    path = tmp_path / "recordings.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    database = await file.open()
    with pytest.raises(IndexDamagedError):
        await Index(database, SystemClock(), epoch=uuid4(), next_segment_id=1).read(
            lambda db: get_meta(db, "k1")
        )
    await database.close()
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    volume = Volume(
        tmp_path / "footage", gateway_id=uuid4(), disk=SystemDisk(), off_loop=Inline(), clock=SystemClock()
    )
    made = await open_storage(file, volume, SystemClock(), gateway_id=uuid4())
    assert made.epoch != index.epoch
    assert (tmp_path / "recordings-old.db").exists()
    await made.close()


async def test_an_index_made_anew_removes_nothing_until_holds_are_told_again() -> None:
    box = Box()
    camera = box.add(retention_days=1)
    await box.start()
    await box.play(22, camera)
    camera.breaks("connection_lost")
    await box.play(2)
    await box.stop()
    box.file.lose()
    box.clock.began += timedelta(days=3)
    await box.start()
    await box.play(60)
    assert len(box.files()) == 5
    box.clock.began += timedelta(hours=1)
    await box.play(30)
    assert box.files() == {}
    await box.stop()
    box.close()
