"""Passwords: their rule, and argon2id in threads, a few at once, so that a burst of log-ins neither stops the event loop nor
takes all memory."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from novavms_server.kit.errors import Unavailable

T = TypeVar("T")
MIN_LENGTH, MAX_LENGTH = 8, 128
RULE = "must be 8 to 128 characters with an upper-case letter, a lower-case letter, a digit and a special character"
_AT_ONCE = 2
_MOST_WAITING = 40
_LOOKALIKES = frozenset("0O1lI5S8B2Z")
_SPECIAL = "-+=#%@"


def make_hasher() -> PasswordHasher:
    """argon2id with 19 MiB, two passes, one lane: OWASP's least, because a failed log-in costs several of them (see
    `login.service`)."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def fits_rule(password: str) -> bool:
    """8+ characters, upper, lower, digit, special. "Special" is anything else that is no letter of another script."""
    return (
        MIN_LENGTH <= len(password) <= MAX_LENGTH
        and any(char.isupper() for char in password)
        and any(char.islower() for char in password)
        and any(char.isdigit() for char in password)
        and any(not char.isalnum() for char in password)
    )


def make_temporary() -> str:
    """16 characters that can be read aloud, about 80 bits; fits the rule."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
    sets = ["".join(char for char in kind if char not in _LOOKALIKES) for kind in kinds]
    while True:
        chars = [secrets.choice("".join(sets)) for _ in range(14)] + [
            secrets.choice(_SPECIAL) for _ in range(2)
        ]
        secrets.SystemRandom().shuffle(chars)
        password = "".join(chars)
        if fits_rule(password):
            return password


class Passwords:
    """Hashes and compares. Raises Unavailable when too many wait already."""

    def __init__(self) -> None:
        self._hasher = make_hasher()
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(24))
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._in_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; None (nobody) takes as long and is never right."""
        right = await self._in_thread(self._verify_now, stored or self._nobodys, password)
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Hashed with other parameters than today's: to be hashed anew while the password is at hand."""
        return self._hasher.check_needs_rehash(stored)

    def _verify_now(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("Too many log-ins at once; try again.", retry_after_sec=2)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *args)
        finally:
            self._waiting -= 1
