"""Pages: one, and all of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from nova_scripted import Asked, Reply, ScriptedServer

from novavms import AsyncPage, Page, ResponseError

TIMES = {"created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"}


def shelf(asked: Asked) -> Reply:
    """Five sites, by twos."""
    query = parse_qs(asked.target.partition("?")[2])
    start = int(query.get("cursor", ["0"])[0])
    limit = int(query.get("limit", ["2"])[0])
    rows = [
        {"id": str(n), "name": f"Site {n}", "timezone": "UTC", "address": None, "version": 1, **TIMES}
        for n in range(5)
    ]
    after = start + limit
    page = {"data": rows[start:after], "next_cursor": str(after) if after < 5 else None, "total": 5}
    return Reply(200, json.dumps(page).encode())


def test_a_list_is_a_page(ask: Any, server: ScriptedServer) -> None:
    server.handler = shelf
    page = ask(lambda client: client.sites.list())
    assert isinstance(page, Page | AsyncPage)
    assert [site.name for site in page.data] == ["Site 0", "Site 1"]
    assert (page.total, page.next_cursor) == (5, "2")
    assert len(server.requests) == 1


def test_iterating_it_walks_all_pages_with_the_same_filters(ask: Any, server: ScriptedServer) -> None:
    server.handler = shelf

    def walk(client: Any) -> Any:
        if inspect_async(client):
            return walk_async(client)
        return [site.name for site in client.sites.list(limit=3)]

    assert ask(walk) == [f"Site {n}" for n in range(5)]
    assert [request.target for request in server.requests] == [
        *("/api/v1/sites?limit=3", "/api/v1/sites?cursor=3&limit=3"),
    ]


def inspect_async(client: Any) -> bool:
    return hasattr(client, "aclose")


async def walk_async(client: Any) -> list[str]:
    return [site.name async for site in await client.sites.list(limit=3)]


def test_pages_can_be_had_one_by_one(ask: Any, server: ScriptedServer) -> None:
    server.handler = shelf

    def walk(client: Any) -> Any:
        if inspect_async(client):
            return pages_async(client)
        first = client.sites.list()
        return [len(page.data) for page in first.pages()], first.next_page().next_page().next_page()

    assert ask(walk) == ([2, 2, 1], None)


async def pages_async(client: Any) -> Any:
    first = await client.sites.list()
    second = await first.next_page()
    third = await second.next_page()
    return [len(page.data) async for page in first.pages()], await third.next_page()


def test_a_page_that_leads_to_itself_ends_the_walk(ask: Any, server: ScriptedServer) -> None:
    server.handler = lambda _: Reply(200, b'{"data": [], "next_cursor": "again", "total": 1}')

    def walk(client: Any) -> Any:
        return walk_async(client) if inspect_async(client) else list(client.sites.list())

    with pytest.raises(ResponseError, match="names itself"):
        ask(walk, max_retries=0)
    assert len(server.requests) == 2
