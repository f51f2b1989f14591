"""Live HLS over HTTP: one window of each camera and tier that somebody asks for, and who asks.

A player has no connection, only requests. So whoever asked within the last 15 s watches: for so long its place is taken, and the
window of what it watches goes on. Rights are looked at as often as those of other viewers are: a look is good for 3 s.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from novavms_protocol.live import LiveNote, Tier
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import DATABASE_AWAY
from novavms_server.kit.errors import ApiError, Unavailable
from novavms_server.kit.tasks import end
from novavms_server.live import hls_playlist
from novavms_server.live.channel import Piece
from novavms_server.live.hls import Window
from novavms_server.live.hls_errors import CodecUnsupported, NoPicture, PartGone, TooFarAhead
from novavms_server.live.hls_segments import TARGET_SEC
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.models import LiveCamera
from novavms_server.live.plan import plan_of, unsupported
from novavms_server.live.rights import BLIND_SEC, EVERY_SEC, Rights
from novavms_server.live.upstream import Upstreams
from novavms_server.live.watchers import Watchers

log = logging.getLogger("novavms.live")

IDLE_SEC: Final = 15.0
"""After the last request."""
FIRST_SEC: Final = 10.0
"""So long the first request waits for a picture."""
BLOCK_SEC: Final = 3.0 * TARGET_SEC
"""So long a request for what is to come is held (RFC 8216bis 6.2.5.2)."""
SWEEP_SEC: Final = 1.0
_NAME: Final = re.compile(r"(init|part|segment)-(\d{1,18})\.mp4")


class _Key(NamedTuple):
    camera_id: UUID
    gateway_id: UUID | None
    tier: Tier


@dataclass(slots=True)
class _Viewer:
    camera: LiveCamera
    looked_mono: float
    asked_mono: float
    place: ExitStack
    held: int = 0
    """Requests that wait: who waits has not gone."""


class _Feed:
    """A window, and what fills it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.note: LiveNote | None = None
        self.asked_mono = 0.0
        self.held = 0
        """Requests that wait."""
        self.is_over = False
        self.task: asyncio.Task[None] | None = None

    def take(self, piece: Piece, clock: Clock) -> None:
        self.note = piece.note or self.note
        self.window.add(piece, clock.now())

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time. Raises Unavailable where nothing comes any more."""
        self.held += 1
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    if self.is_over:
                        raise Unavailable("This view has ended; come again in a moment.", retry_after_sec=1)
                    await self.window.wait()
        except TimeoutError:
            return False
        finally:
            self.held -= 1
        return True

    def no_picture(self) -> NoPicture:
        waits = self.note is not None and self.note.codecs is None
        return NoPicture(*(self.note.reason, self.note.message) if self.note and waits else (None, None))


class HlsDoor:
    """One for the server. `start` and `stop` it. `idle_sec`: see IDLE_SEC; `first_sec`: see FIRST_SEC."""

    def __init__(
        self,
        rights: Rights,
        watchers: Watchers,
        upstreams: Upstreams,
        metrics: LiveMetrics,
        memory: LiveMemory,
        clock: Clock,
        *,
        idle_sec: float = IDLE_SEC,
        first_sec: float = FIRST_SEC,
    ) -> None:
        self._rights = rights
        self._watchers = watchers
        self._upstreams = upstreams
        self._metrics = metrics
        self._memory = memory
        self._clock = clock
        self.idle_sec = idle_sec
        self.first_sec = first_sec
        self._viewers: dict[str, _Viewer] = {}
        self._feeds: dict[_Key, _Feed] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def __len__(self) -> int:
        """Windows that are open."""
        return len(self._feeds)

    # ---- what players ask for

    async def index(self, text: str, tier: Tier, codecs: frozenset[str]) -> str:
        """The multivariant playlist, of one variant: the tier that fits what the player can decode. Raises what `Rights.check` does,
        NoPicture, CodecUnsupported, TooManyWatchers."""
        camera = await self._admit(text)
        plan = plan_of(camera, tier, codecs)
        if plan.message is not None:
            raise CodecUnsupported(plan.message)
        feed = await self._begun(camera, plan.tier)
        note = feed.note
        if note is not None and note.codec is not None and note.codec not in codecs:
            raise CodecUnsupported(unsupported(note.codec, camera.has_sub))
        size = (note.width, note.height) if note is not None else (0, 0)
        return hls_playlist.index(feed.window, f"{plan.tier}/media.m3u8", width=size[0], height=size[1])

    async def playlist(self, text: str, tier: Tier, segment: int | None, part: int | None) -> str:
        """The media playlist: now, or (`segment`, `part`) as soon as it has come so far. Raises as `index` does; TooFarAhead."""
        feed = await self._begun(await self._admit(text), tier)
        if segment is not None:
            if feed.window.is_too_far(segment, part):
                raise TooFarAhead
            if not await self._held(text, feed, lambda: feed.window.has(segment, part), BLOCK_SEC):
                raise feed.no_picture()
        return hls_playlist.render(feed.window)

    async def file(self, text: str, tier: Tier, name: str) -> bytes:
        """An initialization section, a part or a segment; the part that comes next as soon as it is there. Raises PartGone."""
        camera = await self._admit(text)
        feed, found = self._feeds.get(_key(camera, tier)), _NAME.fullmatch(name)
        if feed is None or found is None:
            raise PartGone
        feed.asked_mono = self._clock.monotonic()
        window, number = feed.window, int(found[2])
        if found[1] == "part" and number == window.next_part:
            await self._held(text, feed, lambda: window.next_part > number, BLOCK_SEC)
        look = {"init": window.init_part, "part": window.part, "segment": window.segment}[found[1]]
        data = look(number)
        if data is None:
            raise PartGone
        self._metrics.bytes_out.inc(len(data))
        return data

    # ---- who asks

    async def _admit(self, text: str) -> LiveCamera:
        viewer, now = self._viewers.get(text), self._clock.monotonic()
        if viewer is None or now - viewer.looked_mono >= EVERY_SEC:
            try:
                ticket, camera = await self._rights.check(text, begun=viewer is not None)
            except ApiError:
                self._forget(text)
                raise
            except DATABASE_AWAY:
                if viewer is None or now - viewer.looked_mono > BLIND_SEC:
                    raise
                camera = viewer.camera
            else:
                if text not in self._viewers:
                    place = ExitStack()
                    place.enter_context(self._watchers.one_more(ticket, "hls"))
                    self._viewers[text] = _Viewer(camera, now, now, place)
                viewer = self._viewers[text]
                viewer.camera, viewer.looked_mono = camera, now
        viewer.asked_mono = now
        return viewer.camera

    async def _held(self, text: str, feed: _Feed, condition: Callable[[], bool], seconds: float) -> bool:
        """`feed.until`, for who was let in. Raises what `_admit` does: the right may have ended while it was waited for."""
        viewer = self._viewers.get(text)
        if viewer is not None:
            viewer.held += 1
        try:
            has_come = await feed.until(condition, seconds)
        finally:
            if viewer is not None:
                viewer.held -= 1
                viewer.asked_mono = self._clock.monotonic()
        await self._admit(text)
        return has_come

    def _forget(self, text: str) -> None:
        viewer = self._viewers.pop(text, None)
        if viewer is not None:
            viewer.place.close()

    # ---- windows

    async def _begun(self, camera: LiveCamera, tier: Tier) -> _Feed:
        """With a segment in it. Raises NoPicture, Unavailable."""
        key = _key(camera, tier)
        if self._closing:
            raise Unavailable("The server stops or starts anew; come again in a moment.", retry_after_sec=1)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(Window(self._clock.now()))
            feed.task = asyncio.create_task(self._fill(key, feed, camera))
        feed.asked_mono = self._clock.monotonic()
        if not await feed.until(lambda: feed.window.is_begun, self.first_sec):
            raise feed.no_picture()
        feed.asked_mono = self._clock.monotonic()
        return feed

    async def _fill(self, key: _Key, feed: _Feed, camera: LiveCamera) -> None:
        self._memory.stores.add(feed.window)
        try:
            with self._upstreams.hold(camera, key.tier) as channel:
                async with channel.read() as pieces:
                    async for piece in pieces:
                        feed.take(piece, self._clock)
        except Unavailable:
            log.debug("live HLS ends: the server stops")
        except Exception:
            log.exception("camera %s: live HLS", key.camera_id)
        finally:
            feed.is_over = True
            self._memory.stores.discard(feed.window)
            feed.window.wake()
            if self._feeds.get(key) is feed:
                del self._feeds[key]

    # ---- beside

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def say_goodbye(self) -> None:
        """Requests that wait are answered; none begins any more."""
        self._closing = True
        for feed in list(self._feeds.values()):
            if feed.task is not None:
                feed.task.cancel()

    async def stop(self) -> None:
        self.say_goodbye()
        tasks = [self._task, *(feed.task for feed in self._feeds.values())]
        await end([task for task in tasks if task is not None])
        for text in list(self._viewers):
            self._forget(text)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_SEC)
            self.sweep()

    def sweep(self) -> None:
        """Whoever has not asked for so long has gone."""
        before = self._clock.monotonic() - self.idle_sec
        for text, viewer in list(self._viewers.items()):
            if not viewer.held and viewer.asked_mono < before:
                self._forget(text)
        for feed in list(self._feeds.values()):
            if not feed.held and feed.asked_mono < before and feed.task is not None:
                feed.task.cancel()


def _key(camera: LiveCamera, tier: Tier) -> _Key:
    return _Key(camera.id, camera.gateway_id, tier if camera.has_sub else "main")
