"""A reader of /api/v1/stream, by server-sent events; it understands just what the HTML standard says of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

DEADLINE_SEC = 10.0
PATH = "/api/v1/stream"


class SseReader:
    """One open stream. `last_id` is what a browser would send as Last-Event-ID; `comments` counts pings."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id: str | None = None
        self.comments = 0
        self.seen: list[dict[str, Any]] = []
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any] | None:
        """The next item; None at the end of the stream."""
        kind, data = "message", []
        async with asyncio.timeout(DEADLINE_SEC):
            async for line in self._lines:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if line == "":
                    if data:
                        item = {"id": self.last_id, "type": kind, "data": json.loads("\n".join(data))}
                        self.seen.append(item)
                        return item
                    kind = "message"
                elif name == "":
                    self.comments += 1
                elif name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
        return None

    async def expect(self, kind: str, **facts: Any) -> dict[str, Any]:
        """The next item, which is of this type and says this in its `data`."""
        item = await self.next()
        assert item is not None, f"the stream ended; wanted {kind}"
        assert item["type"] == kind, item
        assert {name: item["data"].get(name) for name in facts} == facts, item
        return item

    async def until(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Reads on until there is such an item."""
        while True:
            item = await self.next()
            assert item is not None, f"the stream ended; wanted {kind}"
            if item["type"] == kind and all(item["data"].get(name) == value for name, value in facts.items()):
                return item

    async def ended(self) -> str:
        """Reads to the end of the stream; the reason that it gave."""
        while (await self.next()) is not None:
            pass
        assert self.seen[-1]["type"] == "end", self.seen[-1]
        return str(self.seen[-1]["data"]["reason"])


@asynccontextmanager
async def streaming(
    client: httpx.AsyncClient, query: str = "", *, last_id: str | None = None
) -> AsyncIterator[SseReader]:
    """Open, and greeted: `seen[0]` is `hello`."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.stream("GET", PATH + query, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        reader = SseReader(response)
        await reader.expect("hello")
        yield reader
