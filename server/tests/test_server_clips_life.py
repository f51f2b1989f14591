"""A clip's life over real HTTP and a real WebSocket: ordered, uploaded, verified, played; and each way it can end."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from nova_mp4 import decode
from nova_recorder import FOOTAGE, add_camera, clip_id_of, event_when, forget_trigger, recording, sha256
from nova_world import World

from novavms_protocol import ClipFailed, ClipState

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


@pytest.mark.slow
async def test_a_clip_is_ordered_uploaded_verified_and_played(world: World) -> None:
    data = FOOTAGE.read_bytes()
    async with recording(world) as gateway:
        made = await gateway.trigger(duration_sec=15, note="a van")
        assert set(made) == {"event_id", "started_at", "expected_clip_duration_sec"}
        assert made["expected_clip_duration_sec"] == 15
        assert made["started_at"].endswith("Z")
        (order,) = gateway.orders
        assert (order.camera_id, order.duration_sec, order.pre_roll_sec) == (gateway.camera_id, 15, 5)
        assert str(order.event_id) == made["event_id"]

        event = await event_when(world, made["event_id"], lambda _: True)
        assert (event["clip"]["status"], event["clip"]["url"]) == ("recording", None)
        assert (event["note"], event["trigger_type"], event["snapshot_url"]) == ("a van", "manual", None)
        early = await world.client("viewer").get(f"/api/v1/events/{made['event_id']}/clip")
        assert (early.status_code, early.json()["error"]) == (409, "conflict")

        assert await gateway.report(ClipState(clip_id=order.clip_id, status="uploading")) is None
        event = await event_when(world, made["event_id"], lambda _: True)
        assert event["clip"]["status"] == "uploading"
        await gateway.upload(order.clip_id, data, part_bytes=200_000)
        event = await event_when(world, made["event_id"], lambda _: True)
        assert event["clip"]["status"] == "uploading", (
            "not ready before the gateway says so and it is verified"
        )
        assert await gateway.report(gateway.ready(order.clip_id, data, has_audio=True)) is None

    event = await event_when(world, made["event_id"], lambda each: each["clip"]["status"] == "ready")
    clip = event["clip"]
    assert (clip["sha256"], clip["size_bytes"]) == (sha256(data), len(data))
    assert (clip["codec"], clip["width"], clip["has_audio"], clip["duration_sec"]) == (
        "h264",
        768,
        True,
        20.0,
    )

    viewer = world.client("viewer")
    redirect = await viewer.get(clip["url"])
    assert redirect.status_code == 302
    played = await world.client(None).get(redirect.headers["location"])
    assert (played.status_code, played.headers["content-type"]) == (200, "video/mp4")
    assert played.content == data
    seen = decode(played.content)
    assert seen.first_is_key
    assert seen.video_frames > 10

    event = await event_when(world, made["event_id"], lambda each: each["snapshot_url"])
    picture = await viewer.get(event["snapshot_url"], follow_redirects=True)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert picture.content.startswith(b"\xff\xd8\xff")
    assert await _files(world, "uploads") == [], "the parts are gone"


async def test_an_interrupted_upload_goes_on_where_it_stopped(world: World) -> None:
    data = FOOTAGE.read_bytes()
    async with recording(world) as gateway:
        clip_id = (await _ordered(gateway)).clip_id
        first = (await gateway.ticket(clip_id, data, part_bytes=100_000)).json()
        assert sum(part["size_bytes"] for part in first["parts"]) == len(data)
        assert await gateway.send_parts(first, data, only={1, 3}) == [204, 204]
        again = (await gateway.ticket(clip_id, data)).json()
        assert again["part_bytes"] == 100_000
        assert [part["number"] for part in again["parts"] if part["done"]] == [1, 3]
        # another file: nothing of the first counts
        other = data[:-1] + b"x"
        fresh = (await gateway.ticket(clip_id, other, part_bytes=100_000)).json()
        assert not any(part["done"] for part in fresh["parts"])
        await gateway.upload(clip_id, data, part_bytes=100_000)
        await gateway.report(gateway.ready(clip_id, data))
        event = await _final(world, clip_id)
        assert event["clip"]["status"] == "ready"


async def test_what_arrived_is_hashed_not_believed(world: World) -> None:
    data = b"\0" * 300_000
    for case in ("other bytes", "other hash", "missing part", "never uploaded"):
        async with recording(world) as gateway:
            clip_id = (await _ordered(gateway)).clip_id
            ready = gateway.ready(clip_id, data)
            if case == "other bytes":
                ticket = (await gateway.ticket(clip_id, data)).json()
                assert await gateway.send_parts(ticket, b"\1" * len(data)) == [204]
            elif case == "other hash":
                await gateway.upload(clip_id, data)
                ready = gateway.ready(clip_id, data, sha256="0" * 64)
            elif case == "missing part":
                ticket = (await gateway.ticket(clip_id, data, part_bytes=100_000)).json()
                await gateway.send_parts(ticket, data, only={1, 2})
            assert await gateway.report(ready) is None
            clip = (await _final(world, clip_id))["clip"]
            assert (clip["status"], clip["failure_reason"], clip["url"]) == (
                "failed",
                "corrupt_upload",
                None,
            ), case
            event_id = (await world.sql("SELECT event_id FROM clips WHERE id = %s", clip_id))[0][0]
            answer = await world.client("admin").get(f"/api/v1/events/{event_id}/clip")
            assert (answer.status_code, answer.json()["reason"]) == (404, "corrupt_upload")
    assert await _files(world, "clips") == []


async def test_a_clip_that_broke_off_is_failed_and_yet_played(world: World) -> None:
    data = b"as far as it went" * 1000
    async with recording(world) as gateway:
        clip_id = (await _ordered(gateway)).clip_id
        await gateway.upload(clip_id, data)
        await gateway.report(gateway.ready(clip_id, data, failure_reason="camera_offline", duration_sec=3.5))
        clip = (await _final(world, clip_id))["clip"]
        assert (clip["status"], clip["failure_reason"]) == ("failed", "camera_offline")
        answer = await world.client("admin").get(clip["url"], follow_redirects=True)
        assert answer.content == data


async def test_reports_that_come_twice_late_or_from_others_change_nothing(world: World) -> None:
    data = b"clip" * 5000
    async with recording(world) as gateway, recording(world) as stranger:
        clip_id = (await _ordered(gateway)).clip_id
        assert await stranger.report(ClipFailed(clip_id=clip_id, reason="internal")) == "unknown_clip"
        assert await stranger.report(ClipState(clip_id=clip_id, status="uploading")) == "unknown_clip"
        assert await stranger.report(stranger.ready(clip_id, data)) == "unknown_clip"
        assert (await stranger.ticket(clip_id, data)).status_code == 404
        assert (await gateway.ticket(uuid4(), data)).status_code == 404
        assert await gateway.report(gateway.ready(uuid4(), data)) == "unknown_clip"
        event = await event_when(world, str(gateway.orders[0].event_id), lambda _: True)
        assert event["clip"]["status"] == "recording"

        await gateway.upload(clip_id, data)
        ready = gateway.ready(clip_id, data)
        await asyncio.gather(*(gateway.report(ready) for _ in range(3)))
        event = await _final(world, clip_id)
        assert event["clip"]["status"] == "ready"
        assert await gateway.report(ready) is None
        assert await gateway.report(ClipFailed(clip_id=clip_id, reason="internal")) is None
        assert await gateway.report(ClipState(clip_id=clip_id, status="uploading")) is None
        later = await event_when(world, str(gateway.orders[0].event_id), lambda _: True)
        assert later["clip"]["status"] == "ready"
        again = (await gateway.ticket(clip_id, data)).json()
        assert all(part["done"] for part in again["parts"]), "a gateway that forgot it was done is told so"


async def test_uploads_are_by_the_gateways_own_token_only(world: World) -> None:
    async with recording(world) as gateway, recording(world) as stranger:
        clip_id = (await _ordered(gateway)).clip_id
        client = world.client(None)
        url = f"/api/v1/gateways/{gateway.id}/clips/{clip_id}/upload"
        body = {"size_bytes": 1, "sha256": "0" * 64}
        assert (await client.post(url, json=body)).json()["error"] == "auth_required"
        for token in (world.keys["admin"], stranger.token, "gw_wrong"):
            answer = await gateway.ticket(clip_id, b"x", token=token)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        for bad in ({"size_bytes": 0}, {"size_bytes": 17 * 2**30}, {"sha256": "zz"}, {"part_bytes": 1}):
            assert (await gateway.ticket(clip_id, b"x", **bad)).status_code == 400, bad


async def test_an_order_that_is_not_taken_fails_the_clip_with_its_reason(world: World) -> None:
    async with recording(world) as gateway:
        gateway.refuse = "not_online"
        made = await gateway.trigger()
        event = await event_when(world, made["event_id"], lambda _: True)
        assert (event["clip"]["status"], event["clip"]["failure_reason"]) == ("failed", "not_online")
        gateway_id, camera_id, token = gateway.id, gateway.camera_id, gateway.token
    await forget_trigger(world, camera_id)
    await world.sql("UPDATE cameras SET status = 'online' WHERE id = %s", camera_id)
    answer = await world.client("operator").post(f"/api/v1/cameras/{camera_id}/trigger", json={})
    assert answer.status_code == 202, answer.text
    event_id = answer.json()["event_id"]
    event = await event_when(world, event_id, lambda each: each["clip"]["status"] == "failed")
    assert event["clip"]["failure_reason"] == "gateway_offline"

    # It was a guess: should the gateway have heard the order all the same, the clip is not lost.
    clip_id, data = await clip_id_of(world, event_id), b"there it is" * 999
    async with recording(world, identity=(gateway_id, token), camera_id=camera_id, clips=[clip_id]) as back:
        await back.upload(clip_id, data)
        await back.report(back.ready(clip_id, data))
        event = await event_when(world, event_id, lambda each: each["clip"]["status"] == "ready")
        assert event["clip"]["failure_reason"] is None


async def test_a_gateway_that_comes_back_without_a_clip_has_lost_it(world: World) -> None:
    async with recording(world) as gateway:
        lost = (await _ordered(gateway)).clip_id
        await forget_trigger(world, gateway.camera_id)
        kept = (await _ordered(gateway)).clip_id
        await forget_trigger(world, gateway.camera_id)
        young = (await _ordered(gateway)).clip_id
        identity, camera_id = (gateway.id, gateway.token), gateway.camera_id
    await world.sql("UPDATE clips SET ordered_at = ordered_at - interval '1 minute' WHERE id <> %s", young)
    async with recording(world, identity=identity, camera_id=camera_id, clips=[kept]):
        rows = await world.sql("SELECT id, status, failure_reason FROM clips")
    assert {row[0]: (row[1], row[2]) for row in rows} == {
        lost: ("failed", "lost_by_gateway"),
        kept: ("recording", None),
        young: ("recording", None),  # its order may have crossed with the hello
    }


async def test_a_guess_does_not_undo_what_the_gateway_reported(world: World) -> None:
    """Found by the simulation: the order's reply was lost with its socket, and the clip came before that was noticed."""
    data = b"here already" * 1000
    root = world.server.settings.data_dir / "clips"
    async with recording(world) as gateway:
        gateway.silent = True
        made = await gateway.trigger()
        (order,) = gateway.orders
        await gateway.upload(order.clip_id, data)
        root.rename(root.with_name("away"))  # so that it is not verified at once
        root.write_text("no folder")
        await gateway.report(gateway.ready(order.clip_id, data))
    await asyncio.sleep(0.2)  # the order has failed with its socket
    root.unlink()
    root.with_name("away").rename(root)
    await world.sql("UPDATE clips SET lease_until = NULL")
    event = await event_when(world, made["event_id"], lambda each: each["clip"]["status"] == "ready")
    assert event["clip"]["failure_reason"] is None


