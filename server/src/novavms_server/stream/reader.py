"""One open stream: who reads, what of, and how far they are.

It keeps no items. A task lives only while there is something to send, and waits for the other side to take it; what comes
meanwhile stays in the channel's memory, and later in the feed, from where a slow reader reads it, a page at a time.

Before anything is sent, what the reader may see is held against the org's auth_epoch: where that has moved, the caller is
looked up anew first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import msgspec

from novavms_server.kit.caller import Caller
from novavms_server.kit.database import DATABASE_AWAY
from novavms_server.kit.errors import ApiError
from novavms_server.stream.channels import Channel
from novavms_server.stream.items import Form, Item, encode
from novavms_server.stream.positions import KEPT

log = logging.getLogger("novavms.stream")

PING_SEC: Final = 15.0
CHUNK_CHARS: Final = 65_536
EndReason = Literal["token_expired", "revoked", "shutting_down"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asked for. None: everything that it may see."""

    types: frozenset[str] | None = None
    camera_id: UUID | None = None
    site_id: UUID | None = None

    def sees(self, caller: Caller, site_id: UUID) -> bool:
        return caller.sees(site_id) and self.site_id in (None, site_id)

    def of(self, item: Item, caller: Caller) -> Literal["whole", "gone"] | None:
        """How it is told: not at all, whole, or only that the object is gone from the one site that the reader sees."""
        if self.types is not None and item.type not in self.types:
            return None
        if self.camera_id is not None and item.camera_id != self.camera_id:
            return None
        if self.sees(caller, item.site_id):
            return "whole"
        if item.left_site_id is not None and self.sees(caller, item.left_site_id):
            return "gone"
        return None


class Gone(Exception):
    """The client does not listen any more."""


class Wire(Protocol):
    """The way to one client."""

    form: Form

    async def send(self, texts: list[str]) -> None:
        """Returns when there is room for more. Raises Gone."""

    async def close(self, reason: EndReason) -> None:
        """After what was sent. Raises Gone."""


