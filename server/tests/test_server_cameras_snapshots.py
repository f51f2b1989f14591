"""A picture that many ask for is asked of the gateway once; whether one may see it, of each."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from nova_footage import add_camera
from nova_gateway import ScriptedGateway, connected
from nova_world import World

from novavms_server.cameras import snapshots

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def online(world: World, gateway: ScriptedGateway) -> str:
    camera_id = await add_camera(world, gateway)
    assert await gateway.say(camera_id, "online") is None
    return f"/api/v1/cameras/{camera_id}/snapshot"


async def test_fifty_at_once_are_one_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "KEPT_SEC", 60)
    async with connected(world) as gateway:
        url = await online(world, gateway)
        viewer, stranger = world.client("viewer"), world.client("admin", other=True)
        answers = await asyncio.gather(*(viewer.get(url) for _ in range(50)))
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"\xff\xd8JPEG")}
        assert len(gateway.snapshots) == 1
        assert (await stranger.get(url)).status_code == 404
        assert (await world.client(None).get(url)).status_code == 401
        await world.sql("UPDATE cameras SET site_id = %s", world.ungranted_site)
        assert (await viewer.get(url)).status_code == 403
        assert (await world.client("operator").get(url)).status_code == 200
        assert len(gateway.snapshots) == 1
        assert (await world.client("operator").get(url + "?width=320")).status_code == 200
        assert [each.width for each in gateway.snapshots] == [None, 320]


async def test_a_picture_is_kept_for_a_moment_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "KEPT_SEC", 0)
    async with connected(world) as gateway:
        url = await online(world, gateway)
        for _ in range(3):
            assert (await world.client("viewer").get(url)).status_code == 200
        assert len(gateway.snapshots) == 3
        assert len(world.server.services.cameras._snapshots) == 0


async def test_who_hangs_up_ends_nobody_elses_and_failures_are_not_kept() -> None:
    kept, gate, asked = snapshots.Snapshots(), asyncio.Event(), 0
    camera_id = uuid4()

    async def take() -> bytes:
        nonlocal asked
        asked += 1
        await gate.wait()
        if asked == 1:
            raise OSError("away")
        return b"picture"

    first, second = (asyncio.create_task(kept.get(camera_id, None, take)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    with pytest.raises(OSError, match="away"):
        await second
    assert await kept.get(camera_id, None, take) == b"picture"
    assert asked == 2
