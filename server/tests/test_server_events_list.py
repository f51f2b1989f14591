"""/events: lists, filters, pages, days in the site's zone; one event, changed and deleted; who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_recorder import add_camera
from nova_world import World

from novavms_server.events.when import read_span
from novavms_server.kit.errors import ValidationError
from novavms_server.kit.ids import new_id

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def add_event(world: World, camera_id: UUID, at: datetime = NOON, **columns: Any) -> str:
    event_id = new_id()
    values = {
        **{"org_id": world.org, "id": event_id, "camera_id": camera_id, "site_id": world.site},
        **{"trigger_type": "manual", "triggered_at": at, **columns},
    }
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    await world.sql(f"INSERT INTO events ({names}) VALUES ({marks})", *values.values())
    return str(event_id)


async def ids(world: World, role: str = "admin", **params: Any) -> list[str]:
    answer = await world.client(role).get("/api/v1/events", params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["total"] == len(page["data"])
    return [event["id"] for event in page["data"]]


async def test_who_may_see_what(world: World) -> None:
    here = await add_event(world, await add_camera(world, None))
    elsewhere = await add_event(
        world, await add_camera(world, None, site_id=world.ungranted_site), site_id=world.ungranted_site
    )
    urls = [f"/api/v1/events/{{}}{tail}" for tail in ("", "/clip", "/snapshot")]
    assert (await world.client(None).get("/api/v1/events")).json()["error"] == "auth_required"
    for url in urls:
        assert (await world.client(None).get(url.format(here))).status_code == 401
        assert (await world.client("viewer").get(url.format(elsewhere))).status_code == 403
        assert (await world.client("admin", other=True).get(url.format(here))).status_code == 404
        assert (await world.client("admin").get(url.format(uuid4()))).status_code == 404
    assert await ids(world, "viewer") == [here]
    assert sorted(await ids(world, "operator")) == sorted([here, elsewhere])
    assert (await world.client("admin", other=True).get("/api/v1/events")).json()["total"] == 0
    assert (await world.client("viewer").get(f"/api/v1/events/{here}")).json()["next_id"] is None

    for role, other, code in (("viewer", False, 403), ("admin", True, 404), ("operator", False, 200)):
        answer = await world.client(role, other=other).patch(f"/api/v1/events/{here}", json={"starred": True})
        assert answer.status_code == code, role
    for role, other, code in (("operator", False, 403), ("admin", True, 404), ("admin", False, 204)):
        assert (await world.client(role, other=other).delete(f"/api/v1/events/{here}")).status_code == code


async def test_filters(world: World) -> None:
    gate = await add_camera(world, None, name="Gate 100%")
    yard = await add_camera(world, None, name="Yard")
    plain = await add_event(world, gate)
    motion = await add_event(world, yard, trigger_type="motion", ai_status="pending", tags=["person", "van"])
    noted = await add_event(world, yard, note="The RED van", acknowledged=True)
    told = await add_event(world, yard, summary="A red_car leaves", starred=True)
    await add_event(world, yard, note="red", deleted_at=NOON)
    for asked, expected in (
        ({}, [told, noted, motion, plain]),
        ({"camera_id": str(gate)}, [plain]),
        ({"site_id": str(world.site)}, [told, noted, motion, plain]),
        ({"site_id": str(world.ungranted_site)}, []),
        ({"trigger_type": "motion"}, [motion]),
        ({"ai_status": "pending"}, [motion]),
        ({"starred": "true"}, [told]),
        ({"starred": "false", "acknowledged": "false"}, [motion, plain]),
        ({"acknowledged": "true"}, [noted]),
        ({"tag": "van"}, [motion]),
        ({"tag": "va"}, []),
        ({"q": "red"}, [told, noted]),
        ({"q": "red_"}, [told]),
        ({"q": "100%"}, [plain]),
        ({"q": "%"}, [plain]),
        ({"q": ""}, [told, noted, motion, plain]),
        ({"q": "yard", "starred": "true"}, [told]),
    ):
        assert await ids(world, **asked) == expected, asked  # type: ignore[arg-type]


async def test_bad_filters_are_named(world: World) -> None:
    for params in (
        {"camera_id": "x"},
        {"trigger_type": "alarm"},
        {"ai_status": ""},
        {"starred": "maybe"},
        {"date_from": "yesterday"},
        {"date_from": "2026-02-30"},
        {"date_to": "2026-01-01T00:00:00"},
        {"date_to": "0001-01-01"},
        {"date_to": "9999-12-31"},
        {"q": "x" * 201},
        {"tag": "x" * 101},
        {"limit": "101"},
        {"colour": "red"},
    ):
        answer = await world.client("viewer").get("/api/v1/events", params=params)
        assert answer.status_code == 400, params
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error"), params
        assert answer.json()["details"][0]["field"] == next(iter(params))
    back = await world.client("viewer").get(
        "/api/v1/events", params={"date_from": "2026-02-02", "date_to": "2026-02-01"}
    )
    assert back.json()["details"][0]["field"] == "date_to"


async def test_pages_hold_still_while_events_come_and_go(world: World) -> None:
    camera_id = await add_camera(world, None)
    made = [await add_event(world, camera_id, NOON + timedelta(minutes=number // 3)) for number in range(20)]
    admin, seen, cursor = world.client("admin"), [], None
    for turn in range(20):
        page = (
            await admin.get("/api/v1/events", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [event["id"] for event in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await add_event(world, camera_id, NOON + timedelta(hours=1 + turn))  # newer: not on a later page
        # the cursor's own row goes, or another one
        await world.sql("UPDATE events SET deleted_at = now() WHERE id = %s", UUID(seen[-1 - turn % 2]))
    assert len(seen) == len(set(seen))
    assert set(seen) == set(made)
    other = await admin.get(
        "/api/v1/events", params={"cursor": page_cursor(await first_page(world)), "q": "x"}
    )
    assert (other.status_code, other.json()["details"][0]["field"]) == (400, "cursor")


async def first_page(world: World) -> dict[str, Any]:
    page: dict[str, Any] = (await world.client("admin").get("/api/v1/events", params={"limit": 1})).json()
    return page


def page_cursor(page: dict[str, Any]) -> str:
    assert page["next_cursor"] is not None
    return str(page["next_cursor"])


async def test_events_are_in_the_order_in_which_they_happened(world: World) -> None:
    camera_id = await add_camera(world, None)
    late = await add_event(world, camera_id, NOON)
    early = await add_event(
        world, camera_id, NOON - timedelta(days=1)
    )  # told later, by a gateway that was cut off
    assert await ids(world) == [late, early]
    event = (await world.client("admin").get(f"/api/v1/events/{early}")).json()
    assert (event["prev_id"], event["next_id"]) == (late, None)
    event = (await world.client("admin").get(f"/api/v1/events/{late}")).json()
    assert (event["prev_id"], event["next_id"]) == (None, early)


async def test_a_day_is_the_sites_own_day_whatever_its_length(world: World) -> None:
    await world.sql("UPDATE sites SET timezone = 'Europe/Berlin' WHERE id = %s", world.site)
    await world.sql("UPDATE sites SET timezone = 'America/New_York' WHERE id = %s", world.ungranted_site)
    berlin = await add_camera(world, None)
    new_york = await add_camera(world, None, site_id=world.ungranted_site)

    async def at(camera_id: UUID, text: str) -> str:
        site = world.site if camera_id == berlin else world.ungranted_site
        return await add_event(world, camera_id, datetime.fromisoformat(text), site_id=site)

    # 29 March 2026 has 23 hours in Berlin, 25 October has 25
    before = await at(berlin, "2026-03-28T22:59:59Z")
    first = await at(berlin, "2026-03-28T23:00:00Z")
    last = await at(berlin, "2026-03-29T21:59:59Z")
    after = await at(berlin, "2026-03-29T22:00:00Z")
    day = {"date_from": "2026-03-29", "date_to": "2026-03-29"}
    assert await ids(world, **day) == [last, first]
    assert await ids(world, site_id=str(world.site), **day) == [last, first]
    assert await ids(world, "viewer", **day) == [last, first]
    assert await ids(world, date_to="2026-03-28") == [before]
    assert await ids(world, date_from="2026-03-30") == [after]

    autumn_first = await at(berlin, "2026-10-24T22:00:00Z")
    autumn_last = await at(berlin, "2026-10-25T22:59:59Z")
    await at(berlin, "2026-10-25T23:00:00Z")
    # each site by its own clock, in one list
    there = await at(new_york, "2026-10-26T03:59:59Z")
    not_there = await at(new_york, "2026-10-25T03:59:59Z")
    day = {"date_from": "2026-10-25", "date_to": "2026-10-25"}
    assert await ids(world, **day) == [there, autumn_last, autumn_first]
    assert await ids(world, site_id=str(world.ungranted_site), date_to="2026-10-24") == [not_there]

    # points in time are points: from is within, to is not; a blank where a + was is understood
    assert await ids(world, date_from="2026-03-28T23:00:00Z", date_to="2026-03-29T21:59:59Z") == [first]
    assert await ids(world, date_from="2026-03-29T00:00:00 01:00", date_to="2026-03-29") == [last, first]


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("UTC", "2026-01-31", "2026-01-31T00:00:00", "2026-02-01T00:00:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00", "2018-11-05T02:00:00"),  # no midnight
        ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00", "2026-10-26T01:00:00"),  # two midnights
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00", "2026-04-05T13:30:00"),  # half an hour
    ],
)
def test_days_where_midnight_is_odd(zone: str, day: str, start: str, end: str) -> None:
    low, high = read_span(day, day).in_zone(zone)
    assert (low.isoformat(), high.isoformat()) == (start + "+00:00", end + "+00:00")


def test_both_bad_dates_are_named() -> None:
    with pytest.raises(ValidationError) as raised:
        read_span("x", "y")
    assert [item["field"] for item in raised.value.extra["details"]] == ["date_from", "date_to"]


async def test_an_event_is_read_changed_and_deleted(world: World) -> None:
    camera_id = await add_camera(world, None)
    event_id = await add_event(world, camera_id)
    admin, url = world.client("admin"), f"/api/v1/events/{event_id}"
    read = await admin.get(url)
    tag = read.headers["etag"]
    assert read.json()["clip"] is None
    assert (await admin.get(url, headers={"If-None-Match": tag})).status_code == 304
    changed = await admin.patch(url, json={"acknowledged": True, "note": "seen"}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["acknowledged"], changed.json()["note"]) == (True, "seen")
    assert changed.json()["acknowledged_at"].endswith("Z")
    assert changed.json() == (await admin.get(url)).json()
    stale = await admin.patch(url, json={"note": None}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["error"]) == (409, "conflict")
    assert (await admin.delete(url, headers={"If-Match": tag})).status_code == 409
    back = await admin.patch(url, json={"acknowledged": False, "note": None})
    assert (back.json()["acknowledged_at"], back.json()["note"]) == (None, None)
    for bad in (
        {"note": "x" * 501},
        {"starred": "yes"},
        {"note": "a\0"},
        {"tags": []},
        {"acknowledged": None},
    ):
        assert (await admin.patch(url, json=bad)).status_code == 400, bad

    other = await add_event(world, camera_id, NOON + timedelta(hours=1))
    fresh = await admin.get(url, headers={"If-None-Match": (await admin.get(url)).headers["etag"]})
    assert fresh.status_code == 304
    await world.sql("UPDATE cameras SET deleted_at = now() WHERE id = %s", camera_id)
    gone = await admin.get(url, headers={"If-None-Match": fresh.headers["etag"]})
    assert (gone.status_code, gone.json()["camera_deleted"]) == (200, True), (
        "what changed by itself is told, too"
    )
    assert gone.json()["prev_id"] == other
    assert sorted(await ids(world)) == sorted([event_id, other]), "events of a deleted camera stay"

    assert (await admin.delete(url)).status_code == 204
    assert (await admin.get(url)).status_code == 404
    assert (await admin.patch(url, json={"starred": True})).status_code == 404
    assert await ids(world) == [other]
    actions = [
        row[0]
        for row in await world.sql("SELECT action FROM audit_log WHERE target_type = 'event' ORDER BY id")
    ]
    assert actions == ["event.updated", "event.updated", "event.deleted"]
    (row,) = await world.sql(
        "SELECT before, after FROM audit_log WHERE action = 'event.updated' ORDER BY id LIMIT 1"
    )
    assert row == ({"acknowledged": False, "note": None}, {"acknowledged": True, "note": "seen"})


async def test_an_event_without_a_clip_has_none_to_play(world: World) -> None:
    event_id = await add_event(world, await add_camera(world, None))
    for tail in ("clip", "snapshot"):
        answer = await world.client("viewer").get(f"/api/v1/events/{event_id}/{tail}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
