"""One browser for a module's tests; each visitor has a context of their own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from nova_browser import chromium
from playwright.async_api import Browser


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found
