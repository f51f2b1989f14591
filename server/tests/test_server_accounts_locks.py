"""The first two locks, each alone: row-level security without a WHERE, and the queries' own scope without row-level security."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from nova_people import add_user
from nova_world import World
from psycopg.conninfo import make_conninfo

from novavms_server.accounts.orgs import queries as orgs
from novavms_server.accounts.service_accounts import queries as service_accounts
from novavms_server.accounts.users import queries as users
from novavms_server.kit.caller import Caller, Role
from novavms_server.kit.database import Database, Query, run
from novavms_server.sites import queries as sites

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def tenant_tables(world: World) -> list[str]:
    rows = await world.sql(
        "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'"
        " AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'org_id') ORDER BY 1"
    )
    return [row[0] for row in rows]


async def test_row_level_security_shows_only_the_entered_org_without_any_where(world: World) -> None:
    for other in (False, True):
        await add_user(world, "viewer", other=other)
    app = world.server.database.app
    seen: set[str] = set()
    for table in await tenant_tables(world):
        async with world.server.database.org(world.org) as connection:
            cursor = await connection.execute(f"SELECT DISTINCT org_id FROM {table}")
            orgs_seen = {row[0] for row in await cursor.fetchall()}
        assert orgs_seen <= {world.org}, table
        if orgs_seen:
            seen.add(table)
        async with app.connection() as connection:  # nothing entered: nothing seen
            cursor = await connection.execute(f"SELECT count(*) FROM {table}")
            assert await cursor.fetchone() == (0,), table
    assert {"sites", "users", "user_sites", "service_accounts", "api_keys"} <= seen


async def test_row_level_security_refuses_writes_into_another_org(world: World) -> None:
    insert = "INSERT INTO sites (org_id, id, name) VALUES (%s, %s, 'smuggled')"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with world.server.database.org(world.org) as connection:
            await connection.execute(insert, (world.other_org, uuid4()))
    async with world.server.database.org(world.org) as connection:
        for statement in ("UPDATE sites SET name = 'mine' WHERE id = %s", "DELETE FROM sites WHERE id = %s"):
            assert (await connection.execute(statement, (world.other_site,))).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with connection.transaction():
                await connection.execute("UPDATE sites SET org_id = %s", (world.other_org,))


async def test_an_org_is_entered_for_one_transaction_only(world: World) -> None:
    async with world.server.database.app.connection() as connection:
        async with connection.transaction():
            await connection.execute("SELECT nova_enter(%s)", (world.org,))
            assert (await (await connection.execute("SELECT count(*) FROM sites")).fetchone()) == (2,)
        assert (await (await connection.execute("SELECT count(*) FROM sites")).fetchone()) == (0,)


async def test_the_roles_that_requests_use_can_not_step_aside(world: World) -> None:
    rows = await world.sql(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'novavms%%' ORDER BY 1"
    )
    assert rows == [("novavms_app", False, False), ("novavms_system", False, False)]
    for role in ("novavms_app", "novavms_system"):
        owned = await world.sql("SELECT tablename FROM pg_tables WHERE tableowner = %s", role)
        assert owned == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with world.server.database.org(world.org) as connection:
            await connection.execute("UPDATE audit_log SET actor = 'nobody'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with world.server.database.everywhere() as connection:
            await connection.execute("DELETE FROM audit_log")


async def rows_of(connection: psycopg.AsyncConnection[object], query: Query) -> list[object]:
    return list(await (await run(connection, query)).fetchall())


async def test_the_queries_own_scope_holds_without_row_level_security(
    world: World, database_url: str
) -> None:
    """As the tables' owner, whom no policy binds: what the other org has stays unseen."""
    foreign_user, _ = await add_user(world, "operator", other=True)
    accounts = await world.sql("SELECT id FROM service_accounts WHERE org_id = %s", world.other_org)
    foreign_account: UUID = accounts[0][0]
    caller = Caller(world.org, "user", uuid4(), Role.owner, None, 1)
    async with await psycopg.AsyncConnection.connect(
        make_conninfo(database_url), autocommit=True
    ) as connection:
        assert len(await rows_of(connection, Query("SELECT 1 FROM sites"))) == 3  # no policy at work here
        for query in (
            sites.by_id(caller, world.other_site),
            sites.hold(caller, world.other_site),
            users.by_id(caller, foreign_user),
            users.sessions(caller, foreign_user, NOW),
            service_accounts.by_id(caller, foreign_account),
            service_accounts.keys(caller, foreign_account, None, 10),
            orgs.member(caller, foreign_user),
            orgs.nomination(caller, NOW),
        ):
            assert await rows_of(connection, query) == [], query.sql
        for query, total in (
            (sites.total(caller), 2),
            (users.total(caller, None, None), 0),
            (service_accounts.total(caller), 3),
            (service_accounts.key_total(caller, foreign_account), 0),
        ):
            assert await rows_of(connection, query) == [(total,)], query.sql
        listed = await rows_of(connection, sites.page(caller, None, 10))
        assert world.other_site not in {site.id for site in listed}  # type: ignore[attr-defined]
        (owned,) = await rows_of(connection, orgs.current(caller))
        assert owned.id == world.org  # type: ignore[attr-defined]
        viewer = Caller(world.org, "user", uuid4(), Role.viewer, frozenset({world.site}), 1)
        (seen,) = await rows_of(connection, sites.page(viewer, None, 10))
        assert seen.id == world.site  # type: ignore[attr-defined]
        assert await rows_of(
            connection, sites.total(Caller(world.org, "user", uuid4(), Role.viewer, frozenset(), 1))
        ) == [(0,)]


def test_both_pools_take_a_bound_role() -> None:
    database = Database("postgresql://x")
    assert "role=novavms_app" in database.app.conninfo
    assert "role=novavms_system" in database.system.conninfo
