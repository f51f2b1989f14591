"""go2rtc's HTTP API, as far as we use it, and as it really answers (v1.9.14). Server and gateway each may have one beside them.

Its stream addresses hold passwords, in our requests and in its answers. So requests go through httpx's transport, below
the client that logs every URL at INFO; and errors say which of its known answers it was, never the answer's text.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx
import msgspec

from novavms_camera.address import AddressPolicy
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.secret import Secret

SDP_MAX: Final = 64 * 1024
"""Of an offer and of its answer, in bytes."""
_TIMEOUT: Final = httpx.Timeout(5.0).as_dict()
_CALL_SEC: Final = 15.0
_ANSWER_MAX: Final = 32 * 1024 * 1024
_CONFIG_DISABLED: Final = "config file disabled"
_REFUSALS: Final = (_CONFIG_DISABLED, "source not supported", "source from insecure producer")


class Go2rtcAway(Exception):
    """Not reachable, too slow, or failing: try again later."""


class Go2rtcRefused(Exception):
    """It does not take this, now or later."""


class Go2rtcUnknown(Exception):
    """It has no stream of that name (any more)."""


class Info(msgspec.Struct):
    version: str = ""


class _Producer(msgspec.Struct):
    url: str = ""

    def __repr__(self) -> str:
        return "_Producer(***)"


class _Stream(msgspec.Struct):
    producers: list[_Producer] | None = None


T = TypeVar("T")
_streams: Final = msgspec.json.Decoder(dict[str, _Stream])


class Go2rtc:
    """One go2rtc. `url` may hold user and password: http://user:password@127.0.0.1:1984. `setting` is the variable that it came
    from, for messages. Streams whose names begin with `prefix` are ours; all others are somebody else's and never touched."""

    def __init__(self, url: str, *, prefix: str, setting: str) -> None:
        """Raises ValueError, whose words do not repeat the address."""
        self._base, self._headers = _read_url(url, setting)
        self._prefix = prefix
        self._setting = setting
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=8))

    def owns(self, name: str) -> bool:
        """Whether a stream of that name is ours."""
        return name.startswith(self._prefix)

    async def close(self) -> None:
        await self._transport.aclose()

    async def info(self) -> Info:
        """That it is there, and its version."""
        _, body = await self._call("GET", "/api", {}, (200,))
        return _decode(msgspec.json.Decoder(Info), body)

    async def names(self) -> set[str]:
        """All streams it knows, ours and others'."""
        return set(await self._list())

    async def sources(self) -> dict[str, list[Secret]]:
        """All streams with the addresses they come from."""
        found = await self._list()
        return {name: [Secret(each.url) for each in stream.producers or []] for name, stream in found.items()}

    async def put(self, name: str, source: Secret) -> None:
        """Make or replace a stream. It does not open the source, so this proves nothing about the camera.

        Its answer does not prove much either: without a configuration file it says 400 and does it all the same. So the
        list is what counts. Raises Go2rtcRefused, Go2rtcAway.
        """
        self._require_ours(name)
        _require_rtsp(source)
        status, body = await self._call(
            "PUT", "/api/streams", {"name": name, "src": source.reveal()}, (200, 400)
        )
        if not await self._source_is(name, source):
            raise Go2rtcRefused(
                _reason(body) if status == 400 else "the stream is not in its list afterwards"
            )

    async def delete(self, name: str) -> None:
        """Forget a stream of ours; one that it does not know is as good. Raises Go2rtcRefused, Go2rtcAway."""
        self._require_ours(name)
        await self._call("DELETE", "/api/streams", {"src": name}, (200, 400))
        if name in await self.names():
            raise Go2rtcRefused("the stream is still in its list")

    async def jpeg(self, name: str) -> bytes | None:
        """A picture now; None for an unknown stream and for a dead source, which it answers with 200 and no bytes."""
        status, body = await self._call("GET", "/api/frame.jpeg", {"src": name}, (200, 404, 500))
        return body if status == 200 and body else None

    async def webrtc(self, name: str, offer: bytes) -> bytes:
        """Its answer (SDP) to a viewer's offer; the media go between the two. Raises Go2rtcUnknown, Go2rtcRefused, Go2rtcAway."""
        self._require_ours(name)
        status, body = await self._call("POST", "/api/webrtc", {"src": name}, (201, 404, 500), offer)
        if status == 404:
            raise Go2rtcUnknown
        if status == 500:
            raise Go2rtcRefused("it did not take the offer")
        if not is_sdp(body):
            raise Go2rtcAway("POST /api/webrtc: its answer is no session description")
        return body

    def _require_ours(self, name: str) -> None:
        if not self.owns(name):
            raise ValueError("not a stream of ours")

    async def _list(self) -> dict[str, _Stream]:
        _, body = await self._call("GET", "/api/streams", {}, (200,))
        return _decode(_streams, body)

    async def _source_is(self, name: str, source: Secret) -> bool:
        return (await self.sources()).get(name) == [source]

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        fine: tuple[int, ...],
        sdp: bytes | None = None,
    ) -> tuple[int, bytes]:
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in params.items())
        request = httpx.Request(
            method,
            f"{self._base}{path}{'?' if query else ''}{query}",
            headers=self._headers if sdp is None else {**self._headers, "Content-Type": "application/sdp"},
            content=sdp,
            extensions={"timeout": _TIMEOUT},
        )
        try:
            async with asyncio.timeout(_CALL_SEC):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise Go2rtcAway(f"{method} {path}: {type(error).__name__}") from None
        if response.status_code == 401:
            raise Go2rtcAway(f"{method} {path}: it wants another user and password ({self._setting})")
        if response.status_code not in fine:
            raise Go2rtcAway(f"{method} {path}: status {response.status_code}")
        return response.status_code, body


