"""`client.stream`: what happens, as it happens."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from novavms._answer import error_of, unreadable
from novavms._async.resource import AsyncResource
from novavms._async.runtime import sleep
from novavms._async.transport import AsyncTransport, log, lost
from novavms._items import item_of
from novavms._model import Unreadable
from novavms._request import Call
from novavms._retry import RETRIED, backoff
from novavms._sse import Decoder, ServerSentEvent
from novavms.errors import APIConnectionError, APIError, AuthenticationError, NovaVMSError, ResponseError
from novavms.types import StreamItem

if TYPE_CHECKING:
    from typing_extensions import Self

SILENT = frozenset({"hello", "ping", "end"})
"""Of the stream itself, not of what happens."""
REMEMBERED = 1024
"""An item may come twice (after a reconnect); so many ids are kept to know it by."""
SILENCE_SEC = 45.0
"""The server says something every 15 seconds; after this the connection is taken for lost."""


class AsyncEventStream:
    """What happens, one item after another; lost connections are made anew, and go on after the last item.

    It connects when it is first asked for an item, or by `async with`, after which nothing that happens is missed.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        query: dict[str, object],
        last_event_id: str | None,
        max_reconnects: int | None,
    ) -> None:
        self._transport = transport
        self._query = query
        self._max_reconnects = max_reconnects
        self._items: deque[StreamItem] = deque()
        self._response: httpx.Response | None = None
        self._bytes: AsyncIterator[bytes] | None = None
        self._decoder = Decoder()
        self._failures = 0
        self._connected = False
        self._closed = False
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._position = last_event_id
        """Of what was read."""
        self._hello: str | None = None
        self.last_event_id = last_event_id
        """After what was given out: keep it, and a later stream goes on from there."""

    async def __aenter__(self) -> Self:
        while not self._closed and (
            self._position is None or self._response is None
        ):  # until its place in what happens is known
            await self._read()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamItem:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            await self._read()
        item = self._items.popleft()
        self.last_event_id = (item.id if self._items else self._position) or self.last_event_id
        return item

    async def aclose(self) -> None:
        """Ends it."""
        self._closed = True
        await self._hang_up()

    async def _read(self) -> None:
        """Connects, or takes what has come, or waits before the next try. Raises what no further try would change."""
        try:
            if self._bytes is None:
                await self._connect()
                return
            self._take(self._decoder.feed(await self._bytes.__anext__()))
        except StopAsyncIteration:
            await self._lost(APIConnectionError("the server ended the stream"))
        except Unreadable as problem:
            await self._lost(APIConnectionError(f"the stream was garbled: {problem}"))
        except httpx.RequestError as error:
            await self._lost(lost(error, Call("GET", "/api/v1/stream")))
        except APIConnectionError as error:  # while the token was renewed
            await self._lost(error)
        except (APIError, ResponseError) as error:
            if error.status not in RETRIED:
                raise
            await self._lost(error)

    def _take(self, events: list[ServerSentEvent]) -> None:
        for event in events:
            self._failures = 0
            if event.type == "hello":
                self._hello = event.id
            if event.type in SILENT or (event.type != "reset" and event.id in self._seen):
                continue
            self._items.append(item_of(event))
            self._hello = None
            if event.id is not None:
                self._seen.append(event.id)
                self._position = event.id
        # In silence it moves on, too; but hello alone is no news: the reset that may follow it must not be missed.
        if self._position is None or self._decoder.last_id != self._hello:
            self._position = self._decoder.last_id or self._position
        if not self._items:
            self.last_event_id = self._position

    async def _connect(self) -> None:
        bearer = await self._transport.session.bearer(self._transport)
        response = await self._ask(bearer)
        if response.status_code == 401:
            failure = await self._refusal(response)
            renewable = isinstance(failure, AuthenticationError) and failure.code == "invalid_token"
            if not renewable or not await self._transport.session.renew(self._transport, bearer):
                raise failure
            response = await self._ask(await self._transport.session.bearer(self._transport))
        if response.status_code != 200:
            raise await self._refusal(response)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aclose()
            raise unreadable(response, "not an event stream")
        self._decoder = Decoder()
        self._response, self._bytes = response, response.aiter_bytes()
        self._connected = True

    async def _ask(self, bearer: str | None) -> httpx.Response:
        call = Call("GET", "/api/v1/stream", query=self._query, timeout=SILENCE_SEC)
        call.headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._position is not None:
            call.headers["Last-Event-ID"] = self._position
        return await self._transport.once(call, bearer, stream=True)

    @staticmethod
    async def _refusal(response: httpx.Response) -> NovaVMSError:
        try:
            await response.aread()
        finally:
            await response.aclose()
        return error_of(response)

    async def _lost(self, failure: NovaVMSError) -> None:
        await self._hang_up()
        self._failures += 1
        most = self._max_reconnects
        if most is None and not self._connected:
            most = self._transport.max_retries
        if most is not None and self._failures > most:
            raise failure
        asked = failure.retry_after if isinstance(failure, APIError) else None
        pause = max(backoff(self._failures - 1), self._decoder.retry_sec or 0.0, min(asked or 0.0, 60.0))
        log.info("stream: %s; connecting again in %.1f s", failure, pause)
        await sleep(pause)

    async def _hang_up(self) -> None:
        response, self._response, self._bytes = self._response, None, None
        if response is not None:
            await response.aclose()


class AsyncStreamResource(AsyncResource):
    """`client.stream`"""

    def events(
        self,
        *,
        types: Sequence[str] | None = None,
        camera_id: str | UUID | None = None,
        site_id: str | UUID | None = None,
        last_event_id: str | None = None,
        max_reconnects: int | None = None,
    ) -> AsyncEventStream:
        """What happens from now on: states of cameras and gateways, what people change, events, clips.

        Each item has a `type`, by which its `data` is typed. An item of type `reset` says that `last_event_id` is too old to go on from: read your lists again.

        Args:
            types: Only these, such as `["event", "clip"]`.
            camera_id: Only of this camera.
            site_id: Only at this site.
            last_event_id: Go on after this position (`stream.last_event_id` of an earlier one).
            max_reconnects: Tries in a row to connect again, after which the error is raised; None: for ever, once it was connected.
        """
        query: dict[str, object] = {"types": types, "camera_id": camera_id, "site_id": site_id}
        return AsyncEventStream(self._transport, query, last_event_id, max_reconnects)
