"""Gateways over HTTP: codes, pairing, reading, changing, removing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from nova_wire import pair
from nova_world import World, make_world

from novavms_server.gateways.pairing import ALPHABET
from novavms_server.kit.clock import SystemClock

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
CODE_URL = "/api/v1/gateways/generate-pairing-code"


async def test_a_code_pairs_once(world: World) -> None:
    operator = world.client("operator")
    made = await operator.post(CODE_URL, json={"name": "Attic", "site_id": str(world.site)})
    assert made.status_code == 201, made.text
    code = made.json()
    assert code.keys() == {"id", "pairing_code", "expires_at", "status"}
    assert code["status"] == "registered"
    assert len(code["pairing_code"]) == 6
    assert set(code["pairing_code"]) <= set(ALPHABET)

    body = {
        "pairing_code": code["pairing_code"].lower(),
        "version": "1.2.3",
        "hardware": {"hostname": "attic-box", "local_ip": "192.0.2.9", "new_fact": 1},
    }
    paired = await world.client(None).post("/api/v1/gateways/pair", json=body)
    assert paired.status_code == 201, paired.text
    identity = paired.json()
    assert identity["gateway_token"].startswith("gw_")
    assert (identity["gateway_id"], identity["org_id"], identity["site_id"], identity["name"]) == (
        *(code["id"], str(world.org), str(world.site), "Attic"),
    )
    again = await world.client(None).post("/api/v1/gateways/pair", json=body)
    assert (again.status_code, again.json()["error"]) == (404, "not_found")

    read = (await operator.get(f"/api/v1/gateways/{code['id']}")).json()
    assert (read["status"], read["version"], read["local_ip"]) == ("registered", "1.2.3", "192.0.2.9")
    assert read["hardware"]["hostname"] == "attic-box"
    dump = str(await world.sql("SELECT * FROM gateways")) + str(
        await world.sql("SELECT * FROM pairing_codes")
    )
    assert identity["gateway_token"] not in dump
    assert code["pairing_code"] not in dump


async def test_two_boxes_with_one_code_make_one_gateway(world: World) -> None:
    made = await world.client("operator").post(CODE_URL, json={"name": "A", "site_id": str(world.site)})
    body = {"pairing_code": made.json()["pairing_code"], "version": "1", "hardware": {}}
    answers = await asyncio.gather(
        *(world.client(None).post("/api/v1/gateways/pair", json=body) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]


async def test_an_expired_code_is_unknown(world: World) -> None:
    made = await world.client("operator").post(CODE_URL, json={"name": "A", "site_id": str(world.site)})
    expires = made.json()["expires_at"]
    assert expires.endswith("Z")
    await world.sql("UPDATE pairing_codes SET expires_at = %s", SystemClock().now() - timedelta(seconds=1))
    body = {"pairing_code": made.json()["pairing_code"]}
    assert (await world.client(None).post("/api/v1/gateways/pair", json=body)).status_code == 404


async def test_the_sixth_open_code_has_to_wait(world: World) -> None:
    operator = world.client("operator")
    answers = await asyncio.gather(
        *(operator.post(CODE_URL, json={"name": f"G{n}", "site_id": str(world.site)}) for n in range(7))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * 5 + [429] * 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"] == "rate_limited"
    assert 0 < int(refused.headers["retry-after"]) <= 600
    listed = (await operator.get("/api/v1/gateways")).json()
    assert listed["total"] == 5, "a refused code leaves no gateway"
    other = {"name": "x", "site_id": str(world.other_site)}
    assert (await world.client("operator", other=True).post(CODE_URL, json=other)).status_code == 201


async def test_guessing_is_stopped(world: World) -> None:
    guesser = world.client(None)
    codes = [
        (
            await guesser.post("/api/v1/gateways/pair", json={"pairing_code": "AAAAA" + ALPHABET[n]})
        ).status_code
        for n in range(15)
    ]
    assert codes == [404] * 10 + [429] * 5
    await world.sql("SELECT 1")


async def test_new_hardware_takes_over_with_a_code_for_that_gateway(world: World) -> None:
    operator = world.client("operator")
    gateway_id, first = await pair(operator, world.site)
    wrong = {"gateway_id": str(gateway_id), "site_id": str(world.ungranted_site)}
    assert (await operator.post(CODE_URL, json=wrong)).status_code == 400
    again, second = await pair(operator, world.site, gateway_id=str(gateway_id))
    assert again == gateway_id
    assert first != second
    third, _ = await pair(operator, world.site)
    assert third != gateway_id, "the same box with a code for a new gateway is a new gateway"
    elsewhere = {"gateway_id": str(gateway_id), "site_id": str(world.other_site)}
    assert (await world.client("operator", other=True).post(CODE_URL, json=elsewhere)).status_code == 404


async def test_bad_input_is_named(world: World) -> None:
    operator = world.client("operator")
    for body, field in (
        ({"site_id": str(world.site)}, "name"),
        ({"name": "x"}, "site_id"),
        ({"name": "x" * 101, "site_id": str(world.site)}, "name"),
        ({"name": "x", "site_id": "nope"}, "site_id"),
        ({"name": "x", "site_id": str(world.site), "colour": 1}, "colour"),
    ):
        answer = await operator.post(CODE_URL, json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["details"][0]["field"] == field
    for body, field in (
        ({}, "pairing_code"),
        ({"pairing_code": "abc"}, "pairing_code"),
        ({"pairing_code": "AAAAAA", "hardware": {"hostname": "a\x00b"}}, "hardware"),
        ({"pairing_code": "AAAAAA", "version": "1\x00"}, "version"),
    ):
        answer = await world.client(None).post("/api/v1/gateways/pair", json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["details"][0]["field"] == field
    assert (await operator.post(CODE_URL, json={"name": "x", "site_id": str(uuid4())})).status_code == 404
    assert (await operator.get("/api/v1/gateways?status=broken")).status_code == 400


async def test_roles_sites_and_tenants(world: World) -> None:
    operator = world.client("operator")
    seen, _ = await pair(operator, world.site)
    hidden, _ = await pair(operator, world.ungranted_site)
    anonymous, viewer, stranger = (
        world.client(None),
        world.client("viewer"),
        world.client("operator", other=True),
    )
    assert (await anonymous.get("/api/v1/gateways")).json()["error"] == "auth_required"
    assert [item["id"] for item in (await viewer.get("/api/v1/gateways")).json()["data"]] == [str(seen)]
    assert (await viewer.get(f"/api/v1/gateways/{hidden}")).status_code == 403
    assert (await viewer.get(f"/api/v1/gateways/{hidden}/telemetry")).status_code == 403
    assert (await viewer.post(CODE_URL, json={"name": "x", "site_id": str(world.site)})).status_code == 403
    assert (await viewer.delete(f"/api/v1/gateways/{seen}")).status_code == 403
    for method, path in (
        *(("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/telemetry"), ("POST", "/discover")),
    ):
        body = {"json": {}} if method in ("PATCH", "POST") else {}
        assert (
            await stranger.request(method, f"/api/v1/gateways/{seen}{path}", **body)
        ).status_code == 404, path
    assert (await stranger.get("/api/v1/gateways")).json()["total"] == 0
    filtered = (
        await operator.get("/api/v1/gateways", params={"site_id": str(world.site), "status": "registered"})
    ).json()
    assert [UUID(item["id"]) for item in filtered["data"]] == [seen]


async def test_rename_with_etag_and_remove(world: World) -> None:
    operator = world.client("operator")
    gateway_id, _ = await pair(operator, world.site)
    url = f"/api/v1/gateways/{gateway_id}"
    tag = (await operator.get(url)).headers["etag"]
    assert (await operator.get(url, headers={"If-None-Match": tag})).status_code == 304
    renamed = await operator.patch(url, json={"name": "Cellar"}, headers={"If-Match": tag})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Cellar")
    assert (await operator.patch(url, json={"name": "x"}, headers={"If-Match": tag})).status_code == 409
    assert renamed.headers["etag"] == (await operator.get(url)).headers["etag"] != tag

    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, %s, 'gateway', 'c', 'rtsp', '192.0.2.1', 554, 'pending')",
        *(world.org, uuid4(), world.site, gateway_id),
    )
    in_use = await operator.delete(url)
    assert (in_use.status_code, in_use.json()["error"]) == (409, "conflict")
    await world.sql("UPDATE cameras SET deleted_at = now()")
    open_code = await operator.post(
        CODE_URL, json={"gateway_id": str(gateway_id), "site_id": str(world.site)}
    )
    assert (await operator.delete(url)).status_code == 204
    assert (await operator.get(url)).status_code == 404
    late = {"pairing_code": open_code.json()["pairing_code"]}
    assert (await world.client(None).post("/api/v1/gateways/pair", json=late)).status_code == 404
    actions = [row[0] for row in await world.sql("SELECT action FROM audit_log ORDER BY id")]
    assert actions == [
        *("gateway.created", "gateway.pairing_code_generated", "gateway.paired", "gateway.updated"),
        *("gateway.pairing_code_generated", "gateway.deleted"),
    ]


async def test_discovering_through_an_absent_gateway_says_so_at_once(
    database_url: str, tmp_path: Path
) -> None:
    async with make_world(database_url, tmp_path) as world:
        gateway_id, _ = await pair(world.client("operator"), world.site)
        answer = await world.client("operator").post(f"/api/v1/gateways/{gateway_id}/discover", json={})
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        assert answer.json()["reason"] == "gateway_offline"
