"""The ledger as the server hears it: each change once, from where it left off, and all anew where one of the two forgot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from nova_box import Box, MadeCamera, Server

from novavms_gateway.recording.telling import ROWS_MAX
from novavms_gateway.storage import ledger_rows
from novavms_gateway.storage.ledger import SECOND_US, Row

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    made = Box()
    await made.start()
    yield made
    await made.stop()
    made.close()


async def flapping(box: Box) -> MadeCamera:
    camera = box.add()
    await box.reconcile()
    for _ in range(3):
        await box.play(7, camera)
        camera.breaks("connection_lost")
        await box.play(6)
    await box.play(35)
    return camera


async def test_a_restart_goes_on_where_the_server_left_off(box: Box) -> None:
    await flapping(box)
    told, epoch = box.server.seq, box.server.epoch
    assert told > 5
    await box.stop()
    box.server.updates.clear()
    await box.start()
    await box.play(40)
    assert box.server.epoch == epoch
    assert box.server.updates
    assert all(row.seq > told for update in box.server.updates for row in update.rows)
    await box.check_server()


async def test_what_happened_while_the_link_was_away_is_told_afterwards(box: Box) -> None:
    box.is_linked = False
    camera = await flapping(box)
    assert box.server.rows == {}
    box.is_linked = True
    box.greet()
    await box.play(5)
    kinds = [row.reason or "footage" for row in box.server.standing]
    assert kinds == await box.reasons(camera)
    await box.check_server()


async def test_a_server_that_lost_what_it_knew_is_told_all_under_another_epoch(box: Box) -> None:
    await flapping(box)
    epoch, box.server.seq = box.server.epoch, 2  # a backup was put back
    box.greet()
    await box.play(5)
    assert box.server.epoch != epoch
    await box.check_server()


async def test_a_server_that_knows_nothing_is_told_all(box: Box) -> None:
    camera = await flapping(box)
    box.server = Server()
    box.greet()
    await box.play(5)
    assert [row.reason or "footage" for row in box.server.standing] == await box.reasons(camera)


async def test_an_index_that_knows_less_than_the_server_begins_a_new_epoch(box: Box) -> None:
    await flapping(box)
    epoch = box.server.epoch
    box.recordings.teller.resume(box.server.seq + 1000)
    await box.play(5)
    assert box.server.epoch != epoch
    await box.check_server()


async def test_a_long_ledger_is_told_in_pieces(box: Box) -> None:
    camera = box.add()
    await box.reconcile()

    def many(db: object) -> None:
        key = ledger_rows.camera_key(db, camera.camera_id)  # type: ignore[arg-type]
        for number in range(ROWS_MAX + 20):
            start = (1_772_440_000 + number * 10) * SECOND_US
            row = Row(start, start + 10 * SECOND_US, "main", "frozen" if number % 2 else "auth")
            ledger_rows.lay_fact(db, key, row, hole="unknown")  # type: ignore[arg-type]

    await box.index.change(many)
    box.greet()
    await box.play(3)
    sizes = [len(update.rows) for update in box.server.updates]
    assert max(sizes) == ROWS_MAX
    assert [update.is_complete for update in box.server.updates][:2] == [False, True]
    await box.check_server()


async def test_reasons_of_very_long_ago_are_forgotten(box: Box) -> None:
    camera = await flapping(box)
    await box.plan(camera, retention_days=4000)
    before = await box.reasons(camera)
    camera.breaks("connection_lost")
    box.clock.began += timedelta(days=500)
    await box.play(15)
    assert (await box.reasons(camera))[:3] == before[:3], "there is older footage"
    await box.plan(camera, retention_days=1)
    await box.play(45)
    assert box.files() == {}
    reasons = await box.reasons(camera)
    assert reasons == ["camera_offline"], "what is left reaches to now"
