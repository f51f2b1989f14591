"""resolve_stream and discovery against the simulated camera."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.faults import CameraFault
from novavms_camera.onvif import FoundDevice, discover, resolve_stream
from novavms_camera.onvif.discovery import MAX_DATAGRAM_BYTES, judge_answer, parse_probe_matches
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, Tier
from novavms_simcam import SimCam, SimCamConfig
from novavms_simcam.faults import Faults
from novavms_simcam.media import footage_path

pytestmark = pytest.mark.anyio

POLICY = AddressPolicy(allow_loopback=True)


@asynccontextmanager
async def camera(name: str = "Hall", **faults: Any) -> AsyncIterator[SimCam]:
    settings = Faults()
    for fault, value in faults.items():
        settings.set(fault, value)
    async with SimCam(SimCamConfig(name=name, password="pw", faults=settings, discovery_port=0)) as cam:
        yield cam


def onvif(cam: SimCam, password: str = "pw") -> CameraSource:
    assert cam.onvif_port is not None
    return CameraSource(
        kind="onvif", host="127.0.0.1", port=cam.onvif_port, username="admin", password=Secret(password)
    )


@pytest.mark.parametrize("tier", ["main", "sub"])
async def test_the_stream_of_a_tier_at_the_host_that_answered(tier: Tier) -> None:
    async with camera(stream_uri_host="192.0.2.9", xaddr_host="192.0.2.9", clock_offset_sec=9999) as cam:
        stream = await resolve_stream(onvif(cam), tier, policy=POLICY)
        assert (stream.url, stream.tier) == (cam.stream_url(tier), tier)
        assert (stream.username, stream.password, stream.address) == ("admin", Secret("pw"), "127.0.0.1")
        assert cam.login_attempts.failed == 0


async def test_a_device_without_a_sub_stream_gives_its_main_one_and_says_so() -> None:
    same = footage_path("h264")  # one file is both streams: one size
    async with SimCam(SimCamConfig(password="pw", media=same)) as cam:
        stream = await resolve_stream(onvif(cam), "sub", policy=POLICY)
        assert (stream.url, stream.tier) == (cam.stream_url("main"), "main")


async def test_an_rtsp_source_is_its_own_url_with_the_address_pinned() -> None:
    source = CameraSource(kind="rtsp", host="localhost", port=8554, rtsp_url="rtsp://localhost:8554/x")
    stream = await resolve_stream(source, "main", policy=POLICY)
    assert (stream.url, stream.address) == ("rtsp://localhost:8554/x", "127.0.0.1")
    with pytest.raises(CameraFault) as caught:
        await resolve_stream(source, "main", policy=AddressPolicy())
    assert caught.value.reason == "address_forbidden"


async def test_a_wrong_password_is_one_failed_login() -> None:
    async with camera() as cam:
        with pytest.raises(CameraFault) as caught:
            await resolve_stream(onvif(cam, "wrong"), "main", policy=POLICY)
        assert caught.value.reason == "auth_failed"
        assert cam.login_attempts.failed <= 2


# ---- discovery ------------------------------------------------------------------------------------------------


async def test_a_unicast_probe_finds_the_device_with_its_identity() -> None:
    async with camera("Loading bay") as cam:
        assert cam.onvif_port is not None
        assert cam.discovery_port is not None
        found = await discover(
            policy=POLICY,
            multicast=False,
            hosts=["127.0.0.1", "localhost", "camera.invalid"],
            ports=[cam.onvif_port],
            discovery_port=cam.discovery_port,
        )
        assert len(found) == 1
        device = found[0]
        assert (device.host, device.port) == ("127.0.0.1", cam.onvif_port)
        assert device.endpoint_reference == cam.config.endpoint_reference
        assert (device.name, device.model) == ("Loading bay", "SimCam")
        assert any(f":{cam.onvif_port}/onvif" in xaddr for xaddr in device.xaddrs)


async def test_an_address_is_found_over_http_alone() -> None:
    async with camera() as cam, camera("Second") as other:
        assert cam.onvif_port is not None
        assert other.onvif_port is not None
        ports = [cam.onvif_port, other.onvif_port, cam.rtsp_port]
        found = await discover(
            policy=POLICY, multicast=False, hosts=["127.0.0.1"], ports=ports, discovery_port=free_udp_port()
        )
        assert sorted(device.port for device in found) == sorted(ports[:2])
        assert cam.login_attempts == 0


async def test_a_device_that_speaks_https_only_is_found() -> None:
    async with SimCam(SimCamConfig(name="Vault", onvif_https=True)) as cam:
        assert cam.onvif_port is not None
        ports = [cam.onvif_port, cam.rtsp_port]
        found = await discover(
            policy=POLICY, multicast=False, hosts=["127.0.0.1"], ports=ports, discovery_port=free_udp_port()
        )
        assert [device.port for device in found] == [cam.onvif_port]


async def test_a_lying_xaddr_is_reported_and_not_followed() -> None:
    async with camera(xaddr_host="192.0.2.77") as cam:
        assert cam.discovery_port is not None
        found = await discover(
            policy=POLICY, multicast=False, hosts=["127.0.0.1"], ports=[1], discovery_port=cam.discovery_port
        )
        assert [device.host for device in found] == ["127.0.0.1"]
        assert found[0].port == cam.onvif_port
    assert any("192.0.2.77" in xaddr for xaddr in found[0].xaddrs)


async def test_forbidden_addresses_are_neither_asked_nor_reported() -> None:
    async with camera() as cam:
        assert cam.onvif_port is not None
        assert cam.discovery_port is not None
        found = await discover(
            policy=AddressPolicy(),
            multicast=False,
            hosts=["127.0.0.1", "169.254.169.254"],
            ports=[cam.onvif_port],
            discovery_port=cam.discovery_port,
        )
        assert found == []
        assert cam.stats.requests == {}


async def test_multicast_ends_with_its_time_and_leaves_no_socket() -> None:
    before = len(asyncio.all_tasks())
    assert isinstance(await discover(policy=POLICY, timeout_sec=0.2, discovery_port=free_udp_port()), list)
    assert len(asyncio.all_tasks()) == before


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def probe_match(relates_to: str, *, scopes: str = "", xaddrs: str = "http://192.168.1.9:8000/onvif") -> bytes:
    return (
        f"<Envelope><Header><RelatesTo> {relates_to} </RelatesTo></Header><Body><ProbeMatches><ProbeMatch>"
        f"<EndpointReference><Address>urn:uuid:1</Address></EndpointReference><Scopes>{scopes}</Scopes>"
        f"<XAddrs>{xaddrs}</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>"
    ).encode()


def test_answers_to_other_probes_are_nobodys() -> None:
    ours = str(uuid.uuid4())
    for relates_to in (f"urn:uuid:{ours}", f"uuid:{ours.upper()}", ours):
        assert parse_probe_matches(probe_match(relates_to), "192.168.1.9", relates_to=[ours])
    for datagram in (probe_match(f"urn:uuid:{uuid.uuid4()}"), b"", b"\xff" * 100, probe_match("")):
        assert parse_probe_matches(datagram, "192.168.1.9", relates_to=[ours]) == []


def test_answers_from_forbidden_addresses_are_dropped() -> None:
    for sender, count in (("192.168.1.9", 1), ("127.0.0.1", 0), ("169.254.7.7", 0), ("fe80::1", 0)):
        answers = judge_answer(probe_match("x"), sender, AddressPolicy(), relates_to=["x"])
        assert len(answers) == count


def test_scopes_become_names_and_the_port_is_that_of_the_answering_address() -> None:
    scopes = "onvif://www.onvif.org/name/Cam%20%C3%BC onvif://www.onvif.org/hardware/DS-2CD onvif://www.onvif.org/manufacturer/ACME javascript:/name/x"
    xaddrs = "http://[fe80::1]/onvif http://10.0.0.1:81/onvif http://192.168.1.9:8000/onvif"
    (device,) = parse_probe_matches(
        probe_match("x", scopes=scopes, xaddrs=xaddrs), "192.168.1.9", relates_to=["x"]
    )
    assert device == FoundDevice(
        host="192.168.1.9",
        port=8000,
        xaddrs=tuple(xaddrs.split()),
        endpoint_reference="urn:uuid:1",
        name="Cam ü",
        manufacturer="ACME",
        model="DS-2CD",
        scopes=tuple(scopes.split()),
    )


def test_an_answer_is_bounded() -> None:
    many = " ".join(f"onvif://www.onvif.org/x/{n}" + "y" * 500 for n in range(300))
    (device,) = parse_probe_matches(probe_match("x", scopes=many), "10.0.0.9", relates_to=["x"])
    assert len(device.scopes) == 64
    assert max(map(len, device.scopes)) == 256
    assert len(many) > MAX_DATAGRAM_BYTES  # the listener would have dropped it before
