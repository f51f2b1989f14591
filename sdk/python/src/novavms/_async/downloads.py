"""Files, fetched whole: over as many connections as it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from novavms._async.runtime import in_thread, sleep
from novavms._async.transport import AsyncTransport
from novavms._download import CHUNK_BYTES, Part, gone, start_and_total
from novavms._retry import backoff
from novavms._signed import keep_out_of_logs
from novavms.errors import DownloadError

EXPIRED = frozenset({401, 403, 404, 410})
"""Of a signed link: the next try asks for a new one."""
PASSING = frozenset({408, 416, 429, 500, 502, 503, 504}) | EXPIRED


class AsyncDownload:
    """One file. A try that brings nothing new counts; `max_retries` of those in a row end it."""

    def __init__(
        self,
        transport: AsyncTransport,
        link: Callable[[], Awaitable[str]],
        part: Part,
        size: int | None,
        progress: Callable[[int, int | None], None] | None,
    ) -> None:
        self._transport = transport
        self._link = link
        self._part = part
        self._known_size = size
        self._size = size
        self._progress = progress
        self._tag: str | None = None

    async def run(self, sha256: str | None) -> None:
        """Until the file is whole. Raises DownloadError."""
        failures = 0
        while True:
            before = self._part.received
            problem = await self._attempt()
            if problem is None:
                problem = self._part.problem(self._size, sha256)
                if problem is None:
                    return
                if (
                    self._size is None or self._part.received >= self._size
                ):  # whole, and wrong: nothing of it counts
                    await in_thread(self._part.restart)
                    before = 0
            failures = 0 if self._part.received > before else failures + 1
            if failures > self._transport.max_retries:
                raise DownloadError(f"{self._part.path.name} could not be had whole: {problem}")
            if failures:
                await sleep(backoff(failures - 1))

    async def _attempt(self) -> str | None:
        """One connection's worth; what ended it, or None: the server's end of the file."""
        url = await self._link()
        headers = {"Accept-Encoding": "identity"}
        if self._part.received:
            headers["Range"] = f"bytes={self._part.received}-"
            if self._tag is not None:
                headers["If-Range"] = self._tag
        request = keep_out_of_logs(
            self._transport.http.build_request("GET", url, headers=headers, timeout=self._transport.limits)
        )
        try:
            response = await self._transport.http.send(request, stream=True, follow_redirects=False)
        except httpx.RequestError as error:
            return f"no connection ({type(error).__name__})"
        try:
            return await self._take(response)
        except httpx.RequestError as error:
            return f"the connection was lost ({type(error).__name__})"
        finally:
            await response.aclose()

    async def _take(self, response: httpx.Response) -> str | None:
        if response.status_code not in (200, 206):
            if response.status_code in PASSING:
                return f"HTTP {response.status_code}"
            raise gone(response.url.path, response.status_code)
        start, total = start_and_total(response.headers.get("content-range"))
        if response.status_code == 200:
            start, length = 0, response.headers.get("content-length", "")
            total = int(length) if length.isdigit() else None
        if start != self._part.received:
            await in_thread(self._part.restart)
            if start != 0:
                return "another part of the file than was asked for"
        tag = response.headers.get("etag")
        self._tag = tag if tag is not None and not tag.startswith("W/") else None
        self._size = self._known_size if self._known_size is not None else total
        await self._write(response)
        return None

    async def _write(self, response: httpx.Response) -> None:
        """What has come is kept, though the rest of it does not come."""
        waiting = bytearray()
        try:
            async for data in response.aiter_raw():
                waiting += data
                if len(waiting) >= CHUNK_BYTES:
                    await self._flush(waiting)
        except httpx.RequestError:
            await self._flush(waiting)
            raise
        await self._flush(waiting)

    async def _flush(self, waiting: bytearray) -> None:
        if not waiting:
            return
        data = bytes(waiting)
        waiting.clear()
        await in_thread(self._part.write, data)
        if self._progress is not None:
            self._progress(self._part.received, self._size)


async def download(
    transport: AsyncTransport,
    link: Callable[[], Awaitable[str]],
    path: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """The file behind `link`, which answers a fresh address each time. It is at `path` when it is whole, or not at all."""
    part = Part(path)  # at once: a cancelled caller would leave it behind
    try:
        await AsyncDownload(transport, link, part, size, progress).run(sha256)
        return await in_thread(part.finish)
    except BaseException:
        part.discard()
        raise
