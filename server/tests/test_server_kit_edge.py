"""What every answer has in common: limits, errors, headers, the database away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from nova_people import HandClock, add_user, client_of
from nova_world import World, make_world
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from novavms_server.kit import errors
from novavms_server.kit.work import Work
from novavms_server.sites.service import SiteService

pytestmark = pytest.mark.anyio
SITES = "/api/v1/sites"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def limited(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[World]:
    """The limits that the product has, and a clock that stands."""
    async with make_world(database_url, tmp_path, clock=clock, rate_per_min=1000, rate_burst=100) as world:
        yield world


def shape(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body, after a look at all that an error must have."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["error"] == code
    assert body["message"]
    assert body["request_id"] == answer.headers["x-request-id"]
    for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"):
        assert answer.headers[name].isdigit(), name
    return body


async def test_the_bucket_of_a_key_empties_and_fills_again(limited: World, clock: HandClock) -> None:
    client, other = limited.client("admin"), limited.client("operator")
    first = await client.get(SITES)
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("1000", "99")
    assert int(first.headers["x-ratelimit-reset"]) == int(clock.now().timestamp()) + 1
    for _ in range(98):
        await client.get(f"{SITES}?limit=0")  # errors cost one, too
    last = await client.post(SITES, json={"name": "x"})  # and so do writes
    assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (201, "0")
    refused = await client.get(SITES)
    shape(refused, 429, "rate_limited")
    assert refused.headers["retry-after"] == "1"
    assert (await other.get(SITES)).status_code == 200  # a bucket of its own
    for _ in range(3):
        for path in ("/healthz", "/readyz"):
            free = await client.get(path)
            assert free.status_code == 200
            assert "x-ratelimit-limit" not in free.headers
    clock.move(seconds=0.07)  # 1000 a minute: one each 60 ms
    assert (await client.get(SITES)).status_code == 200
    assert (await client.get(SITES)).status_code == 429
    clock.move(seconds=6)
    assert (await client.get(SITES)).headers["x-ratelimit-remaining"] == "99"


async def test_sessions_of_a_user_share_a_bucket(limited: World) -> None:
    _, email = await add_user(limited, "operator")
    one, two = await client_of(limited, email), await client_of(limited, email)
    await one.get(SITES)
    assert (await two.get(SITES)).headers["x-ratelimit-remaining"] == "98"


async def test_strangers_are_limited_by_their_address(limited: World) -> None:
    stranger, liar = limited.client(None), limited.client(token="sk_live_made-up")
    answers = [await client.get(SITES) for _ in range(51) for client in (stranger, liar)]
    codes = [answer.json()["error"] for answer in answers]
    assert codes[:100] == ["auth_required", "invalid_token"] * 50
    assert codes[100:] == ["rate_limited"] * 2
    elsewhere = await stranger.get(SITES, headers={"X-Forwarded-For": "203.0.113.9"})
    assert elsewhere.status_code in (401, 429)
    assert (await limited.client("viewer").get(SITES)).status_code == 200


async def test_401_says_which_scheme(world: World) -> None:
    for token in (None, "x", "sk_live_x", "a.b.c"):
        answer = await world.client(None if token is None else "admin", token=token).get(SITES)
        shape(answer, 401, "auth_required" if token is None else "invalid_token")
        assert answer.headers["www-authenticate"] == "Bearer"
    basic = await world.client(None).get(SITES, headers={"Authorization": "Basic YTpi"})
    shape(basic, 401, "invalid_token")


async def test_what_is_not_there_and_what_is_not_taken(world: World) -> None:
    admin = world.client("admin")
    shape(await admin.get("/api/v1/nothing"), 404, "not_found")
    shape(await world.client(None).get("/nothing/../here"), 404, "not_found")
    wrong = await admin.put(SITES, json={})
    shape(wrong, 405, "method_not_allowed")
    assert {"GET", "POST"} <= {name.strip() for name in wrong.headers["allow"].split(",")}
    big = await admin.post(
        SITES, content=b'{"name": "' + b"x" * 1_048_576 + b'"}', headers={"Content-Type": "application/json"}
    )
    shape(big, 413, "payload_too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536

    unannounced = await admin.post(SITES, content=chunks(), headers={"Content-Type": "application/json"})
    shape(unannounced, 413, "payload_too_large")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        typed = await admin.post(SITES, content=b'{"name": "x"}', headers={"Content-Type": kind})
        shape(typed, 415, "unsupported_media_type")
    shape(await admin.post(SITES, content=b'{"name": "x"}'), 415, "unsupported_media_type")
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert (await admin.post(SITES, content=b'{"name": "x"}', headers=charset)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b"[" * 60_000,
        b'{"name": "x"} {}',
    ],
)
async def test_malformed_json(shared_world: World, body: bytes) -> None:
    answer = await shared_world.client("admin").post(
        SITES, content=body, headers={"Content-Type": "application/json"}
    )
    shape(answer, 400, "validation_error")


@pytest.mark.parametrize(
    "name",
    [
        *("a\x00b", "a\x1bb", "a\x85b", "a\x9b31m", "a\u2028b", "a\u202egpj.exe", "a\u2066b"),
        *("\n", "   ", "\u200b", "\ufeff\u2060", "\u3000", "x" * 101, "", 5, None, ["x"]),
    ],
)
async def test_names_that_are_none(shared_world: World, name: Any) -> None:
    body = shape(await shared_world.client("admin").post(SITES, json={"name": name}), 400, "validation_error")
    assert body["details"][0]["field"] == "name"


async def test_names_in_any_script_are_names(world: World) -> None:
    for name in ("Hafen Süd", "港", "ميناء", "می\u200cخواهم", "👩\u200d🚒", "🚢" * 100):
        answer = await world.client("admin").post(SITES, json={"name": name})
        assert (answer.status_code, answer.json()["name"]) == (201, name)


async def test_queries_with_foreign_names_twice_or_control_characters(world: World) -> None:
    admin = world.client("admin")
    for query in ("sites=1", "work=1", "if_match=1", "limit=1&limit=2", "cursor=%00", "cursor=a%0Ab"):
        shape(await admin.get(f"{SITES}?{query}"), 400, "validation_error")


@pytest.mark.parametrize("limit", ["1e1", "5.0", "+5", "0x5", "%205", "1_0", "٥", "true", "", "9" * 30])
async def test_a_limit_is_written_in_digits(shared_world: World, limit: str) -> None:
    body = shape(await shared_world.client("admin").get(f"{SITES}?limit={limit}"), 400, "validation_error")
    assert body["details"] == [{"field": "limit", "message": "limit must be an integer from 1 to 100"}]


async def test_a_cursor_of_another_list_org_or_filter(world: World) -> None:
    admin, other = world.client("admin"), world.client("admin", other=True)
    for role in ("operator", "admin"):
        for number in range(2):
            body = {"email": f"{role}{number}@acme.example", "display_name": "x", "role": role}
            assert (await admin.post("/api/v1/users", json=body)).status_code == 201
    sites = (await admin.get(f"{SITES}?limit=1")).json()["next_cursor"]
    users = (await admin.get("/api/v1/users?limit=1&role=admin")).json()["next_cursor"]
    assert (await admin.get("/api/v1/users", params={"cursor": users, "role": "admin"})).status_code == 200
    for client, path, params in (
        (admin, "/api/v1/users", {"cursor": sites}),
        (admin, SITES, {"cursor": users}),
        (other, SITES, {"cursor": sites}),
        (admin, "/api/v1/users", {"cursor": users}),
        (admin, "/api/v1/users", {"cursor": users, "role": "operator"}),
        (admin, SITES, {"cursor": sites[:-2] + "AA"}),
        (admin, SITES, {"cursor": "é"}),
        (admin, SITES, {"cursor": ""}),
    ):
        body = shape(await client.get(path, params=params), 400, "validation_error")
        assert body["details"][0]["field"] == "cursor"


async def test_an_error_of_ours_says_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the-inside")

    monkeypatch.setattr(SiteService, "list", broken)
    with caplog.at_level(logging.ERROR):
        answer = await world.client("admin").get(SITES)
    body = shape(answer, 500, "internal_error")
    assert "the-inside" not in answer.text
    assert body["request_id"] in caplog.text
    assert "the-inside" in caplog.text


async def test_a_failed_commit_is_no_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(self: Work) -> None:
        await self.rollback()
        raise psycopg.OperationalError("server closed the connection")

    monkeypatch.setattr(Work, "commit", lost)
    answer = await world.client("admin").post(SITES, json={"name": "Never"})
    shape(answer, 503, "unavailable")
    assert answer.headers["retry-after"].isdigit()
    assert await world.sql("SELECT 1 FROM sites WHERE name = 'Never'") == []


async def test_what_follows_a_commit_runs_after_it_and_its_failure_is_ours_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    original = SiteService.create

    async def create(self: SiteService, work: Work, asked: Any) -> Any:
        async def look() -> None:
            seen.append(len(await world.sql("SELECT 1 FROM sites WHERE name = %s", asked.name)))
            raise RuntimeError("nudge")

        work.after_commit(look)
        site = await original(self, work, asked)
        if asked.name == "Refused":
            raise errors.Conflict
        return site

    monkeypatch.setattr(SiteService, "create", create)
    assert (await world.client("admin").post(SITES, json={"name": "Kept"})).status_code == 201
    assert (await world.client("admin").post(SITES, json={"name": "Refused"})).status_code == 409
    assert seen == [1]
    assert "after its commit failed" in caplog.text


@pytest.mark.slow
async def test_while_the_database_is_away_503_and_then_as_before(
    world: World, database_url: str, postgres: str
) -> None:
    admin = world.client("admin")
    assert (await admin.get(SITES)).status_code == 200
    name = conninfo_to_dict(database_url)["dbname"]
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
        await connection.execute(allow(sql.Identifier(str(name)), sql.Literal(False)))
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        known, new = await asyncio.gather(admin.get(SITES), world.client("viewer").get(SITES))
        for answer in (known, new):
            shape(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert "psycopg" not in answer.text
        assert (await admin.get("/readyz")).status_code == 503
        assert (await admin.get("/healthz")).status_code == 200
        await connection.execute(allow(sql.Identifier(str(name)), sql.Literal(True)))
    async with asyncio.timeout(30):
        while (await admin.get(SITES)).status_code != 200:
            await asyncio.sleep(0.1)


async def test_metrics_name_routes_and_no_strangers_words(world: World) -> None:
    client = world.client("admin")
    await client.get(f"{SITES}/{world.site}")
    await client.get("/a-strangers-word/x")
    text = (await client.get("/metrics")).text
    assert 'route="/api/v1/sites/{site_id}",status="200"' in text.replace("{site_id:str}", "{site_id}")
    assert "a-strangers-word" not in text
    assert str(world.site) not in text
    assert (await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})).status_code == 403


async def test_the_word_null_is_no_way_around_a_filter(world: World) -> None:
    admin = world.client("admin")
    for path, field in (
        ("cameras?type=null", "type"),
        ("gateways?status=NULL", "status"),
        ("cameras?site_id=null", "site_id"),
        ("cameras?sort=null", "sort"),
        ("cameras?limit=null", "limit"),
    ):
        answer = await admin.get(f"/api/v1/{path}")
        assert answer.status_code == 400, path
        assert answer.json()["details"][0]["field"] == field
    assert (await admin.get("/api/v1/cameras?q=null")).status_code == 200


async def test_a_body_that_may_be_left_out_is_still_explained(world: World) -> None:
    answer = await world.client(None).post("/api/v1/auth/refresh", json={"colour": "red", "refresh_token": 3})
    assert answer.status_code == 400, answer.text
    assert {item["field"] for item in answer.json()["details"]} == {"colour", "refresh_token"}


async def test_messages_say_what_is_wanted(world: World) -> None:
    admin = world.client("admin")
    for path, body, message in (
        (
            "auth/login",
            {"email": "ada", "password": "x"},
            "email must be an email address, such as ada@example.com",
        ),
        (f"gateways/{uuid4()}/discover", {"hosts": None}, "hosts must be a list"),
        (f"gateways/{uuid4()}/discover", {"hosts": [1]}, "hosts is not valid: "),
        (
            "gateways/pair",
            {"pairing_code": ""},
            "pairing_code must be the code as shown: 6 letters and digits",
        ),
    ):
        details = shape(await admin.post(f"/api/v1/{path}", json=body), 400, "validation_error")["details"]
        assert [each for each in details if each["message"].startswith(message)], details
