"""/grids over HTTP: whose they are, who reads and changes them, and what of them is shown to whom."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from nova_people import add_user, client_of
from nova_world import World

from novavms_server.grids import queries
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.database import run
from novavms_server.kit.ids import new_id

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
GRIDS = "/api/v1/grids"


async def add_camera(world: World, site: UUID | None = None, *, other: bool = False) -> str:
    camera_id = new_id()
    org, place = (world.other_org, world.other_site) if other else (world.org, site or world.site)
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, 'direct', 'Dock', 'rtsp', '192.0.2.1', 554, 'offline')",
        *(org, camera_id, place),
    )
    return str(camera_id)


async def make(client: httpx.AsyncClient, name: str = "At night", **more: Any) -> dict[str, Any]:
    answer = await client.post(GRIDS, json={"name": name, "columns": 1, "cameras": [None], **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def names(client: httpx.AsyncClient) -> list[str]:
    page = (await client.get(GRIDS)).json()
    assert page["total"] == len(page["data"])
    return [each["name"] for each in page["data"]]


def refusal(answer: httpx.Response) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body["error"], [each["field"] for each in body.get("details", [])]


async def test_a_grid_is_created_read_changed_and_deleted(world: World) -> None:
    one, other = await add_camera(world), await add_camera(world, world.ungranted_site)
    operator = world.client("operator")
    made = await operator.post(
        GRIDS, json={"name": "At night", "columns": 2, "cameras": [one, None, None, other]}
    )
    assert made.status_code == 201, made.text
    grid = made.json()
    assert (grid["cameras"], grid["is_mine"], grid["is_shared"]) == ([one, None, None, other], True, False)
    path, tag = f"{GRIDS}/{grid['id']}", made.headers["etag"]
    assert (await operator.get(path)).json() == grid
    assert (await operator.get(path, headers={"If-None-Match": tag})).status_code == 304

    smaller = {"name": "By day", "columns": 1, "cameras": [other]}
    changed = await operator.patch(path, json=smaller, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert (await operator.get(path)).json() == changed.json()
    assert {name: changed.json()[name] for name in smaller} == smaller
    assert changed.json()["version"] == 2
    assert (await operator.patch(path, json=smaller)).json()["version"] == 2, "nothing changed"
    stale = await operator.patch(path, json={"name": "x"}, headers={"If-Match": tag})
    assert refusal(stale) == (409, "conflict", [])

    assert (await operator.delete(path)).status_code == 204
    assert refusal(await operator.get(path)) == (404, "not_found", [])
    rows = await world.sql(
        "SELECT action, before, after FROM audit_log WHERE org_id = %s ORDER BY id", world.org
    )
    assert [row[0] for row in rows if row[0].startswith("grid.")] == [
        "grid.created",
        "grid.updated",
        "grid.deleted",
    ]
    assert rows[-2][2]["cameras"] == [other]


async def test_what_does_not_fit_is_named(world: World) -> None:
    here, foreign = await add_camera(world), await add_camera(world, other=True)
    hidden, viewer = await add_camera(world, world.ungranted_site), world.client("viewer")
    gone = await add_camera(world)
    await world.sql("UPDATE cameras SET deleted_at = now() WHERE id = %s", gone)
    operator = world.client("operator")
    for client, columns, cameras in (
        (operator, 2, [here]),
        (operator, 1, [None] * 4),
        (operator, 2, [here, None, None, here]),
        (operator, 1, [foreign]),
        (operator, 1, [gone]),
        (operator, 1, [str(uuid4())]),
        (viewer, 1, [hidden]),
    ):
        body = {"name": "x", "columns": columns, "cameras": cameras}
        assert refusal(await client.post(GRIDS, json=body)) == (400, "validation_error", ["cameras"]), body
        grid = await make(client, name=f"to change {uuid4()}")
        change = {"columns": columns, "cameras": cameras}
        changed = await client.patch(f"{GRIDS}/{grid['id']}", json=change)
        assert refusal(changed) == (400, "validation_error", ["cameras"]), body
        assert (await client.get(f"{GRIDS}/{grid['id']}")).json() == grid
    bad = await operator.post(GRIDS, json={"name": " ", "columns": 5, "cameras": "all"})
    assert refusal(bad) == (400, "validation_error", ["name", "columns", "cameras"])
    grid = await make(operator)
    for change in ({"columns": 2}, {"cameras": [None] * 4}):  # the one without the other
        answer = await operator.patch(f"{GRIDS}/{grid['id']}", json=change)
        assert refusal(answer) == (400, "validation_error", ["cameras"])


async def test_what_is_not_shared_is_only_its_makers(world: World) -> None:
    await add_user(world, "operator")
    person = await client_of(world, "operator@acme.example")
    grid = await make(person)
    path = f"{GRIDS}/{grid['id']}"
    assert await names(person) == ["At night"]
    for role in ("viewer", "operator", "admin"):
        client = world.client(role)
        assert await names(client) == []
        for answer in (await client.get(path), await client.patch(path, json={}), await client.delete(path)):
            assert refusal(answer) == (404, "not_found", []), role


async def test_what_is_shared_is_read_by_all_and_changed_by_its_maker_and_admins(world: World) -> None:
    grid = await make(world.client("operator"), is_shared=True)
    path = f"{GRIDS}/{grid['id']}"
    await add_user(world, "operator")
    for client in (world.client("viewer"), await client_of(world, "operator@acme.example")):
        assert await names(client) == ["At night"]
        read = (await client.get(path)).json()
        assert (read["is_shared"], read["is_mine"]) == (True, False)
        assert refusal(await client.patch(path, json={"name": "Mine now"})) == (403, "forbidden", [])
        assert refusal(await client.delete(path)) == (403, "forbidden", [])
    admin = world.client("admin")
    changed = await admin.patch(path, json={"name": "All nights"})
    assert (changed.status_code, changed.json()["is_mine"]) == (200, False)
    assert await names(world.client("operator")) == ["All nights"]
    assert (await world.client("operator").patch(path, json={"is_shared": False})).status_code == 200
    assert await names(admin) == []
    await make(world.client("operator"), name="Another", is_shared=True)
    (another,) = (await admin.get(GRIDS)).json()["data"]
    assert (await admin.delete(f"{GRIDS}/{another['id']}")).status_code == 204
    assert await names(world.client("operator")) == ["All nights"]


async def test_a_viewer_keeps_grids_but_shares_none(world: World) -> None:
    viewer = world.client("viewer")
    body = {"name": "Mine", "columns": 1, "cameras": [None], "is_shared": True}
    assert refusal(await viewer.post(GRIDS, json=body)) == (403, "forbidden", [])
    grid = await make(viewer, name="Mine")
    path = f"{GRIDS}/{grid['id']}"
    assert refusal(await viewer.patch(path, json={"is_shared": True})) == (403, "forbidden", [])
    assert (await viewer.patch(path, json={"name": "Mine still"})).json()["is_shared"] is False
    assert (await viewer.delete(path)).status_code == 204


async def test_places_that_a_viewer_may_not_see_are_empty_and_stay_what_they_are(world: World) -> None:
    seen, hidden = await add_camera(world), await add_camera(world, world.ungranted_site)
    grid = await make(world.client("operator"), columns=2, cameras=[hidden, seen, None, None], is_shared=True)
    viewer, path = world.client("viewer"), f"{GRIDS}/{grid['id']}"
    read = await viewer.get(path)
    assert read.json()["cameras"] == [None, seen, None, None]
    assert hidden not in (await viewer.get(GRIDS)).text
    assert (await world.client("operator").get(path)).json()["cameras"] == grid["cameras"]

    _, email = await add_user(world, "viewer", sites=[world.site, world.ungranted_site])
    person = await client_of(world, email)
    own = await make(person, columns=2, cameras=[hidden, seen, None, None])
    own_path = f"{GRIDS}/{own['id']}"
    before = (await person.get(own_path)).headers["etag"]
    await world.sql("DELETE FROM user_sites WHERE site_id = %s", world.ungranted_site)
    await world.sql("UPDATE orgs SET auth_epoch = auth_epoch + 1 WHERE id = %s", world.org)
    now = await person.get(own_path, headers={"If-None-Match": before})
    assert (now.status_code, now.json()["cameras"]) == (200, [None, seen, None, None])
    sent_back = {"name": "Renamed", "columns": 2, "cameras": now.json()["cameras"]}
    answer = await person.patch(own_path, json=sent_back, headers={"If-Match": before})
    assert (answer.status_code, answer.json()["cameras"]) == (200, [None, seen, None, None])
    kept = await world.sql(
        "SELECT place, camera_id FROM grid_cameras WHERE grid_id = %s ORDER BY 1", own["id"]
    )
    assert [str(row[1]) for row in kept] == [hidden, seen]


async def test_a_camera_that_is_deleted_leaves_its_place_empty(world: World) -> None:
    gone, stays = await add_camera(world), await add_camera(world)
    admin = world.client("admin")
    grid = await make(admin, columns=2, cameras=[gone, None, stays, None])
    tag = (await admin.get(f"{GRIDS}/{grid['id']}")).headers["etag"]
    assert (await admin.delete(f"/api/v1/cameras/{gone}")).status_code == 204
    read = await admin.get(f"{GRIDS}/{grid['id']}", headers={"If-None-Match": tag})
    assert (read.status_code, read.json()["cameras"]) == (200, [None, None, stays, None])


async def test_a_name_is_one_makers_once(world: World) -> None:
    operator, admin = world.client("operator"), world.client("admin")
    await make(operator, is_shared=True)
    await make(admin)
    body = {"name": "At night", "columns": 1, "cameras": [None]}
    assert refusal(await operator.post(GRIDS, json=body)) == (409, "conflict", ["name"])
    other = await make(operator, name="By day")
    renamed = await operator.patch(f"{GRIDS}/{other['id']}", json={"name": "At night"})
    assert refusal(renamed) == (409, "conflict", ["name"])
    once, again = [
        await operator.post(GRIDS, json={**body, "name": "Once"}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert (once.status_code, once.json()) == (201, again.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_maker_has_a_hundred_at_most_also_when_they_come_at_once(world: World) -> None:
    operator = world.client("operator")
    for number in range(99):
        await make(operator, name=f"Grid {number}")
    (account,) = (
        await world.sql("SELECT id FROM service_accounts WHERE org_id = %s AND name = 'operator'", world.org)
    )[0]
    turn = queries.turn(Caller(world.org, "key", account, Role.operator, None, 1))
    async with world.server.database.everywhere() as other:  # another request of the maker's, half-way
        await other.execute(turn.sql, turn.params)
        await other.execute(
            "INSERT INTO grids (org_id, id, service_account_id, name, columns, created_at, updated_at)"
            " VALUES (%s, %s, %s, 'The hundredth', 1, now(), now())",
            (world.org, new_id(), account),
        )
        body = {"name": "At once", "columns": 1, "cameras": [None]}
        asking = asyncio.create_task(operator.post(GRIDS, json=body))
        waits = (
            "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE NOT l.granted AND l.locktype = 'advisory' AND d.datname = current_database()"
        )
        while not (asking.done() or await world.sql(waits)):
            await asyncio.sleep(0.01)
    full = await asking
    assert refusal(full) == (409, "conflict", [])
    assert full.json()["message"] == "You have 100 grids already; delete one first."
    await make(world.client("viewer"), name="Somebody else's")
    found, cursor = [], None
    while cursor or not found:
        page = (
            await operator.get(GRIDS, params={"limit": 40, **({"cursor": cursor} if cursor else {})})
        ).json()
        assert page["total"] == 100
        found += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert len(set(found)) == len(found) == 100
    assert found == sorted(found, reverse=True)


async def test_who_leaves_takes_their_grids_along(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    await make(await client_of(world, email), cameras=[await add_camera(world)], is_shared=True)
    admin = world.client("admin")
    account = (await admin.post("/api/v1/service-accounts", json={"name": "Wall", "role": "operator"})).json()
    key = (await admin.post(f"/api/v1/service-accounts/{account['id']}/keys", json={"name": "k"})).json()[
        "key"
    ]
    await make(world.client(token=key), name="The program's", is_shared=True)
    assert await names(world.client("viewer")) == ["The program's", "At night"]
    assert (await admin.delete(f"/api/v1/users/{user_id}")).status_code == 204
    assert await names(world.client("viewer")) == ["The program's"]
    assert (await admin.delete(f"/api/v1/service-accounts/{account['id']}")).status_code == 204
    assert await world.sql("SELECT 1 FROM grids") == await world.sql("SELECT 1 FROM grid_cameras") == []


async def test_each_lock_of_an_org_holds_alone(world: World, database_url: str) -> None:
    foreign = await add_camera(world, other=True)
    theirs = await make(world.client("admin", other=True), cameras=[foreign], is_shared=True)
    mine = await make(world.client("admin"), is_shared=True)
    async with world.server.database.org(world.org) as connection:  # row-level security, without a WHERE
        for table, count in (("grids", 1), ("grid_cameras", 0)):
            assert await (await connection.execute(f"SELECT count(*) FROM {table}")).fetchone() == (count,)
    caller = Caller(world.org, "user", new_id(), Role.owner, None, 1)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:  # no policy
        for query, count in (
            (queries.by_id(caller, UUID(theirs["id"])), 0),
            (queries.by_id(caller, UUID(mine["id"])), 1),
            (queries.page(caller, None, 10), 1),
            (queries.visible(caller, [UUID(foreign)]), 0),
        ):
            assert len(await (await run(owner, query)).fetchall()) == count, query.sql
        (total,) = await (await run(owner, queries.total(caller))).fetchall()
        assert total == (1,)
        for org in (world.org, world.other_org):  # references
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                await owner.execute(
                    "INSERT INTO grid_cameras (org_id, grid_id, place, camera_id) VALUES (%s, %s, 1, %s)",
                    (org, mine["id"], foreign),
                )


async def test_the_guides_request_works_as_it_stands(world: World) -> None:
    text = (Path(__file__).parents[2] / "docs/guides/live.md").read_text()
    (command,) = re.findall(r"^    curl (?:.*\\\n)+.*/grids\"$", text, re.MULTILINE)
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euc", command.replace("https://novavms.novalien.com", world.base_url)),
        env={
            "PATH": os.environ["PATH"],
            "NOVAVMS_API_KEY": world.keys["operator"],
            "CAMERA": await add_camera(world),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await shell.communicate()
    assert json.loads(output)["is_shared"] is True
    assert await names(world.client("viewer")) == ["At night"]