async def test_nothing_records_for_ever(world: World) -> None:
    async with recording(world) as gateway:
        silent, waits, never = [(await _ordered(gateway, again=True)).clip_id for _ in range(3)]
        identity, camera_id = (gateway.id, gateway.token), gateway.camera_id
        await world.sql("UPDATE clips SET deadline_at = now() WHERE id = %s", silent)
        await world.sql("UPDATE clips SET deadline_at = now(), accepted_at = NULL WHERE id = %s", never)
        for clip_id, reason in ((silent, "gateway_silent"), (never, "gateway_timeout")):
            clip = (await _final(world, clip_id))["clip"]
            assert (clip["status"], clip["failure_reason"]) == ("failed", reason)
    await world.sql("UPDATE gateways SET status = 'offline' WHERE id = %s", identity[0])
    await world.sql("UPDATE clips SET deadline_at = now() WHERE id = %s", waits)
    await _status(world, waits, "uploading")  # the recording is over; it waits on the gateway for the uplink
    data = b"later" * 1000
    async with recording(world, identity=identity, camera_id=camera_id, clips=[waits]) as back:
        await back.upload(waits, data)
        await back.report(back.ready(waits, data))
        assert (await _final(world, waits))["clip"]["status"] == "ready"


async def test_the_store_away_is_a_503_and_then_all_goes_on(world: World) -> None:
    data = b"patience" * 10_000
    root = world.server.settings.data_dir / "clips"
    async with recording(world) as gateway:
        order = await _ordered(gateway)
        ticket = (await gateway.ticket(order.clip_id, data)).json()
        root.rename(root.with_name("away")) if root.exists() else None
        root.write_text("no folder")
        assert (await gateway.ticket(order.clip_id, data)).status_code == 503
        assert await gateway.send_parts(ticket, data) == [503]
        root.unlink()
        if root.with_name("away").exists():
            root.with_name("away").rename(root)
        await gateway.upload(order.clip_id, data)

        root.rename(root.with_name("away"))
        root.write_text("no folder")
        await gateway.report(gateway.ready(order.clip_id, data))
        await _rows(world, "SELECT 1 FROM clips WHERE id = %s AND lease_until > now()", order.clip_id)
        event = await event_when(world, str(order.event_id), lambda _: True)
        assert event["clip"]["status"] == "uploading", (
            "neither ready nor failed: it is there, and not verified"
        )
        root.unlink()
        root.with_name("away").rename(root)
        await world.sql(
            "UPDATE clips SET lease_until = NULL"
        )  # as if the pause before the next try were over
        assert (await _final(world, order.clip_id))["clip"]["status"] == "ready"


