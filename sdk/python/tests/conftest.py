"""See tests/support; and `ask`, which makes each test of the library one of both its halves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
from nova_fixtures import database_url, postgres, shared_world, world
from nova_scripted import ScriptedServer

from novavms import AsyncClient, Client

__all__ = ["database_url", "postgres", "shared_world", "world"]

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as made:
        yield made


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the library would have slept; it goes on at once."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    for module in ("transport", "stream", "downloads", "cameras", "events"):
        monkeypatch.setattr(f"novavms._sync.{module}.sleep", slept.append)
        monkeypatch.setattr(f"novavms._async.{module}.sleep", sleep)
    return slept


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, server: ScriptedServer, pauses: list[float]) -> Ask:
    """`ask(lambda client: client.sites.list())`: what the client answers, by threads and by asyncio.

    Without certificates, which take 60 ms to load each time."""

    def run(question: Callable[[Any], Any], **options: Any) -> Any:
        options = {"api_key": "sk_live_test", "base_url": server.url, "timeout": 10, **options}
        if request.param == "sync":
            with httpx.Client(verify=False) as http, Client(http_client=http, **options) as client:
                return question(client)

        async def main() -> Any:
            async with (
                httpx.AsyncClient(verify=False) as http,
                AsyncClient(http_client=http, **options) as client,
            ):
                found = question(client)
                return await found if inspect.isawaitable(found) else found

        return anyio.run(main)

    return run
