"""One server, one gateway for all tests of a module: here the cameras differ, not the system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import psycopg
import pytest
from nova_matrix import Matrix, open_matrix
from psycopg.conninfo import make_conninfo


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def module_database(postgres: str) -> Iterator[str]:
    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_nova")
    yield make_conninfo(postgres, dbname=name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def matrix(
    anyio_backend: str, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Matrix]:
    del anyio_backend  # only its scope is needed: one event loop for the module
    async with open_matrix(module_database, tmp_path_factory.mktemp("matrix")) as made:
        yield made
