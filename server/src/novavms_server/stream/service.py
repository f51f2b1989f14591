"""The open streams of this server: who may open one, from where it reads on, and when it ends."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as CounterMetric

from novavms_server.kit.caller import Caller
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database, run_all
from novavms_server.kit.edge import Authenticator
from novavms_server.kit.errors import ApiError, Forbidden, InvalidToken
from novavms_server.kit.tasks import end
from novavms_server.stream import channels
from novavms_server.stream.channels import Channel
from novavms_server.stream.errors import ClosingDown, TooManyStreams
from novavms_server.stream.follower import Follower
from novavms_server.stream.items import Item
from novavms_server.stream.positions import KEPT, Positions
from novavms_server.stream.reader import Reader, Wanted, Wire

log = logging.getLogger("novavms.stream")

PER_CALLER: Final = 20
PER_ORG: Final = 2000
TICK_SEC: Final = 1.0
ASKING_AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True)
class Opening:
    """A stream that may be opened, and counts as open until `Streams.close`."""

    channel: Channel
    caller: Caller
    authorization: str
    wanted: Wanted
    position: int
    lost: bool
    """The id to read on from was too old: what came after it can't be told any more."""

    def __repr__(self) -> str:
        return f"Opening({self.caller.label})"


class Streams:
    """One for the server. `start` and `stop` with it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        authenticator: Authenticator,
        key: bytes,
        registry: CollectorRegistry,
        *,
        base_url: str = "",
        per_caller: int = PER_CALLER,
        per_org: int = PER_ORG,
    ) -> None:
        self.follower = Follower(database, clock, base_url.rstrip("/"))
        self._database = database
        self._clock = clock
        self._authenticator = authenticator
        self._positions = Positions(key)
        self._per_caller, self._per_org = per_caller, per_org
        self._open: Counter[str] = Counter()
        self._readers: set[Reader] = set()
        self._asking = asyncio.Semaphore(ASKING_AT_ONCE)
        self._closing = False
        self._sent_lately = 0
        self._ticker: asyncio.Task[None] | None = None
        self._open_gauge = Gauge("novavms_streams_open", "Open streams (GET /stream).", registry=registry)
        self._sent = CounterMetric(
            "novavms_stream_items_sent", "Items sent to readers of streams.", registry=registry
        )
        self._reread = CounterMetric(
            "novavms_stream_rereads",
            "Pages of the feed read for one stream that resumed or fell behind.",
            registry=registry,
        )

    def start(self) -> None:
        self.follower.start()
        self._ticker = asyncio.create_task(self._tick_for_ever())

    async def stop(self) -> None:
        self.say_goodbye()
        if self._ticker is not None:
            await end([self._ticker])
            self._ticker = None
        await self.follower.stop()

    def say_goodbye(self) -> None:
        """Before the HTTP server waits for its answers to end: these would not."""
        self._closing = True
        for reader in list(self._readers):
            reader.end("shutting_down")

    # ---- opening

    async def open(
        self, caller: Caller, authorization: str, wanted: Wanted, last_event_id: str | None
    ) -> Opening:
        """Raises TooManyStreams, ClosingDown, ValidationError (the id), InvalidToken."""
        if self._closing:
            raise ClosingDown
        place = None if last_event_id is None else self._positions.read(last_event_id, caller.org_id)
        with self._counted(caller) as channel:
            async with self._database.app.connection() as connection:
                org_id = caller.org_id
                entered, heads = await run_all(connection, (channels.enter(org_id), channels.head(org_id)))
            (epoch,), (head, given_out) = entered[0], heads[0]
            again = caller if epoch == caller.epoch else await self.ask_again(authorization, epoch)
            caller = self._require(again, caller)
            if channel.position < 0:
                channel.begin(head, epoch)
                self.follower.look(org_id)  # what came since; until now nobody kept this channel up
            position, lost = channel.position, False
            if place is not None:
                # Beyond all numbers given out: the database is an older copy than the one that told it.
                lost = place.told_at < self._clock.now() - KEPT or place.position > max(given_out, position)
                position = position if lost else place.position
            return Opening(channel, caller, authorization, wanted, position, lost)

    def _require(self, found: Caller | ApiError, before: Caller) -> Caller:
        if not isinstance(found, Caller):
            raise found
        if found.org_id != before.org_id:
            raise InvalidToken
        if found.must_change_password:
            raise Forbidden("Change your temporary password first: POST /api/v1/auth/change-password")
        return found

    @contextmanager
    def _counted(self, caller: Caller) -> Iterator[Channel]:
        """It counts as open from here on; not where the block raises."""
        org = str(caller.org_id)
        if self._open[caller.label] >= self._per_caller:
            raise TooManyStreams(
                f"{self._per_caller} streams of this key or user are open already; close one."
            )
        if self._open[org] >= self._per_org:
            raise TooManyStreams("Too many streams of this organization are open already; close one.")
        channel = self.follower.channels.setdefault(caller.org_id, Channel(caller.org_id))
        self._open[caller.label] += 1
        self._open[org] += 1
        channel.users += 1
        try:
            yield channel
        except BaseException:
            self._uncount(channel, caller)
            raise

    def _uncount(self, channel: Channel, caller: Caller) -> None:
        for name in (caller.label, str(caller.org_id)):
            self._open[name] -= 1
            if self._open[name] <= 0:
                del self._open[name]
        channel.users -= 1
        if channel.users == 0:
            self.follower.channels.pop(channel.org_id, None)

    @contextmanager
    def reading(self, opening: Opening, wire: Wire) -> Iterator[Reader]:
        """The stream runs as long as the block."""
        reader = Reader(
            self,
            opening.channel,
            wire,
            caller=opening.caller,
            authorization=opening.authorization,
            wanted=opening.wanted,
            position=opening.position,
        )
        self._readers.add(reader)
        opening.channel.readers.add(reader)
        self._open_gauge.inc()
        try:
            if self._closing:
                reader.end("shutting_down")
            yield reader
        finally:
            reader.stop()
            self._open_gauge.dec()
            self._readers.discard(reader)
            opening.channel.readers.discard(reader)
            self._uncount(opening.channel, opening.caller)

    # ---- time

    async def _tick_for_ever(self) -> None:
        while True:
            await self._clock.sleep(TICK_SEC)
            self.tick()

    def tick(self) -> None:
        """What time alone brings about."""
        self._sent.inc(self._sent_lately)
        self._sent_lately = 0
        now, mono = self.now(), self.monotonic()
        for reader in list(self._readers):
            until = reader.caller.expires_at
            if until is not None and until <= now:
                reader.end("token_expired")
            elif reader.is_behind():
                reader.nudge()
            elif reader.ping_at <= mono:
                reader.ping()

    # ---- for the readers (see reader.Source)

    async def page(self, org_id: UUID, after: int) -> tuple[list[Item], int]:
        self._reread.inc()
        return await self.follower.page(org_id, after)

    async def ask_again(self, authorization: str, epoch: int) -> Caller | ApiError:
        async with self._asking:
            found = await self._authenticator.identify(authorization)
            if isinstance(found, Caller) and found.epoch >= epoch:
                return found  # somebody else of this credential has asked meanwhile
            return await self._authenticator.identify(authorization, fresh=True)

    def place(self, org_id: UUID, position: int, told_at: datetime | None = None) -> str:
        # Not simply "now": while the database is out of reach, nothing is known of what comes after the position.
        return self._positions.make(org_id, position, told_at or self.follower.known_at or self._clock.now())

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def count(self, sent: int) -> None:
        self._sent_lately += (
            sent  # into the metric with the next tick: this is done for each reader of each item
        )
