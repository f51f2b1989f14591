"""Nasty passwords through all of it: API → sealed store → gateway → camera, and from the address line into its own field."""

from __future__ import annotations

import asyncio
import random
import string
import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from nova_matrix import Matrix, watched
from nova_system import until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("matrix-passwords"),
]

PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "
NASTY = [
    "@:/#?%",
    "user:pass@host/path?query#fragment",
    "%41%2F%",
    "%",
    "a@b@c:d",
    "rtsp://admin:x@127.0.0.1/",
    '"quoted", realm="x"',
    "back\\slash\\\\",
    "'; DROP TABLE cameras; --",
    "<tag>&amp;]]>",
    " begins and ends with a space ",
    "${HOME} $(id) `id`",
    "{0} {name} %s %(x)s",
    "null,None,true",
    "pä:ss@wörd-漢字-🎥",
    "e\u0301 and \u00e9",  # the same letter, composed in two ways: not the same password
    "\u202eright to left\u202c",
    "ÿþ\u00a0\u2003",
    "=?utf-8?b?eA==?=",
    "x" * 200,
    PRINTABLE,
    PRINTABLE[::-1],
]
EACH = [f"{char}spells{char}0{char}" for char in PRINTABLE]
"""Every printable ASCII character at the beginning, within and at the end."""
SAMPLED_MAX = 24
LOGINS = ("digest", "basic", "digest-sha256")


def sampled(count: int, seed: int) -> list[str]:
    """Texts of any letters that print, from all of Unicode, some of ASCII among them; none so short that it stands in any log."""
    dice = random.Random(seed)

    def letter() -> str:
        while True:
            char = chr(dice.randrange(0x20, 0x7F) if dice.random() < 0.3 else dice.randrange(0xA0, 0x110000))
            if unicodedata.category(char) not in {"Cc", "Cs", "Cn", "Co", "Zl", "Zp"}:
                return char

    return ["".join(letter() for _ in range(dice.randrange(8, SAMPLED_MAX))) for _ in range(count)]


def test_the_sample_is_of_all_planes() -> None:
    drawn = "".join(sampled(60, 1))
    assert {len(char.encode()) for char in drawn} == {1, 2, 3, 4}
    assert len(set(drawn)) > 200


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_every_password_comes_to_the_camera_as_it_was_typed(matrix: Matrix, kind: str) -> None:
    """Added, then played by the gateway: the check's login comes from the request, the gateway's from the sealed store."""
    room = asyncio.Semaphore(6)

    async def one(number: int, password: str) -> None:
        async with room, SimCam(config(number, password, kind)) as cam:
            camera_id = await matrix.system.add(cam, matrix.gateway)
            assert await watched(cam), password
            assert cam.login_attempts.failed == 0, password
            await matrix.client.delete(f"/cameras/{camera_id}")

    passwords = [*NASTY, *EACH, *sampled(60, seed=len(kind))]
    await asyncio.gather(*(one(number, password) for number, password in enumerate(passwords)))


def config(number: int, password: str, kind: str) -> SimCamConfig:
    return SimCamConfig(
        name=f"Password {kind} {number}",
        password=password,
        auth=LOGINS[number % len(LOGINS)],  # type: ignore[arg-type]
        onvif_port=0 if kind == "onvif" else None,
    )


async def test_passwords_in_the_address_become_fields(matrix: Matrix) -> None:
    """Pasted with percent-encoding, as addresses should be: taken out, decoded once, sealed, and never shown."""
    room = asyncio.Semaphore(6)

    async def one(number: int, password: str) -> None:
        async with room, SimCam(config(number, password, "rtsp")) as cam:
            url = cam.rtsp_url.replace("rtsp://", f"rtsp://admin:{quote(password, safe='')}@")
            body: dict[str, Any] = matrix.system.body(cam, matrix.gateway, rtsp_url=url)
            del body["rtsp_username"], body["rtsp_password"]
            answer = await matrix.client.post("/cameras", json=body)
            assert answer.status_code == 201, (password, answer.text)
            assert answer.json()["rtsp_url"] == cam.rtsp_url
            assert await watched(cam), password
            assert cam.login_attempts.failed == 0, password
            await matrix.client.delete(f"/cameras/{answer.json()['id']}")

    passwords = [*NASTY, *EACH, *sampled(60, seed=7)]
    await asyncio.gather(*(one(number, password) for number, password in enumerate(passwords)))


async def test_a_password_changed_by_patch_is_the_one_that_is_used(matrix: Matrix) -> None:
    async with SimCam(config(0, NASTY[0], "rtsp")) as cam:
        camera_id = await matrix.system.add(cam, matrix.gateway)
        for password in NASTY[1:6]:
            cam.config.password = password
            connections = cam.stats.connections_total
            answer = await matrix.client.patch(f"/cameras/{camera_id}", json={"rtsp_password": password})
            assert answer.status_code == 200, (password, answer.text)
            # one connection was the check's, one is the gateway's new one; the old one's TEARDOWN came with the old password
            await until(
                lambda before=connections: cam.stats.connections_total >= before + 2 and cam.sessions,
                within=15,
                what="the gateway plays again",
            )
            failed = cam.login_attempts.failed
            cam.drop_sessions_now()  # so that the gateway logs in anew, by what it was told
            await until(lambda: not cam.sessions, within=15, what="dropped")
            assert await watched(cam), password
            assert cam.login_attempts.failed == failed, password
        await matrix.client.delete(f"/cameras/{camera_id}")


async def test_the_database_and_the_logs_know_none_of_them(matrix: Matrix) -> None:
    """Short ones and common words are left out: they stand in any text."""
    matrix.secrets |= {password for password in NASTY if len(password) > 12}
    async with SimCam(config(0, NASTY[1], "rtsp")) as cam:
        camera_id = await matrix.system.add(cam, matrix.gateway)
        assert await matrix.rows("credentials IS NOT NULL") == 1
        assert (
            await matrix.client.get(f"/cameras/{camera_id}")
        ).status_code == 200  # an answer to look through
        assert await matrix.leaks("nothing of the server's log is kept here") == {}
        await matrix.client.delete(f"/cameras/{camera_id}")
