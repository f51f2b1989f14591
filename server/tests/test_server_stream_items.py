"""What is told: every change that a reader of lists would see, in the shape that the API's document says, and no more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from nova_gateway import ScriptedGateway, connected, pair
from nova_stream import SseReader, streaming
from nova_world import World

from novavms_server.clips import states
from novavms_server.events.pictures import set_snapshot
from novavms_server.platform import render_document

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


@pytest.fixture(scope="module")
def item_schema() -> Any:
    document = json.loads(render_document())
    media = document["paths"]["/api/v1/stream"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    return jsonschema_rs.validator_for(
        {**media["x-item-schema"], "components": document["components"]}, validate_formats=True
    )


@asynccontextmanager
async def listening(world: World, item_schema: Any, query: str = "") -> AsyncIterator[SseReader]:
    """All that comes is held against the document."""
    async with streaming(world.client("admin"), query) as reader:
        yield reader
    for item in reader.seen:
        whole = {**item, "at": item["data"].pop("at")}
        problems = [str(each) for each in item_schema.iter_errors(whole)]
        assert problems == [], (whole, problems)
        assert item["id"], item


async def add(world: World, gateway: ScriptedGateway, name: str = "Door") -> str:
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": name, "type": "rtsp"},
        **{"rtsp_url": f"rtsp://192.0.2.10/{name}", "rtsp_username": "u", "rtsp_password": "hush-hush-1"},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_what_people_do_to_cameras(world: World, item_schema: Any) -> None:
    operator = world.client("operator")
    async with (
        connected(world) as gateway,
        listening(world, item_schema, "?types=camera,camera_status") as reader,
    ):
        camera = await add(world, gateway)
        made = await reader.expect("camera", change="created", camera_id=camera)
        listed = (await operator.get("/api/v1/cameras")).json()["data"][0]
        assert made["data"]["camera"] == listed
        assert "hush-hush-1" not in json.dumps(made)
        await operator.patch(f"/api/v1/cameras/{camera}", json={"name": "Gate"})
        told = await reader.expect("camera", change="updated", camera_id=camera)
        assert told["data"]["camera"]["name"] == "Gate"
        await operator.patch(
            f"/api/v1/cameras/{camera}", json={"name": "Gate"}
        )  # the same again is no change
        await operator.patch(f"/api/v1/cameras/{camera}", json={"enabled": False})
        await reader.expect("camera", change="updated")
        await reader.expect("camera_status", status="disabled", reason="disabled_by_user", camera_id=camera)
        await operator.delete(f"/api/v1/cameras/{camera}")
        await reader.expect(
            "camera", change="deleted", camera_id=camera, camera=None, site_id=str(world.site)
        )


async def test_what_cameras_do(world: World, item_schema: Any) -> None:
    """A change is one item; the same said again is none."""
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        async with listening(world, item_schema) as reader:
            await gateway.say(camera, "offline", reason="frozen", message="No new frame for 10 s.")
            told = await reader.expect("camera_status", status="offline", reason="frozen", active_tier="main")
            assert told["data"]["camera_id"] == camera
            assert told["data"]["gateway_id"] == str(gateway.id)
            seen = (await world.client("viewer").get(f"/api/v1/cameras/{camera}")).json()
            assert told["data"]["since"] == seen["status_at"]
            assert told["data"]["message"] == seen["status_message"]
            await gateway.say(camera, "offline", reason="frozen", message="No new frame for 11 s.")
            await gateway.say(camera, "online", active_tier="sub", width=640, height=360)
            await reader.expect("camera_status", status="online", reason=None, active_tier="sub", width=640)
            await gateway.say(camera, "online", active_tier="sub", width=640, height=360)
            await gateway.say(camera, "online", active_tier="main", width=1920, height=1080)
            await reader.expect("camera_status", status="online", active_tier="main", width=1920)


async def test_gateways_come_and_go_with_their_cameras(world: World, item_schema: Any) -> None:
    operator, presence = world.client("operator"), world.server.presence
    async with listening(world, item_schema) as reader:
        identity = await pair(world, world.site)
        made = await reader.expect("gateway", change="created", gateway_id=str(identity[0]))
        await reader.expect("gateway", change="updated", name=made["data"]["name"])
        async with connected(world, identity=identity) as gateway:
            await reader.expect("gateway_status", status="online", gateway_id=str(gateway.id))
            cameras = {await add(world, gateway, name) for name in ("A", "B")}
            for _ in cameras:
                await reader.expect("camera", change="created")
        departed = await _departed(world, gateway.id)
        await presence._mark_departed(*departed)
        told = [
            (await reader.expect("camera_status", status="offline", reason="gateway_offline"))
            for _ in cameras
        ]
        assert {each["data"]["camera_id"] for each in told} == cameras
        await reader.expect("gateway_status", status="offline", gateway_id=str(gateway.id))
        async with connected(world, identity=identity):
            await reader.expect("gateway_status", status="online")
        await operator.patch(f"/api/v1/gateways/{gateway.id}", json={"name": "Attic"})
        await reader.expect("gateway", change="updated", name="Attic")
        for camera in cameras:
            await operator.delete(f"/api/v1/cameras/{camera}")
            await reader.expect("camera", change="deleted")
        await operator.delete(f"/api/v1/gateways/{gateway.id}")
        await reader.expect("gateway", change="deleted", gateway_id=str(gateway.id), name=None)


async def _departed(world: World, gateway_id: UUID) -> Any:
    from nova_wire import until

    async def gone() -> Any:
        found = world.server.presence._departed.get(gateway_id)
        return found and (found[0].gateway, found[0].connection_id)

    return await until(gone)


async def test_an_event_and_its_clip_from_beginning_to_end(world: World, item_schema: Any) -> None:
    admin, now = world.client("admin"), world.server.clock.now()

    async def take_order(_: Any) -> dict[str, Any]:
        return {"started_at": now.isoformat()}

    async with connected(world, serve=take_order) as gateway:
        camera = await add(world, gateway)
        async with listening(world, item_schema, f"?types=event,clip&camera_id={camera}") as reader:
            answer = await admin.post(f"/api/v1/cameras/{camera}/trigger", json={"note": "A van"})
            event = answer.json()["event_id"]
            made = await reader.expect("event", change="created", event_id=event, camera_id=camera)
            assert made["data"]["event"] == (await admin.get("/api/v1/events")).json()["data"][0]
            first = await reader.expect("clip", event_id=event)
            assert (first["data"]["clip"]["status"], first["data"]["clip"]["url"]) == ("recording", None)
            clip = UUID(first["data"]["clip"]["id"])
            async with world.server.database.org(world.org) as connection:
                for status in ("uploading", "ready"):
                    more = {"store_key": "clips/x", "duration_sec": 20.5} if status == "ready" else {}
                    assert await states.change(connection, world.org, clip, status, now, **more)  # type: ignore[arg-type]
                assert not await states.change(connection, world.org, clip, "ready", now), "is told once"
                await set_snapshot(connection, world.org, UUID(event), "snapshots/x", now)
            assert (await reader.expect("clip"))["data"]["clip"]["status"] == "uploading"
            ready = await reader.expect("clip", event_id=event)
            detail = (await admin.get(f"/api/v1/events/{event}")).json()
            assert ready["data"]["clip"] == detail["clip"]
            assert ready["data"]["clip"]["url"] == f"/api/v1/events/{event}/clip"
            pictured = await reader.expect("event", change="updated", event_id=event)
            assert pictured["data"]["event"]["snapshot_url"] == detail["snapshot_url"]
            await admin.patch(f"/api/v1/events/{event}", json={"starred": True})
            assert (await reader.expect("event", change="updated"))["data"]["event"]["starred"] is True
            await admin.patch(f"/api/v1/events/{event}", json={"starred": True})
            await admin.delete(f"/api/v1/events/{event}")
            await reader.expect("event", change="deleted", event_id=event, event=None)
