"""The libraries behind a proxy that cuts, delays, repeats and garbles: no camera twice, none missing, no event lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from nova_chaos import KINDS, chaos
from nova_gateway import ScriptedGateway, connected, works
from nova_world import World

from novavms import AsyncClient, Client, NotFoundError
from novavms.types import CameraItem

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]
CAMERAS = 15
PATIENT: dict[str, Any] = {"max_retries": 12, "timeout": 10}
"""Eight of nine requests are spoilt: three retries, as by default, are for the networks that people have."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once: how long they wait is tested where the clock is handed in."""
    monkeypatch.setattr("novavms._sync.transport.sleep", lambda seconds: None)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    for module in ("transport", "stream"):
        monkeypatch.setattr(f"novavms._async.{module}.sleep", sleep)


def asked(gateway: ScriptedGateway, number: int) -> dict[str, Any]:
    return {
        **{"site_id": gateway.site_id, "gateway_id": gateway.id, "name": f"Camera {number:02d}"},
        **{"type": "rtsp", "rtsp_url": f"rtsp://192.0.2.{number + 1}:554/main"},
    }


async def names_of(world: World) -> list[str]:
    rows = await world.sql(
        "SELECT name FROM cameras WHERE org_id = %s AND deleted_at IS NULL ORDER BY name", world.org
    )
    return [row[0] for row in rows]


async def test_async_no_camera_is_made_twice_and_none_is_missing(world: World) -> None:
    async with connected(world, answer=works) as gateway, chaos(world.base_url, 1) as proxy:
        async with AsyncClient(api_key=world.keys["operator"], base_url=proxy.url, **PATIENT) as client:
            made = [await client.cameras.create(**asked(gateway, number)) for number in range(CAMERAS)]
            assert await names_of(world) == [f"Camera {number:02d}" for number in range(CAMERAS)]
            listed = [camera.id async for camera in await client.cameras.list(limit=7)]
            assert sorted(listed) == sorted(camera.id for camera in made)
            for number, camera in enumerate(made):
                if number % 2:
                    await client.cameras.update(camera.id, name=f"Renamed {number:02d}")
                else:
                    with contextlib.suppress(NotFoundError):  # the proxy said it twice: it was gone by then
                        await client.cameras.delete(camera.id)
        assert await names_of(world) == [f"Renamed {number:02d}" for number in range(1, CAMERAS, 2)]
        assert set(proxy.done) == set(KINDS), "the seed tries every kind"


async def test_sync_no_camera_is_made_twice_and_none_is_missing(world: World) -> None:
    async with connected(world, answer=works) as gateway, chaos(world.base_url, 3) as proxy:

        def work() -> list[str]:
            with Client(api_key=world.keys["operator"], base_url=proxy.url, **PATIENT) as client:
                for number in range(CAMERAS):
                    client.cameras.create(**asked(gateway, number))
                return sorted(camera.name for camera in client.cameras.list(limit=7))

        seen = await asyncio.to_thread(work)
        assert seen == await names_of(world) == [f"Camera {number:02d}" for number in range(CAMERAS)]


async def test_no_event_of_the_stream_is_lost_or_told_twice(world: World) -> None:
    """The stream breaks every few kilobytes; what is told meanwhile comes after all."""
    spoilt = ("well", "late", "refused", "page")
    async with connected(world, answer=works) as gateway, chaos(world.base_url, 4, spoilt) as proxy:
        direct = world.client("operator")
        camera = (
            await direct.post(
                "/api/v1/cameras",
                json={**asked(gateway, 1), "site_id": str(gateway.site_id), "gateway_id": str(gateway.id)},
            )
        ).json()
        wanted = [f"Name {number}" for number in range(60)]

        async def rename() -> None:
            for name in wanted:
                answer = await direct.patch(f"/api/v1/cameras/{camera['id']}", json={"name": name})
                assert answer.status_code == 200

        seen: list[str] = []
        async with (
            AsyncClient(api_key=world.keys["operator"], base_url=proxy.url, **PATIENT) as client,
            client.stream.events(types=["camera"]) as stream,
        ):
            renaming = asyncio.create_task(rename())
            async for item in stream:
                if isinstance(item, CameraItem) and item.data.camera is not None:
                    seen.append(item.data.camera.name)
                    if item.data.camera.name == wanted[-1]:
                        break
            await renaming
        assert [name for name in seen if name in wanted] == wanted
        assert Counter(seen).most_common(1)[0][1] == 1
        assert sum(proxy.done.values()) > 3, "it broke more than once"
