"""Whom a session trusts: pinned certificates, redirects, and logins that cameras make hard."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.check import CheckReport, check_camera
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, StreamSource
from novavms_simcam import SimCam, SimCamConfig
from novavms_simcam.faults import Faults

pytestmark = pytest.mark.anyio
POLICY = AddressPolicy(allow_loopback=True)


@asynccontextmanager
async def camera(faults: dict[str, Any] | None = None, **fields: Any) -> AsyncIterator[SimCam]:
    settings = Faults()
    for name, value in (faults or {}).items():
        settings.set(name, value)
    async with SimCam(SimCamConfig(password="pw-Geheim", faults=settings, rtsps_port=0, **fields)) as cam:
        yield cam


def stream(url: str, **fields: Any) -> StreamSource:
    return StreamSource(url=url, username="admin", password=Secret("pw-Geheim"), **fields)


def source(url: str, **fields: Any) -> CameraSource:
    return CameraSource(
        kind="rtsp",
        host="127.0.0.1",
        port=1,
        rtsp_url=url,
        username="admin",
        password=Secret("pw-Geheim"),
        **fields,
    )


async def described(given: StreamSource) -> RtspClient:
    client = RtspClient(given)
    try:
        await client.open()
        await client.describe()
    finally:
        await client.teardown()
    return client


async def fault_of(given: StreamSource) -> CameraFault:
    with pytest.raises(CameraFault) as caught:
        await described(given)
    return caught.value


async def check(given: CameraSource) -> CheckReport:
    return await check_camera(given, policy=POLICY)


# ---- certificates ----------------------------------------------------------------------------------------------


async def test_a_certificate_is_told_at_first_sight_and_held_to_ever_after() -> None:
    async with camera() as cam:
        assert cam.rtsps_url is not None
        assert cam.certificate is not None
        first = await check(source(cam.rtsps_url))
        assert first.ok, first
        pin = first.facts.tls_fingerprint
        assert pin == hashlib.sha256(cam.certificate).hexdigest()
        coloned = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
        for same in (pin, coloned):
            assert (await check(source(cam.rtsps_url, tls_fingerprint=same))).ok

        cam.set_fault("new_certificate")
        before = cam.login_attempts
        report = await check(source(cam.rtsps_url, tls_fingerprint=pin))
        assert (report.reason, report.stages[-1].name) == ("tls_failed", "tls"), report
        assert "another certificate" in (report.hint or "")
        assert cam.login_attempts == before, "nothing is said to who shows another certificate"
        assert (await check(source(cam.rtsps_url))).facts.tls_fingerprint not in {None, pin}


async def test_without_tls_there_is_no_fingerprint_and_a_pin_means_nothing() -> None:
    async with camera() as cam:
        report = await check(source(cam.rtsp_url, tls_fingerprint="00" * 32))
        assert report.ok, report
        assert report.facts.tls_fingerprint is None


def onvif(cam: SimCam, **fields: Any) -> CameraSource:
    assert cam.onvif_port is not None
    given = source(cam.rtsp_url, **fields)
    return replace(given, kind="onvif", port=cam.onvif_port, rtsp_url=None)


def pinned(given: CameraSource, report: CheckReport) -> CameraSource:
    facts = report.facts
    return replace(
        given,
        tls_fingerprint=facts.tls_fingerprint,
        stream_tls_fingerprint=facts.stream_tls_fingerprint,
        tls_pinned_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


async def test_https_is_found_at_any_port_and_both_certificates_are_held_to() -> None:
    async with camera({"stream_uri_rtsps": True}, onvif_https=True) as cam:
        report = await check(onvif(cam))
        assert report.ok, report
        assert [stage.name for stage in report.stages][2:5] == ["connect", "tls", "clock"]
        facts = report.facts
        assert cam.certificate is not None
        own = hashlib.sha256(cam.certificate).hexdigest()
        assert (facts.tls_fingerprint, facts.stream_tls_fingerprint) == (own, own)
        assert (await check(pinned(onvif(cam), report))).ok

        cam.set_fault("new_certificate")
        before = cam.login_attempts
        changed = await check(pinned(onvif(cam), report))
        assert (changed.reason, changed.stages[-1].name) == ("tls_failed", "tls"), changed
        assert "known since 2026-03-01" in (changed.message or "")
        assert hashlib.sha256(cam.certificate).hexdigest() in (changed.message or ""), (
            "so that it can be compared"
        )
        assert "tls_fingerprint to null" in (changed.hint or "")
        assert cam.login_attempts == before, "nothing is said to who shows another certificate"
        only_stream = await check(replace(pinned(onvif(cam), report), tls_fingerprint=None))
        assert (only_stream.reason, [s.name for s in only_stream.stages if not s.ok]) == (
            "tls_failed",
            ["tls"],
        )
        assert (await check(onvif(cam))).ok


async def test_who_showed_a_certificate_once_is_never_spoken_to_in_clear() -> None:
    """Else whoever sits between could leave TLS away, and be sent the login."""
    async with camera(onvif_https=True) as cam:
        report = await check(onvif(cam))
        cam.set_fault("tls_broken", "plain")
        assert (await check(onvif(cam))).ok, "one that was never seen with TLS"
        before = cam.stats.requests.copy()
        broken = await check(pinned(onvif(cam), report))
        assert (broken.reason, broken.stages[-1].name) == ("tls_failed", "tls")
        assert cam.stats.requests == before


@pytest.mark.parametrize("known", [False, True])
async def test_https_that_refuses_every_handshake(known: bool) -> None:
    async with camera(onvif_https=True) as cam:
        given = pinned(onvif(cam), await check(onvif(cam))) if known else onvif(cam)
        cam.set_fault("tls_broken", "alert")
        report = await check(given)
        assert (report.reason, report.stages[-1].name) == ("tls_failed", "tls"), report


# ---- redirects -------------------------------------------------------------------------------------------------


async def test_a_redirect_is_followed_only_where_the_policy_lets() -> None:
    async with camera() as target, camera({"redirect": target.rtsp_url}) as cam:
        fault = await fault_of(stream(cam.rtsp_url))
        assert (fault.reason, fault.status) == ("address_forbidden", 302)
        fault = await fault_of(stream(cam.rtsp_url, redirects=AddressPolicy()))
        assert fault.reason == "address_forbidden"
        assert "loopback" in fault.message
        assert target.stats.connections_total == 0
        client = await described(stream(cam.rtsp_url, redirects=POLICY))
        assert client.url == target.rtsp_url
        report = await check(source(cam.rtsp_url))
        assert report.ok, report
        assert target.rtsp_url in (next(s.detail for s in report.stages if s.name == "describe") or "")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("rtsp://169.254.169.254/latest", "address_forbidden"),
        ("rtsp://0.0.0.0:554/x", "address_forbidden"),
        ("http://127.0.0.1/x", "camera_error"),
        ("rtsp://:@/", "camera_error"),
    ],
)
async def test_a_redirect_to_where_no_camera_is_goes_nowhere(location: str, reason: str) -> None:
    async with camera({"redirect": location}) as cam:
        assert (await fault_of(stream(cam.rtsp_url, redirects=POLICY))).reason == reason


async def test_a_redirect_that_leads_in_a_circle_ends() -> None:
    async with camera() as cam:
        cam.set_fault("redirect", cam.rtsp_url)
        assert (await fault_of(stream(cam.rtsp_url, redirects=POLICY))).status == 302
        assert cam.stats.connections_total == 3


async def test_a_redirect_from_tls_to_none_is_refused() -> None:
    async with camera() as cam:
        assert cam.rtsps_url is not None
        cam.set_fault("redirect", cam.rtsp_url)
        fault = await fault_of(stream(cam.rtsps_url, redirects=POLICY))
        assert (fault.reason, "not encrypted" in fault.message) == ("address_forbidden", True)


async def test_another_machine_that_a_pinned_camera_sends_us_to_has_a_certificate_of_its_own() -> None:
    async with camera(host="127.0.0.2") as target, camera() as cam:
        assert cam.rtsps_url is not None
        cam.set_fault("redirect", target.rtsps_url)
        report = await check(source(cam.rtsps_url))
        assert report.ok, report
        assert cam.certificate is not None
        pin = hashlib.sha256(cam.certificate).hexdigest()
        assert report.facts.tls_fingerprint == pin
        client = await described(stream(cam.rtsps_url, redirects=POLICY, tls_fingerprint=pin))
        assert client.url == target.rtsps_url
        cam.set_fault("new_certificate")
        fault = await fault_of(stream(cam.rtsps_url, redirects=POLICY, tls_fingerprint=pin))
        assert fault.reason == "tls_failed"


async def test_another_machine_gets_no_password_in_clear() -> None:
    """A camera that was taken over could else send us, with Basic, to who collects passwords."""
    async with (
        camera(host="127.0.0.2", auth="basic") as collector,
        camera({"redirect": collector.rtsp_url}) as cam,
    ):
        fault = await fault_of(stream(cam.rtsp_url, redirects=POLICY))
        assert fault.reason == "auth_failed"
        assert collector.login_attempts == 0
    async with camera(auth="basic") as other, camera({"redirect": other.rtsp_url}) as cam:
        await described(stream(cam.rtsp_url, redirects=POLICY))  # the same machine


# ---- logins ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["digest", "digest-sha256", "digest-both", "basic", "both"])
@pytest.mark.parametrize("faults", [{"close_after_401": True}, {"digest_qop": True}, {"stale_nonce": True}])
@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_hard_logins_succeed_without_a_failed_one(kind: Any, auth: Any, faults: dict[str, Any]) -> None:
    for extra in ({}, {"no_ws_token": True} if kind == "onvif" and auth != "basic" else {}):
        async with camera({**faults, **extra}, auth=auth) as cam:
            given = source(cam.rtsp_url)
            if kind == "onvif":
                given = onvif(cam)
            report = await check(given)
            assert report.ok, report
            assert cam.login_attempts.failed == 0
            assert cam.login_attempts.ok


async def test_a_wrong_password_is_tried_once_also_where_the_camera_hangs_up() -> None:
    async with camera({"close_after_401": True, "locks_after": 2}) as cam:
        report = await check(replace(source(cam.rtsp_url), password=Secret("wrong")))
        assert report.reason == "auth_failed"
        assert cam.login_attempts.failed == 1
