"""Logging in, and staying so: tokens are renewed once at a time, and each refresh token is spent once."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from nova_scripted import Asked, Reply, ScriptedServer

from novavms import APIConnectionError, AsyncClient, AuthenticationError, Client, Tokens
from novavms._cli import account

USER = {
    "id": "u",
    "email": "e",
    "display_name": "d",
    "role": "admin",
    "org_id": "o",
    "must_change_password": False,
}
ORG = {
    **{"id": "o", "name": "Acme", "sandbox": False, "version": 1},
    **{"created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"},
}


class House:
    """A server that knows which access token is good, and that each refresh token is good once."""

    def __init__(self, server: ScriptedServer) -> None:
        server.handler = self.answer
        self.number = 0
        self.good = ""
        self.spent: list[str] = []
        self.ended = False
        self.life_min = 15
        self.lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            if asked.path == "/api/v1/auth/login":
                assert "authorization" not in asked.headers
                assert asked.json["client_type"] == "api"
                return self.tokens()
            if asked.path == "/api/v1/auth/refresh":
                return self.refresh(asked.json["refresh_token"])
            if asked.path == "/api/v1/auth/logout":
                return Reply(204)
            if asked.headers.get("authorization") != f"Bearer {self.good}":
                return Reply(401, b'{"error": "invalid_token", "message": "Expired.", "request_id": "r"}')
            return Reply(200, json.dumps(ORG).encode())

    def refresh(self, token: str) -> Reply:
        if self.ended or token in self.spent or token != f"rt-{self.number}":
            self.ended = True
            return Reply(401, b'{"error": "invalid_token", "message": "Session over.", "request_id": "r"}')
        self.spent.append(token)
        return self.tokens()

    def tokens(self) -> Reply:
        self.number += 1
        self.good = f"at-{self.number}"
        body = {
            **{"access_token": self.good, "refresh_token": f"rt-{self.number}", "user": USER},
            "expires_at": f"2031-03-01T12:{self.life_min:02}:00Z",
        }
        return Reply(200, json.dumps(body).encode(), {"date": "Sat, 01 Mar 2031 12:00:00 GMT"})


@pytest.fixture
def house(server: ScriptedServer) -> House:
    return House(server)


def test_a_login_is_used_from_there_on(ask: Any, server: ScriptedServer, house: House) -> None:
    told: list[Tokens | None] = []

    def visit(client: Any) -> Any:
        if hasattr(client, "aclose"):
            return visit_async(client)
        client.auth.login("ada@example.com", "Correct-Horse-1")
        house.good = "expired"
        found = client.org.get().name
        client.auth.logout()
        return found, client.tokens

    async def visit_async(client: Any) -> Any:
        await client.auth.login("ada@example.com", "Correct-Horse-1")
        house.good = "expired"
        found = (await client.org.get()).name
        await client.auth.logout()
        return found, client.tokens

    assert ask(visit, api_key=None, on_tokens=told.append) == ("Acme", None)
    assert [tokens and tokens.refresh_token for tokens in told] == ["rt-1", "rt-2", None]
    assert house.spent == ["rt-1"]


def test_kept_tokens_go_on(ask: Any, house: House) -> None:
    house.number = 7
    found = ask(lambda client: client.org.get(), api_key=None, access_token="at-7", refresh_token="rt-7")
    assert found.name == "Acme"
    assert house.spent == ["rt-7"]


def test_tokens_are_renewed_before_they_end_by_the_servers_clock(
    ask: Any, house: House, monkeypatch: pytest.MonkeyPatch, server: ScriptedServer
) -> None:
    """This machine's clock is years behind that server's; the token lives 15 minutes all the same."""
    import time

    now = time.monotonic

    def visit(client: Any) -> Any:
        if hasattr(client, "aclose"):
            return visit_async(client)
        client.auth.login("ada@example.com", "x")
        client.org.get()
        monkeypatch.setattr(time, "monotonic", lambda: now() + 13 * 60)
        client.org.get()
        monkeypatch.setattr(time, "monotonic", lambda: now() + 14 * 60)
        client.org.get()
        return None

    async def visit_async(client: Any) -> Any:
        await client.auth.login("ada@example.com", "x")
        await client.org.get()
        monkeypatch.setattr(time, "monotonic", lambda: now() + 13 * 60)
        await client.org.get()
        monkeypatch.setattr(time, "monotonic", lambda: now() + 14 * 60)
        await client.org.get()

    ask(visit, api_key=None)
    monkeypatch.undo()
    paths = [request.path.rpartition("/")[2] for request in server.requests]
    assert paths == ["login", "current", "current", "refresh", "current"]


def test_a_session_that_ended_says_so_once(ask: Any, server: ScriptedServer, house: House) -> None:
    house.ended = True

    def visit(client: Any) -> Any:
        if hasattr(client, "aclose"):
            return visit_async(client)
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                client.org.get()
        return None

    async def visit_async(client: Any) -> Any:
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                await client.org.get()

    ask(visit, api_key=None, access_token="at-0", refresh_token="rt-0")
    assert [request.path for request in server.requests].count("/api/v1/auth/refresh") == 1


def test_a_lost_refresh_is_tried_again(ask: Any, server: ScriptedServer, house: House) -> None:
    """If it was heard, its answer is lost and the session with it; if not, all is well."""
    house.number = 1
    server.say(401, {"error": "invalid_token", "message": "m", "request_id": "r"}).then(Reply(hang_up=True))
    found = ask(lambda client: client.org.get(), api_key=None, access_token="at-0", refresh_token="rt-1")
    assert found.name == "Acme"
    paths = [request.path.rpartition("/")[2] for request in server.requests]
    assert paths == ["current", "refresh", "refresh", "current"]


def test_a_lost_login_is_not(ask: Any, server: ScriptedServer) -> None:
    """It may have begun a session, and a sixth one ends the oldest."""
    server.then(Reply(hang_up=True))
    with pytest.raises(APIConnectionError):
        ask(lambda client: client.auth.login("ada@example.com", "x"), api_key=None)
    assert len(server.requests) == 1


def test_many_threads_renew_once(server: ScriptedServer, house: House) -> None:
    house.number = 1
    options: Any = {"access_token": "at-0", "refresh_token": "rt-1", "base_url": server.url}
    with (
        httpx.Client(verify=False) as http,
        Client(http_client=http, **options) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        found = [one.result().name for one in [pool.submit(client.org.get) for _ in range(16)]]
    assert found == ["Acme"] * 16
    assert house.spent == ["rt-1"]


def test_commands_that_run_at_the_same_time_share_a_login(
    server: ScriptedServer, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cameras watch`, which runs for hours, and all that is typed meanwhile."""
    monkeypatch.setenv("NOVAVMS_CREDENTIALS", str(tmp_path / "kept" / "login.json"))
    monkeypatch.delenv("NOVAVMS_API_KEY", raising=False)
    monkeypatch.delenv("NOVAVMS_BASE_URL", raising=False)
    house.number = 1
    account.save(account.Account(server.url, None, "at-0", "rt-1"))
    with account.connect() as watching, account.connect() as typed:
        assert typed.org.get().name == "Acme"
        assert watching.org.get().name == "Acme"
        assert house.spent == ["rt-1"]
        house.good = "at-another"  # they have ended, of all of them at once
        others = [account.connect() for _ in range(4)]
        with ThreadPoolExecutor(6) as pool:
            found = [pool.submit(client.org.get) for client in (watching, typed, *others)]
            assert [one.result().name for one in found] == ["Acme"] * 6
        for client in others:
            client.close()
    assert (house.spent, house.ended) == (["rt-1", "rt-2"], False)
    kept = account.load()
    assert kept is not None
    assert kept.refresh_token == "rt-3"