async def test_deleting_an_event_removes_its_bytes(world: World) -> None:
    data = b"gone soon" * 1000
    async with recording(world) as gateway:
        order = await _ordered(gateway)
        await gateway.upload(order.clip_id, data)
        await gateway.report(gateway.ready(order.clip_id, data))
        event = await _final(world, order.clip_id)
        assert len(await _files(world, "clips")) == 1
        link = (await world.client("admin").get(event["clip"]["url"])).headers["location"]
        assert (await world.client("admin").delete(f"/api/v1/events/{order.event_id}")).status_code == 204
        assert (await world.client("admin").get(event["clip"]["url"])).status_code == 404
        await _rows(world, "SELECT 1 FROM clips WHERE id = %s AND purged_at IS NOT NULL", order.clip_id)
        assert await _files(world, "clips") == []
        assert (await world.client(None).get(link)).status_code == 404

        making = await _ordered(gateway, again=True)
        await gateway.upload(making.clip_id, data)
        assert (await world.client("admin").delete(f"/api/v1/events/{making.event_id}")).status_code == 204
        await gateway.until_told(lambda: making.clip_id in gateway.forgotten)
        assert (await gateway.ticket(making.clip_id, data)).status_code == 404
        assert await gateway.report(gateway.ready(making.clip_id, data)) is None
        await _rows(world, "SELECT 1 FROM clips WHERE id = %s AND purged_at IS NOT NULL", making.clip_id)
        assert await _files(world, "uploads") == await _files(world, "clips") == []


