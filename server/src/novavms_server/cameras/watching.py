"""Stages of a running check, for whoever asked for it and wants to see them pass.

The caller makes up a `check_id`, names it with the request that starts the check, and reads the stages meanwhile
(`GET /cameras/checks/{check_id}`). In memory, for a minute after the end: the whole report is in the request's own answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from novavms_server.cameras.models import CheckStage
from novavms_server.kit.clock import Clock
from novavms_server.kit.errors import NotFound

KEPT_SEC: Final = 60.0
WATCHED_MAX: Final = 2000
"""On this server, running and just ended ones together; beyond, checks run unwatched."""
STAGES_MAX: Final = 50
"""Of one check; a gateway that tells more is not believed."""

STAGE_MAX_BYTES: Final = 8192
"""Ours are a tenth of it. Of all that are watched at once, what gateways tell must fit into memory."""

OnStage = Callable[[dict[str, Any]], None]


class CheckStages(msgspec.Struct):
    """`stages` from `after` on; ask again with `after` set to `next`, until `ended`."""

    stages: list[CheckStage]
    next: int
    ended: bool


@dataclass(slots=True)
class _Watched:
    stages: list[CheckStage] = field(default_factory=list)
    ended_at: float | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class CheckWatches:
    """Made once in `assembly`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[tuple[UUID, UUID], _Watched] = {}
        self._begun = asyncio.Event()

    @contextmanager
    def open(self, org_id: UUID, check_id: UUID | None) -> Iterator[OnStage | None]:
        """While the check runs; yields what is to hear of each stage, or None: nobody wants to. An id that is in use is a
        request that was sent again: the first one's stages are told."""
        self._forget_old()
        if check_id is None or len(self._watched) >= WATCHED_MAX:
            yield None
            return
        key = (org_id, check_id)
        before = self._watched.get(key)
        if before is not None and before.ended_at is None:
            yield None
            return
        watched = self._watched[key] = _Watched()
        self._begun.set()
        self._begun = asyncio.Event()

        def on_stage(stage: dict[str, Any]) -> None:
            try:
                known = msgspec.convert(stage, CheckStage)
            except msgspec.ValidationError:
                return
            if len(watched.stages) < STAGES_MAX and len(msgspec.json.encode(known)) <= STAGE_MAX_BYTES:
                watched.stages.append(known)
                watched.tell()

        try:
            yield on_stage
        finally:
            watched.ended_at = self._clock.monotonic()
            watched.tell()

    async def read(self, org_id: UUID, check_id: UUID, after: int, wait_sec: float) -> CheckStages:
        """What there is after the first `after` stages; where that is nothing, waits for it. NotFound for a check that did not
        begin in that time."""
        key = (org_id, check_id)
        try:
            async with asyncio.timeout(wait_sec):
                while key not in self._watched:
                    await self._begun.wait()
                while (watched := self._watched[key]).ended_at is None and len(watched.stages) <= after:
                    await watched.changed.wait()
        except TimeoutError:
            pass
        found = self._watched.get(key)
        if found is None:
            raise NotFound("There is no check of this id, or it has ended more than a minute ago.")
        return CheckStages(found.stages[after:], len(found.stages), found.ended_at is not None)

    def _forget_old(self) -> None:
        before = self._clock.monotonic() - KEPT_SEC
        self._watched = {
            key: watched
            for key, watched in self._watched.items()
            if watched.ended_at is None or watched.ended_at > before
        }
