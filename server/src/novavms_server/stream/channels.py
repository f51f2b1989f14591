"""The newest items of each org that has readers here, in memory: read once from the feed, however many read along.

A channel holds what came after `floor`, up to `position`. It is bounded: a reader that falls behind `floor` reads the feed
itself (see reader.py), so that the slow cost themselves and nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

from novavms_server.kit.database import Query
from novavms_server.stream.items import Item

MOST_ITEMS: Final = 512
MOST_CHARS: Final = 1_048_576
PAGE: Final = 200

_PAGE = """
SELECT position, at, type, site_id, left_site_id, camera_id, data::text FROM feed_items
WHERE org_id = %s AND position > %s ORDER BY position LIMIT %s
"""


def enter(org_id: UUID) -> Query:
    """First in the round trip: row-level security shows this org."""
    return Query("SELECT nova_enter(%s)", (org_id,))


def page(org_id: UUID, after: int, limit: int = PAGE) -> Query:
    return Query(_PAGE, (org_id, after, limit), Item)


def epoch(org_id: UUID) -> Query:
    """Asked after the items, in the same round trip: powers withdrawn before an item was told are then known with it."""
    return Query("SELECT auth_epoch FROM orgs WHERE id = %s", (org_id,))


def head(org_id: UUID) -> Query:
    """The newest position; and the newest ever given out, in whichever org."""
    sql = "SELECT coalesce(max(position), 0), (SELECT last_value FROM feed_positions) FROM feed_items WHERE org_id = %s AND position > 0"
    return Query(sql, (org_id,))


class Listener(Protocol):
    """A reader, as its channel knows it."""

    def heard(self, before: int, items: Sequence[Item]) -> None:
        """`items` came; who had all there was stands at `before`. Without any: powers in the org have changed."""


class Channel:
    """One org's. `users` counts whoever relies on it; `readers` are those that want to hear."""

    __slots__ = ("_chars", "_items", "epoch", "floor", "org_id", "position", "readers", "users")

    def __init__(self, org_id: UUID) -> None:
        self.org_id = org_id
        self.position = -1
        """Of the newest item read; -1 before the first look."""
        self.floor = 0
        self.epoch = 0
        """The org's auth_epoch, as of the newest item read."""
        self.users = 0
        self.readers: set[Listener] = set()
        self._items: deque[Item] = deque()
        self._chars = 0

    def begin(self, position: int, epoch: int) -> None:
        """The first look."""
        self.position = self.floor = position
        self.epoch = epoch

    def add(self, items: Sequence[Item], epoch: int) -> None:
        """What was read after `position`, and the epoch read after it."""
        before = self.position
        for item in items:
            self.position = item.position
            self._items.append(item)
            self._chars += len(item.data)
        while self._items and (len(self._items) > MOST_ITEMS or self._chars > MOST_CHARS):
            gone = self._items.popleft()
            self._chars -= len(gone.data)
            self.floor = gone.position
        if not self.note_epoch(epoch) and items:
            for reader in list(self.readers):
                reader.heard(before, items)

    def note_epoch(self, epoch: int) -> bool:
        """Whether it is a newer one; then every reader is told, and asks again who it is."""
        if epoch <= self.epoch:
            return False
        self.epoch = epoch
        for reader in list(self.readers):
            reader.heard(-1, [])
        return True

    def after(self, position: int) -> list[Item] | None:
        """What came since, oldest first; None where memory does not reach back that far."""
        if position < self.floor:
            return None
        found: list[Item] = []
        for item in reversed(self._items):
            if item.position <= position:
                break
            found.append(item)
        found.reverse()
        return found
