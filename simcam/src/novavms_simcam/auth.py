"""Who may in: Basic and Digest (RFC 2617, 7616) for RTSP and HTTP, WS-UsernameToken for ONVIF, and the account's lock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from novavms_simcam.config import SimCamConfig

Verdict = Literal["ok", "missing", "wrong", "stale", "locked"]

REALM: Final = "NovaVMS SimCam"
MAX_NONCES: Final = 4096
TOKEN_WINDOW_SEC: Final = 300.0
"""How far a WS-UsernameToken's Created may be from the camera's clock (WSS UsernameToken Profile 1.1 recommends five minutes)."""

_ALGORITHMS: Final[dict[str, tuple[str, ...]]] = {
    "digest": ("MD5",),
    "both": ("MD5",),
    "digest-sha256": ("SHA-256",),
    "digest-both": ("SHA-256", "MD5"),
}
"""The Digest algorithms of each `auth`, strongest first: one challenge each (RFC 7616 section 3.7)."""

_PAIR: Final = re.compile(r'([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


class LoginAttempts(int):
    """All logins tried, as a number; `failed` and `ok` are its two parts. On RTSP each connection's first success counts once."""

    failed: int
    ok: int

    def __new__(cls, failed: int, ok: int) -> LoginAttempts:
        self = super().__new__(cls, failed + ok)
        self.failed, self.ok = failed, ok
        return self


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """The parts of a wsse:UsernameToken as they came; `is_digest` tells PasswordDigest from PasswordText."""

    username: str
    password: str
    is_digest: bool
    nonce: str
    created: str


