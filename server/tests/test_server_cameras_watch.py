"""A check's stages are seen while it runs, by those who began it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from nova_gateway import ScriptedGateway, bad_report, connected, works
from nova_world import World

from novavms_protocol import Check
from novavms_server.cameras.watching import CheckWatches
from novavms_server.kit.clock import SystemClock

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


def asked(gateway: ScriptedGateway) -> dict[str, Any]:
    return {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Yard", "type": "rtsp"},
        **{"rtsp_url": "rtsp://192.0.2.11:554/stream1"},
    }


async def test_stages_pass_one_by_one_and_the_end_is_told(shared_world: World) -> None:
    world = shared_world
    operator, check_id = world.client("operator"), uuid4()
    path = f"/api/v1/cameras/checks/{check_id}"
    async with connected(world, answer=works) as gateway:
        gateway.tells_stages = True
        waiting = asyncio.create_task(operator.get(path, params={"wait_sec": 10}))
        adding = asyncio.create_task(
            operator.post("/api/v1/cameras", params={"check_id": str(check_id)}, json=asked(gateway))
        )
        first = (await waiting).json()
        assert [stage["name"] for stage in first["stages"]] == ["policy"]
        assert (first["next"], first["ended"]) == (1, False)
        waiting = asyncio.create_task(operator.get(path, params={"after": 1, "wait_sec": 10}))
        gateway.passing.set()
        second = (await waiting).json()
        assert [stage["name"] for stage in second["stages"]] == ["media"]
        assert (await adding).status_code == 201
        last = (await operator.get(path, params={"after": 2, "wait_sec": 10})).json()
        assert last == {"stages": [], "next": 2, "ended": True}


async def test_a_failed_check_and_one_sent_twice_end_as_well(shared_world: World) -> None:
    world = shared_world
    operator, check_id = world.client("operator"), uuid4()

    async def fails(check: Check) -> dict[str, Any]:
        return bad_report("auth_failed")

    async with connected(world, answer=fails) as gateway:
        gateway.tells_stages = True
        asks = [
            asyncio.create_task(
                operator.post("/api/v1/cameras/test", params={"check_id": str(check_id)}, json=body)
            )
            for body in 2
            * [{name: value for name, value in asked(gateway).items() if name not in ("site_id", "name")}]
        ]
        seen = await operator.get(f"/api/v1/cameras/checks/{check_id}", params={"wait_sec": 10})
        assert seen.json()["stages"][0]["reason"] == "auth_failed"
        gateway.passing.set()
        assert [answer.status_code for answer in await asyncio.gather(*asks)] == [200, 200]
        seen = await operator.get(f"/api/v1/cameras/checks/{check_id}", params={"after": 9, "wait_sec": 10})
        assert seen.json()["ended"]


async def test_another_org_and_lesser_roles_see_no_stages(shared_world: World) -> None:
    world = shared_world
    check_id = uuid4()
    path = f"/api/v1/cameras/checks/{check_id}"
    async with connected(world, answer=works) as gateway:
        made = await world.client("operator").post(
            "/api/v1/cameras", params={"check_id": str(check_id)}, json=asked(gateway)
        )
        assert made.status_code == 201, made.text
        assert (await world.client("operator").get(path)).json()["ended"]
        assert (await world.client("admin", other=True).get(path)).status_code == 404
        assert (await world.client("viewer").get(path)).status_code == 403
        wrong = await world.client("operator").get(path, params={"wait_sec": 21})
        assert (wrong.status_code, wrong.json()["details"][0]["field"]) == (400, "wait_sec")


async def test_a_gateway_that_tells_novels_is_not_listened_to() -> None:
    watches, org, check_id = CheckWatches(SystemClock()), uuid4(), uuid4()
    with watches.open(org, check_id) as on_stage:
        assert on_stage is not None
        for detail in ("x" * 100_000, "short"):
            on_stage({"name": "media", "detail": detail})
    told = await watches.read(org, check_id, 0, 0)
    assert [stage.detail for stage in told.stages] == ["short"]
