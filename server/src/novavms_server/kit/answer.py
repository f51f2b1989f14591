"""An answer on its way out: held until its transaction is in, then sent with the headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from litestar.types import Message, Send

from novavms_server.kit import errors
from novavms_server.kit.limits import Verdict
from novavms_server.kit.work import Work


class Answer:
    """The response on its way out: held until it is whole (JSON) or flowing (a file), then sent with the common headers."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.verdict: Verdict | None = None
        self.if_none_match: str | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.started = False
        self.complete = False
        self.promised = False
        """A success that is committed, or an error that is kept: an idempotency key has its answer."""
        self._held: Message | None = None
        self._work: Work | None = None
        self._finish: Callable[[], Awaitable[None]] | None = None

    def prepare(self, work: Work | None, finish: Callable[[], Awaitable[None]] | None) -> None:
        self._work, self._finish = work, finish

    def forget(self) -> None:
        """Throw an answer away that was not sent."""
        self.status, self.headers, self.body, self._held = 0, [], b"", None

    async def send(self, message: Message) -> None:
        if self.complete:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        if self.started:
            await self._send(message)
            self.complete = not message.get("more_body", False)
            return
        if message.get(
            "more_body", False
        ):  # a file on its way: what was written goes in before its first byte
            if self.status < 400:
                await self._settle()
            await self._begin(message)
            return
        self.body = message.get("body", b"")
        self._held = message

    async def flush(self) -> None:
        """Send the held answer: a success once its transaction is in, an error once it is kept."""
        if self._held is None or self.started:
            return
        if self.status < 400:
            await self._settle()
        elif self._finish is not None:
            await self._finish()
            self.promised = True
        await self._begin(self._held)

    async def _settle(self) -> None:
        if self._finish is not None:
            await self._finish()
        if self._work is not None:
            await self._work.commit()
        self.promised = True

    async def _begin(self, message: Message) -> None:
        self._etag()
        if self.status == 401:
            self.headers.append((b"www-authenticate", b"Bearer"))  # RFC 9110, 15.5.2
        names = {name.lower() for name, _ in self.headers}
        self.headers += [pair for pair in self.common() if pair[0] not in names]
        if self.status == 304:
            self.headers = [
                pair for pair in self.headers if pair[0].lower() not in (b"content-length", b"content-type")
            ]
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        self.started = True
        await self._send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await self._send(message)
        self.complete = not message.get("more_body", False)

    def _etag(self) -> None:
        if self.if_none_match is None or self.status != 200:
            return
        for name, value in self.headers:
            if name.lower() == b"etag":
                offered = [tag.strip().removeprefix("W/") for tag in self.if_none_match.split(",")]
                if "*" in offered or value.decode().removeprefix("W/") in offered:
                    self.status = 304

    def common(self) -> list[tuple[bytes, bytes]]:
        """Headers of every answer."""
        found = [
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-store"),
        ]
        if self.verdict is not None:
            found += [
                (b"x-ratelimit-limit", b"%d" % self.verdict.limit),
                (b"x-ratelimit-remaining", b"%d" % self.verdict.remaining),
                (b"x-ratelimit-reset", b"%d" % self.verdict.reset_at),
            ]
        return found

    async def replay(self, kept: tuple[int, list[tuple[bytes, bytes]], bytes]) -> None:
        self.status, headers, self.body = kept
        self.headers = [*headers, (b"idempotency-replayed", b"true")]
        self.promised = True
        await self._begin({"type": "http.response.body", "body": self.body, "more_body": False})

    async def fail(self, error: errors.ApiError) -> None:
        """Answer with `error`, unless bytes have left already (then the connection just ends)."""
        if self.started:
            return
        self.status, self.body = error.status, msgspec.json.encode(error.body(self.request_id))
        self.headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        self.headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        await self._begin({"type": "http.response.body", "body": self.body, "more_body": False})
