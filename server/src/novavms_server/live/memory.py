"""What live view may hold of the server's memory, all views of all orgs together. Where it is more, whoever is furthest behind pays
first: queues go on at their newest key frame, longest first; then connections that take nothing are cut off, largest first; and as
long as that is not enough, nobody new is let in.

Counted are a channel's last GOP, the longest queue of its readers (what waits for several is there once), what a connection has
been given and does not take (each has a copy), and the windows of HLS. Not counted: what comes in and is not whole yet.
"""

from __future__ import annotations

from typing import Final, Protocol

from novavms_server.live.metrics import LiveMetrics

LOOKS: Final = 128
"""It may be more by this part of it: so much comes, or goes out, between two looks, of which each takes a millisecond at 2000 views."""


class Queue(Protocol):
    """A reader's."""

    @property
    def queued_bytes(self) -> int: ...

    def catch_up(self) -> None:
        """Keeps the newest GOP."""


class Stream(Protocol):
    """A channel."""

    @property
    def held_bytes(self) -> int: ...

    @property
    def queues(self) -> list[Queue]: ...


class Connection(Protocol):
    """An open view's."""

    @property
    def stuck_bytes(self) -> int:
        """Given to it, and not taken."""

    def cut_off(self) -> None:
        """At once, with what waits for it."""


class Store(Protocol):
    """A window of HLS."""

    @property
    def size_bytes(self) -> int: ...


class LiveMemory:
    """One for the server. Whatever holds pictures is in one of its sets as long as it does."""

    def __init__(self, metrics: LiveMetrics, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.step_bytes = max_bytes // LOOKS
        self.streams: set[Stream] = set()
        self.connections: set[Connection] = set()
        self.stores: set[Store] = set()
        self._is_full = False
        self._since = 0
        metrics.held.set_function(self.held)

    def held(self) -> int:
        """Bytes, now."""
        return (
            sum(stream.held_bytes for stream in self.streams)
            + sum(connection.stuck_bytes for connection in self.connections)
            + sum(store.size_bytes for store in self.stores)
        )

    def came(self, size: int) -> None:
        """So many bytes came in, or are about to go to a connection; looks now and then."""
        self._since += size
        if self._since >= self.step_bytes:
            self.look()

    def has_room(self) -> bool:
        """Whether somebody new is to be let in: not where there is too much, and nothing to let go of."""
        if self._is_full:
            self.look()
        return not self._is_full

    def look(self) -> None:
        """Makes room, where there is too much."""
        self._since = 0
        if self.held() > self.max_bytes:
            self._drop_queues()
        if self.held() > self.max_bytes:
            self._cut_off()
        self._is_full = self.held() > self.max_bytes

    def _drop_queues(self) -> None:
        """Those that are longer than half the longest, and again, until there is room."""
        queues = [queue for stream in self.streams for queue in stream.queues if queue.queued_bytes]
        limit = max((queue.queued_bytes for queue in queues), default=0)
        while limit > 1 and self.held() > self.max_bytes:
            limit //= 2
            for queue in queues:
                if queue.queued_bytes > limit:
                    queue.catch_up()

    def _cut_off(self) -> None:
        over = self.held() - self.max_bytes
        for connection in sorted(self.connections, key=lambda each: each.stuck_bytes, reverse=True):
            stuck = connection.stuck_bytes
            if over <= 0 or not stuck:
                return
            connection.cut_off()
            over -= stuck
