"""Fixtures for the tests of all parts together (see support/)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nova_fixtures import database_url, postgres, shared_world, world
from nova_system import System, make_system

__all__ = ["database_url", "postgres", "shared_world", "world"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made
