"""A built web page and its assets, in front of the application: what a bundler left in a folder, served as it lies there.

Below `assets/` names carry a hash of the content, so they are kept for ever; everything else is asked for anew each time, by ETag.
A page's own address (`/cameras/…`) is answered with `index.html`, the page's router does the rest. Nothing here costs a rate limit, a
caller or a database: the files are public, and read once.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

FOR_EVER: Final = b"public, max-age=31536000, immutable"
NOT_BUILT: Final = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>NovaVMS</title></head><body>'
    b"<p>The web console is not part of this installation: run <code>make console</code>, and load this page again."
    b' The API is complete without it: <a href="/docs">its documentation</a>.</p></body></html>'
)


def security_policy(media_sources: Iterable[str] = ()) -> bytes:
    """Content-Security-Policy: only the page's own scripts, styles, fonts and addresses. Pictures and video may also come from
    `media_sources` (a store that signs its own links), and from memory (blob:)."""
    more = "".join(f" {source}" for source in media_sources)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
        f"img-src 'self' data: blob:{more}; media-src 'self' blob:{more}; connect-src 'self'{more}; worker-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ).encode()


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    gzipped: bytes | None
    kind: bytes
    etag: bytes


class Site:
    """ASGI middleware. `folder` may be empty or missing: then a sentence says so at the page's addresses.

    `reserved`: first parts of paths that are the application's whatever comes after them.
    """

    def __init__(
        self, app: ASGIApp, folder: Path, *, reserved: frozenset[str], media_sources: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._folder = folder
        self._reserved = reserved
        self._policy = security_policy(media_sources)
        self._files: dict[str, _File] = {}
        self._read_at: int | None = None
        """Modification time of the index that was read, ns: a page that is built anew is read anew."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = cast("HTTPScope", scope)["method"] if str(scope["type"]) == "http" else ""
        if method not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        name = scope["path"].removeprefix("/")
        if name.split("/", 1)[0] in self._reserved:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        files = self._look()
        found = files.get(name)
        if found is None and _wants_page(name, headers.get(b"accept", b"")):
            name, found = "index.html", files.get("index.html", _not_built())
        if found is None:
            await self._app(scope, receive, send)  # its 404, in the API's words
            return
        await self._send(method, name, found, headers, send)

    def _look(self) -> dict[str, _File]:
        try:
            built_at = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            self._files, self._read_at = {}, None
            return self._files
        if built_at != self._read_at:
            self._files = {
                path.relative_to(self._folder).as_posix(): _read(path)
                for path in sorted(self._folder.rglob("*"))
                if path.is_file() and path.suffix != ".gz" and not path.name.startswith(".")
            }
            self._read_at = built_at
        return self._files

    async def _send(self, method: str, name: str, file: _File, asked: dict[bytes, bytes], send: Send) -> None:
        kept = asked.get(b"if-none-match", b"") == file.etag
        zipped = file.gzipped is not None and b"gzip" in asked.get(b"accept-encoding", b"")
        body = file.gzipped if zipped and file.gzipped is not None else file.content
        headers = [
            (b"cache-control", _caching(name)),
            (b"etag", file.etag),
            (b"vary", b"accept-encoding"),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
        if file.kind.startswith(b"text/html"):
            headers += [
                (b"content-security-policy", self._policy),
                (b"cross-origin-opener-policy", b"same-origin"),
                (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
            ]
        if not kept:
            headers += [(b"content-type", file.kind), (b"content-length", b"%d" % len(body))]
            headers += [(b"content-encoding", b"gzip")] if zipped else []
        await send({"type": "http.response.start", "status": 304 if kept else 200, "headers": headers})
        await send(
            {
                "type": "http.response.body",
                "body": b"" if kept or method == "HEAD" else body,
                "more_body": False,
            }
        )


def _caching(name: str) -> bytes:
    if name.startswith("assets/"):
        return FOR_EVER
    return b"no-store" if name == "index.html" else b"no-cache"


def _wants_page(name: str, accept: bytes) -> bool:
    """A person's browser at an address of the page's router; a file that is missing is missing."""
    return b"text/html" in accept and "." not in name.rsplit("/", 1)[-1]


def _read(path: Path) -> _File:
    content, beside = path.read_bytes(), path.with_name(path.name + ".gz")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".webmanifest":
        kind = "application/manifest+json"
    if path.suffix == ".js":
        kind = "text/javascript"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return _File(content, beside.read_bytes() if beside.is_file() else None, kind.encode(), _tag(content))


def _not_built() -> _File:
    return _File(NOT_BUILT, None, b"text/html; charset=utf-8", _tag(NOT_BUILT))


def _tag(content: bytes) -> bytes:
    return b'"' + hashlib.sha256(content).hexdigest()[:24].encode() + b'"'