class Source(Protocol):
    """What a reader needs of its surroundings (see service.Streams)."""

    async def page(self, org_id: UUID, after: int) -> tuple[list[Item], int]: ...

    async def ask_again(self, authorization: str, epoch: int) -> Caller | ApiError:
        """Who that is, as of an epoch no older than this."""

    def place(self, org_id: UUID, position: int, told_at: datetime | None = None) -> str:
        """An id that says: everything up to here, as of then (None: now)."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    def count(self, sent: int) -> None: ...


class Reader:
    __slots__ = (
        *(
            "_authorization",
            "_channel",
            "_ending",
            "_epoch",
            "_open",
            "_position",
            "_said",
            "_source",
            "_task",
        ),
        *("_wanted", "_wire", "caller", "ping_at"),
    )

    def __init__(
        self,
        source: Source,
        channel: Channel,
        wire: Wire,
        *,
        caller: Caller,
        authorization: str,
        wanted: Wanted,
        position: int,
    ) -> None:
        self.caller = caller
        self.ping_at = source.monotonic() + PING_SEC
        self._source = source
        self._channel = channel
        self._wire = wire
        self._authorization = authorization
        self._wanted = wanted
        self._position = position
        self._epoch = caller.epoch
        self._said: list[str] = []
        self._ending: EndReason | None = None
        self._open = False
        self._task: asyncio.Task[None] | None = None

    # ---- what it is told

    def begin(self, *, lost: bool) -> None:
        """The way is open. `lost`: what came before can't be told any more."""
        self._open = True
        self.say("hello", {"ping_sec": int(PING_SEC), "kept_hours": int(KEPT.total_seconds()) // 3600})
        if lost:
            self.say("reset", {"reason": "too_old"})

    def say(self, kind: str, data: dict[str, Any]) -> None:
        """Something that is in no feed: `hello`, `reset`. With the reader's own place as its id."""
        mark = self._place()
        self._said.append(
            encode(self._wire.form, mark, kind, self._source.now(), msgspec.json.encode(data).decode())
        )
        self.nudge()

    def ping(self) -> None:
        """A sign of life; with the place up to which everything was sent, so that the id of a quiet stream stays young."""
        self.ping_at = self._source.monotonic() + PING_SEC
        if self._task is not None:
            return  # it is being written to
        mark = self._place()
        if self._wire.form == "sse":
            self._said.append(f": ping\nid: {mark}\n\n")
            self.nudge()
        else:
            self.say("ping", {})

    def heard(self, before: int, items: Sequence[Item]) -> None:
        """The channel has these; without any, powers have changed."""
        if items and self._task is None and self._position == before:
            for item in items:
                if self._wanted.of(item, self.caller) is not None:
                    break
            else:
                self._position = items[-1].position
                return
        self.nudge()

    def end(self, reason: EndReason) -> None:
        self._ending = self._ending or reason
        self.nudge()

    def is_behind(self) -> bool:
        return self._task is None and (self._position < self._channel.position or self._is_unsettled())

    def nudge(self) -> None:
        if self._task is None and self._open:
            self._task = asyncio.get_running_loop().create_task(self._write())

    def stop(self) -> None:
        """Nobody is there any more."""
        self._open = False
        if self._task is not None:
            self._task.cancel()

    def _place(self) -> str:
        return self._source.place(self._channel.org_id, self._position)

    def _name(self, item: Item) -> str:
        return self._source.place(self._channel.org_id, item.position, item.at)

    # ---- out

    async def _write(self) -> None:
        try:
            while await self._step():
                pass
        except DATABASE_AWAY as error:  # the next tick tries again (is_behind)
            log.debug("a stream waits for the database: %s", type(error).__name__)
        except Gone:  # whoever waits for the client's messages hears it, too
            self._open = False
        except Exception:
            log.exception("a stream")
        finally:
            self._task = None

    async def _step(self) -> bool:
        """One thing to do; False when nothing is left."""
        if self._ending is None and self._epoch < self._channel.epoch:
            await self._ask_again()
        elif self._ending is not None:
            await self._finish(self._ending)
            return False
        elif self._said:
            said, self._said = self._said, []
            await self._wire.send(said)
        else:
            return await self._send_news()
        return True

    async def _send_news(self) -> bool:
        items = self._channel.after(self._position)
        if items is None:
            items, epoch = await self._reread()
            if epoch > self._epoch:
                return True  # nothing is sent by powers that may be gone
        elif not items:
            return False
        texts, chars = [], 0
        for item in items:
            self._position = item.position
            how = self._wanted.of(item, self.caller)
            if how is not None:
                texts.append(item.encoded(self._wire.form, how == "gone", self._name))
                chars += len(texts[-1])
                if chars >= CHUNK_CHARS:
                    break
        if texts:
            self._source.count(len(texts))
            await self._wire.send(texts)
        return self._position < self._channel.position or bool(self._said) or self._is_unsettled()

    def _is_unsettled(self) -> bool:
        """Whether what was known of the caller may be out of date, or the stream is to end."""
        return self._ending is not None or self._epoch < self._channel.epoch

    async def _reread(self) -> tuple[list[Item], int]:
        """From the feed, for memory does not reach back to where this reader is."""
        known = self._channel.position
        items, epoch = await self._source.page(self._channel.org_id, self._position)
        self._channel.note_epoch(epoch)
        if not items:
            self._position = max(self._position, known)
        return items, epoch

    async def _ask_again(self) -> None:
        epoch = self._channel.epoch
        found = await self._source.ask_again(self._authorization, epoch)
        if isinstance(found, Caller) and not found.must_change_password:
            self.caller, self._epoch = found, epoch
            return
        until = self.caller.expires_at
        expired = until is not None and until <= self._source.now()
        self._ending = "token_expired" if expired else "revoked"

    async def _finish(self, reason: EndReason) -> None:
        self._open = False
        data = msgspec.json.encode({"reason": reason}).decode()
        await self._wire.send([*self._said, encode(self._wire.form, None, "end", self._source.now(), data)])
        await self._wire.close(reason)
