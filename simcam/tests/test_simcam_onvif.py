"""The ONVIF face, asked by a client library that we did not write, and by raw SOAP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from onveef import OnvifClient
from onveef.exceptions import OnvifAuthError, OnvifError
from onveef.wsdiscovery import probe_device

from novavms_simcam import SimCam

pytestmark = pytest.mark.anyio

PASSWORD = "pä:ss@w/o#r?d%1"
TDS = "http://www.onvif.org/ver10/device/wsdl"
TRT = "http://www.onvif.org/ver10/media/wsdl"
TR2 = "http://www.onvif.org/ver20/media/wsdl"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"


def security(password: str, at: datetime | None = None) -> str:
    nonce = os.urandom(16)
    created = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    return (
        f'<w:Security xmlns:w="{WSS}-wssecurity-secext-1.0.xsd" xmlns:u="{WSS}-wssecurity-utility-1.0.xsd"><w:UsernameToken>'
        f'<w:Username>admin</w:Username><w:Password Type="{WSS}-username-token-profile-1.0#PasswordDigest">{digest}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


async def soap(cam: SimCam, namespace: str, body: str, header: str = "", auth: Any = None) -> httpx.Response:
    """POST one call; `body` is the element with {ns} left out, such as <GetProfiles/>."""
    name, _, _rest = body.removeprefix("<").partition("/>") if body.endswith("/>") else (body, "", "")
    element = (
        f'<x:{name} xmlns:x="{namespace}"/>'
        if name != body
        else body.replace("xmlns=''", f'xmlns:x="{namespace}"')
    )
    envelope = f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>{header}</e:Header><e:Body>{element}</e:Body></e:Envelope>'
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        url = f"http://127.0.0.1:{cam.onvif_port}/onvif/device_service"
        return await http.post(url, content=envelope.encode(), auth=auth)


def texts(response: httpx.Response, name: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(response.content).iter() if e.tag.rpartition("}")[2] == name]


def facts(port: int, password: str = PASSWORD, **options: Any) -> dict[str, Any]:
    with OnvifClient("127.0.0.1", port, "admin", password, **options) as client:
        info = client.get_device_information()
        profiles = client.get_profiles()
        return {
            "info": info,
            "mac": client.get_network_interfaces()[0]["hardware_address"],
            "scopes": [s["item"] if "item" in s else next(iter(s.values())) for s in client.get_scopes()],
            "profiles": profiles,
            "uris": [client.get_stream_uri(profile_token=p["token"]) for p in profiles],
            "snapshot": client.get_snapshot(profile_token=profiles[0]["token"]) if profiles else None,
        }


@pytest.mark.parametrize(
    ("fault", "called"),
    [(None, "trt:GetStreamUri"), ("media2_only", "tr2:GetStreamUri"), ("media1_only", "trt:GetStreamUri")],
)
async def test_a_foreign_client_finds_profiles_and_streams(
    start_camera: Any, fault: str | None, called: str
) -> None:
    cam: SimCam = await start_camera(name="Gate & yard", media="h265")
    if fault:
        cam.set_fault(fault)
    got = await asyncio.to_thread(facts, cam.onvif_port)
    assert got["info"]["SerialNumber"] == cam.config.serial
    assert got["mac"] == cam.config.mac
    assert got["uris"] == [cam.stream_url("main"), cam.stream_url("sub")]
    main, sub = (p["video_encoder"] for p in got["profiles"])
    assert (main["encoding"], main["width"], sub["encoding"], sub["width"]) == ("H265", 768, "H264", 384)
    assert got["snapshot"][0][:3] == b"\xff\xd8\xff"
    assert cam.stats.requests[called] == 2
    assert cam.login_attempts.failed == 0


async def test_a_foreign_client_is_told_that_the_password_is_wrong(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    for status in (400, 401, 500):
        cam.set_fault("not_authorized_status", status)
        with pytest.raises(OnvifAuthError):
            await asyncio.to_thread(facts, cam.onvif_port, "wrong", http_auth="none")
    # this client tries again with the camera's clock: every call that came was one failed login
    assert cam.login_attempts.failed == cam.stats.requests["tds:GetDeviceInformation"] >= 3
    assert cam.login_attempts.ok == 0


async def test_http_digest_serves_where_tokens_are_ignored(start_camera: Any) -> None:
    for auth in ("digest", "digest-sha256"):
        cam: SimCam = await start_camera(auth=auth)
        cam.set_fault("no_ws_token")
        answer = await soap(cam, TDS, "<GetDeviceInformation/>", header=security(PASSWORD))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Digest")
        login = httpx.DigestAuth("admin", PASSWORD)
        answer = await soap(cam, TDS, "<GetDeviceInformation/>", auth=login)
        assert texts(answer, "SerialNumber") == [cam.config.serial]


async def test_the_clock_is_told_without_login_and_judges_tokens(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("clock_offset_sec", 10_800)
    answer = await soap(cam, TDS, "<GetSystemDateAndTime/>")
    parts = [int(texts(answer, n)[0]) for n in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
    theirs = datetime(*parts, tzinfo=UTC)  # type: ignore[misc]
    assert 10_000 < (theirs - datetime.now(UTC)).total_seconds() < 11_000
    assert (await soap(cam, TDS, "<GetDeviceInformation/>", header=security(PASSWORD))).status_code == 400
    right = await soap(cam, TDS, "<GetDeviceInformation/>", header=security(PASSWORD, theirs))
    assert right.status_code == 200


async def test_replayed_token_is_refused(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    header = security(PASSWORD)
    assert (await soap(cam, TDS, "<GetScopes/>", header=header)).status_code == 200
    again = await soap(cam, TDS, "<GetScopes/>", header=header)
    assert (again.status_code, texts(again, "Value")) == (400, ["env:Sender", "ter:NotAuthorized"])


async def test_faults_are_soap_faults(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    bare = await soap(cam, TDS, "<GetDeviceInformation/>")
    assert (bare.status_code, texts(bare, "Value")[-1]) == (401, "ter:NotAuthorized")
    unknown = await soap(cam, TDS, "<MakeCoffee/>", header=security(PASSWORD))
    assert texts(unknown, "Value") == ["env:Receiver", "ter:ActionNotSupported"]
    cam.set_fault("media2_only")
    hidden = await soap(cam, TRT, "<GetProfiles/>", header=security(PASSWORD))
    assert texts(hidden, "Value")[-1] == "ter:ActionNotSupported"
    no_profile = await soap(cam, TR2, "<GetStreamUri/>", header=security(PASSWORD))
    assert texts(no_profile, "Value")[-1] == "ter:NoProfile"
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{cam.onvif_port}/onvif/device_service"
        for rubbish in (b"", b"<a>", b"\xff\xfe", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
            answer = await http.post(url, content=rubbish)
            assert (answer.status_code, texts(answer, "Value")[-1]) == (400, "ter:WellFormed")


async def test_what_onvif_says_wrongly_when_told_to(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("stream_uri_host")
    cam.set_fault("no_profiles")
    body = "<x:GetStreamUri xmlns=''><x:ProfileToken>profile_main</x:ProfileToken></x:GetStreamUri>"
    uri = await soap(cam, TRT, body, header=security(PASSWORD))
    assert texts(uri, "Uri") == [f"rtsp://0.0.0.0:{cam.rtsp_port}/stream/main"]
    assert texts(await soap(cam, TRT, "<GetProfiles/>", header=security(PASSWORD)), "Profiles") == []
    cam.set_fault("xaddr_host", "10.1.2.3")
    assert texts(await soap(cam, TDS, "<GetServices/>"), "XAddr")[0].startswith("http://10.1.2.3:")
    cam.set_fault("broken_xml")
    with pytest.raises(ET.ParseError):
        texts(await soap(cam, TDS, "<GetSystemDateAndTime/>"), "Year")
    cam.clear_faults()
    cam.set_fault("not_onvif")
    page = await soap(cam, TDS, "<GetSystemDateAndTime/>")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html")
    with pytest.raises(OnvifError):
        await asyncio.to_thread(facts, cam.onvif_port)


async def test_a_unicast_probe_finds_it(start_camera: Any) -> None:
    cam: SimCam = await start_camera(name="Gate & yard", discovery_port=0)
    found = await asyncio.to_thread(probe_device, "127.0.0.1", port=cam.discovery_port)
    assert [d.endpoint_reference for d in found] == [cam.config.endpoint_reference]
    assert found[0].xaddrs == [f"http://127.0.0.1:{cam.onvif_port}/onvif/device_service"]
    assert "onvif://www.onvif.org/name/Gate%20%26%20yard" in found[0].scopes
    other = await asyncio.to_thread(
        probe_device, "127.0.0.1", port=cam.discovery_port, types="dn:Printer", timeout_s=0.3
    )
    await cam.unplug()
    gone = await asyncio.to_thread(probe_device, "127.0.0.1", port=cam.discovery_port, timeout_s=0.3)
    assert (other, gone) == ([], [])
