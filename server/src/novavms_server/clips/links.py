"""Links to objects of a store that we serve ourselves: an HMAC over method, key, expiry, size and file name."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from novavms_server.clips.errors import LinkRefused
from novavms_server.clips.store import KEY, Link
from novavms_server.kit.clock import Clock

PATH = "/api/v1/store/"


class Links:
    """`base_url` is put in front, and may be empty: then the links are relative to the server's own address."""

    def __init__(self, key: bytes, clock: Clock, base_url: str = "") -> None:
        self._key = key
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    def make(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires_at: datetime,
        size_bytes: int = 0,
        file_name: str = "",
    ) -> Link:
        expires = int(expires_at.timestamp())
        query: dict[str, str | int] = {"expires": expires}
        if method == "PUT":
            query["size"] = size_bytes
        if file_name:
            query["name"] = file_name
        query["signature"] = self._sign(method, key, expires, size_bytes, file_name)
        return Link(f"{self._base_url}{PATH}{key}?{urlencode(query)}", method, {})

    def check(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires: int,
        size_bytes: int,
        signature: str,
        file_name: str = "",
    ) -> None:
        """Raises LinkRefused; the same for a wrong signature, a foreign key and one too late."""
        right = self._sign(method, key, expires, size_bytes, file_name)
        if not hmac.compare_digest(right.encode(), signature.encode(errors="replace")):
            raise LinkRefused
        if self._clock.now().timestamp() >= expires or not KEY.fullmatch(key):
            raise LinkRefused

    def _sign(self, method: str, key: str, expires: int, size_bytes: int, file_name: str) -> str:
        text = f"{method}\n{key}\n{expires}\n{size_bytes}\n{file_name}".encode(errors="replace")
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, hashlib.sha256)).decode().rstrip("=")
