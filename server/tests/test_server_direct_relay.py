"""What go2rtc is given to dial: an IP that was judged, and no name that could mean another one by then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from go2rtc_standin import Go2rtcStandin
from nova_people import HandClock
from nova_world import make_world

from novavms_camera.faults import CameraFault
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_server.cameras.direct import relay as relay_module
from novavms_server.cameras.direct.relay import LOOK_AGAIN_SEC, Relay
from novavms_server.cameras.sources import AddressRules
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
PASSWORD = "s3cret-of-the-camera"
CAMERA = CameraSource(kind="rtsp", host="cam.example", port=554, username="admin", password=Secret("pw"))


class Names:
    """A name server. Counts what it is asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: Sequence[str] = addresses
        self.asked = 0

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked += 1
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses


async def test_a_name_is_resolved_judged_and_believed_for_a_minute() -> None:
    names, clock = Names("198.51.100.7"), HandClock()
    relay = Relay(AddressRules(direct_networks=(ip_network("198.51.100.0/24"),)), clock, resolver=names)

    async def source(url: str = "rtsp://cam.example:8554/main?x=1") -> str:
        return (await relay.source(CAMERA, url)).reveal()

    assert await source() == "rtsp://admin:pw@198.51.100.7:8554/main?x=1"
    assert await source("rtsp://198.51.100.9/main") == "rtsp://admin:pw@198.51.100.9/main"
    names.addresses = ("127.0.0.1",)
    clock.move(seconds=LOOK_AGAIN_SEC - 1)
    assert "198.51.100.7" in await source()
    assert names.asked == 1
    clock.move(seconds=1)
    for _ in range(3):  # the name means this machine now
        with pytest.raises(CameraFault) as forbidden:
            await source()
        assert forbidden.value.reason == "address_forbidden"
    assert names.asked == 2, "a name that fails is not asked for each time either"
    clock.move(seconds=LOOK_AGAIN_SEC)
    names.addresses = ()
    with pytest.raises(CameraFault) as failed:
        await source()
    assert failed.value.reason == "dns_failed"
    clock.move(seconds=LOOK_AGAIN_SEC)
    names.addresses = ("198.51.100.20", "198.51.100.7")
    assert "198.51.100.7" in await source(), "of several the one that was dialled before"
    clock.move(seconds=LOOK_AGAIN_SEC)
    names.addresses = ("198.51.100.20",)
    assert "198.51.100.20" in await source()
    with pytest.raises(CameraFault) as forbidden:
        await source("rtsp://169.254.169.254/main")
    assert forbidden.value.reason == "address_forbidden"


async def test_names_that_nobody_uses_any_more_are_forgotten() -> None:
    names = Names("198.51.100.7")
    relay = Relay(AddressRules(direct_networks=(ip_network("198.51.100.0/24"),)), HandClock(), resolver=names)
    for _ in range(3):
        await relay.source(CAMERA, "rtsp://cam.example/main")
        relay.forget_unused()
    assert names.asked == 1
    relay.forget_unused()
    await relay.source(CAMERA, "rtsp://cam.example/main")
    assert names.asked == 2


@pytest.mark.slow
async def test_a_name_that_comes_to_mean_this_machine_is_taken_from_go2rtc(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_AGAIN_SEC", 0.0)
    async with (
        Go2rtcStandin() as go2rtc,
        SimCam(SimCamConfig(password=PASSWORD)) as cam,
        make_world(database_url, tmp_path, go2rtc_url=go2rtc.url) as world,
    ):
        body: dict[str, Any] = {
            **{"site_id": str(world.site), "connection_mode": "direct", "name": "Gate", "type": "rtsp"},
            **{"rtsp_url": f"rtsp://localhost:{cam.rtsp_port}/stream/main"},
            **{"rtsp_username": "admin", "rtsp_password": PASSWORD},
        }
        made = await world.client("operator").post("/api/v1/cameras", json=body)
        assert made.status_code == 201, made.text

        async def sources(wanted: bool) -> list[str]:
            async with asyncio.timeout(40):
                while bool(go2rtc.streams) is not wanted or not await online():
                    await asyncio.sleep(0.05)
            return next(iter(go2rtc.streams.values()), [])

        async def online() -> bool:
            camera = (await world.client("operator").get(f"/api/v1/cameras/{made.json()['id']}")).json()
            return bool(camera["status"] == "online")

        (source,) = await sources(True)
        assert f"@127.0.0.1:{cam.rtsp_port}/stream/main" in source
        names = Names("169.254.169.254")
        monkeypatch.setattr(world.server.direct.relay, "_resolver", names)
        assert await sources(False) == []
        assert "169.254" not in str(go2rtc.calls)
        names.addresses = ("127.0.0.1",)
        assert await sources(True) == [source]
