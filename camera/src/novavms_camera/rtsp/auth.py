"""Logging in to an RTSP server: Basic (RFC 7617) and Digest (RFC 2069, 2617, 7616), the strongest that is offered."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from novavms_camera.secret import Secret

_SCHEME: Final = re.compile(r"(?:^|,)\s*(Digest|Basic)\b", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_STRENGTH: Final = {"SHA-256": 3, "MD5": 2, "BASIC": 1}
_MAX_LOGINS: Final = 2
"""Failed logins that one connection spends at most: cameras lock accounts."""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_HASHES: Final[dict[str, Callable[[str], str]]] = {"MD5": _md5, "SHA-256": _sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that the server offers. `method` is BASIC, MD5 or SHA-256; `session`: the -sess variant."""

    method: str
    realm: str
    nonce: str = ""
    opaque: str | None = None
    qop: bool = False
    stale: bool = False
    session: bool = False

    @property
    def strength(self) -> int:
        return _STRENGTH[self.method]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """What `WWW-Authenticate` headers offer and we speak, strongest first. Never raises; the unknown is left out."""
    found: list[Challenge] = []
    for header in headers:
        marks = list(_SCHEME.finditer(header))
        ends = [mark.start() for mark in marks[1:]] + [len(header)]
        for mark, end in zip(marks, ends, strict=False):
            text = header[mark.end() : end]
            values = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(text)}
            challenge = _challenge(mark[1].lower(), values)
            if challenge is not None:
                found.append(challenge)
    return sorted(found, key=lambda c: -c.strength)


def _challenge(scheme: str, values: dict[str, str]) -> Challenge | None:
    realm = values.get("realm", "")
    if scheme == "basic":
        return Challenge("BASIC", realm)
    algorithm = values.get("algorithm", "MD5").upper()
    session = algorithm.endswith("-SESS")
    method = algorithm.removesuffix("-SESS")
    offered = {q.strip().lower() for q in values.get("qop", "").split(",") if q.strip()}
    if method not in _HASHES or not values.get("nonce") or (offered and "auth" not in offered):
        return None
    stale = values.get("stale", "").lower() == "true"
    return Challenge(method, realm, values["nonce"], values.get("opaque"), bool(offered), stale, session)


class Authenticator:
    """Answers the challenges of one server. One login per method, two at most; Basic only where nothing else is offered,
    so that a wrong password is neither sent in clear nor counted twice. Without `allow_basic`, never."""

    def __init__(
        self,
        username: str | None,
        password: Secret | None,
        *,
        cnonce: Callable[[], str] | None = None,
        allow_basic: bool = True,
    ) -> None:
        self._allow_basic = allow_basic
        self._username = username
        self._password = password
        self._cnonce = cnonce or (lambda: secrets.token_hex(8))
        self._current: Challenge | None = None
        self._count = 0
        self._tried: set[str] = set()
        self._accepted = False

    @property
    def has_credentials(self) -> bool:
        return self._username is not None or bool(self._password)

    @property
    def has_answered(self) -> bool:
        """Whether a challenge was answered at all."""
        return self._current is not None

    def accepted(self) -> None:
        """The server took the last answer: a later 401 is then about the nonce, not about the password."""
        if self._current is not None:
            self._accepted = True

    def take(self, headers: Iterable[str]) -> bool:
        """Chooses an answer to a 401; False where trying again would only spend the camera's patience."""
        offers = [o for o in parse_challenges(headers) if o.strength > 1 or self._allow_basic]
        if not self.has_credentials or not offers:
            return False
        current = self._current
        if current is not None:
            same = next((o for o in offers if o.method == current.method), None)
            renewed = same is not None and same.nonce != current.nonce and same.nonce
            if same is not None and renewed and (same.stale or self._accepted):
                self._accepted = False
                return self._use(same)
        if offers[0].strength > 1:
            offers = [o for o in offers if o.strength > 1]
        fresh = next((o for o in offers if o.method not in self._tried), None)
        if fresh is None or len(self._tried) >= _MAX_LOGINS:
            return False
        self._tried.add(fresh.method)
        return self._use(fresh)

    def _use(self, challenge: Challenge) -> bool:
        self._current = challenge
        self._count = 0
        return True

    def header(self, method: str, uri: str) -> str | None:
        """The value of `Authorization` for this request, or None before any challenge. Holds a secret: never log it."""
        if self._current is None:
            return None
        user = self._username or ""
        password = self._password.reveal() if self._password is not None else ""
        if self._current.method == "BASIC":
            return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        return self._digest(self._current, method, uri, user, password)

    def _digest(self, c: Challenge, method: str, uri: str, user: str, password: str) -> str:
        hashed = _HASHES[c.method]
        self._count += 1
        count = f"{self._count:08x}"
        cnonce = self._cnonce()
        ha1 = hashed(f"{user}:{c.realm}:{password}")
        if c.session:
            ha1 = hashed(f"{ha1}:{c.nonce}:{cnonce}")
        ha2 = hashed(f"{method}:{uri}")
        middle = f"{c.nonce}:{count}:{cnonce}:auth" if c.qop else c.nonce
        response = hashed(f"{ha1}:{middle}:{ha2}")
        quoted = user.replace("\\", "\\\\").replace('"', '\\"')
        # The realm goes back as it came, escapes included.
        parts = [
            f'username="{quoted}"',
            f'realm="{c.realm}"',
            f'nonce="{c.nonce}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if c.method != "MD5" or c.session:
            parts.append(f"algorithm={c.method}{'-sess' if c.session else ''}")
        if c.opaque is not None:
            parts.append(f'opaque="{c.opaque}"')
        if c.qop:
            parts.append(f'qop=auth, nc={count}, cnonce="{cnonce}"')
        elif c.session:
            parts.append(f'cnonce="{cnonce}"')
        return "Digest " + ", ".join(parts)
