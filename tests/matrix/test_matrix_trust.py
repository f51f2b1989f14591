"""A certificate is believed at first sight and held to from then on: by the check, by the running session, in both modes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from nova_matrix import Matrix, leftovers, watched
from nova_system import until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("matrix-gateway"),
]


def fingerprint(cam: SimCam) -> str:
    assert cam.certificate is not None
    return hashlib.sha256(cam.certificate).hexdigest()


async def turned(matrix: Matrix, url: str, status: str, reason: str | None) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        seen: dict[str, Any] = (await matrix.client.get(url)).json()
        return seen if (seen["status"], seen["status_reason"]) == (status, reason) else None

    found: dict[str, Any] = await until(reached, within=60, what=f"{status} {reason}")
    return found


@pytest.mark.parametrize("mode", ["gateway", "direct"])
@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_another_certificate_stops_everything_until_a_person_accepts_it(
    matrix: Matrix, kind: str, mode: str
) -> None:
    is_onvif = kind == "onvif"
    password = matrix.password(f"trust {kind} {mode}")
    config = SimCamConfig(
        name=f"Trust {kind} {mode}",
        password=password,
        onvif_port=0 if is_onvif else None,
        onvif_https=is_onvif,
        rtsps_port=0,
    )
    async with SimCam(config) as cam:
        cam.set_fault("stream_uri_rtsps")
        body = matrix.system.body(cam, matrix.gateway if mode == "gateway" else None)
        body |= {} if is_onvif else {"rtsp_url": cam.rtsps_url}
        made = await matrix.client.post("/cameras", json=body)
        assert made.status_code == 201, made.text
        url = f"/cameras/{made.json()['id']}"
        seen = await turned(matrix, url, "online", None)
        own = fingerprint(cam)
        assert (seen["tls_fingerprint"], seen["stream_tls_fingerprint"]) == (own, own if is_onvif else None)
        assert await watched(cam)

        cam.set_fault("new_certificate")
        new, logins = fingerprint(cam), cam.login_attempts
        cam.drop_sessions_now()
        stopped = await turned(matrix, url, "error", "tls_failed")
        assert new in stopped["status_message"]
        assert stopped["tls_pinned_at"][:10] in stopped["status_message"], (
            "since when the other one was known"
        )
        await _refused_by_patch(matrix, cam, url, stopped, {f"{kind}_password": password})
        assert cam.login_attempts == logins, "no login goes to who shows another certificate"

        wrong = await matrix.client.patch(url, json={"tls_fingerprint": "0a" * 32})
        assert (wrong.status_code, wrong.json()["reason"]) == (400, "tls_failed")
        accepted = await matrix.client.patch(url, json={"tls_fingerprint": None})
        assert accepted.status_code == 200, accepted.text
        seen = await turned(matrix, url, "online", None)
        assert (seen["tls_fingerprint"], seen["stream_tls_fingerprint"]) == (new, new if is_onvif else None)
        assert await watched(cam)
        assert (await matrix.client.delete(url)).status_code == 204
        assert await leftovers(cam) == {"sessions": 0, "connections": 0}
    assert await matrix.leaks("nothing of the server's log is kept here") == {}


async def _refused_by_patch(
    matrix: Matrix, cam: SimCam, url: str, before: dict[str, Any], change: dict[str, Any]
) -> None:
    """PATCH fails, says since when the other certificate was known and how to accept the new one, and changes nothing."""
    refused = await matrix.client.patch(url, json=change)
    said = refused.json()
    assert (refused.status_code, said["reason"]) == (400, "tls_failed"), said
    assert fingerprint(cam) in said["message"]
    assert before["tls_pinned_at"][:10] in said["message"]
    assert "tls_fingerprint to null" in said["hint"]
    moving = {"status_at", "last_seen_at"}
    if before["connection_mode"] == "direct":
        moving |= {"check"}  # it is checked again by itself meanwhile
    after = (await matrix.client.get(url)).json()
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }
