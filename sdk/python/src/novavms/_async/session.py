"""Who asks: an API key, or the tokens of a login, renewed as needed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from novavms._answer import http_date, json_of
from novavms._async.runtime import new_lock, to_the_end
from novavms._model import Unreadable, read
from novavms._request import Call
from novavms._tokens import Tokens
from novavms.errors import APIConnectionError, AuthenticationError

if TYPE_CHECKING:
    import httpx

    from novavms._async.transport import AsyncTransport
    from novavms.types import LoginAnswer

EARLY_SEC = 60.0
"""An access token is renewed so long before its end: a request that it goes out with is answered before that."""
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


class AsyncSession:
    """The credential of a client."""

    def __init__(
        self,
        *,
        api_key: str | None,
        tokens: Tokens | None,
        on_tokens: Callable[[Tokens | None], None] | None,
    ) -> None:
        self._api_key = clean(api_key, "api_key")
        self._tokens: Tokens | None = None
        self._renew_at: float | None = None
        self._on_tokens = on_tokens
        self._lock = new_lock()
        self.shared: Callable[[], AbstractContextManager[Tokens | None]] = nullcontext
        """For a session that several processes share: held while tokens are renewed, by one of them at a time; gives those that
        another has got meanwhile."""
        if tokens is not None:
            clean(tokens.access_token, "access_token")
            self._tokens = tokens

    @property
    def tokens(self) -> Tokens | None:
        return self._tokens

    async def bearer(self, transport: AsyncTransport) -> str | None:
        """What to show with the next request."""
        if self._tokens is None:
            return self._api_key
        if self._renew_at is not None and time.monotonic() >= self._renew_at and self._tokens.refresh_token:
            try:
                await self.renew(transport, self._tokens.access_token)
            except APIConnectionError:  # it is still good for a while; if not, the answer will say so
                pass
        return self._tokens.access_token if self._tokens else self._api_key

    async def renew(self, transport: AsyncTransport, used: str | None) -> bool:
        """New tokens instead of the one that was `used`; False where there is no way to. Once at a time: who comes second
        takes what the first one got, because a refresh token that is used twice ends its session. And to the end: a caller that
        is cancelled meanwhile must not take the new one with it."""
        return await to_the_end(self._renew(transport, used))

    async def _renew(self, transport: AsyncTransport, used: str | None) -> bool:
        async with self._lock:
            tokens = self._tokens
            if tokens is None:
                return False
            if tokens.access_token != used:
                return True
            if tokens.refresh_token is None:
                return False
            with self.shared() as newer:
                if newer is not None and newer.access_token != used:
                    self._tokens, self._renew_at = newer, None
                    return True
                try:
                    await self._spend(transport, tokens.refresh_token)
                except AuthenticationError:  # the session has ended; asking again would not revive it
                    self._tokens = Tokens(tokens.access_token, None, tokens.expires_at)
                    raise
            return True

    async def refresh(self, transport: AsyncTransport, refresh_token: str | None) -> LoginAnswer:
        """New tokens now, asked for by name."""
        return await to_the_end(self._refresh(transport, refresh_token))

    async def _refresh(self, transport: AsyncTransport, refresh_token: str | None) -> LoginAnswer:
        async with self._lock:
            token = refresh_token or (self._tokens.refresh_token if self._tokens else None)
            if token is None:
                raise ValueError("there is no refresh token: log in, or give one")
            return await self._spend(transport, token)

    async def _spend(self, transport: AsyncTransport, refresh_token: str) -> LoginAnswer:
        # Repeated, though a token that is used twice ends its session: if the first try was heard, its successor is lost,
        # and the session with it.
        call = Call("POST", "/api/v1/auth/refresh", body={"refresh_token": refresh_token}, again=True)
        return await transport.send(call, self.read, public=True)

    def read(self, response: httpx.Response) -> LoginAnswer:
        """The answer to a login or a refresh; its tokens are used from here on."""
        from novavms.types import LoginAnswer

        answer = read(LoginAnswer, json_of(response))
        ends: datetime | None = getattr(answer, "expires_at", None)
        if not answer.access_token or ends is None:
            raise Unreadable("a login without a token, or without its end")
        before = self._tokens.refresh_token if self._tokens else None
        self._tokens = Tokens(answer.access_token, answer.refresh_token or before, answer.expires_at)
        # By the server's clock: this machine's may be wrong by hours.
        now = http_date(response.headers.get("date")) or datetime.now(timezone.utc)
        life = (ends - now).total_seconds()
        self._renew_at = time.monotonic() + life - EARLY_SEC if life > 2 * EARLY_SEC else None
        self._tell()
        return answer

    def forget(self) -> None:
        """After a logout."""
        self._tokens, self._renew_at = None, None
        self._tell()

    def _tell(self) -> None:
        if self._on_tokens is not None:
            self._on_tokens(self._tokens)


def clean(secret: str | None, name: str) -> str | None:
    """Without blanks around it. Raises ValueError for what no header can carry, before a library says it with the secret."""
    if secret is None:
        return None
    secret = secret.strip()
    if not _PRINTABLE.fullmatch(secret):
        raise ValueError(f"{name} is empty or has characters that no key has")
    return secret
