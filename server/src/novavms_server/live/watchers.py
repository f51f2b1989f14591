"""How many watch, and how many may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar
from uuid import UUID

from novavms_server.live.errors import TooManyWatchers
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.models import Protocol
from novavms_server.live.tickets import Ticket

K = TypeVar("K")
PER_CAMERA: Final = 8
"""Of one holder and one camera."""
PER_ORG: Final = 500
"""So that no org takes the server from the others."""
AT_ALL: Final = 2000


class Watchers:
    """One for the server, all protocols together."""

    def __init__(
        self,
        metrics: LiveMetrics,
        memory: LiveMemory,
        *,
        per_camera: int = PER_CAMERA,
        per_org: int = PER_ORG,
        at_all: int = AT_ALL,
    ) -> None:
        self._metrics = metrics
        self._memory = memory
        self.per_camera = per_camera
        self.per_org = per_org
        self.at_all = at_all
        self._open: Counter[tuple[str, UUID]] = Counter()
        self._orgs: Counter[UUID] = Counter()

    def __len__(self) -> int:
        return self._orgs.total()

    @contextmanager
    def one_more(self, ticket: Ticket, protocol: Protocol) -> Iterator[None]:
        """Counted as long as the block runs. Raises TooManyWatchers."""
        name = (ticket.holder, ticket.camera_id)
        if self._open[name] >= self.per_camera:
            raise TooManyWatchers(
                f"You watch this camera {self.per_camera} times already; close one of these views first."
            )
        if self._orgs[ticket.org_id] >= self.per_org:
            raise TooManyWatchers(f"Your organization has {self.per_org} live views open, as many as it may.")
        if len(self) >= self.at_all or not self._memory.has_room():
            raise TooManyWatchers("The server shows as many live views as it can; try again later.")
        self._open[name] += 1
        self._orgs[ticket.org_id] += 1
        self._metrics.watchers.labels(protocol).inc()
        try:
            yield
        finally:
            self._metrics.watchers.labels(protocol).dec()
            _one_less(self._open, name)
            _one_less(self._orgs, ticket.org_id)


def _one_less(counter: Counter[K], key: K) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
