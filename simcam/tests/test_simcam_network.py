"""The camera's certificates, its redirects, its stages' slowness, and the network that loses packets."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import ssl
from typing import Any

import httpx
import pytest

from novavms_simcam import SimCam
from novavms_simcam.faults import Faults
from novavms_simcam.rot import UdpWay
from novavms_simcam.soap import envelope

pytestmark = pytest.mark.anyio

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def over_tls(cam: SimCam) -> tuple[bytes, bytes]:
    """(the certificate shown, the answer to OPTIONS)."""
    assert cam.rtsps_port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", cam.rtsps_port, ssl=trusting())
    try:
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True), answer
    finally:
        writer.close()
        await writer.wait_closed()


async def test_rtsps_shows_a_certificate_of_its_own_and_another_by_the_fault(start_camera: Any) -> None:
    cam: SimCam = await start_camera(rtsps_port=0)
    assert cam.rtsps_url == f"rtsps://127.0.0.1:{cam.rtsps_port}/stream/main"
    own, answer = await over_tls(cam)
    assert (own, answer[:15]) == (cam.certificate, b"RTSP/1.0 200 OK")
    assert (await over_tls(cam))[0] == own
    cam.set_fault("new_certificate")
    other, _ = await over_tls(cam)
    assert other == cam.certificate != own
    cam.clear_faults()
    assert (await over_tls(cam))[0] == own


@pytest.mark.parametrize("way", ["plain", "hang", "alert"])
async def test_a_broken_tls_port_ends_no_handshake(start_camera: Any, way: str) -> None:
    cam: SimCam = await start_camera(rtsps_port=0)
    cam.set_fault("tls_broken", way)
    with pytest.raises(TimeoutError if way == "hang" else ssl.SSLError):
        await asyncio.wait_for(over_tls(cam), 0.3 if way == "hang" else 10)
    cam.clear_faults()
    assert (await over_tls(cam))[1].startswith(b"RTSP/1.0 200")


async def test_onvif_over_https(start_camera: Any) -> None:
    """With the camera's one certificate, in its own addresses too, and not in clear."""
    cam: SimCam = await start_camera(rtsps_port=0, onvif_https=True)
    body = envelope('<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"/>')
    where = f"127.0.0.1:{cam.onvif_port}/onvif/device_service"
    async with httpx.AsyncClient(verify=trusting()) as client:
        answer = await client.post(f"https://{where}", content=body)
        assert (answer.status_code, f"https://{where}" in answer.text) == (200, True)
        with pytest.raises(httpx.HTTPError):
            await client.post(f"http://{where}", content=body)
    assert cam.onvif_port is not None
    _, writer = await asyncio.open_connection("127.0.0.1", cam.onvif_port, ssl=trusting())
    assert writer.get_extra_info("ssl_object").getpeercert(binary_form=True) == cam.certificate
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("target", ["rtsp://192.0.2.77:554/stream/main", "/stream/sub"])
async def test_describe_is_redirected(start_camera: Any, connect: Any, target: str) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("redirect", target)
    answer = await (await connect(cam)).call("DESCRIBE", cam.rtsp_url)
    wanted = target if target.startswith("rtsp") else cam.stream_url("sub")
    assert (answer.status, answer.headers["location"]) == (302, wanted)
    if target.startswith("/"):
        assert (await (await connect(cam)).call("DESCRIBE", wanted)).status == 200


async def test_only_the_slow_stage_is_slow(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("slow_answer_sec", 1000)
    cam.set_fault("slow_stage", "setup")
    client = await connect(cam)
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 200
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.call("SETUP", f"{cam.rtsp_url}/trackID=0", Transport=TCP), 0.3)
    cam.set_fault("slow_stage", "login")
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        assert (await soap(cam, http, "GetSystemDateAndTime")).status_code == 200
        http.timeout = httpx.Timeout(0.3)
        with pytest.raises(httpx.ReadTimeout):
            await soap(cam, http, "GetDeviceInformation")


async def soap(cam: SimCam, http: httpx.AsyncClient, operation: str, **options: Any) -> httpx.Response:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        f'<{operation} xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
    )
    url = f"http://127.0.0.1:{cam.onvif_port}/onvif/device_service"
    return await http.post(url, content=body, **options)


@pytest.mark.parametrize(
    ("charset", "bytes_there", "declared"),
    [
        ("latin1", "Außentür".encode("latin-1"), b"UTF-8"),
        ("gb2312", "网络摄像机".encode("gb2312"), b"UTF-8"),
        ("declared", "Außentür".encode("latin-1"), b"ISO-8859-1"),
        ("bom", "Außentür".encode(), b"UTF-8"),
    ],
)
async def test_wrong_charsets_on_the_wire(
    start_camera: Any, charset: str, bytes_there: bytes, declared: bytes
) -> None:
    cam: SimCam = await start_camera(auth="none")
    cam.set_fault("wrong_charset", charset)
    async with httpx.AsyncClient(trust_env=False) as http:
        body = (await soap(cam, http, "GetDeviceInformation")).content
    assert bytes_there in body
    assert declared in body[:60]
    assert body.startswith(b"\xef\xbb\xbf") is (charset == "bom")


