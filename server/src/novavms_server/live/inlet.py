"""Where gateways PUT a stream that was asked for: frames out of the body, into the channel, as fast as they come.

An address is good once, and for its gateway only. What does not keep to the protocol is cut off: no frame in time, frames out of
turn, larger than any, or that are none.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request

from novavms_protocol.live import INIT, MEDIA, NOTE, LiveBodyError, LiveFrame, LiveNote, LiveReader, read_note
from novavms_server.kit.database import DATABASE_AWAY
from novavms_server.kit.errors import AuthRequired, InvalidToken
from novavms_server.kit.tasks import end
from novavms_server.live.channel import Channel
from novavms_server.live.metrics import LiveMetrics
from novavms_server.recordings.door import Gateways
from novavms_server.recordings.errors import RelayEnded, RelayUnknown

log = logging.getLogger("novavms.live")

PATH: Final = "/api/v1/live-in/"
SILENCE_SEC: Final = 10.0
"""So long nothing at all may come; a gateway that has nothing to send says ALIVE."""
FRAME_SEC: Final = 30.0
"""So long a picture may be on its way: the first one is a whole GOP, over a thin uplink."""
WAITING_SEC: Final = 90.0
"""So long a gateway may leave out to say why nothing comes."""
IDLE_FRAMES: Final = 1000
"""So many frames may come within a minute with no picture among them."""
_MINUTE_SEC: Final = 60.0
TOKEN_SEC: Final = 30.0
"""How often the gateway's token is looked at again while it sends: whoever has a box that was replaced is not to be shown for it."""
NOTE_MAX: Final = 8192
INIT_MAX: Final = 128 * 1024
FRAGMENT_LEAST: Final = 64
"""Heads alone are longer; of shorter ones, those that are kept would need many times the memory that they are counted for."""
_CODECS: Final = re.compile(r"[A-Za-z0-9.]{1,40}(,[A-Za-z0-9.]{1,40})?")
_REASON: Final = re.compile(r"[a-z0-9_]{1,40}")
_MESSAGE_CHARS: Final = 300


class Inlet:
    """One body. `reason` and `message` say, once it has `ended`, why."""

    def __init__(self, gateway_id: Any, channel: Channel, metrics: LiveMetrics) -> None:
        self.gateway_id = gateway_id
        self.token = secrets.token_urlsafe(24)
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.had_picture = False
        self.reason, self.message = "broken", "The gateway's transfer broke off; it is asked again."
        self._channel = channel
        self._metrics = metrics
        self._reader = LiveReader()
        self._note: LiveNote | None = None
        self._has_init = False
        self._idle = 0
        self._hang_up: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        return f"Inlet({self.gateway_id})"

    def hang_up(self) -> None:
        """Nobody wants more. Safe to repeat."""
        self.ended.set()
        self._hang_up()

    async def read(self, request: Request[Any, Any, Any]) -> None:
        """The whole body. Raises RelayEnded when it is to end."""
        loop = asyncio.get_running_loop()
        minute = loop.time()
        frame_by = loop.time() + SILENCE_SEC
        try:
            async with asyncio.timeout_at(frame_by) as deadline:
                self._hang_up = lambda: deadline.reschedule(loop.time())
                while not self.ended.is_set():
                    message = await request.receive()
                    if message["type"] != "http.request" or self.ended.is_set():
                        return
                    piece = message.get("body", b"")
                    self._metrics.bytes_in.inc(len(piece))
                    frames = self.take(piece)
                    if not message.get("more_body", False):
                        return
                    now = loop.time()
                    if frames:
                        frame_by = now + (FRAME_SEC if self._is_showing() else WAITING_SEC)
                    if now > minute + _MINUTE_SEC:
                        minute, self._idle = now, 0
                    deadline.reschedule(min(now + SILENCE_SEC, frame_by))
        except TimeoutError:
            if not self.ended.is_set():
                self._metrics.stalls.inc()
                self.reason, self.message = "stalled", "No picture came for 10 s; the gateway is asked again."
        except LiveBodyError:
            self.had_picture = False  # so that it is asked again later and later
            self.reason = "bad_data"
            self.message = "What the gateway sent was not understood; update its software."
        finally:
            self._hang_up = lambda: None
            self.ended.set()
        raise RelayEnded

    def _is_showing(self) -> bool:
        return self._note is None or self._note.codecs is not None

    def take(self, piece: bytes) -> int:
        """Answers how many frames it made whole. Raises LiveBodyError."""
        count = 0
        for frame in self._reader.feed(piece):
            self._take(frame)
            count += frame.kind in (NOTE, INIT, MEDIA)
        return count

    def _take(self, frame: LiveFrame) -> None:
        self._idle = 0 if frame.kind == MEDIA else self._idle + 1
        if self._idle > IDLE_FRAMES:
            raise LiveBodyError("frames, and never a picture")
        if frame.kind == NOTE:
            self._note, self._has_init = _checked(frame.payload), False
            if self._note.codecs is None:
                self._channel.wait(self._note)
        elif frame.kind == INIT:
            if self._note is None or self._note.codecs is None or len(frame.payload) > INIT_MAX:
                raise LiveBodyError("an init part out of turn")
            _require(frame.payload, b"ftyp")
            self._has_init = True
            self._channel.begin(self._note, frame.payload)
        elif frame.kind == MEDIA:
            if not self._has_init:
                raise LiveBodyError("a fragment out of turn")
            _require(frame.payload, b"moof")
            if len(frame.payload) < FRAGMENT_LEAST:
                raise LiveBodyError("a fragment with nothing in it")
            self.had_picture = True
            self._channel.put(frame.payload, is_key=frame.is_key, start_90k=frame.start_90k)


