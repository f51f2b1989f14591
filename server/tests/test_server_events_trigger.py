"""POST /cameras/{id}/trigger"""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from nova_recorder import add_camera, forget_trigger, recording
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_who_may_trigger(world: World) -> None:
    camera_id = await add_camera(world, None)
    url = f"/api/v1/cameras/{camera_id}/trigger"
    assert (await world.client(None).post(url, json={})).json()["error"] == "auth_required"
    assert (await world.client("viewer").post(url, json={})).status_code == 403
    assert (await world.client("operator", other=True).post(url, json={})).status_code == 404
    assert (
        await world.client("operator").post(f"/api/v1/cameras/{uuid4()}/trigger", json={})
    ).status_code == 404
    await world.sql("UPDATE cameras SET deleted_at = now() WHERE id = %s", camera_id)
    assert (await world.client("operator").post(url, json={})).status_code == 404
    assert await world.sql("SELECT 1 FROM events") == []


@pytest.mark.parametrize("status", ["pending", "offline", "error", "disabled"])
async def test_a_camera_that_is_not_online_records_nothing(world: World, status: str) -> None:
    camera_id = await add_camera(world, None, status=status)
    answer = await world.client("operator").post(f"/api/v1/cameras/{camera_id}/trigger", json={})
    assert (answer.status_code, answer.json()["error"]) == (400, "ai_unavailable")
    assert await world.sql("SELECT 1 FROM events") == []
    assert await world.sql("SELECT last_triggered_at FROM cameras") == [(None,)]


async def test_what_may_be_asked(world: World) -> None:
    camera_id = await add_camera(world, None)
    operator, url = world.client("operator"), f"/api/v1/cameras/{camera_id}/trigger"
    for bad in (
        {"duration_sec": 4},
        {"duration_sec": 61},
        {"duration_sec": 15.5},
        {"duration_sec": "15"},
        {"note": "x" * 501},
        {"note": "a\u0000b"},
        {"colour": "red"},
    ):
        answer = await operator.post(url, json=bad)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error"), bad
        assert answer.json()["details"][0]["field"] == next(iter(bad))
    for good, duration in (({}, 15), ({"duration_sec": 5}, 5), ({"duration_sec": 60, "note": "ü" * 500}, 60)):
        await forget_trigger(world, camera_id)
        answer = await operator.post(url, json=good)
        assert answer.status_code == 202, answer.text
        assert answer.json()["expected_clip_duration_sec"] == duration
    await forget_trigger(world, camera_id)
    answer = await operator.post(url)
    assert answer.status_code == 202, ("all of the body may be left out", answer.text)


async def test_one_trigger_in_five_seconds_whoever_asks(world: World) -> None:
    async with recording(world) as gateway:
        url = f"/api/v1/cameras/{gateway.camera_id}/trigger"
        clients = [world.client(role) for role in ("operator", "admin") * 4]
        answers = await asyncio.gather(*(client.post(url, json={}) for client in clients))
        assert sorted(answer.status_code for answer in answers) == [202] + [429] * 7
        for answer in answers:
            if answer.status_code == 429:
                assert (answer.json()["error"], answer.headers["retry-after"]) == ("rate_limited", "5")
        assert len(gateway.orders) == 1
        assert await world.sql("SELECT count(*) FROM events") == [(1,)]

        await _triggered_before(world, gateway.camera_id, 2)
        assert (await clients[0].post(url, json={})).status_code == 429
        await _triggered_before(world, gateway.camera_id, 6)
        assert (await clients[0].post(url, json={})).status_code == 202
        clips = await world.sql("SELECT c.status, count(DISTINCT c.event_id) FROM clips c GROUP BY 1")
        assert clips == [("recording", 2)], "within the first one's time, and an event of its own"
        assert len({order.event_id for order in gateway.orders}) == 2


async def _triggered_before(world: World, camera_id: UUID, seconds: int) -> None:
    await world.sql(
        "UPDATE cameras SET last_triggered_at = now() - make_interval(secs => %s) WHERE id = %s",
        seconds,
        camera_id,
    )


async def test_a_repeat_under_one_key_is_one_clip(world: World) -> None:
    async with recording(world) as gateway:
        operator = world.client("operator")
        url, headers = f"/api/v1/cameras/{gateway.camera_id}/trigger", {"Idempotency-Key": "k"}
        first = await operator.post(url, json={}, headers=headers)
        second = await operator.post(url, json={}, headers=headers)
        assert (first.status_code, second.status_code) == (202, 202)
        assert second.headers["idempotency-replayed"] == "true"
        assert first.json() == second.json()
        assert len(gateway.orders) == 1


async def test_the_rows_are_there_before_the_gateway_hears_of_it(world: World) -> None:
    """And the answer does not wait for a gateway that says nothing."""
    async with recording(world) as gateway:
        gateway.silent = True
        made = await gateway.trigger(note="on the record")
        (row,) = await world.sql(
            "SELECT e.note, e.triggered_by, c.status FROM events e JOIN clips c ON c.event_id = e.id"
        )
        assert row[0] == "on the record"
        assert row[1].startswith("key:")
        assert row[2] == "recording"
        assert [str(order.event_id) for order in gateway.orders] == [made["event_id"]]
        (audit,) = await world.sql("SELECT actor, after FROM audit_log WHERE action = 'event.triggered'")
        assert audit[0] == row[1]
        assert audit[1]["duration_sec"] == 15
