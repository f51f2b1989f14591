"""Who devices say they are, and looking around for them, against the simulated camera: never with a login."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.faults import CameraFault
from novavms_camera.onvif import FoundDevice, discover
from novavms_camera.onvif.identity import (
    SaidIdentity,
    Sighting,
    ask_identity,
    look_around,
    mac_key,
    reference_key,
)
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
OPEN = AddressPolicy(allow_loopback=True)


def test_references_and_macs_compare_however_they_are_written() -> None:
    same = ["urn:uuid:0A1B-x", "uuid:0a1b-X", " 0a1b-x ", "URN:UUID:0A1B-X"]
    assert {reference_key(text) for text in same} == {"0a1b-x"}
    assert [reference_key(text) for text in (None, "", "urn:uuid:")] == [None, None, None]
    assert {
        mac_key(text) for text in ("02-AA-bb-cc-dd-01", "02%3Aaa%3Abb%3Acc%3Add%3A01", "02AABBCCDD01")
    } == {"02:aa:bb:cc:dd:01"}
    assert [mac_key(text) for text in (None, "", "00:00:00:00:00:00", "02:aa:bb", "x" * 12)] == [None] * 5


@pytest.mark.slow
async def test_devices_are_asked_who_they_are_and_no_login_is_tried() -> None:
    async with SimCam(SimCamConfig(name="Hall")) as hall, SimCam(SimCamConfig(name="Yard")) as yard:
        ports = [cam.onvif_port for cam in (hall, yard) if cam.onvif_port]
        found = await look_around(policy=OPEN, multicast=False, hosts=["127.0.0.1"], ports=ports)
        assert {sighting.port: sighting.said.endpoint_reference for sighting in found} == {
            cam.onvif_port: reference_key(cam.config.endpoint_reference) for cam in (hall, yard)
        }
        assert {sighting.host for sighting in found} == {"127.0.0.1"}
        assert (hall.login_attempts, yard.login_attempts) == (0, 0)
        assert (
            await look_around(policy=AddressPolicy(), multicast=False, hosts=["127.0.0.1"], ports=ports) == []
        )


@pytest.mark.slow
async def test_a_mac_is_taken_from_the_scopes_of_discovery() -> None:
    """GetScopes wants a login there; WS-Discovery tells the same scopes to everybody."""
    async with SimCam(SimCamConfig(name="Hall", discovery_port=0)) as cam:
        assert cam.onvif_port is not None
        assert cam.discovery_port is not None
        found = await look_around(
            policy=OPEN,
            multicast=False,
            hosts=["127.0.0.1"],
            ports=[cam.onvif_port],
            discovery_port=cam.discovery_port,
        )
        said = SaidIdentity(
            endpoint_reference=reference_key(cam.config.endpoint_reference), mac=cam.config.mac
        )
        assert found == [Sighting(host="127.0.0.1", port=cam.onvif_port, said=said)]
        assert cam.login_attempts == 0


@pytest.mark.slow
async def test_a_device_that_is_two_at_once_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discovery's answer names one device, the service at that address another: a NAT, or a lie."""

    async def lie(**asked: Any) -> list[FoundDevice]:
        return [replace(device, endpoint_reference="urn:uuid:x") for device in await discover(**asked)]

    monkeypatch.setattr("novavms_camera.onvif.identity.discover", lie)
    async with SimCam(SimCamConfig(name="Hall")) as cam:
        assert cam.onvif_port is not None
        assert (
            await look_around(policy=OPEN, multicast=False, hosts=["127.0.0.1"], ports=[cam.onvif_port]) == []
        )


async def test_what_is_no_onvif_device_says_nothing() -> None:
    async with SimCam(SimCamConfig(name="Hall")) as cam:
        assert cam.onvif_port is not None
        with pytest.raises(CameraFault):
            await ask_identity("127.0.0.1", cam.rtsp_port)
        await cam.unplug()
        with pytest.raises(CameraFault, match="refused"):
            await ask_identity("127.0.0.1", cam.onvif_port)
