"""The edge: what every HTTP answer has in common, around the routed application.

Per request, in this order: request id → body read (1 MiB at most) → caller → rate limit → idempotency → the route →
commit → headers → metrics. Errors of every layer leave in the one shape of `errors`. The answer's start is held back
until its first body bytes are there and the transaction is in; so a 2xx is a promise.

WebSockets pass through unauthenticated, on purpose: what connects by one (a gateway, a live view) shows its own token to
its own route, which must be declared PUBLIC.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, cast

from litestar.exceptions import LitestarException
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from novavms_server.kit import errors
from novavms_server.kit.answer import Answer
from novavms_server.kit.caller import Caller
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY, Database, away
from novavms_server.kit.idempotency import Idempotency, Kept, Reservation
from novavms_server.kit.ids import new_request_id
from novavms_server.kit.limits import Limiter
from novavms_server.kit.metrics import Metrics
from novavms_server.kit.work import Work

log = logging.getLogger("novavms.edge")
MAX_BODY_BYTES = 1_048_576
FREE_PATHS = frozenset({"/healthz", "/readyz"})
FREE_PREFIXES = ("/api/v1/relay/", "/api/v1/live-in/")
"""Gateways answer there what this server has just asked them for: no limit, no caller to know, bodies of any size."""
STREAMED_PREFIXES = ("/api/v1/store/", "/api/v1/live/")
"""Bodies below these paths are not read here: their route streams them and sets its own bounds."""


Signed = Callable[[HTTPScope], str | None]
"""The bucket of a request to an address that we have signed; None: it is not, or no longer, one of ours."""


class Authenticator(Protocol):
    """Finds out who asks."""

    async def identify(self, authorization: str | None, *, fresh: bool = False) -> Caller | errors.ApiError:
        """The caller, or why there is none. `fresh`: not from memory."""
        ...


class Exchange:
    """One request on its way through: what the routes find in `scope["state"]["exchange"]`."""

    __slots__ = (
        *("admitted", "answered", "body", "caller", "client", "failure", "replaying", "request_id", "rerun"),
        "work",
    )

    def __init__(self, request_id: str, client: str, body: bytes) -> None:
        self.request_id = request_id
        self.client = client
        self.body = body
        self.caller: Caller | None = None
        self.failure: errors.ApiError | None = None
        """Why there is no caller: raised by the guard of a route that wants one."""
        self.work: Work | None = None
        self.rerun = False
        self.answered = False
        self.replaying = False
        """The answer is kept already: the route is asked only whether the caller may still have it."""
        self.admitted = False
        """What the route said to that."""


class Edge:
    """ASGI middleware, outermost."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        database: Database,
        authenticator: Authenticator,
        clock: Clock,
        limiter: Limiter,
        anonymous_limiter: Limiter,
        idempotency: Idempotency,
        metrics: Metrics,
        signed: Mapping[str, Signed] | None = None,
    ) -> None:
        """`signed`: by the beginning of the path. A player asks for much, without a credential, and often with others behind one
        address: what it asks for by a good signature does not count for that address."""
        self._app = app
        self._signed = dict(signed or {})
        self._database = database
        self._authenticator = authenticator
        self._clock = clock
        self._limiter = limiter
        self._anonymous = anonymous_limiter
        self._idempotency = idempotency
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if str(scope["type"]) != "http":
            await self._app(scope, receive, send)
            return
        await self._http(cast("HTTPScope", scope), receive, send)

    async def _http(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        answer = Answer(send, new_request_id())
        try:
            await self._serve(scope, receive, answer)
        except Exception as error:  # the last net: whatever it is, the caller gets the one shape
            await answer.fail(self._translate(error, answer.request_id))
        finally:
            if not answer.complete and not answer.started:
                await answer.fail(errors.Internal())
            path = str(scope.get("path_template") or "unrouted")  # never what a stranger typed: it is a label
            self._metrics.request(scope["method"], path, answer.status, time.perf_counter() - started)

    def _translate(self, error: Exception, request_id: str) -> errors.ApiError:
        if isinstance(error, LitestarException) and isinstance(error.__cause__, Exception):
            error = error.__cause__  # what happened after the answer began, wrapped by the framework
        if isinstance(error, errors.ApiError):
            return error
        if isinstance(error, DATABASE_AWAY):
            log.warning("request %s: database away: %s", request_id, type(error).__name__)
            return away(error)
        log.error("request %s failed", request_id, exc_info=error)
        return errors.Internal()

    async def _serve(self, scope: HTTPScope, receive: Receive, answer: Answer) -> None:
        path = scope["path"]
        if path in FREE_PATHS or path.startswith(FREE_PREFIXES):
            answer.verdict = None
            await self._run(scope, receive, answer, Exchange(answer.request_id, client_of(scope), b""))
            return
        headers = {name: value for name, value in scope["headers"] if name in _WANTED}
        streamed = path.startswith(STREAMED_PREFIXES)
        client = client_of(scope)
        try:
            identity = await self._authenticator.identify(_text(headers.get(b"authorization")))
        except DATABASE_AWAY:  # nobody knows who asks: an answer counts for the address
            answer.verdict = await self._anonymous.take(client)
            raise
        name = next((look(scope) for start, look in self._signed.items() if path.startswith(start)), None)
        if name is not None:
            answer.verdict = await self._limiter.take(name)
        elif isinstance(identity, Caller):
            answer.verdict = await self._limiter.take(identity.label)
        else:
            answer.verdict = await self._anonymous.take(client)
        if not answer.verdict.allowed:
            raise errors.RateLimited(retry_after_sec=answer.verdict.retry_after_sec)
        body = b"" if streamed or scope["method"] in _BODILESS else await read_body(headers, receive)
        exchange = Exchange(answer.request_id, client, body)
        self._admit(exchange, identity, scope, headers)
        if not streamed:
            receive = _replay(body, receive)
        answer.if_none_match = (
            _text(headers.get(b"if-none-match")) if scope["method"] in ("GET", "HEAD") else None
        )
        key = headers.get(b"idempotency-key")
        if key is None or scope["method"] != "POST" or exchange.caller is None:
            await self._run(scope, receive, answer, exchange)
            return
        await self._run_once(scope, receive, answer, exchange, key)

    def _admit(
        self,
        exchange: Exchange,
        identity: Caller | errors.ApiError,
        scope: HTTPScope,
        headers: dict[bytes, bytes],
    ) -> None:
        if not isinstance(identity, Caller):
            exchange.failure = identity
            return
        authorization = _text(headers.get(b"authorization"))

        async def refresh() -> Caller | None:
            found = await self._authenticator.identify(authorization, fresh=True)
            exchange.caller = found if isinstance(found, Caller) else None
            exchange.failure = None if isinstance(found, Caller) else found
            return exchange.caller

        exchange.caller = identity
        exchange.work = Work(
            self._database, identity, self._clock, request_id=exchange.request_id, refresh=refresh
        )

    async def _run(
        self,
        scope: HTTPScope,
        receive: Receive,
        answer: Answer,
        exchange: Exchange,
        *,
        finish: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Route the request; once more where the caller's powers changed under it."""
        for attempt in (1, 2, 3):
            state = scope.setdefault("state", {})
            state["exchange"] = exchange
            work = exchange.work
            answer.prepare(work, finish)
            try:
                await self._app(scope, receive, answer.send)
                if answer.status < 400:  # the transaction goes in now, or the caller hears of a failure
                    await answer.flush()
                    return
            finally:
                if work is not None:
                    await work.rollback()
            if exchange.rerun is False and not await self._was_refused_from_memory(exchange, answer):
                await answer.flush()
                return
            exchange.rerun = False
            if attempt == 3 or work is None:
                raise errors.Unavailable(
                    "Roles or grants are changing right now; try again.", retry_after_sec=1
                )
            if exchange.caller is not None:
                exchange.work = Work(
                    self._database,
                    exchange.caller,
                    self._clock,
                    request_id=exchange.request_id,
                    refresh=work._refresh,
                )
            else:
                exchange.work = None
            receive = _replay(exchange.body, receive)
            answer.forget()

    async def _was_refused_from_memory(self, exchange: Exchange, answer: Answer) -> bool:
        """A 403 may rest on powers remembered from before a change on another server: ask once whether they still hold."""
        if answer.status != 403 or answer.started or exchange.work is None or exchange.answered:
            return False
        exchange.answered = True
        before = exchange.work.caller
        after = await exchange.work._refresh()
        return after is None or not after.same_powers(before)

    async def _run_once(
        self, scope: HTTPScope, receive: Receive, answer: Answer, exchange: Exchange, key: bytes
    ) -> None:
        assert exchange.caller is not None
        taken = await self._idempotency.take(exchange.caller, key, scope, exchange.body)
        if not isinstance(taken, Reservation):
            await self._replay(scope, receive, answer, exchange, taken)
            return

        async def finish() -> None:
            await self._idempotency.keep(taken, exchange.work, answer.status, answer.headers, answer.body)

        try:
            await self._run(scope, receive, answer, exchange, finish=finish)
        except Exception as error:
            await answer.fail(self._translate(error, answer.request_id))
            raise
        finally:
            if not answer.promised:
                await self._idempotency.give_back(taken)

    async def _replay(
        self, scope: HTTPScope, receive: Receive, answer: Answer, exchange: Exchange, kept: Kept
    ) -> None:
        """Give the kept answer to who may still ask for it: a key revoked or a role lowered since then holds here, too.

        The route's own reads would find that out (see kit.work); a replay has none, so the caller is looked up anew.
        """
        assert exchange.work is not None
        if await exchange.work._refresh() is None:  # nobody any more: nobody's keys
            exchange.work = None
            await self._run(scope, receive, answer, exchange)
            return
        exchange.replaying = True
        scope.setdefault("state", {})["exchange"] = exchange
        await self._app(scope, receive, answer.send)
        if not exchange.admitted:
            await answer.flush()
            return
        answer.forget()
        await answer.replay(kept)


_WANTED = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"idempotency-key",
        b"if-none-match",
        b"transfer-encoding",
    }
)
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The whole body. Raises PayloadTooLarge, and UnsupportedMediaType for a body that is not JSON."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise errors.PayloadTooLarge
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise errors.ValidationError("The client went away before its request was whole.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise errors.PayloadTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    body = b"".join(chunks)
    kind = (
        headers.get(b"content-type", b"application/json" if not body else b"").split(b";")[0].strip().lower()
    )
    if body and kind != b"application/json":
        raise errors.UnsupportedMediaType
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Any:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def client_of(scope: HTTPScope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value is not None else None
