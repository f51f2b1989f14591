"""Idempotency-Key, over HTTP, with a clock in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from nova_people import HandClock
from nova_world import World, make_world

from novavms_server.kit import errors
from novavms_server.kit.work import Work
from novavms_server.sites.service import SiteService

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
SITES = "/api/v1/sites"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def timed(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[World]:
    async with make_world(database_url, tmp_path, clock=clock) as world:
        yield world


async def create(world: World, key: str, name: str = "Once", role: str = "admin") -> httpx.Response:
    return await world.client(role).post(SITES, json={"name": name}, headers={"Idempotency-Key": key})


async def names(world: World) -> list[str]:
    return [
        row[0] for row in await world.sql("SELECT name FROM sites WHERE org_id = %s ORDER BY id", world.org)
    ][2:]


async def test_the_first_answer_is_given_again(timed: World, clock: HandClock) -> None:
    first = await create(timed, "k")
    assert "idempotency-replayed" not in first.headers
    again = await create(timed, "k")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    clock.move(hours=24, seconds=1)
    assert (await create(timed, "k")).status_code == 409  # forgotten: it runs, and the name is taken
    assert await names(timed) == ["Once"]


async def test_keys_belong_to_a_caller_and_to_a_request(world: World) -> None:
    await create(world, "k")
    other_body = await create(world, "k", "Another")
    assert (other_body.status_code, other_body.json()["error"]) == (409, "conflict")
    other_path = await world.client("admin").post(
        f"{SITES}?", json={"name": "Once"}, headers={"Idempotency-Key": "k"}
    )
    assert other_path.status_code == 201
    assert (
        await world.client("admin", other=True).post(
            SITES, json={"name": "Elsewhere"}, headers={"Idempotency-Key": "k"}
        )
    ).status_code == 201
    assert await names(world) == ["Once"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside"])
async def test_keys_that_are_none(shared_world: World, key: str) -> None:
    answer = await create(shared_world, key)
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "Idempotency-Key")
    assert await names(shared_world) == []


async def test_a_key_of_255_characters_is_one(world: World) -> None:
    assert (await create(world, "x" * 255)).status_code == 201


async def test_errors_of_the_caller_are_kept_and_ours_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Exception] = []
    ran: list[str] = []

    async def failing(self: SiteService, work: Work, asked: Any) -> None:
        ran.append(asked.name)
        await work.execute(
            "INSERT INTO sites (org_id, id, name) VALUES (%s, %s, %s)",
            (work.caller.org_id, uuid4(), asked.name),
        )
        raise raised[-1]

    monkeypatch.setattr(SiteService, "create", failing)
    for error, kept in (
        (errors.ValidationError("no"), True),
        (errors.NotFound(), True),
        (errors.Conflict(), True),
        (errors.InvalidToken(), False),
        (errors.Forbidden(), False),
        (errors.RateLimited(retry_after_sec=1), False),
        (errors.Unavailable(), False),
        (RuntimeError("ours"), False),
    ):
        raised.append(error)
        ran.clear()
        key = f"key {type(error).__name__}"
        answers = [await create(world, key) for _ in range(2)]
        assert answers[0].status_code == answers[1].status_code
        assert (answers[1].headers.get("idempotency-replayed") == "true") == kept, error
        # A 403 is tried once more by itself (powers may have changed), never repeated from memory.
        assert (len(ran) == 1) == kept, (error, ran)
    assert await names(world) == []  # whatever failed, left nothing


async def test_after_a_death_in_the_middle_the_next_one_takes_over(
    timed: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A died server is one whose request never ends: its lease stays."""
    started, never = asyncio.Event(), asyncio.Event()
    original = SiteService.create

    async def hanging(self: SiteService, work: Work, asked: Any) -> Any:
        started.set()
        await never.wait()
        return await original(self, work, asked)

    monkeypatch.setattr(SiteService, "create", hanging)
    first = asyncio.create_task(create(timed, "k"))
    await started.wait()
    monkeypatch.setattr(SiteService, "create", original)

    second = asyncio.create_task(create(timed, "k"))
    await asyncio.sleep(0.1)
    assert not second.done()  # the lease holds: it waits
    assert await names(timed) == []
    clock.move(seconds=25.5)
    while not second.done():  # it looks again each time that a little has passed
        await asyncio.sleep(0.02)
        clock.move(seconds=0.05)
    assert second.result().status_code == 201
    assert await names(timed) == ["Once"]

    never.set()  # the first wakes up after all: its lease is lost, and it must leave nothing
    late = await first
    assert (late.status_code, late.json()["error"]) == (409, "conflict")
    assert await names(timed) == ["Once"]
    replayed = await create(timed, "k")
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (201, "true")


async def test_a_lost_lease_rolls_back_what_was_written(
    timed: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SiteService.create

    async def slow(self: SiteService, work: Work, asked: Any) -> Any:
        made = await original(self, work, asked)
        async with timed.server.database.everywhere() as connection:  # another took over meanwhile
            await connection.execute("UPDATE idempotency_keys SET lease = %s", (uuid4(),))
        return made

    monkeypatch.setattr(SiteService, "create", slow)
    answer = await create(timed, "k")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert answer.headers["retry-after"] == "1"
    assert await names(timed) == []


async def test_who_waits_longer_than_the_lease_is_told(
    timed: World, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(timed, "k")
    until = clock.now() + timedelta(hours=1)
    await timed.sql("UPDATE idempotency_keys SET lease = %s, lease_until = %s, status = NULL", uuid4(), until)
    waiting = asyncio.create_task(create(timed, "k"))
    while not waiting.done():
        clock.move(seconds=1)
        await asyncio.sleep(0.01)
    answer = waiting.result()
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")


async def test_what_is_kept_is_sealed(world: World) -> None:
    admin = world.client("admin")
    account = (await admin.post("/api/v1/service-accounts", json={"name": "A", "role": "operator"})).json()
    url = f"/api/v1/service-accounts/{account['id']}/keys"
    first = await admin.post(url, json={}, headers={"Idempotency-Key": "k"})
    again = await admin.post(url, json={}, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    rows = await world.sql("SELECT * FROM idempotency_keys")
    assert len(rows) == 1
    assert first.json()["key"] not in repr(rows)
    assert first.json()["prefix"] not in repr(rows)


async def test_a_kept_answer_is_only_for_who_may_still_ask(world: World) -> None:
    """Revoked, or lowered to a role that the route refuses: from the next request on, which may be a replay."""
    admin = world.client("admin")
    account = (await admin.post("/api/v1/service-accounts", json={"name": "robot", "role": "admin"})).json()
    keys = f"/api/v1/service-accounts/{account['id']}/keys"
    made = (await admin.post(keys, json={"name": "one"})).json()
    robot = world.client(token=made["key"])

    async def ask() -> httpx.Response:
        return await robot.post(SITES, json={"name": "Kept"}, headers={"Idempotency-Key": "k"})

    first = await ask()
    assert first.status_code == 201
    await world.sql("UPDATE service_accounts SET role = 'operator' WHERE id = %s", account["id"])
    assert (await ask()).status_code == 403
    await world.sql("UPDATE service_accounts SET role = 'admin' WHERE id = %s", account["id"])
    again = await ask()
    assert (again.status_code, again.content) == (201, first.content)
    assert (await admin.delete(f"{keys}/{made['id']}")).status_code == 204
    refused = await ask()
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert await names(world) == ["Kept"]