async def test_a_camera_that_closes_after_401(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(auth="digest-both")
    cam.set_fault("close_after_401")
    client = await connect(cam)
    first = await client.call("DESCRIBE", cam.rtsp_url, login=False)
    assert first.status == 401
    assert await asyncio.wait_for(client.reader.read(1), 5) == b""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await soap(cam, http, "GetDeviceInformation")
    assert (answer.status_code, answer.headers["connection"]) == (401, "close")
    offers = answer.headers.get_list("www-authenticate")
    assert [re.search(r"algorithm=([\w-]+)", o)[1] for o in offers] == ["SHA-256", "MD5"]  # type: ignore[index]


async def test_qop_counters_must_grow(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("digest_qop")
    client = await connect(cam)  # which always says nc=00000001
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 200
    again = await client._once("DESCRIBE", cam.rtsp_url, True, {})
    assert (again.status, "stale=true" in again.headers["www-authenticate"]) == (401, True)
    assert 'qop="auth"' in again.headers["www-authenticate"]


async def test_a_user_without_rights_may_only_log_in(start_camera: Any) -> None:
    cam: SimCam = await start_camera(auth="basic")
    cam.set_fault("no_rights")
    login = httpx.BasicAuth("admin", cam.config.password.encode().decode("utf-8"))
    profiles = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        '<GetProfiles xmlns="http://www.onvif.org/ver10/media/wsdl"/></s:Body></s:Envelope>'
    )
    async with httpx.AsyncClient(trust_env=False, auth=login) as http:
        assert (await soap(cam, http, "GetDeviceInformation")).status_code == 200
        answer = await http.post(f"http://127.0.0.1:{cam.onvif_port}/onvif/media_service", content=profiles)
    assert answer.status_code == 400
    assert b"ter:NotAuthorized" in answer.content
    assert cam.login_attempts.failed == 0


async def test_over_tcp_mute_over_udp_alive_and_the_other_way_round(
    start_camera: Any, connect: Any, until: Any
) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("tcp_mute")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await until(lambda: cam.stats.frames_sent > 2)
    assert (await client.call("OPTIONS", cam.rtsp_url)).status == 200
    assert client.packets == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind(("127.0.0.1", 0))
        rtp.setblocking(False)
        port = rtp.getsockname()[1]
        other = await connect(cam)
        await other.call("DESCRIBE", cam.rtsp_url)
        transport = f"RTP/AVP;unicast;client_port={port}-{port + 1}"
        done = await other.call("SETUP", f"{cam.rtsp_url}/trackID=0", Transport=transport)
        session = done.headers["session"].split(";")[0]
        await other.call("PLAY", cam.rtsp_url, Session=session)
        loop = asyncio.get_running_loop()
        assert len(await asyncio.wait_for(loop.sock_recv(rtp, 2048), 10)) > 12
        cam.set_fault("udp_blocked")
        await asyncio.sleep(0)
        while True:  # what was on its way
            try:
                rtp.recv(2048)
            except BlockingIOError:
                break
        sent = cam.stats.frames_sent
        await until(lambda: cam.stats.frames_sent > sent + 2)
        with pytest.raises(BlockingIOError):
            rtp.recv(2048)


def test_the_network_loses_and_reorders_as_told_and_the_same_each_time() -> None:
    def carried(**faults: float) -> list[int]:
        on = Faults()
        for name, value in faults.items():
            on.set(name, value)
        way = UdpWay(on)
        return [arriving[0] for i in range(200) for arriving in way.carry(bytes([i]))]

    whole = list(range(200))
    assert carried() == whole
    lossy = carried(udp_loss_percent=10)
    assert lossy == sorted(lossy) == carried(udp_loss_percent=10)
    assert 160 < len(lossy) < 196
    mixed = carried(udp_reorder_percent=20)
    assert sorted(mixed) in (whole, whole[:-1])
    assert 20 < sum(a > b for a, b in itertools.pairwise(mixed)) < 60
    assert carried(udp_blocked=True) == []


async def test_bodies_that_dribble_and_bodies_that_are_huge(start_camera: Any) -> None:
    cam: SimCam = await start_camera(auth="none")
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        plain = (await soap(cam, http, "GetDeviceInformation")).content
        cam.set_fault("slow_body_sec", 0.3)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert (await soap(cam, http, "GetDeviceInformation")).content == plain
        assert loop.time() - begun >= 0.3
        cam.clear_faults()
        cam.set_fault("huge_answer")
        huge = (await soap(cam, http, "GetDeviceInformation")).content
    assert huge.startswith(plain)
    assert len(huge) > 4 * 1024 * 1024


async def test_busy_once_for_each_connection(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("busy_once")
    for client in (await connect(cam), await connect(cam)):
        seen = [(await client.call("DESCRIBE", cam.rtsp_url)).status for _ in range(3)]
        assert seen == [503, 200, 200]


async def test_the_user_of_onvif_may_be_none_of_rtsp(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("other_rtsp_user")
    client = await connect(cam)
    answer = await client.call("DESCRIBE", cam.rtsp_url)
    assert (answer.status, answer.headers["www-authenticate"][:6]) == (401, "Digest")
    assert cam.login_attempts == 0
    cam.clear_faults()
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 200
