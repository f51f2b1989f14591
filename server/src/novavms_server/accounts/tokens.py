"""Access tokens: JWT (RFC 7519), HS256, 15 minutes. Refresh tokens: opaque, each the successor of the one before."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import jwt

ACCESS_LIFE = timedelta(minutes=15)
_ISSUER = "novavms"


class Claims(NamedTuple):
    user_id: UUID
    session_id: UUID
    expires_at: datetime


class Tokens:
    """Signs with keys derived from the server's secret: a token of one purpose is worth nothing for another."""

    def __init__(self, *, access_key: bytes, refresh_key: bytes) -> None:
        self._access_key = access_key
        self._refresh_key = refresh_key

    def issue(self, user_id: UUID, session_id: UUID, now: datetime) -> tuple[str, datetime]:
        """An access token and when it ends (whole seconds)."""
        expires_at = (now + ACCESS_LIFE).replace(microsecond=0)
        claims = {
            "iss": _ISSUER,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self._access_key, algorithm="HS256"), expires_at

    def read(self, token: str, now: datetime) -> Claims | None:
        """What an unexpired token of ours says; None for any other. Whether its session lives is another question."""
        try:
            claims = jwt.decode(
                token,
                self._access_key,
                algorithms=["HS256"],
                issuer=_ISSUER,
                # The time is compared below, with the clock that was handed in.
                options={
                    "require": ["sub", "sid", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            found = Claims(UUID(claims["sub"]), UUID(claims["sid"]), expires_at)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, OSError):
            return None
        return found if found.expires_at > now else None

    @staticmethod
    def first_refresh_token() -> str:
        return "rt_" + secrets.token_urlsafe(32)

    def successor(self, refresh_token: str) -> str:
        """The token that replaces this one: the same each time, so that two tabs of a page that refresh in the same moment
        get one new token, not two chains. Nobody can compute it without the server's key."""
        digest = hmac.digest(self._refresh_key, refresh_token.encode(), "sha256")
        return "rt_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
