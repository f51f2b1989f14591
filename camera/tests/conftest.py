"""Shared by the camera package's tests."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