class Gatekeeper:
    """Judges credentials for one camera, all its faces together, and locks the account if the fault says so."""

    def __init__(
        self,
        config: SimCamConfig,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._wall = wall
        self._monotonic = monotonic
        self._nonces: OrderedDict[str, int] = OrderedDict()
        """Each with the highest request counter (nc) seen with it."""
        self._tokens: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._failed_in_row = 0
        self._locked_until = 0.0
        self.failed = 0
        self.ok = 0

    def now(self) -> float:
        """The camera's own clock, Unix seconds."""
        return self._wall() + self._config.faults.clock_offset_sec

    def unlock(self) -> None:
        self._failed_in_row, self._locked_until = 0, 0.0

    @property
    def is_locked(self) -> bool:
        return self._monotonic() < self._locked_until

    # -- HTTP and RTSP ---------------------------------------------------------------------------------
    def challenges(self, *, with_qop: bool, stale: bool = False) -> list[str]:
        """The WWW-Authenticate values, strongest first. RTSP cameras mostly send no qop (RFC 2069 style), HTTP ones do."""
        auth = self._config.auth
        values = []
        for algorithm in _ALGORITHMS.get(auth, ()):
            value = f'Digest realm="{REALM}", nonce="{self._new_nonce()}"'
            if algorithm != "MD5" or with_qop or self._config.faults.digest_qop:
                value += f', algorithm={algorithm}, qop="auth"'
            values.append(value + (", stale=true" if stale else ""))
        if auth in {"basic", "both"}:
            values.append(f'Basic realm="{REALM}"')
        return values

    def check_header(self, method: str, uri: str, header: str | None, *, again: bool = False) -> Verdict:
        """Judges an Authorization header against the request it came with. `again`: a success is not counted once more."""
        if self._config.auth == "none":
            return "ok"
        if self.is_locked:
            return "locked"
        if not header:
            return "missing"
        scheme, _, rest = header.partition(" ")
        auth = self._config.auth
        if scheme.lower() == "basic" and auth in {"basic", "both"}:
            good = self._check_basic(rest)
        elif scheme.lower() == "digest" and auth in _ALGORITHMS:
            answer = self._check_digest(method, uri, rest)
            if answer == "stale":
                return "stale"
            good = answer == "ok"
        else:
            return "missing"  # a scheme that was not offered: no try of a password
        return self._count(good, again=again)

    def _check_basic(self, text: str) -> bool:
        try:
            given = base64.b64decode(text, validate=True)
        except ValueError:
            return False
        return hmac.compare_digest(given, f"{self._config.username}:{self._config.password}".encode())

    def _check_digest(self, method: str, uri: str, text: str) -> Verdict:
        given = {k.lower(): _unquote(q) if q else p for k, q, p in _PAIR.findall(text)}
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm not in _ALGORITHMS[self._config.auth] or given.get("realm") != REALM:
            return "wrong"
        if given.get("uri", "").rstrip("/") != uri.rstrip("/"):
            return "wrong"
        expected = self._digest(method, given, sha256=algorithm == "SHA-256")
        if given.get("username") != self._config.username or not hmac.compare_digest(
            expected.encode(), given.get("response", "").lower().encode("utf-8", "replace")
        ):
            return "wrong"
        nonce = given.get("nonce", "")
        if nonce not in self._nonces:
            return "stale"
        if self._config.faults.digest_qop and given.get("qop"):
            count = int(given["nc"], 16) if re.fullmatch("[0-9a-fA-F]{8}", given.get("nc", "")) else 0
            if count <= self._nonces[nonce]:
                return "stale"
            self._nonces[nonce] = count
        if self._config.faults.stale_nonce:
            del self._nonces[nonce]
        return "ok"

    def _digest(self, method: str, given: dict[str, str], *, sha256: bool) -> str:
        def h(text: str) -> str:
            data = text.encode()
            return (hashlib.sha256(data) if sha256 else hashlib.md5(data, usedforsecurity=False)).hexdigest()

        ha1 = h(f"{self._config.username}:{REALM}:{self._config.password}")
        ha2 = h(f"{method}:{given.get('uri', '')}")
        if given.get("qop"):
            middle = (
                f"{given.get('nonce', '')}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
            )
        else:
            middle = given.get("nonce", "")
        return h(f"{ha1}:{middle}:{ha2}")

    def _new_nonce(self) -> str:
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = 0
        while len(self._nonces) > MAX_NONCES:
            self._nonces.popitem(last=False)
        return nonce

    # -- ONVIF -----------------------------------------------------------------------------------------
    def check_token(self, token: UsernameToken) -> Verdict:
        """Judges a WS-UsernameToken: digest, clock within 300 s, never the same nonce twice. Plain text only with `auth` basic or both."""
        if self._config.auth == "none":
            return "ok"
        if self.is_locked:
            return "locked"
        password = self._config.password
        if not token.is_digest:
            plain_allowed = self._config.auth in {"basic", "both"}
            return self._count(
                plain_allowed and token.username == self._config.username and token.password == password
            )
        try:
            nonce = base64.b64decode(token.nonce, validate=True)
            created = datetime.fromisoformat(token.created)
        except ValueError:
            return self._count(False)
        if created.tzinfo is None:
            created = created.replace(tzinfo=UTC)
        digest = hashlib.sha1(nonce + token.created.encode() + password.encode(), usedforsecurity=False)
        good = (
            token.username == self._config.username
            and hmac.compare_digest(
                base64.b64encode(digest.digest()), token.password.encode("utf-8", "replace")
            )
            and abs(created.timestamp() - self.now()) <= TOKEN_WINDOW_SEC
            and (token.nonce, token.created) not in self._tokens
        )
        if good:
            self._tokens[token.nonce, token.created] = None
            while len(self._tokens) > MAX_NONCES:
                self._tokens.popitem(last=False)
        return self._count(good)

    def _count(self, good: bool, *, again: bool = False) -> Verdict:
        if good:
            self.ok += 0 if again else 1
            self._failed_in_row = 0
            return "ok"
        self.failed += 1
        self._failed_in_row += 1
        faults = self._config.faults
        if faults.locks_after and self._failed_in_row >= faults.locks_after:
            self._locked_until = self._monotonic() + faults.lock_sec
        return "wrong"


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
