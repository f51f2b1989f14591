"""A ledger told by a gateway that lies, or whose clock does: its own rows may be nonsense, the answers may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from nova_footage import Telling, add_camera, minutes, now, update
from nova_gateway import connected
from nova_world import World

from novavms_protocol import CameraStatus

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
EARLY = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
LATE = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(hours=14)))


async def test_times_that_no_calendar_has_and_sizes_that_no_disk_has_spoil_no_answer(world: World) -> None:
    epoch, viewer = uuid4(), world.client("viewer")
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        say, at = Telling(camera_id), now() - minutes(30)
        rows = [
            say.row("span", at, at + minutes(20)),
            say.row("gap", EARLY, at - minutes(60)),
            say.row("span", EARLY, LATE),
            say.row("span", at + minutes(21), LATE),
            say.row("span", at, at + minutes(1), size_bytes=2**60),
            *(say.row("span", at - minutes(n + 1), at - minutes(n), size_bytes=2**50) for n in range(25)),
        ]
        assert await gateway.report(update(epoch, rows)) == "invalid"
        assert await gateway.report(update(epoch, [], as_of=LATE)) == "invalid"
        for path in (f"cameras/{camera_id}", f"sites/{world.site}"):
            for query in ("", "?from=2026-01-01", f"?from={(now() - timedelta(days=30)):%Y-%m-%d}"):
                answer = await viewer.get(f"/api/v1/{path}/recordings{query}")
                assert answer.status_code in (200, 400), (path, query, answer.text)
        listed = (await viewer.get(f"/api/v1/cameras/{camera_id}/recordings")).json()
        assert listed["spans"], "what makes sense is kept"
        assert datetime.fromisoformat(listed["to"]) <= datetime.now(UTC)


async def test_sizes_add_up_beyond_what_a_number_of_the_database_holds(world: World) -> None:
    epoch = uuid4()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        assert (
            await gateway.report(update(epoch, [Telling(camera_id).row("span", now() - minutes(9), now())]))
            is None
        )
        await world.sql(
            "INSERT INTO ledger_rows (org_id, gateway_id, life, id, seq, camera_id, stream, kind, start_at, end_at, size_bytes)"
            " SELECT org_id, gateway_id, life, n, n, camera_id, stream, kind, start_at - n * interval '1 day', end_at - n * interval '1 day', %s"
            " FROM ledger_rows, generate_series(10, 9000) AS n",
            2**50,
        )
        listed = await world.client("viewer").get(f"/api/v1/sites/{world.site}/recordings")
        assert listed.status_code == 200, listed.text


async def test_a_status_with_such_a_time_does_not_hide_the_orgs_cameras(world: World) -> None:
    async with connected(world) as gateway:
        camera_id = await add_camera(world, gateway)
        for times in ({"at": now(), "last_frame_at": EARLY}, {"at": LATE}, {"at": EARLY}):
            status = CameraStatus(camera_id=camera_id, revision=1, status="online", **times)
            assert await gateway.report(status) == "invalid"
        listed = await world.client("viewer").get("/api/v1/cameras")
        assert [each["id"] for each in listed.json()["data"]] == [str(camera_id)], listed.text
