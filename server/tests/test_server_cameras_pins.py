"""Certificates that cameras are held to: pinned by the check, told to the gateway, kept, forgotten on demand."""

from __future__ import annotations

from typing import Any

import pytest
from nova_gateway import ScriptedGateway, bad_report, connected, good_report
from nova_world import World

from novavms_protocol import CameraConfig, Check

pytestmark = pytest.mark.anyio

OWN, OTHER, STREAM = "0a" * 32, "0b" * 32, "0c" * 32
PINS = ("tls_fingerprint", "stream_tls_fingerprint", "tls_pinned_at")


class Device:
    """What the gateway's checks see: a camera with these certificates, that refuses those who expect others."""

    def __init__(self, tls: str | None, stream: str | None = None) -> None:
        self.tls, self.stream = tls, stream

    async def answer(self, check: Check) -> dict[str, Any]:
        wanted = {(check.tls_fingerprint, self.tls), (check.stream_tls_fingerprint, self.stream)}
        if any(pinned is not None and pinned != shown for pinned, shown in wanted):
            refused: dict[str, Any] = bad_report("tls_failed")
            return refused
        report: dict[str, Any] = good_report(
            tls_fingerprint=self.tls,
            stream_tls_fingerprint=self.stream,
            stream_url=check.rtsp_url or "rtsps://192.0.2.10:322/main",
        )
        return report


async def add(world: World, gateway: ScriptedGateway, **more: Any) -> str:
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Door", "type": "onvif"},
        **{"host": "192.0.2.10", "port": 443, "onvif_username": "viewer", "onvif_password": "a-password"},
        **more,
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    return f"/api/v1/cameras/{made.json()['id']}"


RTSPS = {
    **{"type": "rtsp", "rtsp_url": "rtsps://192.0.2.10:322/main", "rtsp_username": "u", "rtsp_password": "p"},
    **{"host": None, "port": None, "onvif_username": None, "onvif_password": None},
}


async def told(gateway: ScriptedGateway, fingerprint: str | None) -> CameraConfig:
    """The camera in the gateway's desired state, once that has this certificate."""
    await gateway.until(
        lambda: (
            bool(gateway.states[-1].cameras) and gateway.states[-1].cameras[0].tls_fingerprint == fingerprint
        )
    )
    config: CameraConfig = gateway.states[-1].cameras[0]
    return config


async def test_certificates_are_pinned_at_first_sight_and_go_with_every_check(world: World) -> None:
    device = Device(OWN, STREAM)
    async with connected(world, answer=device.answer) as gateway:
        url = await add(world, gateway)
        first = gateway.checks[-1]
        assert (first.tls_fingerprint, first.stream_tls_fingerprint) == (None, None)
        operator = world.client("operator")
        seen = (await operator.get(url)).json()
        assert (seen["tls_fingerprint"], seen["stream_tls_fingerprint"]) == (OWN, STREAM)
        assert seen["tls_pinned_at"] == seen["created_at"]
        (item,) = (await operator.get("/api/v1/cameras")).json()["data"]
        assert not item.keys() & set(PINS), "a list item is what the contract says"
        config = await told(gateway, OWN)
        assert config.stream_tls_fingerprint == STREAM
        assert config.tls_pinned_at is not None

        changed = await operator.patch(url, json={"onvif_password": "another"})
        assert changed.status_code == 200, changed.text
        check = gateway.checks[-1]
        assert (check.tls_fingerprint, check.stream_tls_fingerprint) == (OWN, STREAM)
        assert check.tls_pinned_at == config.tls_pinned_at
        assert [changed.json()[name] for name in PINS] == [seen[name] for name in PINS], "since when, too"


async def test_a_changed_certificate_changes_nothing_until_the_old_one_is_forgotten(world: World) -> None:
    device = Device(OWN)
    async with connected(world, answer=device.answer) as gateway:
        url = await add(world, gateway)
        operator = world.client("operator")
        before = (await operator.get(url)).json()
        device.tls = OTHER
        for change in ({"onvif_password": "another"}, {"host": "192.0.2.11"}, {"tls_fingerprint": STREAM}):
            refused = await operator.patch(url, json=change)
            assert (refused.status_code, refused.json()["reason"]) == (400, "tls_failed"), change
            assert (await operator.get(url)).json() == before
        forgotten = await operator.patch(url, json={"tls_fingerprint": None})
        assert forgotten.status_code == 200, forgotten.text
        assert gateway.checks[-1].tls_fingerprint is None
        assert forgotten.json()["tls_fingerprint"] == OTHER
        assert forgotten.json()["tls_pinned_at"] > before["tls_pinned_at"]
        await told(gateway, OTHER)
        (entry,) = await world.sql(
            "SELECT action, before ->> 'tls_fingerprint', after ->> 'tls_fingerprint' FROM audit_log ORDER BY id DESC LIMIT 1"
        )
        assert entry == ("camera.updated", OWN, OTHER)


@pytest.mark.slow
async def test_one_certificate_and_no_other_can_be_named_beforehand(world: World) -> None:
    device = Device(OTHER)
    async with connected(world, answer=device.answer) as gateway:
        url = await add(world, gateway, **RTSPS)
        operator = world.client("operator")
        device.tls = OWN
        coloned = ":".join(OWN[at : at + 2] for at in range(0, 64, 2)).upper()
        changed = await operator.patch(url, json={"tls_fingerprint": coloned})
        assert (changed.status_code, changed.json()["tls_fingerprint"]) == (200, OWN)
        assert gateway.checks[-1].tls_fingerprint == OWN
        for wrong in ("0a", "x" * 64, OWN + "0a"):
            refused = await operator.patch(url, json={"tls_fingerprint": wrong})
            assert refused.status_code == 400
            assert refused.json()["details"][0]["field"] == "tls_fingerprint"
        device.tls = None  # without TLS there is nothing to pin, and what was pinned means nothing
        plain = await operator.patch(
            url, json={"rtsp_url": "rtsp://192.0.2.10:554/main", "tls_fingerprint": None}
        )
        assert [plain.json()[name] for name in PINS] == [None, None, None]
        refused = await operator.patch(url, json={"tls_fingerprint": OWN})
        assert (refused.status_code, "only for rtsps" in refused.text) == (400, True)


@pytest.mark.slow
async def test_another_port_of_onvif_is_another_service(world: World) -> None:
    """From https to http: what was pinned must not stand in the way. Another host is still the same camera."""
    device = Device(OWN)
    async with connected(world, answer=device.answer) as gateway:
        url = await add(world, gateway)
        operator = world.client("operator")
        assert (await operator.patch(url, json={"host": "192.0.2.12"})).status_code == 200
        assert gateway.checks[-1].tls_fingerprint == OWN
        device.tls = None
        changed = await operator.patch(url, json={"port": 80})
        assert changed.status_code == 200, changed.text
        assert gateway.checks[-1].tls_fingerprint is None
        assert [changed.json()[name] for name in PINS] == [None, None, None]


@pytest.mark.slow
async def test_what_is_no_fingerprint_is_not_kept(world: World) -> None:
    hostile: list[Any] = ["0A" * 32, "x" * 64, 7, ["0a"], "0a" * 64, "", None]

    async def answer(check: Check) -> dict[str, Any]:
        report: dict[str, Any] = good_report(tls_fingerprint=hostile.pop())
        return report

    async with connected(world, answer=answer) as gateway:
        while hostile:
            url = await add(world, gateway, name=f"Camera {len(hostile)}")
            seen = (await world.client("operator").get(url)).json()
            assert [seen[name] for name in PINS] == [None, None, None]
