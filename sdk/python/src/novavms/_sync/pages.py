# Made from _async/ by tools/sdk_python; not to be edited.
"""One page of a list, from which the rest can be walked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from novavms._answer import json_of
from novavms._model import Model, Unreadable, is_list, is_object, read

if TYPE_CHECKING:
    import httpx

    from novavms._request import Timeout
    from novavms._sync.transport import Transport

M = TypeVar("M", bound=Model)


class Page(Generic[M]):
    """A page. Iterating it walks its items and those of all pages after it, which are fetched as they are needed."""

    __slots__ = ("_asked", "data", "extra", "next_cursor", "total")

    data: list[M]
    """The items of this page."""
    total: int
    """How many items all pages have together."""
    next_cursor: str | None
    """For `cursor=` of the next page; None: this is the last one."""
    extra: dict[str, Any]
    """What some lists say beside their items, as the API wrote it."""

    def __init__(
        self,
        data: list[M],
        total: int,
        next_cursor: str | None,
        extra: dict[str, Any],
        asked: tuple[Transport, str, type[M], Mapping[str, Any], Timeout],
    ) -> None:
        self.data = data
        self.total = total
        self.next_cursor = next_cursor
        self.extra = extra
        self._asked = asked

    def next_page(self) -> Page[M] | None:
        """The page after this one, with the same filters; None after the last."""
        if self.next_cursor is None:
            return None
        transport, path, item, query, timeout = self._asked
        return transport.page(path, item, query={**query, "cursor": self.next_cursor}, timeout=timeout)

    def pages(self) -> Iterator[Page[M]]:
        """This page and all after it."""
        page: Page[M] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[M]:
        for page in self.pages():
            yield from page.data

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.data)} of {self.total}, next_cursor={self.next_cursor!r})"


def read_page(
    response: httpx.Response,
    transport: Transport,
    path: str,
    item: type[M],
    query: Mapping[str, Any],
    timeout: Timeout,
) -> Page[M]:
    """The page that an answer is. Raises Unreadable."""
    body = json_of(response)
    if not is_object(body):
        raise Unreadable("a page is not an object")
    rows, total, cursor = body.get("data"), body.get("total"), body.get("next_cursor")
    if not is_list(rows) or not isinstance(total, int) or not isinstance(cursor, str | None):
        raise Unreadable("a page without data, total or next_cursor")
    if cursor is not None and cursor == query.get("cursor"):
        raise Unreadable("a page that names itself as the next one")
    data = [read(item, row) for row in rows]
    extra = {name: value for name, value in body.items() if name not in ("data", "total", "next_cursor")}
    return Page(data, total, cursor, extra, (transport, path, item, query, timeout))
