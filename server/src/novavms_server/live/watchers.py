"""How many watch, and how many may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from novavms_server.live.errors import TooManyWatchers
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.models import Protocol
from novavms_server.live.tickets import Ticket

PER_CAMERA: Final = 8
"""Of one holder and one camera."""
AT_ALL: Final = 2000


class Watchers:
    """One for the server, all protocols together."""

    def __init__(self, metrics: LiveMetrics, *, per_camera: int = PER_CAMERA, at_all: int = AT_ALL) -> None:
        self._metrics = metrics
        self.per_camera = per_camera
        self.at_all = at_all
        self._open: Counter[tuple[str, UUID]] = Counter()

    def __len__(self) -> int:
        return self._open.total()

    @contextmanager
    def one_more(self, ticket: Ticket, protocol: Protocol) -> Iterator[None]:
        """Counted as long as the block runs. Raises TooManyWatchers."""
        name = (ticket.holder, ticket.camera_id)
        if self._open[name] >= self.per_camera:
            raise TooManyWatchers(
                f"You watch this camera {self.per_camera} times already; close one of these views first."
            )
        if len(self) >= self.at_all:
            raise TooManyWatchers("The server shows as many live views as it can; try again later.")
        self._open[name] += 1
        self._metrics.watchers.labels(protocol).inc()
        try:
            yield
        finally:
            self._metrics.watchers.labels(protocol).dec()
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]
