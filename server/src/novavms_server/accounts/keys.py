"""API keys: `sk_live_` (`sk_test_` in a sandbox org) and 43 random characters. Shown once; only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets

PREFIX_LENGTH = 12


def make_key(*, sandbox: bool = False) -> str:
    """A new key: 256 random bits, so that a plain SHA-256 is hash enough."""
    return ("sk_test_" if sandbox else "sk_live_") + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of a key, refresh token, gateway token or pairing code."""
    return hashlib.sha256(token.encode()).digest()


def looks_like_key(token: str) -> bool:
    return token.startswith(("sk_live_", "sk_test_"))
