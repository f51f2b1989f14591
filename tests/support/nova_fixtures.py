"""Fixtures of the server's tests: the PostgreSQL we ship (one per test process), a database per test cut from a migrated
template, and `world`, a whole server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from nova_world import World, make_world
from psycopg.conninfo import make_conninfo

from novavms_server.kit.database import EmbeddedPostgres
from novavms_server.kit.migrations import migrate


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of an embedded PostgreSQL, as its owner. Not below pytest's own temporary folder: every start of pytest closes
    that to other users, and root's PostgreSQL runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="novavms-pg-"))
    embedded = EmbeddedPostgres(folder / "data")
    url = embedded.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here survives the test anyway
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template_nova")
    migrate(make_conninfo(url, dbname="template_nova"))
    yield url
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cut_database(postgres: str) -> Iterator[str]:
    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_nova")
    yield make_conninfo(postgres, dbname=name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    with cut_database(postgres) as url:
        yield url


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(database_url, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
async def shared_world(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for a module's tests that change nothing: what is refused, mostly. Made in a tenth of their time."""
    with cut_database(postgres) as url:
        async with make_world(url, tmp_path_factory.mktemp("shared")) as made:
            yield made