@pytest.mark.anyio
async def test_many_tasks_renew_once_though_the_first_is_cancelled(
    server: ScriptedServer, house: House
) -> None:
    house.number = 1
    options: Any = {"access_token": "at-0", "refresh_token": "rt-1", "base_url": server.url}
    async with httpx.AsyncClient(verify=False) as http, AsyncClient(http_client=http, **options) as client:
        tasks = [asyncio.create_task(client.org.get()) for _ in range(16)]
        while not any(request.path.endswith("/refresh") for request in server.requests):
            await asyncio.sleep(0)
        tasks[0].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert client.tokens is not None
        assert client.tokens.refresh_token == "rt-2"
    assert [one.name for one in found if not isinstance(one, BaseException)] == ["Acme"] * 15
    assert house.spent == ["rt-1"]


def test_what_does_not_go_together() -> None:
    for options in ({"api_key": "a", "access_token": "b"}, {"refresh_token": "c"}):
        with pytest.raises(ValueError, match="access_token"):
            Client(**options)


@pytest.mark.parametrize(
    "address", ["novavms.example", "ftp://x", "https://user:hush@x", "https://x?key=hush", "", "https://"]
)
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOVAVMS_BASE_URL", raising=False)
    if address:
        with pytest.raises(ValueError, match="base_url") as raised:
            Client(base_url=address)
        assert "hush" not in str(raised.value)


def test_the_environment_names_server_and_key(
    ask: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVAVMS_BASE_URL", server.url + "/api/v1/")
    monkeypatch.setenv("NOVAVMS_API_KEY", " sk_live_env\n")
    server.say(200, ORG)
    assert ask(lambda client: client.org.get(), api_key=None, base_url=None).name == "Acme"
    assert server.requests[0].headers["authorization"] == "Bearer sk_live_env"
    assert server.requests[0].path == "/api/v1/orgs/current"
