"""The feed's order: nothing that commits late is passed over, nothing that is rolled back is told, nobody waits for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from nova_stream import streaming
from nova_wire import until
from nova_world import World, serve

from novavms_server.feed.log import NewItem, tell
from novavms_server.kit.database import Connection
from novavms_server.server import build_server

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


def said(world: World, number: int, **more: Any) -> NewItem:
    return NewItem("camera_status", world.site, {"number": number}, **more)


async def tell_now(world: World, *numbers: int) -> None:
    async with world.server.database.org(world.org) as connection:
        await tell(connection, world.org, world.server.clock.now(), *(said(world, each) for each in numbers))


async def test_who_commits_late_is_told_late_and_not_lost(world: World) -> None:
    """Row 1 is written first and committed last. A reader that has seen row 2 still gets it; going by a number that is taken
    when a row is written would lose it for good."""
    database, now = world.server.database, world.server.clock.now()
    first_is_written, second_is_seen = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.org(world.org) as connection:
            await tell(connection, world.org, now, said(world, 1))
            first_is_written.set()
            await second_is_seen.wait()

    slowly = asyncio.create_task(slow())
    try:
        async with streaming(world.client("viewer")) as reader:
            await first_is_written.wait()
            await tell_now(world, 2, 3)
            await reader.expect("camera_status", number=2)
            third = await reader.expect("camera_status", number=3)
            second_is_seen.set()
            await slowly
            await reader.expect("camera_status", number=1)
    finally:
        second_is_seen.set()
        await slowly
    async with streaming(world.client("viewer"), last_id=third["id"]) as again:
        await again.expect("camera_status", number=1)


async def test_a_commit_in_between_waits_for_the_one_before_it(world: World) -> None:
    """Two that commit at once: while the first one's commit goes on, the second has no number yet."""
    database, now = world.server.database, world.server.clock.now()
    async with database.org(world.org) as first:
        await tell(first, world.org, now, said(world, 1))
        await first.execute(
            "SET CONSTRAINTS feed_place IMMEDIATE"
        )  # as the commit would: it has its number, and the lock
        second = asyncio.create_task(tell_now(world, 2))

        async def waits() -> bool:
            return bool(await world.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))

        await until(waits)
        assert not second.done()
        async with database.org(world.other_org) as other:  # other orgs do not wait
            await tell(other, world.other_org, now, NewItem("camera_status", world.other_site, {}))
    await second
    rows = await world.sql(
        "SELECT data->>'number' FROM feed_items WHERE org_id = %s ORDER BY position", world.org
    )
    assert rows == [("1",), ("2",)]


async def test_what_is_rolled_back_is_not_told(world: World) -> None:
    async with streaming(world.client("viewer")) as reader:
        async with world.server.database.org(world.org) as connection:
            await tell(connection, world.org, world.server.clock.now(), said(world, 1))
            raise psycopg.Rollback
        await tell_now(world, 2)
        await reader.expect("camera_status", number=2)


@pytest.mark.slow
async def test_items_of_one_commit_come_in_the_order_they_were_told_in(world: World) -> None:
    async with streaming(world.client("viewer")) as reader:
        await tell_now(world, *range(50))
        assert [(await reader.expect("camera_status"))["data"]["number"] for _ in range(50)] == list(
            range(50)
        )


@pytest.mark.slow
async def test_a_lost_notification_costs_a_moment_only(world: World) -> None:
    """The listening connection is cut. What is told meanwhile comes by the poll or by listening anew."""
    async with streaming(world.client("viewer")) as reader:
        await world.server.services.streams.follower.listening.wait()
        cut = await _cut_listener(world)
        assert cut == 1
        await tell_now(world, 1)
        await reader.expect("camera_status", number=1)
        await world.server.services.streams.follower.listening.wait()
        await tell_now(world, 2)
        await reader.expect("camera_status", number=2)


@pytest.mark.slow
async def test_what_one_server_does_another_tells(world: World) -> None:
    settings, url = world.server.settings, world.server.database.url
    async with (
        serve(build_server(settings, database_url=url)) as other_url,
        httpx.AsyncClient(base_url=other_url, headers=world.client("viewer").headers) as there,
        streaming(there) as reader,
    ):
        await tell_now(world, 1)
        last = (await reader.expect("camera_status", number=1))["id"]
        await tell_now(world, 2)
        async with streaming(world.client("viewer"), last_id=last) as here:
            await here.expect("camera_status", number=2)


async def _cut_listener(world: World) -> int:
    """As the database's owner would."""
    async with await psycopg.AsyncConnection.connect(world.server.database.url, autocommit=True) as owner:
        cursor = await owner.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'novavms_feed' AND datname = current_database()"
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.slow
async def test_old_items_go_and_no_younger_ones(world: World) -> None:
    from novavms_server.jobs import Housekeeping

    now = world.server.clock.now()
    async with world.server.database.org(world.org) as connection:
        await tell(connection, world.org, now - timedelta(hours=26), said(world, 1))
        await tell(connection, world.org, now - timedelta(hours=24), said(world, 2))
    await Housekeeping(world.server.database, world.server.clock).run()
    assert await world.sql("SELECT data->>'number' FROM feed_items") == [("2",)]


async def test_requests_can_add_to_the_feed_and_not_change_it(world: World) -> None:
    await tell_now(world, 1)
    for statement in ("UPDATE feed_items SET data = '{}'", "DELETE FROM feed_items"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with world.server.database.org(world.org) as connection:
                await connection.execute(statement)

    async def smuggle(connection: Connection) -> None:
        await tell(connection, world.other_org, world.server.clock.now(), said(world, 2))

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with world.server.database.org(world.org) as connection:
            await smuggle(connection)
