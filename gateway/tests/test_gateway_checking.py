"""`novavms-gateway check`: what a person at the box sees."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from novavms_gateway.checking import AddressError, source_of
from novavms_simcam import DEFAULT_PASSWORD, SimCam

pytestmark = pytest.mark.anyio


async def _check(*arguments: str, password: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "novavms_gateway.main", "check", *arguments, "--allow-loopback"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NOVAVMS_CAMERA_PASSWORD": password, "COLUMNS": "160"},
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
        assert all(stage in out for stage in ("resolve", "login", "describe", "media"))

        code, out = await _check(cam.rtsp_url, "--username", "admin", password="wrong-Passw0rd")
        assert code == 1
        assert "auth_failed" in out
        assert "wrong-Passw0rd" not in out


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
