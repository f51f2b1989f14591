"""The check against cameras that we did not write: GStreamer's RTSP server and ipycam's ONVIF device. What is missing is skipped by name."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from novavms_camera.check import AddressPolicy, CheckReport, check_camera, validate_source
from novavms_simcam.port import Port  # a port that is bound and refuses

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.xdist_group("witness")]

HERE = Path(__file__).parent
POLICY = AddressPolicy(allow_loopback=True)
USERNAME = "admin"
PASSWORD = "p@:/#?%&'ss word"
WRONG = "not-the-Passw0rd"
DEBIANS_PYTHON = "/usr/bin/python3"
ONVIF_PYTHON = HERE.parent.parent / ".cache/witness/bin/python"
"""An environment of its own for the dependency group `witness`, made by .ci/run; CONTRIBUTING.md has the two commands."""
HAVE_GST = """
import gi
for name in ("Gst", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import Gst
Gst.init(None)
parts = "x264enc x265enc voaacenc alawenc jpegenc rtph264pay rtph265pay rtpmp4gpay rtppcmapay"
missing = [part for part in parts.split() if Gst.ElementFactory.find(part) is None]
assert not missing, missing
"""


def _runs(python: str, code: str) -> bool:
    try:
        return (
            subprocess.run([python, "-c", code], check=False, capture_output=True, timeout=60).returncode == 0
        )
    except OSError:
        return False


@contextmanager
def helper(python: str, script: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """A helper program's first line; it is ended with its standard input."""
    process = subprocess.Popen(
        [python, str(HERE / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "WITNESS_USERNAME": USERNAME, "WITNESS_PASSWORD": PASSWORD, "GST_DEBUG": "0"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"{script} did not start"
        yield json.loads(line)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def gst() -> Iterator[dict[str, int]]:
    """A port for each way of logging in."""
    if not _runs(DEBIANS_PYTHON, HAVE_GST):
        pytest.skip("witness missing: Debian's gir1.2-gst-rtsp-server-1.0, python3-gi and GStreamer plugins")
    with (
        helper(DEBIANS_PYTHON, "gst_camera.py", "digest") as digest,
        helper(DEBIANS_PYTHON, "gst_camera.py", "basic") as basic,
        helper(DEBIANS_PYTHON, "gst_camera.py", "none") as none,
    ):
        yield {"digest": digest["port"], "basic": basic["port"], "none": none["port"]}


@pytest.fixture(scope="module")
def onvif(gst: dict[str, int]) -> Iterator[int]:
    """ipycam's ONVIF port; its stream is GStreamer's."""
    if not _runs(str(ONVIF_PYTHON), "import ipycam"):
        pytest.skip("witness missing: ipycam, in .cache/witness (dependency group witness)")
    with helper(str(ONVIF_PYTHON), "ipycam_camera.py", str(gst["digest"]), "h264-pcma") as ready:
        yield ready["port"]


@pytest.fixture
def closed_port() -> Iterator[int]:
    port = Port("127.0.0.1", 0, lambda _: pytest.fail("nobody listens here"))
    yield port.number
    port.release()


async def check_rtsp(port: int, path: str, password: str | None = PASSWORD, **more: Any) -> CheckReport:
    source = validate_source(
        kind="rtsp",
        policy=POLICY,
        rtsp_url=f"rtsp://127.0.0.1:{port}/{path}",
        username=USERNAME if password is not None else None,
        password=password,
        **more,
    )
    return await check_camera(source, policy=POLICY)


async def check_onvif(port: int, password: str = PASSWORD) -> CheckReport:
    source = validate_source(
        kind="onvif", policy=POLICY, host="127.0.0.1", port=port, username=USERNAME, password=password
    )
    return await check_camera(source, policy=POLICY)


def verdict(report: CheckReport) -> tuple[str | None, str | None]:
    """(reason, the stage that failed)."""
    return report.reason, next((stage.name for stage in report.stages if not stage.ok), None)


@pytest.mark.parametrize("auth", ["digest", "basic", "none"])
async def test_gstreamer_lets_the_right_password_in(gst: dict[str, int], auth: str) -> None:
    report = await check_rtsp(gst[auth], "h264")
    assert report.ok, report
    facts = report.facts
    assert (facts.codec, facts.width, facts.height, facts.transport) == ("h264", 320, 240, "tcp")
    assert (facts.has_audio, report.warnings) == (False, [])


@pytest.mark.parametrize(
    ("path", "codec", "audio", "warnings"),
    [
        ("h264-pcma", "h264", "pcma", []),
        ("h264-aac", "h264", "aac", []),
        ("h265", "h265", None, ["h265_browser_limited"]),
    ],
)
async def test_gstreamers_codecs(
    gst: dict[str, int], path: str, codec: str, audio: str | None, warnings: list[str]
) -> None:
    report = await check_rtsp(gst["digest"], path)
    assert report.ok, report
    assert (report.facts.codec, report.facts.audio_codec) == (codec, audio)
    assert [warning.code for warning in report.warnings] == warnings


@pytest.mark.parametrize("transport", ["udp", "auto"])
async def test_gstreamer_over_udp_and_by_itself(gst: dict[str, int], transport: Any) -> None:
    report = await check_rtsp(gst["digest"], "h264-pcma", transport=transport)
    assert report.ok, report
    assert report.facts.transport == ("udp" if transport == "udp" else "tcp")


@pytest.mark.parametrize("auth", ["digest", "basic"])
@pytest.mark.parametrize("password", [WRONG, None])
async def test_gstreamer_refuses_the_wrong_password(
    gst: dict[str, int], auth: str, password: str | None
) -> None:
    report = await check_rtsp(gst[auth], "h264", password)
    assert verdict(report) == ("auth_failed", "describe"), report
    assert WRONG not in str(report.to_dict())


@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere", "path_not_found"), ("mjpeg", "codec_unsupported"), ("sound", "no_video")],
)
async def test_gstreamer_has_not_what_is_asked_for(gst: dict[str, int], path: str, reason: str) -> None:
    assert verdict(await check_rtsp(gst["digest"], path)) == (reason, "describe")


async def test_nobody_listens(gst: dict[str, int], closed_port: int) -> None:
    del gst
    assert verdict(await check_rtsp(closed_port, "h264")) == ("refused", "connect")


async def test_gstreamer_is_no_onvif_device(gst: dict[str, int]) -> None:
    """It takes an HTTP request for the beginning of an RTSP tunnel, and waits."""
    assert verdict(await check_onvif(gst["digest"])) == ("timeout", "clock")


async def test_checks_one_after_the_other(gst: dict[str, int]) -> None:
    """GStreamer answers 503 to a DESCRIBE that comes right after a connection that only described."""
    for path in ("sound", "h264", "sound", "h264"):
        report = await check_rtsp(gst["digest"], path)
        assert report.reason == ("no_video" if path == "sound" else None), report


async def test_ipycams_onvif_leads_to_gstreamers_stream(gst: dict[str, int], onvif: int) -> None:
    report = await check_onvif(onvif)
    assert report.ok, report
    facts = report.facts
    assert (facts.manufacturer, facts.model, facts.serial) == ("PythonCam", "VirtualCam-1", "PY-000001")
    assert facts.stream_url == f"rtsp://127.0.0.1:{gst['digest']}/h264-pcma"
    assert (facts.codec, facts.width, facts.audio_codec) == ("h264", 320, "pcma")
    assert [profile.tier for profile in facts.profiles] == ["main", "sub"]
    assert abs(facts.clock_offset_sec or 0) < 5


async def test_ipycam_refuses_the_wrong_password(onvif: int) -> None:
    report = await check_onvif(onvif, WRONG)
    assert verdict(report) == ("auth_failed", "login"), report


async def test_ipycam_is_no_rtsp_server(onvif: int) -> None:
    assert verdict(await check_rtsp(onvif, "h264")) == ("not_rtsp", "describe")


async def test_nobody_listens_for_onvif(onvif: int, closed_port: int) -> None:
    del onvif
    assert verdict(await check_onvif(closed_port)) == ("refused", "connect")
