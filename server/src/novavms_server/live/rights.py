"""Who may go on watching. A grant, key or session that ends, or a camera that is deleted, ends what is watched by it within 5 s:
every 3 s one look, for each different holder and camera once, however many watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from novavms_server.accounts.holders import holder
from novavms_server.kit.caller import Caller
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, Query
from novavms_server.kit.errors import NotFound
from novavms_server.kit.tasks import end
from novavms_server.live.errors import NotToSee
from novavms_server.live.models import EndReason, LiveCamera
from novavms_server.live.tickets import Ticket, Tickets

log = logging.getLogger("novavms.live")

EVERY_SEC: Final = 3.0
LOOK_SEC: Final = 1.5
"""A look that takes longer has failed."""
BLIND_SEC: Final = 30.0
"""So long it is shown on while the database is away."""
AT_ONCE: Final = 200
"""Holders of one round trip."""
MISSING: Final = "There is no such camera in your organization."
_COLUMNS = """
SELECT id, org_id, site_id, gateway_id, type, codec, stream_name,
       (SELECT p ->> 'codec' FROM jsonb_array_elements(profiles) AS p WHERE p ->> 'tier' = 'sub' LIMIT 1),
       last_check #>> '{facts,audio_codec}'
FROM cameras
"""
CAMERA: Final = _COLUMNS + "WHERE org_id = %s AND id = %s AND deleted_at IS NULL"
"""Of an org and a camera; rows by `live_camera`."""
_CAMERAS: Final = _COLUMNS + "WHERE id = ANY(%s) AND deleted_at IS NULL"
OnEnd = Callable[[EndReason], None]
_Holder = tuple[UUID, str, UUID]


def live_camera(*values: Any) -> LiveCamera:
    names = (
        "id",
        "org_id",
        "site_id",
        "gateway_id",
        "type",
        "codec",
        "stream_name",
        "sub_codec",
        "audio_codec",
    )
    return LiveCamera(**dict(zip(names, values, strict=True)))


class Rights:
    """Made once. `start` and `stop` it."""

    def __init__(self, tickets: Tickets, database: Database, clock: Clock) -> None:
        self._tickets = tickets
        self._database = database
        self._clock = clock
        self._watched: dict[Ticket, set[OnEnd]] = {}
        self._known_mono = clock.monotonic()
        self._task: asyncio.Task[None] | None = None

    async def check(self, text: str, *, begun: bool = False) -> tuple[Ticket, LiveCamera]:
        """What an address opens now; one round trip. `begun`: see Tickets.open. Raises TicketRefused, NotToSee, NotFound."""
        ticket, camera, _ = await self.look_up(text, begun=begun)
        return ticket, camera

    async def look_up(self, text: str, *, begun: bool = False) -> tuple[Ticket, LiveCamera, Caller]:
        """`check`, and whose powers it is opened by."""
        ticket = self._tickets.open(text, begun=begun)
        callers, cameras = await self._database.look_everywhere(
            holder(*_holder(ticket), self._clock),
            Query(CAMERA, (ticket.org_id, ticket.camera_id), live_camera),
        )
        caller: Caller | None = callers[0] if callers else None
        if caller is None or caller.must_change_password:
            raise NotToSee
        if not cameras:
            raise NotFound(MISSING)
        if not caller.sees(cameras[0].site_id):
            raise NotToSee
        return ticket, cameras[0], caller

    @contextmanager
    def watching(self, ticket: Ticket, on_end: OnEnd) -> Iterator[None]:
        """As long as the block runs, `on_end` hears (more than once, maybe) that it has to end."""
        self._watched.setdefault(ticket, set()).add(on_end)
        try:
            yield
        finally:
            self._watched[ticket].discard(on_end)
            if not self._watched[ticket]:
                del self._watched[ticket]

    # ---- beside

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(EVERY_SEC)
            try:
                await self.look()
            except Exception:
                log.exception("live view's rights")

    async def look(self) -> None:
        """At all that is watched, now."""
        tickets = list(self._watched)
        try:
            async with asyncio.timeout(LOOK_SEC):
                callers, cameras = await self._look(tickets)
        except (TimeoutError, *DATABASE_AWAY) as error:
            if tickets and self._clock.monotonic() - self._known_mono > BLIND_SEC:
                log.warning("live view ends: rights can't be looked at: %s", type(error).__name__)
                self._end(tickets, "internal")
            return
        self._known_mono = self._clock.monotonic()
        for ticket in tickets:
            caller, camera = callers.get(_holder(ticket)), cameras.get((ticket.org_id, ticket.camera_id))
            if caller is None or caller.must_change_password:
                self._end([ticket], "revoked")
            elif camera is None:
                self._end([ticket], "camera_deleted")
            elif not caller.sees(camera.site_id):
                self._end([ticket], "revoked")

    async def _look(
        self, tickets: list[Ticket]
    ) -> tuple[dict[_Holder, Caller], dict[tuple[UUID, UUID], LiveCamera]]:
        if not tickets:
            return {}, {}
        holders = sorted({_holder(ticket) for ticket in tickets}, key=str)
        ids = list({ticket.camera_id for ticket in tickets})
        rows: list[list[Any]] = await self._database.look_everywhere(Query(_CAMERAS, (ids,), live_camera))
        for some in _batches(holders):
            rows += await self._database.look_everywhere(*(holder(*who, self._clock) for who in some))
        callers = {who: found[0] for who, found in zip(holders, rows[1:], strict=True) if found}
        return callers, {(camera.org_id, camera.id): camera for camera in rows[0]}

    def _end(self, tickets: list[Ticket], reason: EndReason) -> None:
        for ticket in tickets:
            for on_end in list(self._watched.get(ticket, ())):
                on_end(reason)


def _batches(holders: list[_Holder]) -> Iterator[list[_Holder]]:
    for at in range(0, len(holders), AT_ONCE):
        yield holders[at : at + AT_ONCE]


def _holder(ticket: Ticket) -> _Holder:
    return ticket.org_id, ticket.kind, ticket.credential_id
