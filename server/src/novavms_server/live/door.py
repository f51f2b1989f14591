"""Live view over a WebSocket, for MediaSource: text messages say what comes, binary ones go into a SourceBuffer as they are.

The ticket is in the path, and every door of a camera is asked by it alone, so that a foreign Origin can do nothing with it that it
could not do without a browser.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final, cast
from urllib.parse import parse_qs

import msgspec
from litestar.exceptions import WebSocketException

from novavms_protocol.live import LiveNote, Tier
from novavms_server.kit.database import DATABASE_AWAY, away
from novavms_server.kit.edge import client_of
from novavms_server.kit.errors import ApiError, RateLimited, ValidationError
from novavms_server.kit.ids import new_request_id
from novavms_server.kit.limits import Limiter
from novavms_server.kit.tasks import end
from novavms_server.kit.wire import ABORT
from novavms_server.live.channel import Piece, Reader
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.models import EndReason, LiveCamera
from novavms_server.live.plan import read_codecs, unsupported
from novavms_server.live.rights import Rights
from novavms_server.live.tickets import Ticket, Tickets
from novavms_server.live.upstream import Upstreams
from novavms_server.live.watchers import Watchers

log = logging.getLogger("novavms.live")

DEAF_SEC: Final = 30.0
"""So long a client may take nothing of what waits for it."""
GOODBYE_SEC: Final = 3.0
ASK_CHARS: Final = 200
_SENTENCES: Final[dict[EndReason, str]] = {
    "revoked": "You may not see this camera any more.",
    "camera_deleted": "The camera was deleted.",
    "shutting_down": "The server stops or starts anew; come again in a moment.",
    "internal": "Something of ours failed; come again.",
}


class _TierAsked(msgspec.Struct, tag_field="type", tag="tier"):
    tier: Tier


class _Over(Exception):
    """The client has gone, or takes nothing."""


class LiveDoor:
    """One for the server. WebSockets do not pass the edge: who comes is asked, and counted, here."""

    def __init__(
        self,
        tickets: Tickets,
        rights: Rights,
        watchers: Watchers,
        upstreams: Upstreams,
        metrics: LiveMetrics,
        memory: LiveMemory,
        limiter: Limiter,
        anonymous: Limiter,
        *,
        deaf_sec: float = DEAF_SEC,
    ) -> None:
        self._tickets = tickets
        self._limiter = limiter
        self._rights = rights
        self._watchers = watchers
        self._upstreams = upstreams
        self._metrics = metrics
        self._memory = memory
        self._anonymous = anonymous
        self.deaf_sec = deaf_sec
        self._views: set[_View] = set()
        self._closing = False

    def say_goodbye(self) -> None:
        """To all who watch, and who come from now on."""
        self._closing = True
        for view in list(self._views):
            view.finish("shutting_down")

    async def serve(self, wire: Any, text: str) -> None:
        """The whole life of one socket."""
        await wire.receive()  # websocket.connect
        try:
            try:
                tier, codecs = _asked(wire.scope)
                ticket, camera = await self._admit(wire, text)
                with self._watchers.one_more(ticket, "mse"):
                    await self._show(wire, ticket, camera, tier, codecs)
            except DATABASE_AWAY as error:
                raise away(error) from None
        except ApiError as refusal:
            await _refuse(wire, refusal)
        except _Over:
            log.debug("a live view's client went, or took nothing")

    async def _admit(self, wire: Any, text: str) -> tuple[Ticket, LiveCamera]:
        name = self._tickets.whose(text)
        limiter = self._anonymous if name is None else self._limiter
        verdict = await limiter.take(name or client_of(wire.scope))
        if not verdict.allowed:
            raise RateLimited(retry_after_sec=verdict.retry_after_sec)
        return await self._rights.check(text)

    async def _show(
        self, wire: Any, ticket: Ticket, camera: LiveCamera, tier: Tier, codecs: frozenset[str]
    ) -> None:
        view = _View(wire, self._upstreams, self._metrics, self._memory, camera, tier, codecs, self.deaf_sec)
        self._views.add(view)
        self._memory.connections.add(view)
        try:
            with self._rights.watching(ticket, view.finish):
                if self._closing:
                    view.finish("shutting_down")
                await view.run()
        finally:
            self._views.discard(view)
            self._memory.connections.discard(view)


class _View:
    """One socket, accepted."""

    def __init__(
        self,
        wire: Any,
        upstreams: Upstreams,
        metrics: LiveMetrics,
        memory: LiveMemory,
        camera: LiveCamera,
        tier: Tier,
        codecs: frozenset[str],
        deaf_sec: float,
    ) -> None:
        self._wire = wire
        self._upstreams = upstreams
        self._metrics = metrics
        self._memory = memory
        self._camera = camera
        self._asked: Tier = tier
        self._codecs = codecs
        self._deaf_sec = deaf_sec
        self._tier: Tier = tier if camera.has_sub else "main"
        self._switched: str | None = None
        """Why it is another tier than the asked one, by our own doing."""
        self._wake = asyncio.Event()
        self._ending: tuple[EndReason, str] | None = None
        self._pieces: Reader | None = None
        self._sending_since: float | None = None
        """On the loop's clock: a message is on its way to the client."""
        self._given_bytes = 0
        """The message before it, which the client has not taken as long as this one has to wait."""
        self._is_cut_off = asyncio.Event()

    def finish(self, reason: EndReason, message: str | None = None) -> None:
        """Say so, and close. The first reason counts."""
        self._ending = self._ending or (reason, message or _SENTENCES[reason])
        self._wake.set()

    @property
    def stuck_bytes(self) -> int:
        return self._given_bytes if self._sending_since is not None else 0

    def cut_off(self) -> None:
        self._given_bytes = 0
        self._is_cut_off.set()

    async def run(self) -> None:
        """Until it ends. Raises _Over."""
        await self._send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        listen = asyncio.create_task(self._listen())
        show = asyncio.create_task(self._show())
        woken = asyncio.create_task(self._wake.wait())
        deaf = asyncio.create_task(self._deaf())
        tasks: set[asyncio.Task[Any]] = {listen, show, woken, deaf}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            failed = show.exception() if show.done() and not show.cancelled() else None
            if failed is not None and not isinstance(failed, _Over):
                log.error("a live view", exc_info=failed)
                self.finish("internal")
            if listen.done() or deaf.done() or isinstance(failed, _Over):
                return
        finally:
            await end(tasks)
        if self._ending is None:  # the channel was closed: only a server that stops does that
            self.finish("shutting_down")
        await self._say_goodbye()

    async def _deaf(self) -> None:
        """Until the client has taken nothing for too long, or is cut off. (A time-out around each message would cost a quarter of
        sending it.)"""
        loop = asyncio.get_running_loop()
        while not self._is_cut_off.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._deaf_sec / 4):
                    await self._is_cut_off.wait()
            if self._sending_since is not None and loop.time() - self._sending_since >= self._deaf_sec:
                break
        await self._send({"type": ABORT})

    async def _say_goodbye(self) -> None:
        assert self._ending is not None
        reason, message = self._ending
        try:
            async with asyncio.timeout(GOODBYE_SEC):
                await self._say({"type": "end", "reason": reason, "message": message})
                code = 1012 if reason == "shutting_down" else 1008
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            raise _Over from None

    # ---- from the client

    async def _listen(self) -> None:
        """Until it goes."""
        while True:
            message = await self._wire.receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text") or ""
            try:
                asked = msgspec.json.decode(text[:ASK_CHARS], type=_TierAsked)
            except (msgspec.MsgspecError, UnicodeError):
                continue  # of a newer client, maybe
            self._asked, self._switched = asked.tier, None
            self._tier = asked.tier if self._camera.has_sub else "main"
            if self._pieces is not None:
                self._pieces.close()  # nothing may come any more of the tier that it waits for

    # ---- to the client

    async def _show(self) -> None:
        while self._ending is None:
            tier = self._tier
            with self._upstreams.hold(self._camera, tier) as channel:
                async with channel.read() as self._pieces:
                    async for piece in self._pieces:
                        if self._tier != tier or not await self._give(piece, tier):
                            break
                    else:
                        if self._tier == tier and channel.is_closed:
                            return

    async def _give(self, piece: Piece, tier: Tier) -> bool:
        """False: this tier is not to be shown any more."""
        note = piece.note
        if note is None:
            await self._put(piece.data)
            return True
        if note.codecs is None:
            await self._say({"type": "waiting", "reason": note.reason, "message": note.message})
            return True
        if note.codec is not None and note.codec not in self._codecs:
            self._refuse_codec(note.codec, tier)
            return False
        await self._say(self._init(note))
        await self._put(piece.data)
        return True

    def _refuse_codec(self, codec: str, tier: Tier) -> None:
        if self._camera.has_sub and self._switched is None:
            self._switched = "codec"
            self._tier = "sub" if tier == "main" else "main"
        else:
            self.finish("codec_unsupported", unsupported(codec, self._camera.has_sub))

    def _init(self, note: LiveNote) -> dict[str, Any]:
        reason = note.tier_reason or self._switched
        if note.tier == self._asked:
            reason = None
        elif reason is None and not self._camera.has_sub:
            reason = "no_sub_stream"
        return {
            "type": "init",
            "mime": f'video/mp4; codecs="{note.codecs}"',
            "codec": note.codec,
            "width": note.width,
            "height": note.height,
            "has_audio": note.has_audio,
            "tier": note.tier,
            "tier_reason": reason,
        }

    async def _say(self, message: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": msgspec.json.encode(message).decode()})

    async def _put(self, data: bytes) -> None:
        self._memory.came(len(data))
        await self._send({"type": "websocket.send", "bytes": data})
        self._given_bytes = len(data)
        self._metrics.bytes_out.inc(len(data))

    async def _send(self, message: dict[str, Any]) -> None:
        """Returns when there is room for more, for which `_deaf` does not wait for ever. Raises _Over."""
        self._sending_since = asyncio.get_running_loop().time()
        try:
            await self._wire.send(message)
            self._sending_since = None
        except (OSError, RuntimeError, WebSocketException) as error:
            raise _Over from error


def _asked(scope: Any) -> tuple[Tier, frozenset[str]]:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    tier = query.get("tier", ["main"])[-1]
    if tier not in ("main", "sub"):
        raise ValidationError.of("tier", "tier must be main or sub")
    codecs = query.get("codecs")
    return cast("Tier", tier), read_codecs(codecs[-1] if codecs else None)


async def _refuse(wire: Any, refusal: ApiError) -> None:
    """As an HTTP answer; the socket is not accepted yet."""
    body = msgspec.json.encode(refusal.body(new_request_id()))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    try:
        await wire.send(
            {"type": "websocket.http.response.start", "status": refusal.status, "headers": headers}
        )
        await wire.send({"type": "websocket.http.response.body", "body": body})
    except Exception as error:
        log.debug("a live view's client went before it was refused: %s", type(error).__name__)
