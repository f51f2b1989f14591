"""`novavms-gateway check`: what a person at the box sees."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys

import pytest
from rich.console import Console

from novavms_camera.faults import HINTS
from novavms_gateway.checking import AddressError, check_in_terminal, source_of
from novavms_simcam import DEFAULT_PASSWORD, SimCam, SimCamConfig

pytestmark = pytest.mark.anyio


async def _check(*arguments: str, password: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "novavms_gateway.main", "check", *arguments, "--allow-loopback"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NOVAVMS_CAMERA_PASSWORD": password, "COLUMNS": "200", **environment},
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.slow
async def test_check_shows_the_stages_and_the_verdict() -> None:
    async with SimCam() as cam:
        address = f"onvif://127.0.0.1:{cam.onvif_port}"
        code, out = await _check(address, "--username", "admin", password=DEFAULT_PASSWORD)
        assert code == 0, out
        assert "The camera is fine" in out
        stages = [line.split()[1] for line in out.splitlines() if " ms  " in line]
        assert stages[:2] == ["policy", "resolve"]
        assert stages[-2:] == ["describe", "media"]
        assert "NovaVMS SimCam 1.0.0" in out
        assert cam.rtsp_url in out

        code, out = await _check(cam.rtsp_url, "--username", "admin", password="wrong-Passw0rd")
        assert code == 1
        assert "✗ describe" in out
        assert f"auth_failed: 127.0.0.1:{cam.rtsp_port}" in out
        assert out.rstrip().splitlines()[-1] == f"→ {HINTS['auth_failed']}"
        assert "wrong-Passw0rd" not in out
        assert "\x1b[" not in out


@pytest.mark.slow
async def test_check_as_json_is_the_report_and_nothing_else() -> None:
    async with SimCam() as cam:
        arguments = (cam.rtsp_url, "--username", "admin", "--json")
        cam.set_fault("udp_only")
        code, out = await _check(*arguments, password=DEFAULT_PASSWORD)
        report = json.loads(out)
        assert (code, report["ok"], report["facts"]["transport"]) == (0, True, "udp")
        code, out = await _check(*arguments, "--transport", "tcp", password=DEFAULT_PASSWORD)
        assert (code, json.loads(out)["reason"]) == (1, "transport_unsupported")


async def test_stages_are_shown_as_they_pass_in_colour() -> None:
    out, seen = io.StringIO(), list[str]()
    console = Console(file=out, force_terminal=True, width=200, legacy_windows=False, highlight=False)
    async with SimCam() as cam:
        cam.set_fault("slow_answer_sec", 0.2)
        source = source_of(cam.rtsp_url, username="admin", password="wrong", transport="auto")
        task = asyncio.create_task(check_in_terminal(source, allow_loopback=True, console=console))
        while not task.done():
            seen.append(out.getvalue())
            await asyncio.sleep(0.01)
        assert not task.result()
    assert any("connect" in text and "auth_failed" not in text for text in seen)
    assert "\x1b[32m✓" in out.getvalue()
    assert "\x1b[1;31mauth_failed" in out.getvalue()


async def test_what_a_camera_says_cannot_command_the_terminal() -> None:
    out = io.StringIO()
    name = "[red]x[/]\u202e\u009b31m"
    async with SimCam(SimCamConfig(manufacturer=name)) as cam:
        address = f"onvif://127.0.0.1:{cam.onvif_port}"
        source = source_of(address, username="admin", password=DEFAULT_PASSWORD, transport="auto")
        assert await check_in_terminal(source, allow_loopback=True, console=Console(file=out, width=200))
    assert "[red]x[/]\ufffd\ufffd31m" in out.getvalue()


def test_addresses() -> None:
    source = source_of("onvif://192.0.2.10", username="admin", password="x", transport="tcp")
    assert (source.kind, source.host, source.port, source.rtsp_url) == ("onvif", "192.0.2.10", 80, None)
    source = source_of("rtsp://192.0.2.10/live", username=None, password=None, transport="auto")
    assert (source.kind, source.port, source.rtsp_url) == ("rtsp", 554, "rtsp://192.0.2.10/live")
    for wrong in ("192.0.2.10", "http://192.0.2.10", "rtsp://", "rtsp://a:b@192.0.2.10/x", "rtsp://x:99999/"):
        with pytest.raises(AddressError) as error:
            source_of(wrong, username=None, password=None, transport="tcp")
        assert "a:b" not in str(error.value)
    with pytest.raises(AddressError, match="transport"):
        source_of("rtsp://192.0.2.10/", username=None, password=None, transport="pigeon")
