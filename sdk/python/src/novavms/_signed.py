"""Signed links: whoever reads one can fetch what is behind it, for ten minutes. httpx logs the address of each request, at INFO."""

from __future__ import annotations

import logging

import httpx


class SignedURL(httpx.URL):
    """An address like any other, to be told apart in the log."""


class _WithoutQuery(logging.Filter):
    """Passes every record; in those of requests to signed links, the query becomes `…`."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and any(isinstance(value, SignedURL) for value in record.args):
            record.args = tuple(_shown(value) for value in record.args)
        return True


def _shown(value: object) -> object:
    return f"{value.copy_with(query=None)}?…" if isinstance(value, SignedURL) else value


_filter = _WithoutQuery()


def keep_out_of_logs(request: httpx.Request) -> httpx.Request:
    """The request, its query unlogged. The log of other users of httpx stays as it is."""
    logging.getLogger("httpx").addFilter(_filter)  # which adds it once
    request.url = SignedURL(request.url)
    return request
