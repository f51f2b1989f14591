"""Hints that know the make: recognised by what cameras say, shown where they help, the same in the guide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.check import CheckReport, check_camera
from novavms_camera.faults import HINTS, REASONS
from novavms_camera.makes import MAKE_HINTS, Make, hint_for, recognise
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/adding-cameras.md"


@pytest.mark.parametrize(
    ("sign", "make"),
    [
        ('Digest realm="IP Camera(C1234)", nonce="x"', "hikvision"),
        ("App-webs/", "hikvision"),
        ("DS-2CD2143G2-I", "hikvision"),
        ('Digest realm="Login to 3G02C5APAZ00077", nonce="x"', "dahua"),
        ("Amcrest", "dahua"),
        ('Digest realm="AXIS_ACCC8E123456", nonce="0"', "axis"),
        ('Digest realm="TP-Link IP-Camera", nonce="x"', "tapo"),
        ("REOLINK", "reolink"),
        ('Digest realm="iPolis"', "hanwha"),
        ("Robert Bosch GmbH / Bosch", "bosch"),
        ("NovaVMS SimCam", None),
        ("", None),
        ("taxis maximal", None),
    ],
)
def test_cameras_are_recognised_by_what_they_say(sign: str, make: str | None) -> None:
    assert recognise([sign]) == make


def test_a_port_tells_only_where_words_do_not() -> None:
    assert recognise([], port=2020) == "tapo"
    assert recognise(["HIKVISION"], port=2020) == "hikvision"
    assert recognise([], port=8000) is None
    assert hint_for("auth_failed", None) is None


def test_the_guide_lists_all_of_them() -> None:
    section = GUIDE.read_text().split("## Hints for some makes\n", 1)[1].split("\n## ", 1)[0]
    rows = dict(re.findall(r"^\| (`\w+` `\w+`) \| (.*) \|$", section, re.MULTILINE))
    assert rows == {
        f"`{make}` `{reason}`": hint for make, hints in MAKE_HINTS.items() for reason, hint in hints.items()
    }
    assert set(MAKE_HINTS) == set(get_args(Make))


def test_a_hint_is_a_sentence_that_says_what_to_do() -> None:
    hints = [*HINTS.values(), *(hint for by_reason in MAKE_HINTS.values() for hint in by_reason.values())]
    assert set(HINTS) == set(REASONS)
    assert all(30 < len(hint) < 300 and hint.endswith(".") and hint[0].isupper() for hint in hints)


async def check(cam: SimCam, kind: Any, password: str) -> CheckReport:
    assert cam.onvif_port is not None
    source = CameraSource(
        kind=kind,
        host="127.0.0.1",
        port=cam.onvif_port,
        rtsp_url=cam.rtsp_url if kind == "rtsp" else None,
        username="admin",
        password=Secret(password),
    )
    return await check_camera(source, policy=AddressPolicy(allow_loopback=True))


async def test_the_hint_is_the_makes_where_the_camera_told_its_make() -> None:
    config = SimCamConfig(password="right", manufacturer="HIKVISION")
    async with SimCam(config) as cam:
        cam.set_fault("mjpeg")
        report = await check(cam, "onvif", "right")
        assert (report.reason, report.hint) == (
            "codec_unsupported",
            MAKE_HINTS["hikvision"]["codec_unsupported"],
        )
        report = await check(cam, "rtsp", "right")  # says no make over RTSP
        assert report.hint == HINTS["codec_unsupported"]


async def test_the_realm_of_a_refused_login_tells_the_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novavms_simcam.auth.REALM", "TP-Link IP-Camera")
    async with SimCam(SimCamConfig(password="right")) as cam:
        assert (await check(cam, "rtsp", "wrong")).hint == MAKE_HINTS["tapo"]["auth_failed"]


async def test_a_user_with_onvif_but_without_video_is_told_so() -> None:
    async with SimCam(SimCamConfig(password="right")) as cam:
        cam.set_fault("no_rights")
        report = await check(cam, "onvif", "right")
        assert report.reason == "auth_failed"
        assert "more rights" in (report.hint or "")


async def test_a_user_that_onvif_knows_and_rtsp_does_not_is_told_so() -> None:
    async with SimCam(SimCamConfig(password="right", manufacturer="HIKVISION")) as cam:
        cam.set_fault("other_rtsp_user")
        report = await check(cam, "onvif", "right")
        assert (report.reason, report.stages[-1].name) == ("auth_failed", "describe")
        assert "RTSP refuses it" in (report.hint or "")
        report = await check(cam, "rtsp", "right")
        assert report.hint == HINTS["auth_failed"], "nothing is known of its ONVIF"
