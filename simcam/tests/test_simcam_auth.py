"""Logins: Digest, Basic, WS-UsernameToken, and how an account gets locked."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_simcam import SimCam, SimCamConfig
from novavms_simcam.auth import REALM, Gatekeeper, UsernameToken

pytestmark = pytest.mark.anyio

PASSWORD = "pä:ss@w/o#r?d%1"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.seconds = NOON

    def __call__(self) -> float:
        return self.seconds


def keeper(**fields: Any) -> tuple[Gatekeeper, Clock]:
    clock = Clock()
    return Gatekeeper(SimCamConfig(password=PASSWORD, **fields), wall=clock, monotonic=clock), clock


def token(
    password: str = PASSWORD, at: float = NOON, username: str = "admin", nonce: bytes = b""
) -> UsernameToken:
    nonce = nonce or os.urandom(16)
    created = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    return UsernameToken(username, digest, True, base64.b64encode(nonce).decode(), created)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()


@pytest.mark.parametrize("auth", ["digest", "basic", "both", "digest-sha256"])
async def test_rtsp_lets_the_right_password_in_and_the_wrong_one_not(
    start_camera: Any, connect: Any, auth: Any
) -> None:
    cam: SimCam = await start_camera(auth=auth)
    good = await connect(cam)
    assert (await good.call("DESCRIBE", cam.rtsp_url)).status == 200
    assert (await good.call("DESCRIBE", cam.rtsp_url)).status == 200
    assert (cam.login_attempts.ok, cam.login_attempts.failed, cam.login_attempts) == (1, 0, 1)
    assert good.challenge.startswith("Basic" if auth == "basic" else "Digest")
    assert ("SHA-256" in good.challenge) == (auth == "digest-sha256")
    bad = await connect(cam)
    bad.password = "wrong"
    assert (await bad.call("DESCRIBE", cam.rtsp_url)).status == 401
    assert cam.login_attempts.failed == 1
    bare = await connect(cam)
    assert (await bare.call("DESCRIBE", cam.rtsp_url, login=False)).status == 401
    assert cam.login_attempts.failed == 1, "a request without a password is no try"


async def test_stale_nonce_asks_again_without_counting_a_failure(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("stale_nonce")
    client = await connect(cam)
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 200
    first = client.challenge
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 200
    assert "stale=true" in client.challenge != first
    assert cam.login_attempts.failed == 0


async def test_account_locks_on_rtsp_and_onvif_together_and_opens_again(
    start_camera: Any, connect: Any
) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("locks_after", 3)
    for _ in range(3):
        bad = await connect(cam)
        bad.password = "wrong"
        assert (await bad.call("DESCRIBE", cam.rtsp_url)).status == 401
    good = await connect(cam)
    assert (await good.call("DESCRIBE", cam.rtsp_url)).status == 403, "also for the right password"
    url = f"http://127.0.0.1:{cam.onvif_port}/snapshot/main.jpg"
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(url, auth=httpx.DigestAuth("admin", PASSWORD))).status_code == 403
        cam.clear_faults()
        assert (await http.get(url, auth=httpx.DigestAuth("admin", PASSWORD))).status_code == 200
    assert (await (await connect(cam)).call("DESCRIBE", cam.rtsp_url)).status == 200


async def test_lock_ends_by_itself_and_a_success_forgets_failures() -> None:
    gate, clock = keeper(auth="basic")
    gate._config.faults.set("locks_after", 2)
    gate._config.faults.set("lock_sec", 60)
    check = gate.check_header
    assert [check("GET", "/", basic(p)) for p in ("x", PASSWORD, "x", "x", PASSWORD)] == [
        "wrong", "ok", "wrong", "wrong", "locked",
    ]  # fmt: skip
    clock.seconds += 61
    assert check("GET", "/", basic(PASSWORD)) == "ok"


async def test_username_token_wants_password_clock_and_a_new_nonce() -> None:
    gate, _ = keeper()
    assert gate.check_token(token()) == "ok"
    assert gate.check_token(token("wrong")) == "wrong"
    assert gate.check_token(token(username="root")) == "wrong"
    assert gate.check_token(token(at=NOON - 299)) == "ok"
    assert gate.check_token(token(at=NOON - 301)) == "wrong"
    assert gate.check_token(token(at=NOON + 301)) == "wrong"
    once = token()
    assert [gate.check_token(once), gate.check_token(once)] == ["ok", "wrong"]
    plain = UsernameToken("admin", PASSWORD, False, "", "")
    assert gate.check_token(plain) == "wrong"
    assert keeper(auth="both")[0].check_token(plain) == "ok"


async def test_username_token_follows_the_cameras_own_clock() -> None:
    gate, _ = keeper()
    gate._config.faults.set("clock_offset_sec", 10_800)
    assert gate.check_token(token(at=NOON)) == "wrong"
    assert gate.check_token(token(at=NOON + 10_800)) == "ok"


async def test_digest_is_the_rfc_s_own_example() -> None:
    """RFC 7616 section 3.9.1, both algorithms, with this camera's formula."""
    given_fields = {
        "uri": "/dir/index.html",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
    }
    gate = Gatekeeper(SimCamConfig(username="Mufasa", password="Circle of Life"))
    realm_of_the_rfc = "http-auth@example.org"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("novavms_simcam.auth.REALM", realm_of_the_rfc)
        assert gate._digest("GET", given_fields, sha256=False) == "8ca523f5e9506fed4657c9700eebdbec"
        assert (
            gate._digest("GET", given_fields, sha256=True)
            == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        )
    assert realm_of_the_rfc != REALM


async def test_a_password_does_not_show_in_reprs() -> None:
    cam = SimCam(SimCamConfig(password=PASSWORD))
    assert PASSWORD not in repr(cam.config) + repr(cam) + repr(cam.state) + repr(cam.gatekeeper)


@settings(max_examples=200)
@given(st.sampled_from(["digest", "basic", "both", "digest-sha256"]), st.text(max_size=200), st.booleans())
def test_no_header_breaks_the_gatekeeper(auth: Any, text: str, with_scheme: bool) -> None:
    gate, _ = keeper(auth=auth)
    header = f"Digest {text}" if with_scheme else text
    assert gate.check_header("GET", "/", header) in {"missing", "wrong"}
    assert gate.check_token(UsernameToken("admin", text, True, text, text)) == "wrong"
