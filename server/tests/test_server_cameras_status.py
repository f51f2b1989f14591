"""A camera's state follows what its gateway reports, by the rules of cameras/status.py."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from nova_gateway import ScriptedGateway, connected, pair
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def add(world: World, gateway: ScriptedGateway, name: str = "Door") -> str:
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": name, "type": "rtsp"},
        **{"rtsp_url": f"rtsp://192.0.2.10/{name}"},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def read(world: World, camera_id: str) -> dict[str, Any]:
    answer = await world.client("viewer").get(f"/api/v1/cameras/{camera_id}")
    return {**answer.json(), "etag": answer.headers["etag"]}


async def test_reports_are_what_readers_see(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        now = world.server.clock.now()
        refused = await gateway.say(
            camera,
            "offline",
            reason="frozen",
            message="No new frame for 10 s.",
            at=now,
            last_frame_at=now - timedelta(seconds=10),
        )
        assert refused is None
        seen = await read(world, camera)
        assert (seen["status"], seen["status_reason"]) == ("offline", "frozen")
        assert seen["status_message"] == "No new frame for 10 s."
        assert seen["etag"] == '"1-1"'
        assert seen["version"] == 1
        facts = {
            "codec": "h265",
            "width": 3840,
            "height": 2160,
            "fps": 12.5,
            "has_audio": False,
            "active_tier": "sub",
        }
        later = now + timedelta(milliseconds=1)
        assert await gateway.say(camera, "online", at=later, last_frame_at=later, **facts) is None
        seen = await read(world, camera)
        assert {name: seen[name] for name in facts} == facts
        assert (seen["status"], seen["status_reason"], seen["status_message"]) == ("online", None, None)
        assert await gateway.say(camera, "online", at=later, last_frame_at=later, active_tier="sub") is None
        again = await read(world, camera)
        assert again["etag"] == seen["etag"], "the same once more is no change"
        assert again["codec"] == "h265", "what a report does not say stays"


async def test_key_frames_far_apart_are_a_warning_once_they_were_measured(world: World) -> None:
    """A check ends at the first key frame: what it could not know is known some seconds later, and kept in it."""
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        before = await read(world, camera)
        assert "keyframe_interval_sec" not in before["check"]["facts"]
        others = before["check"]["warnings"]
        at = world.server.clock.now()

        async def measured(seconds: float) -> dict[str, Any]:
            assert await gateway.say(camera, "online", at=at, keyframe_interval_sec=seconds) is None
            return await read(world, camera)

        seen = await measured(10.0)
        assert seen["check"]["facts"]["keyframe_interval_sec"] == 10
        assert [w["code"] for w in seen["check"]["warnings"]] == [*(w["code"] for w in others), "long_gop"]
        assert "10 s" in seen["check"]["warnings"][-1]["message"]
        assert seen["etag"] != before["etag"]
        assert seen["check"]["stages"] == before["check"]["stages"]
        assert (await measured(10.2))["etag"] == seen["etag"], "no news"
        for nonsense in (-1.0, 0.0, 1e9):
            assert (await measured(nonsense))["etag"] == seen["etag"]
        mended = await measured(2.0)
        assert mended["check"]["facts"]["keyframe_interval_sec"] == 2
        assert mended["check"]["warnings"] == others
        await world.sql("UPDATE cameras SET last_check = NULL WHERE id = %s", camera)
        assert (await measured(9.0))["check"] is None


async def test_the_newest_of_the_gateways_times_wins(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        now = world.server.clock.now()
        assert await gateway.say(camera, "offline", reason="timeout", at=now) is None
        assert await gateway.say(camera, "online", at=now - timedelta(seconds=1)) == "stale"
        assert (await read(world, camera))["status"] == "offline"
        ahead = now + timedelta(days=30)
        assert await gateway.say(camera, "online", at=ahead) is None
        assert (await read(world, camera))["status_at"] < ahead.isoformat()
        assert await gateway.say(camera, "offline", reason="refused") is None, (
            "a clock put right is no reason to be deaf"
        )
        assert await gateway.say(camera, "online", revision=7) == "stale_revision"
        assert (await read(world, camera))["status"] == "offline"


async def test_a_gateway_speaks_for_its_own_cameras_only(world: World) -> None:
    async with connected(world) as mine, connected(world) as other:
        camera = await add(world, mine)
        assert await other.say(camera, "error", reason="auth_failed") == "unknown_camera"
        assert await other.say(uuid4(), "online") == "unknown_camera"
        assert (await read(world, camera))["status"] == "online"


async def test_a_gateway_that_goes_takes_its_cameras_along_and_brings_them_back(world: World) -> None:
    identity = await pair(world, world.site)
    async with connected(world) as bystander:
        other = await add(world, bystander, "Other")
        async with connected(world, identity=identity) as gateway:
            first, second = await add(world, gateway, "A"), await add(world, gateway, "B")
            off = await world.client("operator").patch(f"/api/v1/cameras/{second}", json={"enabled": False})
            assert off.status_code == 200
            since = world.server.clock.now()
            assert await gateway.say(first, "online", at=since) is None
        async with world.server.database.org(world.org) as connection:
            from novavms_server.cameras.status import gateway_went_offline
            from novavms_server.gateways.models import GatewayRef

            ref = GatewayRef(world.org, world.site, identity[0])
            turned = await gateway_went_offline(connection, ref, world.server.clock.now())
            assert [str(item) for item in turned] == [first]
            assert await gateway_went_offline(connection, ref, world.server.clock.now()) == []
        seen = await read(world, first)
        assert (seen["status"], seen["status_reason"]) == ("offline", "gateway_offline")
        assert (await read(world, second))["status"] == "disabled"
        assert (await read(world, other))["status"] == "online"
        listed = (await world.client("viewer").get("/api/v1/cameras?status=offline")).json()
        assert ([item["id"] for item in listed["data"]], listed["total"]) == ([first], 1)
        async with connected(world, identity=identity) as back:
            # it was online all the time, and says so with the time since when
            assert await back.say(first, "online", at=since) is None
            assert (await read(world, first))["status"] == "online"


async def test_a_camera_added_while_its_gateway_goes_is_offline(world: World) -> None:
    go = asyncio.Event()

    async def slow(check: Any) -> Any:
        from nova_gateway import works

        await go.wait()
        return await works(check)

    async with connected(world, answer=slow) as gateway:
        adding = asyncio.create_task(add(world, gateway))
        await gateway.until(lambda: len(gateway.checks) == 1)
        await world.sql("UPDATE gateways SET status = 'offline' WHERE id = %s", gateway.id)
        go.set()
        seen = await read(world, await adding)
        assert (seen["status"], seen["status_reason"]) == ("offline", "gateway_offline")


async def test_a_flapping_camera_makes_one_entry_a_minute(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        for number in range(6):
            status, reason = (("offline", "frozen"), ("online", None))[number % 2]
            assert await gateway.say(camera, status, reason=reason) is None
        entries = await world.sql(
            "SELECT status, reason, flaps FROM camera_status_log WHERE camera_id = %s", camera
        )
        assert entries == [("online", None, 6)]
        await world.sql("UPDATE camera_status_log SET at = at - interval '61 seconds'")
        assert await gateway.say(camera, "offline", reason="timeout") is None
        entries = await world.sql("SELECT status, reason, flaps FROM camera_status_log ORDER BY at")
        assert entries == [("online", None, 6), ("offline", "timeout", 0)]


async def test_messages_are_cut_and_hold_no_nul(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        assert await gateway.say(camera, "error", reason="camera_error", message="x" * 5000 + "\0") is None
        assert len((await read(world, camera))["status_message"]) == 500
        assert await gateway.say(camera, "error", reason="a\0b", message="a\0b", codec="h\0") is None
        assert (await read(world, camera))["status_message"] == "ab"


async def test_totals_stay_exact_through_all_of_it(world: World) -> None:
    async with connected(world) as gateway:
        cameras = [await add(world, gateway, f"C{number}") for number in range(6)]
        await asyncio.gather(*(gateway.say(camera, "offline", reason="timeout") for camera in cameras[:3]))
        operator = world.client("operator")
        await operator.delete(f"/api/v1/cameras/{cameras[0]}")
        await operator.patch(f"/api/v1/cameras/{cameras[5]}", json={"site_id": str(world.ungranted_site)})
        for table in ("camera_totals", "camera_totals_by_org"):
            kept = await world.sql(
                f"SELECT type, status, sum(count)::int FROM {table} GROUP BY 1, 2 HAVING sum(count) <> 0 ORDER BY 1, 2"
            )
            assert kept == [("rtsp", "offline", 2), ("rtsp", "online", 3)], table
        for query, total in (
            ("", 5),
            ("?status=offline", 2),
            (f"?site_id={world.site}", 4),
            (f"?gateway_id={gateway.id}", 5),
        ):
            assert (await operator.get(f"/api/v1/cameras{query}")).json()["total"] == total, query