def _require(payload: bytes, box: bytes) -> None:
    if payload[4:8] != box:
        raise LiveBodyError("no fragmented MP4")


def _checked(payload: bytes) -> LiveNote:
    """What a gateway says goes on to people's browsers: only what it may be."""
    if len(payload) > NOTE_MAX:
        raise LiveBodyError("a note is too long")
    note = read_note(payload)
    if note.codecs is not None and not _CODECS.fullmatch(note.codecs):
        raise LiveBodyError("no codecs")
    if not (0 <= note.width <= 65535 and 0 <= note.height <= 65535):
        raise LiveBodyError("no size")
    if note.codecs is not None:
        return msgspec.structs.replace(note, reason=None, message=None)
    reason = note.reason if note.reason and _REASON.fullmatch(note.reason) else "offline"
    message = note.message[:_MESSAGE_CHARS] if note.message else None
    return msgspec.structs.replace(note, reason=reason, message=message)


class Inlets:
    """Those that are open; this server's alone. `receive` is the gateway's PUT."""

    def __init__(self, gateways: Gateways, metrics: LiveMetrics) -> None:
        self._gateways = gateways
        self._metrics = metrics
        self._open: dict[str, Inlet] = {}

    def __len__(self) -> int:
        return len(self._open)

    def url(self, inlet: Inlet) -> str:
        """A secret: not logged. Without a host, as a relay's (see recordings.relay)."""
        return f"{PATH}{inlet.token}"

    def open(self, gateway_id: Any, channel: Channel) -> Inlet:
        """Whoever opens one closes it."""
        inlet = Inlet(gateway_id, channel, self._metrics)
        self._open[inlet.token] = inlet
        return inlet

    def close(self, inlet: Inlet) -> None:
        """Ends the PUT at once."""
        self._open.pop(inlet.token, None)
        inlet.hang_up()

    async def receive(self, request: Request[Any, Any, Any], token: str) -> None:
        """By the gateway's own token, once. Raises RelayUnknown, AuthRequired, InvalidToken; RelayEnded in the end."""
        inlet = self._find(token)
        authorization = request.headers.get("authorization")
        await self._gateways.identify(str(inlet.gateway_id), authorization)
        inlet = self._find(token)  # it may have ended, or begun by another PUT, meanwhile
        inlet.begun.set()
        looks = asyncio.create_task(self._until_token_ends(inlet, authorization))
        try:
            await inlet.read(request)
        finally:
            await end([looks])

    async def _until_token_ends(self, inlet: Inlet, authorization: str | None) -> None:
        while True:
            await asyncio.sleep(TOKEN_SEC)
            try:
                await self._gateways.identify(str(inlet.gateway_id), authorization)
            except (AuthRequired, InvalidToken):  # it was paired anew, or removed
                inlet.hang_up()
                return
            except DATABASE_AWAY:
                log.debug("a gateway's token can't be looked at now")

    def _find(self, token: str) -> Inlet:
        inlet = self._open.get(token)
        if inlet is None or inlet.begun.is_set() or inlet.ended.is_set():
            raise RelayUnknown
        return inlet