async def _read(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _ANSWER_MAX:
            raise Go2rtcAway("its answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Go2rtcAway("its answer is not understood: is this go2rtc?") from None


def _reason(body: bytes) -> str:
    text = body[:500].decode("utf-8", "replace")
    return next((known for known in _REFUSALS if known in text), "it answered 400")


def _require_rtsp(source: Secret) -> None:
    """Its exec:, echo: and expr: sources run programs: nothing but RTSP ever gets there, whatever the table says."""
    if not source.reveal().startswith(("rtsp://", "rtsps://")) or "#" in source.reveal():
        raise ValueError("only rtsp and rtsps sources")


def source_url(
    url: str, username: str | None, password: Secret | None, *, address: str | None = None
) -> Secret:
    """The address that go2rtc is given: the only place where a password becomes part of one, percent-encoded. `address`: the IP
    that was judged, to be dialled in place of the host's name, which could mean another one by then."""
    clear = None if password is None else password.reveal()
    where = RtspUrl.parse(url)
    if address is not None:
        where = replace(where, host=address)
    # go2rtc reads what follows a # as options of its own (#video=…, #backchannel=…).
    return Secret(where.with_credentials(username, clear).replace("#", "%23"))


def is_sdp(body: bytes) -> bool:
    """Whether it may be a session description, and is no larger than one gets: UTF-8 that begins with its version (RFC 8866, 5.1)."""
    try:
        return len(body) <= SDP_MAX and body.decode().startswith("v=0")
    except UnicodeDecodeError:
        return False


def is_plain_far(url: str) -> bool:
    """Whether passwords would go to it unencrypted over a network: http, and not on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and AddressPolicy().refuse_host(parts.hostname or "") is None


def check_url(url: str, *, setting: str) -> None:
    """Raises ValueError as Go2rtc does."""
    _read_url(url, setting)


def _read_url(url: str, setting: str) -> tuple[str, dict[str, str]]:
    """(address, headers) of all calls."""
    wrong = ValueError(f"{setting} must look like http://127.0.0.1:1984")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    base = f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"
    if parts.username is None:
        return base, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return base, {"Authorization": "Basic " + base64.b64encode(pair).decode()}
