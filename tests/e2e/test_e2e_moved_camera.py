"""A camera gets another address, and is found there by who it is: the real server, the real gateway program, simulated cameras.

On loopback an address is a port: the same camera (serial number, MAC, endpoint reference) comes back at another one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nova_system import System, make_system, until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PASSWORD = "s@me:f0r/all?%"


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


@asynccontextmanager
async def two_places(name: str) -> AsyncIterator[tuple[SimCam, SimCam]]:
    """One camera at two addresses, of which it is at the first."""
    config: dict[str, Any] = {"name": name, "password": PASSWORD}
    async with SimCam(SimCamConfig(**config)) as here, SimCam(SimCamConfig(**config)) as there:
        await there.unplug()
        yield here, there


async def actions(system: System, camera: str) -> list[str]:
    rows = await system.world.sql("SELECT action FROM audit_log WHERE target_id = %s ORDER BY id", camera)
    return [row[0] for row in rows]


async def moved_to(system: System, camera: str) -> dict[str, Any]:
    async def told() -> Any:
        return (await system.camera(camera))["moved_to"]

    found: dict[str, Any] = await until(told, within=30, what="found elsewhere")
    return found


async def test_offered_accepted_and_online_again(system: System) -> None:
    stranger = SimCamConfig(name="Stranger", password=PASSWORD)
    async with two_places("Yard") as (here, there), SimCam(stranger) as other:
        ports = f"{there.onvif_port},{other.onvif_port}"
        settings = {"NOVAVMS_GATEWAY_SEARCH_AFTER_SEC": "1", "NOVAVMS_GATEWAY_SEARCH_PORTS": ports}
        gateway = await system.gateway(**settings)
        camera = await system.add(here, gateway)
        await system.wait_status(camera, "online", within=20)
        await here.unplug()
        await there.plug()
        found = await moved_to(system, camera)
        assert (found["host"], found["port"]) == ("127.0.0.1", there.onvif_port)
        assert found["matched_by"] == "endpoint_reference"
        assert (there.login_attempts, other.login_attempts) == (0, 0), (
            "nobody's word is taken with a password"
        )
        assert (await system.camera(camera))["status"] == "offline"

        accepted = await system.operator.post(f"/cameras/{camera}/accept-move")
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["port"] == there.onvif_port
        await until(lambda: there.sessions == 1, within=20, what="watched at its new place")
        seen = await system.wait_status(camera, "online", within=20)
        assert (seen["moved_to"], str(there.rtsp_port) in seen["rtsp_url"]) == (None, True)
        assert await actions(system, camera) == ["camera.created", "camera.found", "camera.moved"]
        assert (there.login_attempts.failed, other.login_attempts) == (0, 0)


async def test_a_camera_that_is_back_is_no_longer_offered_elsewhere(system: System) -> None:
    async with two_places("Gate") as (here, there):
        settings = {
            "NOVAVMS_GATEWAY_SEARCH_AFTER_SEC": "1",
            "NOVAVMS_GATEWAY_SEARCH_PORTS": str(there.onvif_port),
        }
        gateway = await system.gateway(**settings)
        camera = await system.add(here, gateway)
        await system.wait_status(camera, "online", within=20)
        await here.unplug()
        await there.plug()
        await moved_to(system, camera)
        await there.unplug()
        await here.plug()
        seen = await system.wait_status(camera, "online", within=20)
        assert seen["moved_to"] is None
        assert await actions(system, camera) == ["camera.created", "camera.found"]


async def test_applied_to_two_that_swapped_their_addresses(system: System) -> None:
    """After a power cut, with one password for both: each is watched under its own name again, and no login fails."""
    changed = await system.admin.patch("/orgs/current", json={"moved_cameras": "apply"})
    assert changed.status_code == 200
    gateway = await system.gateway(NOVAVMS_GATEWAY_SEARCH_AFTER_SEC="1")
    names = {"password": PASSWORD}
    async with (
        SimCam(SimCamConfig(name="Till", **names)) as till,
        SimCam(SimCamConfig(name="Safe", **names)) as safe,
    ):
        first, second = await system.add(till, gateway), await system.add(safe, gateway)
        for camera in (first, second):
            await system.wait_status(camera, "online", within=20)
        at_till = {"onvif_port": till.onvif_port, "rtsp_port": till.rtsp_port}
        at_safe = {"onvif_port": safe.onvif_port, "rtsp_port": safe.rtsp_port}
        await till.stop()
        await safe.stop()
        async with (
            SimCam(SimCamConfig(name="Till", **names, **at_safe)) as new_till,
            SimCam(SimCamConfig(name="Safe", **names, **at_till)) as new_safe,
        ):

            async def swapped() -> bool:
                now = [await system.camera(camera) for camera in (first, second)]
                return [(each["port"], each["status"]) for each in now] == [
                    (at_safe["onvif_port"], "online"),
                    (at_till["onvif_port"], "online"),
                ]

            try:
                await until(swapped, within=40, what="both at their new places")
            except AssertionError as error:
                states = [
                    (await system.camera(each), await actions(system, each)) for each in (first, second)
                ]
                raise AssertionError(f"{error}; {states}; {system.logs()}") from None
            await until(
                lambda: (new_till.sessions, new_safe.sessions) == (1, 1), within=20, what="both watched"
            )
            for camera in (first, second):
                assert (await actions(system, camera))[-2:] == ["camera.found", "camera.moved"]
            assert (new_till.login_attempts.failed, new_safe.login_attempts.failed) == (0, 0)