async def test_a_direct_camera_without_a_recorder_says_so(world: World) -> None:
    world.server.clips.orders.direct = None
    camera_id = await add_camera(world, None)
    answer = await world.client("operator").post(f"/api/v1/cameras/{camera_id}/trigger", json={})
    event = await event_when(
        world, answer.json()["event_id"], lambda each: each["clip"]["status"] == "failed"
    )
    assert event["clip"]["failure_reason"] == "unsupported"


async def _ordered(gateway, *, again: bool = False):  # type: ignore[no-untyped-def]
    if again:
        await forget_trigger(gateway.world, gateway.camera_id)
    await gateway.trigger()
    return gateway.orders[-1]


async def _final(world: World, clip_id: UUID) -> dict:  # type: ignore[type-arg]
    event_id = (await world.sql("SELECT event_id FROM clips WHERE id = %s", clip_id))[0][0]
    return await event_when(world, str(event_id), lambda each: each["clip"]["status"] in ("ready", "failed"))


async def _status(world: World, clip_id: UUID, status: str) -> None:
    await _rows(world, "SELECT 1 FROM clips WHERE id = %s AND status = %s", clip_id, status)


async def _rows(world: World, statement: str, *params: object) -> None:
    """Waits until the query finds something."""
    async with asyncio.timeout(10):
        while not await world.sql(statement, *params):
            await asyncio.sleep(0.02)


async def _files(world: World, below: str) -> list[str]:
    folder = world.server.settings.data_dir / "clips" / below
    return [path.name for path in folder.rglob("*") if path.is_file()]
