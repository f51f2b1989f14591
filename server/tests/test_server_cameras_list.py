"""GET /cameras over HTTP: filters, order, pages, totals, scope."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_world import World

from novavms_server.cameras import listing
from novavms_server.cameras.models import Filters
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.ids import new_id

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
STATES = ("online", "offline", "pending", "error", "disabled")


async def fill(
    world: World, count: int, *, org: UUID | None = None, sites: list[UUID] | None = None
) -> list[dict[str, Any]]:
    """Cameras straight into the table: every state, both types, both modes, names in no order."""
    org, sites = org or world.org, sites or [world.site, world.ungranted_site]
    gateways = {}
    for site in sites:
        gateways[site] = new_id()
        await world.sql(
            "INSERT INTO gateways (org_id, id, site_id, name) VALUES (%s, %s, %s, 'G')",
            org,
            gateways[site],
            site,
        )
    made = []
    for number in range(count):
        site = sites[number % len(sites)]
        direct = number % 5 == 4
        row = {
            **{
                "id": new_id(),
                "site_id": site,
                "name": f"{'Cam' if number % 2 else 'cam'} {(number * 7) % count:03}",
            },
            **{
                "connection_mode": "direct" if direct else "gateway",
                "gateway_id": None if direct else gateways[site],
            },
            **{"type": ("rtsp", "onvif")[number % 3 == 0], "status": STATES[number % 5]},
        }
        await world.sql(
            "INSERT INTO cameras (org_id, id, site_id, name, connection_mode, gateway_id, type, status, host, port)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '192.0.2.1', 80)",
            org,
            *row.values(),
        )
        made.append({name: str(value) if isinstance(value, UUID) else value for name, value in row.items()})
    return made


async def walk(client: Any, query: str, limit: int = 4) -> tuple[list[dict[str, Any]], int]:
    """All pages of a list: its rows, and the total that every page told."""
    rows, cursor, totals = [], "", set()
    for _ in range(100):
        answer = await client.get(f"/api/v1/cameras?limit={limit}{query}{cursor and '&cursor=' + cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["data"]
        totals.add(page["total"])
        assert len(page["data"]) == limit or page["next_cursor"] is None
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(totals) == 1
    return rows, totals.pop()


def key_of(sort: str) -> Any:
    return (lambda row: row["id"]) if "created_at" in sort else (lambda row: (row["name"].lower(), row["id"]))


async def test_anonymous_callers_and_other_orgs_see_nothing(world: World) -> None:
    await fill(world, 3)
    assert (await world.client(None).get("/api/v1/cameras")).status_code == 401
    for role in ("admin", "operator", "viewer"):
        page = (await world.client(role, other=True).get("/api/v1/cameras")).json()
        assert page == {"data": [], "next_cursor": None, "total": 0}


async def test_an_item_has_the_contracts_fields(world: World) -> None:
    await fill(world, 1)
    [item] = (await world.client("viewer").get("/api/v1/cameras")).json()["data"]
    wanted = {"id", "name", "site_id", "gateway_id", "connection_mode", "type", "status", "active_tier"}
    assert wanted <= item.keys()
    assert not {"credentials", "username", "password", "check", "serial"} & item.keys()
    assert item["created_at"].endswith("Z")


@pytest.mark.parametrize("sort", ["", "-created_at", "created_at", "name", "-name"])
async def test_every_order_walks_all_rows_once(world: World, sort: str) -> None:
    made = await fill(world, 23)
    rows, total = await walk(world.client("operator"), f"&sort={sort}" if sort else "")
    down = (sort or "-created_at").startswith("-")
    assert [row["id"] for row in rows] == [
        row["id"] for row in sorted(made, key=key_of(sort or "-created_at"), reverse=down)
    ]
    assert total == 23


async def test_filters_and_totals_alone_and_together(world: World) -> None:
    made = await fill(world, 40)
    operator, viewer = world.client("operator"), world.client("viewer")
    gateway = next(
        row["gateway_id"] for row in made if row["gateway_id"] and row["site_id"] == str(world.site)
    )
    choices: list[dict[str, str]] = [
        {},
        {"site_id": str(world.site)},
        {"gateway_id": gateway},
        {"status": "error"},
        {"type": "onvif"},
        {"connection_mode": "direct"},
        {"q": "CAM 01"},
        {"q": "%"},
        {"q": ""},
        {"status": "online", "type": "onvif"},
        {"site_id": str(world.site), "status": "offline", "type": "rtsp", "connection_mode": "gateway"},
        {"gateway_id": gateway, "type": "rtsp"},
        {"site_id": str(uuid4())},
        {"site_id": str(world.other_site)},
        {"gateway_id": str(uuid4())},
        {"q": "00", "site_id": str(world.site), "status": "pending"},
    ]
    for chosen in choices:
        for client, seen in (
            (operator, made),
            (viewer, [row for row in made if row["site_id"] == str(world.site)]),
        ):
            expected = [
                row
                for row in seen
                if all(row[name] == value for name, value in chosen.items() if name != "q")
                and chosen.get("q", "").lower() in row["name"].lower()
            ]
            for sort in ("-created_at", "name"):
                query = "".join(
                    f"&{name}={value.replace('%', '%25').replace(' ', '%20')}"
                    for name, value in chosen.items()
                )
                rows, total = await walk(client, f"{query}&sort={sort}", limit=7)
                assert {row["id"] for row in rows} == {row["id"] for row in expected}, chosen
                assert len(rows) == total == len(expected), chosen


async def test_a_viewer_sees_its_sites_and_is_told_which_it_may_not_name(world: World) -> None:
    made = await fill(world, 10)
    viewer = world.client("viewer")
    rows, total = await walk(viewer, "")
    assert {row["site_id"] for row in rows} == {str(world.site)}
    assert total == len([row for row in made if row["site_id"] == str(world.site)])
    ungranted = await viewer.get(f"/api/v1/cameras?site_id={world.ungranted_site}")
    assert (ungranted.status_code, ungranted.json()["error"]) == (403, "forbidden")
    foreign = await viewer.get(f"/api/v1/cameras?site_id={world.other_site}")
    assert (foreign.status_code, foreign.json()["data"]) == (200, [])
    await world.sql("DELETE FROM service_account_sites")
    await world.sql("UPDATE orgs SET auth_epoch = auth_epoch + 1")
    nothing = (await viewer.get("/api/v1/cameras")).json()
    assert nothing == {"data": [], "next_cursor": None, "total": 0}


async def test_a_viewer_of_many_sites_walks_them_merged(world: World) -> None:
    third = new_id()
    await world.sql("INSERT INTO sites (org_id, id, name) VALUES (%s, %s, 'Third')", world.org, third)
    made = await fill(world, 30, sites=[world.site, world.ungranted_site, third])
    await world.sql(
        "INSERT INTO service_account_sites SELECT org_id, id, %s FROM service_accounts WHERE org_id = %s AND role = 'viewer'",
        third,
        world.org,
    )
    await world.sql("UPDATE orgs SET auth_epoch = auth_epoch + 1")
    granted = [row for row in made if row["site_id"] != str(world.ungranted_site)]
    for sort in ("-created_at", "created_at", "name", "-name"):
        rows, total = await walk(world.client("viewer"), f"&sort={sort}")
        expected = sorted(granted, key=key_of(sort), reverse=sort.startswith("-"))
        assert [row["id"] for row in rows] == [row["id"] for row in expected], sort
        assert total == 20
    rows, total = await walk(world.client("viewer"), "&status=online")
    assert len(rows) == total == len([row for row in granted if row["status"] == "online"])


async def test_pages_are_stable_while_cameras_come_and_go(world: World) -> None:
    made = await fill(world, 20)
    operator = world.client("operator")
    first = (await operator.get("/api/v1/cameras?limit=8")).json()
    await fill(world, 5)
    gone = [first["data"][7]["id"], made[3]["id"]]
    await world.sql("UPDATE cameras SET deleted_at = now() WHERE id = ANY(%s::uuid[])", gone)
    rest = (await operator.get(f"/api/v1/cameras?limit=100&cursor={first['next_cursor']}")).json()["data"]
    total = (await operator.get("/api/v1/cameras")).json()["total"]
    seen = [row["id"] for row in first["data"]] + [row["id"] for row in rest]
    assert len(seen) == len(set(seen))
    assert set(seen) == {row["id"] for row in made} - {made[3]["id"]}
    assert total == 23


async def test_cursors_belong_to_one_list(world: World) -> None:
    await fill(world, 6)
    operator, admin = world.client("operator"), world.client("admin")
    cursor = (await operator.get("/api/v1/cameras?limit=2")).json()["next_cursor"]
    assert (await admin.get(f"/api/v1/cameras?limit=3&cursor={cursor}")).status_code == 200
    named = (await operator.get("/api/v1/cameras?limit=2&sort=name")).json()["next_cursor"]
    sites = (await operator.get("/api/v1/sites?limit=1")).json()["next_cursor"]
    for query in (
        f"status=online&cursor={cursor}",
        f"q=cam&cursor={cursor}",
        f"sort=name&cursor={cursor}",
        f"cursor={named}",
        f"cursor={sites}",
        f"cursor={cursor[:-2]}AA",
        f"cursor={cursor}x",
        "cursor=",
        "cursor=%00",
        "cursor=ä",
        "cursor=" + "A" * 5000,
    ):
        answer = await operator.get(f"/api/v1/cameras?{query}")
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error"), query
    stranger = await world.client("operator", other=True).get(f"/api/v1/cameras?cursor={cursor}")
    assert stranger.status_code == 400


async def test_bad_queries_are_400_and_name_their_parameter(world: World) -> None:
    viewer = world.client("viewer")
    for query, field in (
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1.5", "limit"),
        ("site_id=x", "site_id"),
        ("gateway_id=1", "gateway_id"),
        ("status=on", "status"),
        ("type=hls", "type"),
        ("connection_mode=p2p", "connection_mode"),
        ("sort=status", "sort"),
        ("q=" + "x" * 101, "q"),
        ("page=2", "page"),
        ("status=online&status=error", "status"),
    ):
        answer = await viewer.get(f"/api/v1/cameras?{query}")
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["details"][0]["field"] == field, (query, answer.text)


async def plan(world: World, query: Any) -> str:
    """The plan under row-level security, as a generic one: what a prepared statement ends up with."""
    async with world.server.database.org(world.org) as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute("SET LOCAL enable_seqscan = off")
        cursor = await connection.execute("EXPLAIN " + query.sql, query.params, prepare=True)
        return "\n".join(row[0] for row in await cursor.fetchall())


async def test_row_level_security_does_not_keep_lists_from_their_indexes(world: World) -> None:
    await fill(world, 60)
    await world.sql("SELECT 1")
    operator = Caller(world.org, "key", world.org, Role.operator, None, 1)
    viewer = Caller(world.org, "key", world.org, Role.viewer, frozenset({world.site}), 1)
    many = Caller(world.org, "key", world.org, Role.viewer, frozenset({world.site, world.ungranted_site}), 1)
    for caller, filters, position, index, condition in (
        (operator, Filters(), [new_id()], "cameras_by_org", "id <"),
        (operator, Filters(sort="name"), ["cam", new_id()], "cameras_by_name", "ROW(name_key, id) >"),
        (operator, Filters(site_id=world.site), [new_id()], "cameras_by_site", "site_id ="),
        (operator, Filters(gateway_id=new_id()), [new_id()], "cameras_by_gateway", "gateway_id ="),
        (operator, Filters(status="error"), [new_id()], "cameras_by_status", "status ="),
        (viewer, Filters(), [new_id()], "cameras_by_site", "site_id ="),
        (many, Filters(), [new_id()], "cameras_by_site", "site_id ="),
    ):
        text = await plan(world, listing.page(caller, filters, position, 21))
        conditions = [line for line in text.splitlines() if "Index Cond" in line]
        assert index in text, text
        assert any(condition in line for line in conditions), text
        if caller is not many:
            assert "Sort" not in text, text


def test_the_queries_themselves_hold_to_the_grants() -> None:
    """The service refuses before it comes to this; the query must not rely on it."""
    granted, other = new_id(), new_id()
    viewer = Caller(new_id(), "key", new_id(), Role.viewer, frozenset({granted}), 1)
    for filters in (
        Filters(site_id=other),
        Filters(site_id=other, q="x"),
        Filters(site_id=other, sort="name"),
    ):
        for query in (listing.page(viewer, filters, None, 5), listing.total(viewer, filters)):
            assert "%(sites)s" in query.sql
            assert isinstance(query.params, dict)
            assert query.params["sites"] == []
    assert listing.page(viewer, Filters(), None, 5).params["site"] == granted  # type: ignore[call-overload, index]
