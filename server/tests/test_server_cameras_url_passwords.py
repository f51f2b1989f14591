"""Addresses with a password in their path or query, as many cheap cameras want them: sealed like any other, never shown."""

from __future__ import annotations

import pytest
from nova_gateway import bad_report, connected, good_report
from nova_world import World

from novavms_protocol import Check

pytestmark = pytest.mark.anyio
SECRET = "s3cret-In-The-Query"


def body(world: World, gateway_id: object, url: str) -> dict[str, str]:
    return {
        "site_id": str(world.site),
        "gateway_id": str(gateway_id),
        "name": "Cheap",
        "type": "rtsp",
        "rtsp_url": url,
    }


async def everything(world: World) -> str:
    """Every row of every table, as text."""
    tables = await world.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    rows = [await world.sql(f"SELECT t::text FROM {name} t") for (name,) in tables if "migration" not in name]
    return str(rows)


async def test_it_reaches_the_gateway_and_nothing_else(world: World) -> None:
    url = f"rtsp://192.0.2.11:554/cam?user=admin&password={SECRET}&channel=1"
    clean = "rtsp://192.0.2.11:554/cam?user=admin&password={password}&channel=1"

    async def answer(check: Check) -> dict[str, object]:
        assert (check.rtsp_url, check.password) == (clean, SECRET)
        return good_report(stream_url=check.rtsp_url)

    operator = world.client("operator")
    async with connected(world, answer=answer) as gateway:
        made = await operator.post(
            "/api/v1/cameras", json=body(world, gateway.id, url), headers={"Idempotency-Key": "k"}
        )
        assert made.status_code == 201, made.text
        assert made.json()["rtsp_url"] == clean
        await gateway.until(lambda: any(state.cameras for state in gateway.states))
        [config] = gateway.states[-1].cameras
        assert (config.rtsp_url, config.password) == (clean, SECRET)
        said = (
            made.text
            + (await operator.get("/api/v1/cameras")).text
            + (await operator.get(f"/api/v1/cameras/{made.json()['id']}")).text
        )
        assert SECRET not in said
        assert SECRET not in await everything(world)


async def test_a_refusal_does_not_repeat_it(world: World) -> None:
    async def refuse(check: Check) -> dict[str, object]:
        del check
        return bad_report("path_not_found")

    async with connected(world, answer=refuse) as gateway:
        url = f"rtsp://192.0.2.11/user=admin_password={SECRET}_channel=1_stream=0.sdp"
        answer = await world.client("operator").post("/api/v1/cameras", json=body(world, gateway.id, url))
        assert (answer.status_code, answer.json()["reason"]) == (400, "path_not_found")
        assert SECRET not in answer.text


async def test_a_stream_address_with_the_camera_s_own_hash_is_not_kept(world: World) -> None:
    async def answer(check: Check) -> dict[str, object]:
        del check
        return good_report(stream_url="rtsp://192.0.2.10:554/user=admin_password=***_channel=1")

    async with connected(world, answer=answer) as gateway:
        onvif = {
            "site_id": str(world.site),
            "gateway_id": str(gateway.id),
            "name": "XM",
            "type": "onvif",
            "host": "192.0.2.10",
        }
        onvif |= {"onvif_username": "admin", "onvif_password": SECRET}
        made = await world.client("operator").post("/api/v1/cameras", json=onvif)
        assert made.status_code == 201, made.text
        assert made.json()["rtsp_url"] is None
