"""Any password works: every printable ASCII character and any UTF-8, by every login, in fields and in a pasted address.

The camera's side (novavms_simcam) is written from the standards and shares no code with ours.
"""

from __future__ import annotations

import asyncio
import string
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from novavms_camera.address import AddressPolicy
from novavms_camera.check import validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.onvif.stream import open_device, stream_source
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.source import CameraSource
from novavms_simcam import SimCam, SimCamConfig
from novavms_simcam.config import Auth

POLICY = AddressPolicy(allow_loopback=True)
ASCII = "".join(chr(code) for code in range(0x20, 0x7F))
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
PASSWORDS = st.text(st.sampled_from(ASCII), min_size=1, max_size=40) | st.text(
    PRINTABLE, min_size=1, max_size=40
)
USERS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=":"),
    min_size=1,
    max_size=20,
)
AUTHS: list[Auth] = ["basic", "digest", "digest-sha256"]


async def log_in(cam: SimCam, source: CameraSource) -> None:
    """As the check does: DESCRIBE, or GetDeviceInformation. Raises CameraFault."""
    if source.kind == "rtsp":
        assert source.rtsp_url is not None
        async with RtspClient(stream_source(source, source.rtsp_url, "127.0.0.1")) as client:
            await client.describe()
        return
    device = open_device(source, "127.0.0.1", _now)
    try:
        await device.read_clock()
        await device.device_information()
    finally:
        await device.connection.close()


def _now() -> datetime:
    return datetime.now(UTC)


async def try_all(user: str, password: str, auths: list[Auth]) -> None:
    for auth in auths:
        async with SimCam(SimCamConfig(username=user, password=password, auth=auth)) as cam:
            pasted = cam.rtsp_url.replace(
                "rtsp://", f"rtsp://{quote(user, safe='')}:{quote(password, safe='')}@"
            )
            sources = [
                validate_source(
                    kind="rtsp", rtsp_url=cam.rtsp_url, username=user, password=password, policy=POLICY
                ),
                validate_source(kind="rtsp", rtsp_url=pasted, policy=POLICY),
                validate_source(
                    kind="onvif",
                    host="127.0.0.1",
                    port=cam.onvif_port,
                    username=user,
                    password=password,
                    policy=POLICY,
                ),
            ]
            for no_token in (False, True) if auth != "basic" else (False,):
                cam.faults.no_ws_token = no_token
                for source in sources:
                    await log_in(cam, source)
            assert cam.login_attempts.failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_printable_ascii_character_and_all_of_them_together(part: int) -> None:
    """One by one, at the beginning, in the middle and at the end; and all at once, in both orders."""
    passwords = [f"{char}a{char}1{char}" for char in ASCII][part::4]
    if part == 0:
        passwords += [ASCII, ASCII[::-1], "%41%", "%%%", "a%3Ab", "://x@y/", string.punctuation * 3]
    for password in passwords:
        asyncio.run(try_all("admin", password, ["digest"]))


@pytest.mark.slow
@pytest.mark.parametrize("auth", AUTHS)
@given(user=USERS, password=PASSWORDS)
@example(user="ad min", password=ASCII)
@example(user='ad"m\\in', password='"\\"')
@example(user="использователь", password="пароль-漢字-ß🎥\u00a0\u202e")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_user_and_any_password(auth: Auth, user: str, password: str) -> None:
    asyncio.run(try_all(user, password, [auth]))


@pytest.mark.parametrize("password", ["with\nline end", "with\x00zero", "x" * 257, "\ud800"])
def test_what_no_password_has_is_refused_before_anything_connects(password: str) -> None:
    with pytest.raises(CameraFault) as caught:
        validate_source(kind="onvif", host="192.0.2.1", username="admin", password=password, policy=POLICY)
    assert caught.value.reason == "invalid_url"
    assert password not in caught.value.message
