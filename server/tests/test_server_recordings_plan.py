"""How a camera is to be recorded: told on the camera, kept, and told to its gateway on the site's clock."""

from __future__ import annotations

from typing import Any

import pytest
from nova_gateway import ScriptedGateway, connected
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
NIGHTS = [{"days": ["mon", "fri"], "start": "18:00", "end": "06:00"}]


def described(gateway: ScriptedGateway | None, world: World, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"site_id": str(world.site), "name": "Door", "type": "rtsp"}
    if gateway is None:
        body |= {"connection_mode": "direct", "rtsp_url": "rtsp://127.0.0.1:554/s1"}
    else:
        body |= {"gateway_id": str(gateway.id), "rtsp_url": "rtsp://192.0.2.11:554/s1"}
    return {**body, **more}


async def test_a_plan_is_kept_and_told_to_the_gateway_without_a_check(world: World) -> None:
    operator = world.client("operator")
    async with connected(world) as gateway:
        made = await operator.post("/api/v1/cameras", json=described(gateway, world))
        assert made.status_code == 201, made.text
        camera = made.json()
        assert (camera["recording_mode"], camera["recording_schedule"]) == ("continuous", None)
        assert (camera["retention_days"], camera["retention_bytes"]) == (30, None)
        await gateway.until(lambda: bool(gateway.states[-1].cameras))
        (told,) = gateway.states[-1].cameras
        assert (told.recording.mode, told.recording.schedule, told.recording.timezone) == (
            "continuous",
            None,
            "UTC",
        )
        checks = len(gateway.checks)

        change = {"recording_schedule": NIGHTS, "retention_days": 7, "retention_bytes": 10**9}
        url = f"/api/v1/cameras/{camera['id']}"
        changed = await operator.patch(url, json=change)
        assert changed.status_code == 200, changed.text
        assert {name: changed.json()[name] for name in change} == change
        assert changed.json()["version"] == camera["version"] + 1
        await gateway.until(lambda: gateway.states[-1].cameras[0].revision == told.revision + 1)
        plan = gateway.states[-1].cameras[0].recording
        assert plan.schedule is not None
        assert (plan.schedule[0].days, plan.schedule[0].start) == (["mon", "fri"], "18:00")
        assert (plan.retention_days, plan.retention_bytes) == (7, 10**9)

        same = await operator.patch(url, json=change)
        assert same.headers["etag"] == changed.headers["etag"], "nothing new: no new version"
        listed = (await operator.get("/api/v1/cameras")).json()["data"][0]
        assert {name: listed[name] for name in change} == change
        cleared = await operator.patch(url, json={"recording_schedule": None, "retention_bytes": None})
        assert (cleared.json()["recording_schedule"], cleared.json()["retention_bytes"]) == (None, None)
        assert len(gateway.checks) == checks


async def test_a_direct_camera_records_events_only(world: World) -> None:
    operator = world.client("operator")
    body = described(None, world)
    refused = await operator.post("/api/v1/cameras", json={**body, "recording_mode": "continuous"})
    assert (refused.status_code, refused.json()["details"][0]["field"]) == (400, "recording_mode")
    made = await operator.post("/api/v1/cameras", json=body)
    assert (made.status_code, made.json()["recording_mode"]) == (201, "events")
    url = f"/api/v1/cameras/{made.json()['id']}"
    refused = await operator.patch(url, json={"recording_mode": "continuous"})
    assert (refused.status_code, refused.json()["details"][0]["field"]) == (400, "recording_mode")
    off = await operator.patch(url, json={"recording_mode": "off"})
    assert (off.status_code, off.json()["recording_mode"]) == (200, "off")


async def test_every_wrong_field_is_named(world: World) -> None:
    operator = world.client("operator")
    wrong = {
        **{"recording_mode": "sometimes", "retention_days": 0, "retention_bytes": 99_999_999},
        "recording_schedule": [{"days": ["monday"]}],
    }
    answer = await operator.post("/api/v1/cameras", json={**described(None, world), **wrong})
    assert answer.status_code == 400
    assert {item["field"] for item in answer.json()["details"]} == set(wrong)
    for schedule in (
        [],
        [{"days": []}],
        [{"start": "08:00"}],
        [{"days": ["mon"], "start": "24:00"}],
        [{"days": ["mon"], "end": "7:00"}],
        [{"days": ["mon"], "until": "07:00"}],
        "always",
    ):
        body = {**described(None, world), "recording_schedule": schedule}
        answer = await operator.post("/api/v1/cameras", json=body)
        assert answer.status_code == 400, schedule
        (problem,) = answer.json()["details"]
        assert problem["message"].startswith("recording_schedule must be null (always) or a list of"), problem


async def test_the_sites_clock_is_told_to_its_gateways(world: World) -> None:
    admin = world.client("admin")
    async with connected(world) as gateway, connected(world) as empty:
        made = await admin.post("/api/v1/cameras", json=described(gateway, world))
        await gateway.until(lambda: bool(gateway.states[-1].cameras))
        before = gateway.states[-1]
        quiet = (await world.sql("SELECT state_version FROM gateways WHERE id = %s", empty.id))[0][0]
        url = f"/api/v1/sites/{world.site}"
        assert (await admin.patch(url, json={"timezone": "Europe/Berlin"})).status_code == 200
        await gateway.until(lambda: gateway.states[-1].version > before.version)
        camera = gateway.states[-1].cameras[0]
        assert (camera.recording.timezone, camera.revision) == (
            "Europe/Berlin",
            before.cameras[0].revision + 1,
        )
        version = gateway.states[-1].version
        assert (await admin.patch(url, json={"name": "Elsewhere"})).status_code == 200
        rows = await world.sql("SELECT state_version FROM gateways WHERE id = %s", gateway.id)
        assert rows[0][0] == version, "a name is no clock"
        rows = await world.sql("SELECT state_version FROM gateways WHERE id = %s", empty.id)
        assert rows[0][0] == quiet, "nothing of it is told to a gateway without cameras there"

        moved = await admin.patch(
            f"/api/v1/cameras/{made.json()['id']}", json={"site_id": str(world.ungranted_site)}
        )
        assert moved.status_code == 200
        await gateway.until(lambda: gateway.states[-1].cameras[0].recording.timezone == "UTC")
