"""The first hour of an installer: 200 cameras through one gateway, one after another, and twenty at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nova_matrix import Matrix, leftovers

from novavms_simcam import SimCam, SimCamFleet

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("matrix-bulk"),
]

COUNT = 200
AT_ONCE = 20


async def add(matrix: Matrix, cam: SimCam) -> dict[str, Any]:
    answer = await matrix.client.post("/cameras", json=matrix.system.body(cam, matrix.gateway))
    assert answer.status_code == 201, (cam.config.name, answer.text)
    made: dict[str, Any] = answer.json()
    assert made["status"] == "online"
    return made


async def all_cameras(matrix: Matrix) -> list[dict[str, Any]]:
    """By pages, as a client sees them."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        page = (await matrix.client.get("/cameras", params=query)).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            assert page["total"] == len(found)
            return found


async def remove_all(matrix: Matrix, made: list[dict[str, Any]], cameras: list[SimCam]) -> None:
    for camera in made:
        assert (await matrix.client.delete(f"/cameras/{camera['id']}")).status_code == 204
    for cam in cameras:
        assert await leftovers(cam) == {"sessions": 0, "connections": 0}


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
async def test_two_hundred_cameras(matrix: Matrix, at_once: int) -> None:
    """All are there, each by its own identity, none twice; each was checked once and logged in to without a failure.

    Switched off as soon as they are added, so that it is adding that is tried here and not playing two hundred streams.
    """
    room = asyncio.Semaphore(at_once)
    async with SimCamFleet.of(COUNT, name=f"Bulk {at_once}", password=matrix.password("bulk")) as fleet:

        async def one(cam: SimCam) -> dict[str, Any]:
            async with room:
                made = await add(matrix, cam)
                off = await matrix.client.patch(f"/cameras/{made['id']}", json={"enabled": False})
                assert off.json()["status"] == "disabled", off.text
                return made

        made = await asyncio.gather(*(one(cam) for cam in fleet.cameras))
        assert len({camera["id"] for camera in made}) == COUNT
        assert {camera["name"] for camera in made} == {cam.config.name for cam in fleet.cameras}
        assert [camera["port"] for camera in made] == [cam.onvif_port for cam in fleet.cameras]
        assert all(camera["check"]["warnings"] == [] for camera in made), "no camera taken for another"
        listed = await all_cameras(matrix)
        assert sorted(camera["id"] for camera in listed) == sorted(camera["id"] for camera in made)
        assert await matrix.rows("deleted_at IS NULL") == COUNT
        assert await matrix.rows("deleted_at IS NULL AND serial IS NOT NULL") == COUNT
        assert [cam.login_attempts.failed for cam in fleet.cameras] == [0] * COUNT
        assert [cam.stats.requests["tds:GetDeviceInformation"] for cam in fleet.cameras] == [1] * COUNT
        await remove_all(matrix, list(made), fleet.cameras)
        assert await all_cameras(matrix) == []
