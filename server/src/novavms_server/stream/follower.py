"""Keeps this server's channels up with the feed.

1. One connection of this server listens (NOTIFY novavms_feed, payload: the org). A notification only says "look".
2. What is to be looked at is read, a page at a time, inside the org; and with it the org's auth_epoch.
3. Every `POLL_SEC` one query asks of all channels whether there is more, or another epoch: so a notification that was lost
   (the listening connection broke, or a proxy in between knows no LISTEN) costs that much time and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, Query, run_all
from novavms_server.kit.tasks import end
from novavms_server.stream import channels
from novavms_server.stream.channels import Channel
from novavms_server.stream.items import Item

log = logging.getLogger("novavms.stream")

POLL_SEC: Final = 2.0
AT_ONCE: Final = 3
"""Reads of the feed at the same time, for channels; and as many more for readers that resume or fell behind, behind whom
channels do not wait. The rest of the pool is for requests."""

_NEWS = """
SELECT told.org_id, o.auth_epoch > told.epoch OR EXISTS (
    SELECT FROM feed_items f WHERE f.org_id = told.org_id AND f.position > told.position)
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS told (org_id, position, epoch) JOIN orgs o ON o.id = told.org_id
"""


class Follower:
    """`start` and `stop` with the server. `channels` are put in and taken out by Streams."""

    def __init__(self, database: Database, clock: Clock, base_url: str) -> None:
        self.channels: dict[UUID, Channel] = {}
        self.known_at: datetime | None = None
        """When this server last knew that its channels have all there is, but for a moment's delay."""
        self.listening = asyncio.Event()
        self._database = database
        self._clock = clock
        self._base_url = base_url
        self._dirty: set[UUID] = set()
        self._wake = asyncio.Event()
        self._fill_slots = asyncio.Semaphore(AT_ONCE)
        self._page_slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        work = (self._listen, self._poll, self._fill_all)
        self._tasks = [asyncio.create_task(self._for_ever(each)) for each in work]

    async def stop(self) -> None:
        await end(self._tasks)
        self._tasks = []

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except DATABASE_AWAY as error:
                log.warning("the feed can't be read: %s", type(error).__name__)
                await self._clock.sleep(1)
            except Exception:
                log.exception("reading the feed")
                await self._clock.sleep(1)

    async def _listen(self) -> None:
        options = "-c role=novavms_system"
        url = make_conninfo(
            self._database.url, options=options, application_name="novavms_feed", connect_timeout=5
        )
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        try:
            await connection.execute("LISTEN novavms_feed")
            self.listening.set()
            for org_id in self.channels:  # what was told while nobody listened
                self.look(org_id)
            async for told in connection.notifies():
                self.look(UUID(told.payload))
        finally:
            self.listening.clear()
            await connection.close()

    def look(self, org_id: UUID) -> None:
        """There may be more."""
        if org_id in self.channels:
            self._dirty.add(org_id)
            self._wake.set()

    async def _poll(self) -> None:
        await self._clock.sleep(POLL_SEC)
        now = self._clock.now()
        known = [each for each in self.channels.values() if each.position >= 0]
        given = (
            [each.org_id for each in known],
            [each.position for each in known],
            [each.epoch for each in known],
        )
        for org_id, news in (await self._database.look_everywhere(Query(_NEWS, given)))[0]:
            if news:
                self.look(org_id)
        self.known_at = now

    async def _fill_all(self) -> None:
        await self._wake.wait()
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        done = await asyncio.gather(*(self._fill(org_id) for org_id in dirty), return_exceptions=True)
        for error in done:
            if error is not None:
                self._dirty |= dirty  # once more, all of them
                self._wake.set()
                raise error

    async def _fill(self, org_id: UUID) -> None:
        channel = self.channels.get(org_id)
        while channel is not None and channel.position >= 0:
            async with self._fill_slots:
                items, epoch = await self._read(org_id, channel.position)
            channel.add(items, epoch)
            if len(items) < channels.PAGE:
                return

    async def page(self, org_id: UUID, after: int) -> tuple[list[Item], int]:
        """From the feed itself, with the org's epoch as of then (0: no such org any more)."""
        async with self._page_slots:
            return await self._read(org_id, after)

    async def _read(self, org_id: UUID, after: int) -> tuple[list[Item], int]:
        async with self._database.app.connection() as connection:
            queries = (channels.enter(org_id), channels.page(org_id, after), channels.epoch(org_id))
            _, items, epochs = await run_all(connection, queries)
        if self._base_url:
            for item in items:
                item.complete(self._base_url)
        return items, epochs[0][0] if epochs else 0
