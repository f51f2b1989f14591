"""Shared links: made, opened by strangers, revoked, run out; and what they do not tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from nova_recorder import FOOTAGE, event_when, recording
from nova_world import World

from novavms_server.kit.ids import new_id

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def make_event(world: World, *, deleted: bool = False) -> UUID:
    """On the granted site, of a camera of its own; without a clip."""
    camera_id, event_id = new_id(), new_id()
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, 'direct', '<b>Dock</b>', 'rtsp', '192.0.2.1', 554, 'offline')",
        world.org,
        camera_id,
        world.site,
    )
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at, note, deleted_at)"
        " VALUES (%s, %s, %s, %s, 'manual', now(), 'for our eyes', %s)",
        world.org,
        event_id,
        camera_id,
        world.site,
        datetime.now(UTC) if deleted else None,
    )
    return event_id


async def share(world: World, event_id: UUID | str, **body: Any) -> dict[str, Any]:
    answer = await world.client("operator").post(f"/api/v1/events/{event_id}/share", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_stranger_with_the_link_sees_the_event_and_nothing_more(world: World) -> None:
    event_id = await make_event(world)
    made = await share(world, event_id, expires_in="1h")
    stranger = world.client(None)
    shown = await stranger.get(made["url"])
    assert shown.status_code == 200, shown.text
    assert set(shown.json()) == {
        "camera_name",
        "triggered_at",
        "summary",
        "expires_at",
        "snapshot_url",
        "clip",
    }
    for secret in ("for our eyes", str(world.org), str(world.site), str(event_id)):
        assert secret not in shown.text
    page = await stranger.get(made["url"], headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "&lt;b&gt;Dock&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    for answer in (shown, page):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    listed = (await world.client("operator").get(f"/api/v1/events/{event_id}/shares")).json()
    assert (listed["total"], listed["data"][0]["view_count"]) == (1, 2)
    assert made["url"].rsplit("/", 1)[1] not in str(listed)


async def test_a_revoked_link_leads_nowhere_at_once(world: World) -> None:
    event_id = await make_event(world)
    made, other = await share(world, event_id), await share(world, event_id)
    operator, stranger = world.client("operator"), world.client(None)
    for _ in range(2):
        gone = await operator.delete(f"/api/v1/events/{event_id}/shares/{made['id']}")
        assert gone.status_code == 204
    for tail in ("", "/clip", "/snapshot"):
        answer = await stranger.get(made["url"] + tail)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    page = await stranger.get(made["url"], headers={"Accept": "text/html"})
    assert (page.status_code, "not valid" in page.text) == (404, True)
    assert (await stranger.get(other["url"])).status_code == 200
    actions = await world.sql(
        "SELECT action FROM audit_log WHERE org_id = %s AND target_type = 'event_share' ORDER BY at, id",
        world.org,
    )
    assert [row[0] for row in actions] == ["event.shared", "event.shared", "event.share_revoked"]


async def test_a_link_ends_with_its_time_or_with_its_event(world: World) -> None:
    event_id = await make_event(world)
    late, gone = await share(world, event_id), await share(world, event_id)
    past = datetime.now(UTC) - timedelta(seconds=1)
    await world.sql("UPDATE event_shares SET expires_at = %s WHERE id = %s", past, UUID(late["id"]))
    assert (await world.client(None).get(late["url"])).status_code == 404
    assert (await world.client("admin").delete(f"/api/v1/events/{event_id}")).status_code == 204
    assert (await world.client(None).get(gone["url"])).status_code == 404
    assert (await world.client(None).get("/api/v1/shared/" + "x" * 43)).status_code == 404


async def test_a_link_still_opens_after_the_org_changed_its_people(world: World) -> None:
    made = await share(world, await make_event(world))
    await world.sql("UPDATE orgs SET auth_epoch = auth_epoch + 1 WHERE id = %s", world.org)
    assert (await world.client(None).get(made["url"])).status_code == 200


async def test_who_may_share_and_for_how_long(world: World) -> None:
    event_id = await make_event(world)
    path = f"/api/v1/events/{event_id}/share"
    assert (await world.client("viewer").post(path, json={})).status_code == 403
    wrong = await world.client("operator").post(path, json={"expires_in": "2h"})
    assert (wrong.status_code, wrong.json()["details"][0]["field"]) == (400, "expires_in")
    made = await share(world, event_id, expires_in="30d")
    span = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert span == timedelta(days=30)
    deleted = await make_event(world, deleted=True)
    assert (
        await world.client("operator").post(f"/api/v1/events/{deleted}/share", json={})
    ).status_code == 404


async def test_the_clip_plays_by_the_link(world: World) -> None:
    data = FOOTAGE.read_bytes()
    async with recording(world) as gateway:
        event_id = (await gateway.trigger(duration_sec=15))["event_id"]
        made = await share(world, event_id)
        stranger = world.client(None)
        early = await stranger.get(made["url"] + "/clip")
        assert early.status_code == 409
        assert (await stranger.get(made["url"])).json()["clip"] == {
            "status": "recording",
            "url": None,
            "duration_sec": None,
            "width": None,
            "height": None,
        }
        (order,) = gateway.orders
        await gateway.upload(order.clip_id, data)
        assert await gateway.report(gateway.ready(order.clip_id, data)) is None
    await event_when(world, event_id, lambda each: each["snapshot_url"])
    shown = (await stranger.get(made["url"])).json()
    assert (shown["clip"]["status"], shown["clip"]["url"]) == ("ready", made["url"] + "/clip")
    played = await stranger.get(shown["clip"]["url"], follow_redirects=True)
    assert played.content == data
    picture = await stranger.get(shown["snapshot_url"], follow_redirects=True)
    assert picture.content.startswith(b"\xff\xd8\xff")
