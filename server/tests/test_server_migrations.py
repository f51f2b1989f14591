"""Bringing the schema up to date."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from novavms_server.kit.migrations import Migration, MigrationError, migrate, packaged

ONE = Migration(1, "one", "CREATE TABLE one (id integer); SELECT pg_sleep(0.05)")
TWO = Migration(2, "two", "CREATE TABLE two (id integer)")


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(postgres, dbname=name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }


def test_each_is_applied_once_and_in_order(empty_url: str) -> None:
    assert migrate(empty_url, [ONE]) == ["0001_one"]
    assert migrate(empty_url, [ONE, TWO]) == ["0002_two"]
    assert migrate(empty_url, [ONE, TWO]) == []
    assert tables(empty_url) == {"schema_migrations", "one", "two"}


def test_several_at_once_apply_each_once(empty_url: str) -> None:
    barrier = threading.Barrier(4)

    def go() -> list[str]:
        barrier.wait()
        return migrate(empty_url, [ONE, TWO])

    with ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(go) for _ in range(4)]]
    assert sorted(name for names in done for name in names) == ["0001_one", "0002_two"]


def test_a_half_done_one_leaves_nothing_and_can_be_mended(empty_url: str) -> None:
    broken = Migration(2, "two", "CREATE TABLE two (id integer); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(MigrationError, match=r"0002 \(two\) failed and left nothing"):
        migrate(empty_url, [ONE, broken])
    assert tables(empty_url) == {"schema_migrations", "one"}
    assert migrate(empty_url, [ONE, TWO]) == ["0002_two"]


def test_a_changed_file_is_refused(empty_url: str) -> None:
    migrate(empty_url, [ONE])
    with pytest.raises(MigrationError, match="changed after it was applied"):
        migrate(empty_url, [ONE._replace(sql=ONE.sql + " "), TWO])
    assert "two" not in tables(empty_url)


def test_a_database_from_the_future_is_refused(empty_url: str) -> None:
    migrate(empty_url, [ONE, TWO])
    with pytest.raises(MigrationError, match="newer than this program"):
        migrate(empty_url, [ONE])


def test_what_we_ship_is_numbered_without_gaps_and_applies(empty_url: str) -> None:
    numbers = [item.number for item in packaged()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(migrate(empty_url)) == len(numbers)
    with psycopg.connect(empty_url) as connection:
        open_tables = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'"
            " AND NOT relrowsecurity AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'org_id')"
        ).fetchall()
    assert open_tables == [], "tables of a tenant without row-level security"
