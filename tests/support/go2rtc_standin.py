"""A stand-in for go2rtc, which no package registry has: its API as v1.9.14's own binary was seen to answer on loopback.

| call | answer |
|---|---|
| GET /api | 200 JSON {config_path, host, revision, rtsp: {listen, default_query}, version} |
| GET /api/streams | 200 JSON {name: {producers: [{url}], consumers: [...] or null}}, passwords in clear |
| GET /api/streams?src=NAME | 200 JSON one stream; unknown 404, body a newline |
| GET /api/streams?src=NAME&video=all | opens the source; unreachable 500 text `streams: dial tcp …: connect: connection refused` |
| PUT /api/streams?name=N&src=U (src may repeat) | 200, empty; not opened; an existing name is replaced |
| PUT without name / without src | 200: name becomes the URL / 200 and the list, nothing added |
| PUT unknown scheme / echo:, exec: | 400 `streams: source not supported` / 400 `streams: source from insecure producer` |
| PUT or DELETE when it has no config file | 400 `config file disabled` although the change is made |
| DELETE /api/streams?src=N | 200; unknown name 200 as well; ?name= does nothing |
| GET /api/frame.jpeg?src=N | 200 JPEG; unknown 404; dead source 200 with 0 bytes |
| POST /api/webrtc?src=N, body application/sdp | 201 application/sdp, no Location; bad SDP 500; unknown 404 |

Auth: `api.username/password` is HTTP Basic, skipped for loopback callers unless `local_auth: true` (here: `login`).
After a restart without a config file every stream is gone.

With a `peer` (nova_webrtc) the answer to an offer is a real one, and the source's own packets follow it; what the binary answers where the source
is dead was not seen: here 500. Without one the answer is ANSWER, which leads nowhere.

Source: go2rtc v1.9.14, https://github.com/AlexxIT/go2rtc, observed from its binary; not read, not copied.
"""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from nova_webrtc import WebRtcPeer

_SCHEMES = ("rtsp", "rtsps", "rtspx", "http", "https", "rtmp", "onvif", "ffmpeg", "hass", "homekit")
_INSECURE = ("echo", "exec", "expr")
ANSWER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
JPEG = b"\xff\xd8\xff\xe0stand-in\xff\xd9"


class Go2rtcStandin:
    """`async with Go2rtcStandin() as it:` listens on a free port of 127.0.0.1. `restart()` is a restart of the program."""

    def __init__(
        self,
        *,
        config_file: bool = True,
        login: tuple[str, str] | None = None,
        peer: WebRtcPeer | None = None,
    ) -> None:
        self.peer = peer
        self.config_file = config_file
        self.login = login
        self.streams: dict[str, list[str]] = {}
        self.calls: list[tuple[str, str, list[tuple[str, str]]]] = []
        """(method, path, query) of each request."""
        self.offers: list[tuple[str, bytes]] = []
        """(stream, offer) of each that was taken."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()
            self._server = None
        while self._open:
            await asyncio.sleep(0)

    async def restart(self) -> None:
        await self.stop()
        if not self.config_file:
            self.streams.clear()
        await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    request, *lines = head.split("\r\n")
                    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
                    raw = dict(line.split(": ", 1) for line in lines if ": " in line)
                    sent = await reader.readexactly(int(headers.get("content-length", 0)))
                    method, target, _ = request.split(" ")
                    authorization = next((v for k, v in raw.items() if k.lower() == "authorization"), None)
                    status, kind, body = await self._answer(method, target, authorization, sent)
                    writer.write(
                        f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                        + body
                    )
                    await writer.drain()
        finally:
            writer.close()
            self._open.discard(writer)

    async def _answer(
        self, method: str, target: str, authorization: str | None, sent: bytes
    ) -> tuple[int, str, bytes]:
        if self.login is not None:
            wanted = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
            if authorization != wanted:
                return 401, "text/plain", b"Unauthorized\n"
        parts = urlsplit(target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        self.calls.append((method, parts.path, query))
        given = dict(query)
        if parts.path == "/api" and method == "GET":
            info = {"config_path": "go2rtc.yaml", "host": f"127.0.0.1:{self.port}", "revision": "0000000"}
            return _json({**info, "rtsp": {"listen": ":8554", "default_query": "mp4"}, "version": "1.9.14"})
        if parts.path == "/api/streams":
            return await self._streams(method, query, given)
        if parts.path == "/api/frame.jpeg" and method == "GET":
            sources = self.streams.get(given.get("src", ""))
            if sources is None:
                return 404, "text/plain", b"\n"
            return 200, "image/jpeg", JPEG if await _dial(sources[0]) is None else b""
        if parts.path == "/api/webrtc" and method == "POST":
            name = given.get("src", "")
            if name not in self.streams:
                return 404, "text/plain", b"\n"
            if not sent.startswith(b"v=0"):
                return 500, "text/plain", b"EOF\n"
            self.offers.append((name, sent))
            return await self._exchange(self.streams[name][0], sent)
        return 404, "text/plain", b"404 page not found\n"

    async def _exchange(self, source: str, offer: bytes) -> tuple[int, str, bytes]:
        if self.peer is None:
            return 201, "application/sdp", ANSWER
        answer = await self.peer.answer(source, offer.decode())
        if answer is None:
            return 500, "text/plain", b"\n"
        return 201, "application/sdp", answer.encode()

    async def _streams(
        self, method: str, query: list[tuple[str, str]], given: dict[str, str]
    ) -> tuple[int, str, bytes]:
        if method == "GET":
            return await self._read(given)
        if method == "PUT":
            sources = [value for key, value in query if key == "src"]
            if not sources:
                return _json({name: _stream(urls) for name, urls in self.streams.items()})
            for source in sources:
                scheme = source.split(":", 1)[0]
                if scheme in _INSECURE:
                    return 400, "text/plain", b"streams: source from insecure producer\n"
                if scheme not in _SCHEMES:
                    return 400, "text/plain", b"streams: source not supported\n"
            self.streams[given.get("name") or sources[0]] = sources
        elif method == "DELETE":
            self.streams.pop(given.get("src", ""), None)
        else:
            return 405, "text/plain", b"\n"
        return (
            (200, "text/plain", b"") if self.config_file else (400, "text/plain", b"config file disabled\n")
        )

    async def _read(self, given: dict[str, str]) -> tuple[int, str, bytes]:
        if "src" not in given:
            return _json({name: _stream(urls) for name, urls in self.streams.items()})
        sources = self.streams.get(given["src"])
        if sources is None:
            return 404, "text/plain", b"\n"
        if "video" in given:
            trouble = await _dial(sources[0])
            if trouble is not None:
                return 500, "text/plain", trouble.encode()
        return _json(_stream(sources))


def _stream(urls: list[str]) -> dict[str, Any]:
    return {"producers": [{"url": url} for url in urls], "consumers": None}


def _json(value: Any) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(value).encode()


async def _dial(source: str) -> str | None:
    """None where something listens at the source's address."""
    parts = urlsplit(source)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 554)
    except OSError:
        return f"streams: dial tcp {parts.hostname}:{parts.port}: connect: connection refused\n"
    writer.close()
    return None
