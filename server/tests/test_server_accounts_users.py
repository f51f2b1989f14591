"""/users, /service-accounts and /orgs/current over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from nova_people import PASSWORD, HandClock, add_user, client_of, log_in
from nova_world import World, make_world

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
API = "/api/v1"
NOMINATION = f"{API}/orgs/current/owner-nomination"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def timed(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[World]:
    async with make_world(database_url, tmp_path, clock=clock) as world:
        yield world


async def test_a_user_is_created_read_changed_and_deleted(world: World) -> None:
    admin = world.client("admin")
    asked = {
        "email": "Vera@acme.example",
        "display_name": "Vera",
        "role": "viewer",
        "site_ids": [str(world.site)],
    }
    made = await admin.post(f"{API}/users", json=asked)
    assert made.status_code == 201, made.text
    user = made.json()["user"]
    assert made.json()["invitation_sent"] is False
    assert (user["role"], user["site_ids"], user["must_change_password"]) == (
        "viewer",
        [str(world.site)],
        True,
    )
    url = f"{API}/users/{user['id']}"
    assert (await admin.get(url, headers={"If-None-Match": made.headers["etag"]})).status_code == 304

    changed = await admin.patch(
        url, json={"site_ids": [str(world.ungranted_site)]}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["site_ids"] == [str(world.ungranted_site)]
    assert (await admin.patch(url, json={"enabled": False}, headers={"If-Match": '"1"'})).status_code == 409
    promoted = await admin.patch(url, json={"role": "operator"})
    assert (promoted.json()["role"], promoted.json()["site_ids"]) == ("operator", None)
    back = await admin.patch(url, json={"role": "viewer"})
    assert (back.status_code, back.json()["details"][0]["field"]) == (400, "site_ids")

    listed = (await admin.get(f"{API}/users", params={"role": "operator"})).json()
    assert [item["email"] for item in listed["data"]] == ["Vera@acme.example"]
    assert (await admin.delete(url)).status_code == 204
    assert (await admin.get(url)).status_code == 404
    actions = [
        row[0]
        for row in await world.sql("SELECT action FROM audit_log WHERE target_type = 'user' ORDER BY id")
    ]
    assert actions == ["user.created", "user.updated", "user.updated", "user.deleted"]


async def test_who_may_be_created(world: World) -> None:
    admin = world.client("admin")
    sound = {"email": "a@acme.example", "display_name": "A", "role": "viewer", "site_ids": [str(world.site)]}
    for change, status, fieldname in (
        ({"role": "owner"}, 400, "role"),
        ({"email": "nobody"}, 400, "email"),
        ({"display_name": ""}, 400, "display_name"),
        ({"display_name": "x" * 101}, 400, "display_name"),
        ({"site_ids": None}, 400, "site_ids"),
        ({"site_ids": ["x"]}, 400, "site_ids"),
        ({"role": "admin"}, 400, "site_ids"),
        ({"site_ids": [str(world.other_site)]}, 404, None),
        ({"site_ids": [str(uuid4())]}, 404, None),
        ({"password": "Given-By-Me-1"}, 400, "password"),
    ):
        answer = await admin.post(f"{API}/users", json={**sound, **change})
        assert answer.status_code == status, (change, answer.text)
        if fieldname:
            assert answer.json()["details"][0]["field"] == fieldname, answer.text
    assert (await admin.get(f"{API}/users")).json()["total"] == 0
    assert (await admin.post(f"{API}/users", json=sound)).status_code == 201
    twice = await admin.post(f"{API}/users", json={**sound, "email": "A@ACME.example"})
    assert (twice.status_code, twice.json()["error"]) == (409, "conflict")
    assert (
        await world.client("admin", other=True).post(f"{API}/users", json={**sound, "site_ids": []})
    ).status_code == 201


async def test_nobody_rises_by_it(world: World) -> None:
    owner_id, owner_email = await add_user(world, "owner")
    admin_id, admin_email = await add_user(world, "admin")
    admin, owner = await client_of(world, admin_email), await client_of(world, owner_email)
    for change in ({"role": "admin"}, {"enabled": False}, {"display_name": "Mine"}):
        answer = await admin.patch(f"{API}/users/{owner_id}", json=change)
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), change
    assert (await admin.delete(f"{API}/users/{owner_id}")).status_code == 403
    assert (await admin.post(f"{API}/users/{owner_id}/reset-password")).status_code == 403
    assert (await admin.delete(f"{API}/users/{owner_id}/sessions")).status_code == 403
    assert (await admin.patch(f"{API}/users/{admin_id}", json={"role": "owner"})).status_code == 400
    for change in ({"role": "operator"}, {"enabled": False}):
        assert (await admin.patch(f"{API}/users/{admin_id}", json=change)).status_code == 403
    assert (await admin.delete(f"{API}/users/{admin_id}")).status_code == 403
    assert (await admin.post(f"{API}/users/{admin_id}/reset-password")).status_code == 403
    assert (await owner.patch(f"{API}/users/{owner_id}", json={"role": "admin"})).status_code == 403
    assert (await owner.delete(f"{API}/users/{owner_id}")).status_code == 403
    assert (await owner.patch(f"{API}/users/{owner_id}", json={"display_name": "Chief"})).status_code == 200
    assert (await world.client("operator").get(f"{API}/users")).status_code == 403


async def test_changes_of_role_grant_and_enabled_hold_from_the_next_request(world: World) -> None:
    user_id, email = await add_user(world, "viewer")
    admin, viewer = world.client("admin"), await client_of(world, email)
    sites = f"{API}/sites"

    async def seen() -> list[str]:
        return [site["id"] for site in (await viewer.get(sites)).json()["data"]]

    assert await seen() == [str(world.site)]
    await admin.patch(f"{API}/users/{user_id}", json={"site_ids": [str(world.ungranted_site)]})
    assert await seen() == [str(world.ungranted_site)]
    assert (await viewer.get(f"{sites}/{world.site}")).status_code == 403
    await admin.patch(f"{API}/users/{user_id}", json={"site_ids": []})
    assert await seen() == []
    assert (await viewer.post(sites, json={"name": "Mine"})).status_code == 403
    await admin.patch(f"{API}/users/{user_id}", json={"role": "admin"})
    assert (await viewer.post(sites, json={"name": "Mine"})).status_code == 201
    await admin.patch(f"{API}/users/{user_id}", json={"enabled": False})
    assert (await viewer.get(sites)).json()["error"] == "invalid_token"
    await admin.patch(f"{API}/users/{user_id}", json={"enabled": True})
    assert (await viewer.get(sites)).status_code == 401  # its sessions ended


async def test_deleting_a_user_ends_its_sessions(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    client = await client_of(world, email)
    assert (await client.get(f"{API}/sites")).status_code == 200
    assert (await world.client("admin").delete(f"{API}/users/{user_id}")).status_code == 204
    assert (await client.get(f"{API}/sites")).status_code == 401
    assert (await log_in(world, email)).json()["error"] == "invalid_credentials"


async def test_sessions_are_listed_and_ended(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    one, two = await client_of(world, email), await client_of(world, email)
    admin = world.client("admin")
    url = f"{API}/users/{user_id}/sessions"
    page = (await admin.get(url)).json()
    assert (page["total"], page["next_cursor"]) == (2, None)
    newest = page["data"][0]
    assert (newest["client_type"], newest["ip"]) == ("api", "127.0.0.1")
    assert (await admin.get(f"{url}/{newest['id']}")).json() == newest
    assert (await admin.delete(f"{url}/{newest['id']}")).status_code == 204
    assert (await admin.delete(f"{url}/{newest['id']}")).status_code == 404
    assert [(await client.get(f"{API}/sites")).status_code for client in (one, two)] == [200, 401]
    assert (await admin.delete(url)).status_code == 204
    assert (await one.get(f"{API}/sites")).status_code == 401
    other = world.client("admin", other=True)
    assert (await other.get(url)).status_code == 404
    assert (await other.delete(url)).status_code == 404


async def test_a_service_account_and_its_keys(timed: World, clock: HandClock) -> None:
    admin = timed.client("admin")
    asked = {"name": "Exporter", "role": "viewer", "site_ids": [str(timed.site)]}
    made = await admin.post(f"{API}/service-accounts", json=asked)
    assert made.status_code == 201, made.text
    assert (await admin.post(f"{API}/service-accounts", json=asked)).status_code == 409
    url = f"{API}/service-accounts/{made.json()['id']}"
    ends = clock.now() + timedelta(hours=1)
    key = (await admin.post(f"{url}/keys", json={"name": "first", "expires_at": ends.isoformat()})).json()
    assert key["key"].startswith("sk_live_")
    assert key["prefix"] == key["key"][:12]
    lasting = (await admin.post(f"{url}/keys")).json()
    listed = await admin.get(f"{url}/keys")
    assert [item["prefix"] for item in listed.json()["data"]] == [lasting["prefix"], key["prefix"]]
    assert key["key"] not in listed.text
    past = await admin.post(f"{url}/keys", json={"expires_at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["details"][0]["field"]) == (400, "expires_at")

    client, other = timed.client(token=key["key"]), timed.client(token=lasting["key"])
    assert [site["id"] for site in (await client.get(f"{API}/sites")).json()["data"]] == [str(timed.site)]
    used = (await admin.get(f"{url}/keys")).json()["data"][1]
    assert used["last_used_at"] is not None
    clock.move(hours=1)
    assert (await client.get(f"{API}/sites")).status_code == 401
    assert (await other.get(f"{API}/sites")).status_code == 200
    assert (await admin.delete(f"{url}/keys/{lasting['id']}")).status_code == 204
    assert (await other.get(f"{API}/sites")).status_code == 401

    third = timed.client(token=(await admin.post(f"{url}/keys")).json()["key"])
    assert (await third.get(f"{API}/sites")).status_code == 200
    assert (await admin.patch(url, json={"role": "admin"})).status_code == 400  # the role is fixed
    await admin.patch(url, json={"site_ids": []})
    assert (await third.get(f"{API}/sites")).json()["total"] == 0
    assert (await admin.patch(url, json={"enabled": False})).json()["enabled"] is False
    assert (await third.get(f"{API}/sites")).status_code == 401
    assert (await admin.delete(url)).status_code == 204
    assert (await admin.get(url)).status_code == 404


async def test_a_sandbox_org_has_test_keys(world: World) -> None:
    await world.sql("UPDATE orgs SET sandbox = true WHERE id = %s", world.org)
    admin = world.client("admin")
    account = (await admin.post(f"{API}/service-accounts", json={"name": "T", "role": "operator"})).json()
    key = (await admin.post(f"{API}/service-accounts/{account['id']}/keys")).json()["key"]
    assert key.startswith("sk_test_")
    assert (await world.client(token=key).get(f"{API}/sites")).status_code == 200


async def test_the_org_is_read_and_renamed(world: World) -> None:
    org = await world.client("viewer").get(f"{API}/orgs/current")
    assert org.json()["name"] == "Acme"
    renamed = await world.client("admin").patch(
        f"{API}/orgs/current", json={"name": "Acme 2"}, headers={"If-Match": org.headers["etag"]}
    )
    assert renamed.json()["name"] == "Acme 2"
    assert (
        await world.client("operator").patch(f"{API}/orgs/current", json={"name": "x"})
    ).status_code == 403


async def test_what_happens_to_cameras_that_moved_is_a_setting(world: World) -> None:
    admin, url = world.client("admin"), f"{API}/orgs/current"
    assert (await admin.get(url)).json()["moved_cameras"] == "offer"
    changed = (await admin.patch(url, json={"moved_cameras": "apply"})).json()
    assert (changed["moved_cameras"], changed["name"], changed["version"]) == ("apply", "Acme", 2)
    assert (await admin.patch(url, json={"moved_cameras": "apply"})).json()["version"] == 2
    assert (await admin.patch(url, json={"moved_cameras": "always"})).status_code == 400
    assert (await world.client("operator").patch(url, json={"moved_cameras": "offer"})).status_code == 403
    entry = await world.sql("SELECT before, after FROM audit_log WHERE action = 'org.updated'")
    assert [(row[0]["moved_cameras"], row[1]["moved_cameras"]) for row in entry] == [("offer", "apply")]


async def test_ownership_is_transferred_in_one_step(world: World) -> None:
    owner_id, owner_email = await add_user(world, "owner")
    admin_id, admin_email = await add_user(world, "admin")
    operator_id, _ = await add_user(world, "operator")
    owner, admin = await client_of(world, owner_email), await client_of(world, admin_email)
    assert (await admin.post(NOMINATION, json={"user_id": str(admin_id)})).status_code == 403
    assert (await owner.post(NOMINATION, json={"user_id": str(operator_id)})).status_code == 400
    assert (await owner.post(NOMINATION, json={"user_id": str(owner_id)})).status_code == 400
    assert (await owner.post(NOMINATION, json={"user_id": str(uuid4())})).status_code == 404
    made = await owner.post(NOMINATION, json={"user_id": str(admin_id)})
    assert (made.status_code, made.json()["email"]) == (201, admin_email)
    assert (await owner.post(NOMINATION, json={"user_id": str(admin_id)})).status_code == 409
    assert (await world.client("admin").post(f"{NOMINATION}/accept")).status_code == 403
    assert (await owner.post(f"{NOMINATION}/accept")).status_code == 403

    both = await asyncio.gather(admin.post(f"{NOMINATION}/accept"), admin.post(f"{NOMINATION}/accept"))
    assert sorted(answer.status_code for answer in both) == [200, 404]
    roles = dict(await world.sql("SELECT id, role FROM users WHERE org_id = %s", world.org))
    assert (roles[owner_id], roles[admin_id]) == ("admin", "owner")
    assert (await owner.post(NOMINATION, json={"user_id": str(owner_id)})).status_code == 403
    assert (await admin.post(NOMINATION, json={"user_id": str(owner_id)})).status_code == 201
    assert (await admin.delete(NOMINATION)).status_code == 204
    assert (await admin.get(NOMINATION)).status_code == 404


async def test_a_nomination_ends_with_its_week_and_with_the_nominees_rights(
    timed: World, clock: HandClock
) -> None:
    _, owner_email = await add_user(timed, "owner")
    admin_id, admin_email = await add_user(timed, "admin")

    async def nominate() -> int:
        owner = await client_of(timed, owner_email)
        return (await owner.post(NOMINATION, json={"user_id": str(admin_id)})).status_code

    assert await nominate() == 201
    clock.move(days=7)
    admin = await client_of(timed, admin_email)
    assert (await admin.post(f"{NOMINATION}/accept")).status_code == 404
    assert await nominate() == 201  # in place of the expired one
    keys = timed.client("admin")
    await keys.patch(f"{API}/users/{admin_id}", json={"role": "operator"})
    await keys.patch(f"{API}/users/{admin_id}", json={"role": "admin"})
    assert (await admin.get(NOMINATION)).status_code == 404
    assert (await log_in(timed, owner_email, PASSWORD)).json()["user"]["role"] == "owner"
