# Made from _async/ by tools/sdk_python; not to be edited.
"""The client: who asks, where, and the resources that can be asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from novavms._sync.resources.index import Resources
from novavms._sync.session import Session
from novavms._sync.transport import Transport, limits_of
from novavms._tokens import Tokens
from novavms._version import __version__

if TYPE_CHECKING:
    from typing_extensions import Self

DEFAULT_BASE_URL = "https://novavms.novalien.com"
DEFAULT_TIMEOUT_SEC = 60.0
DEFAULT_MAX_RETRIES = 3


class Client(Resources):
    """A client of a NovaVMS server. Use it as a context manager, or close it.

    Args:
        api_key: `sk_live_…`; from the environment's `NOVAVMS_API_KEY` if neither this nor a token is given.
        access_token: Of a login, instead of a key; `client.auth.login()` sets it, too.
        refresh_token: Renews the access token, by itself, when that ends.
        on_tokens: Told the new tokens after each login and renewal, and None after a logout, to keep them.
        base_url: The server, without `/api/v1`; from `NOVAVMS_BASE_URL`, or `https://novavms.novalien.com`.
        timeout: Seconds without a sign of life after which a try ends; None: never. Each call can have its own.
        max_retries: Tries after the first one, for what passes: lost connections, 408, 429, 502, 503, 504.
        http_client: Your own, for proxies, certificates, transports. It is yours to close.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        on_tokens: Callable[[Tokens | None], None] | None = None,
        base_url: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT_SEC,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: httpx.Client | None = None,
    ) -> None:
        if api_key is not None and access_token is not None:
            raise ValueError("an api_key or an access_token, not both")
        if refresh_token is not None and access_token is None:
            raise ValueError("a refresh_token goes with its access_token")
        if api_key is None and access_token is None:
            api_key = os.environ.get("NOVAVMS_API_KEY") or None
        tokens = Tokens(access_token, refresh_token) if access_token is not None else None
        self._owned = http_client is None
        headers = {"Accept": "application/json", "User-Agent": f"novavms-python/{__version__}"}
        self._transport = Transport(
            http_client or httpx.Client(timeout=limits_of(timeout), headers=headers),
            Session(api_key=api_key, tokens=tokens, on_tokens=on_tokens),
            base_url=server_of(base_url or os.environ.get("NOVAVMS_BASE_URL") or DEFAULT_BASE_URL),
            timeout=timeout,
            max_retries=max(0, max_retries),
            headers=headers if http_client else {},  # ours has them already, which is quicker
        )

    @property
    def base_url(self) -> str:
        """The server that is asked."""
        return self._transport.base_url

    @property
    def tokens(self) -> Tokens | None:
        """Of the session, if there was a login."""
        return self._transport.session.tokens

    def close(self) -> None:
        """Ends the connections."""
        if self._owned:
            self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.base_url}>"


def server_of(base_url: str) -> str:
    """Without a slash or `/api/v1` at its end. Raises ValueError for what is no address of a server."""
    url = base_url.strip().rstrip("/").removesuffix("/api/v1").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must be an http:// or https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("base_url is an address alone: no user, no password, no query")
    return url
