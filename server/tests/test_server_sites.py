"""/sites over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_a_site_is_created_read_changed_and_deleted(world: World) -> None:
    admin = world.client("admin")
    made = await admin.post("/api/v1/sites", json={"name": "Harbour", "timezone": "Europe/Berlin"})
    assert made.status_code == 201, made.text
    site = made.json()
    assert made.headers["etag"] == '"1"'
    assert site["created_at"].endswith("Z")

    read = await admin.get(f"/api/v1/sites/{site['id']}", headers={"If-None-Match": '"1"'})
    assert read.status_code == 304
    changed = await admin.patch(
        f"/api/v1/sites/{site['id']}", json={"name": "Old harbour"}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    assert changed.json()["name"] == "Old harbour"
    stale = await admin.patch(f"/api/v1/sites/{site['id']}", json={"name": "x"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["error"]) == (409, "conflict")

    assert (await admin.delete(f"/api/v1/sites/{site['id']}")).status_code == 204
    assert (await admin.get(f"/api/v1/sites/{site['id']}")).status_code == 404


async def test_every_bad_field_is_named(world: World) -> None:
    answer = await world.client("admin").post(
        "/api/v1/sites", json={"name": "", "timezone": 3, "colour": "red"}
    )
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"] == "validation_error"
    assert [item["field"] for item in body["details"]] == ["name", "timezone", "colour"]
    assert body["message"].startswith("name must be a string of 1 to 100 characters")
    assert answer.headers["x-request-id"] == body["request_id"]
    assert answer.headers["x-ratelimit-limit"]

    zone = await world.client("admin").post("/api/v1/sites", json={"name": "a", "timezone": "Mars/Base"})
    assert zone.json()["details"] == [
        {"field": "timezone", "message": "timezone must be an IANA time zone, such as Europe/Berlin"}
    ]


async def test_bad_path_and_query_values_are_400_with_their_name(world: World) -> None:
    viewer = world.client("viewer")
    for url, fieldname in (
        ("/api/v1/sites/no-uuid", "site_id"),
        ("/api/v1/sites?limit=0", "limit"),
        ("/api/v1/sites?limit=x", "limit"),
        ("/api/v1/sites?cursor=zz", "cursor"),
        ("/api/v1/sites?colour=red", "colour"),
    ):
        answer = await viewer.get(url)
        assert answer.status_code == 400, (url, answer.text)
        assert answer.json()["details"][0]["field"] == fieldname, answer.text


async def test_pages_walk_all_sites_once(world: World) -> None:
    admin = world.client("admin")
    for number in range(5):
        assert (await admin.post("/api/v1/sites", json={"name": f"S{number}"})).status_code == 201
    seen, cursor = [], None
    while True:
        page = (
            await admin.get("/api/v1/sites", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        ).json()
        assert page["total"] == 7
        seen += [site["id"] for site in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


async def test_roles_and_tenants(world: World) -> None:
    assert (await world.client(None).get("/api/v1/sites")).json()["error"] == "auth_required"
    assert (await world.client(token="sk_live_wrong").get("/api/v1/sites")).json()["error"] == "invalid_token"
    assert (await world.client("operator").post("/api/v1/sites", json={"name": "x"})).status_code == 403
    assert (await world.client("viewer").get(f"/api/v1/sites/{world.ungranted_site}")).status_code == 403
    assert (await world.client("viewer").get(f"/api/v1/sites/{world.other_site}")).status_code == 404
    listed = (await world.client("viewer").get("/api/v1/sites")).json()
    assert [site["id"] for site in listed["data"]] == [str(world.site)]
    assert (await world.client("admin").get(f"/api/v1/sites/{uuid4()}")).status_code == 404


async def test_the_same_name_twice_is_a_conflict(world: World) -> None:
    admin = world.client("admin")
    assert (await admin.post("/api/v1/sites", json={"name": "Twice"})).status_code == 201
    assert (await admin.post("/api/v1/sites", json={"name": "Twice"})).status_code == 409
    assert (
        await world.client("admin", other=True).post("/api/v1/sites", json={"name": "Twice"})
    ).status_code == 201


async def test_an_idempotency_key_makes_one_site(world: World) -> None:
    import asyncio

    admin = world.client("admin")
    headers = {"Idempotency-Key": "one"}
    first, second = await asyncio.gather(
        *(admin.post("/api/v1/sites", json={"name": "Once"}, headers=headers) for _ in range(2))
    )
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert sorted(
        [first.headers.get("idempotency-replayed"), second.headers.get("idempotency-replayed")], key=str
    ) == [None, "true"]
    other = await admin.post("/api/v1/sites", json={"name": "Other"}, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "conflict")
