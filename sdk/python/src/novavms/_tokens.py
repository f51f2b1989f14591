"""The tokens of a session that was begun by logging in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Tokens:
    """Keep these, and the session goes on in another process: `Client(access_token=…, refresh_token=…)`.

    A refresh token is good for one use: keep the newest, which `on_tokens` is told.
    """

    access_token: str
    refresh_token: str | None = None
    expires_at: datetime | None = None
    """Of the access token, by the server's clock."""

    def __repr__(self) -> str:
        return f"Tokens(access_token='***', refresh_token={'***' if self.refresh_token else None!r}, expires_at={self.expires_at!r})"
