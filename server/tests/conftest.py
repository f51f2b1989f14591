"""See tests/support: the fixtures are shared with the tests of all parts together."""

import pytest
from nova_fixtures import database_url, postgres, shared_world, world

__all__ = ["database_url", "postgres", "shared_world", "world"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
