"""Live readers: one stream of fragments for all of them, a bounded queue for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from novavms_camera.capture.fmp4 import FragmentBuilder, fragment, init_part
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.capture.ring import Gop
from novavms_camera.faults import Reason

FRAGMENT_SEC: Final = 0.2
"""What a picture waits for its fragment, at most. A fragment's head is some 150 bytes: 1 % of a 500 kbit/s stream."""
Backlog = Literal["all", "gop"]
"""What a joining reader gets at once: all that is in memory, or from the last key frame on."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of fragmented MP4. An `init` piece comes first and again where the format changes; `key`: begins on a key frame.

    `start_90k` is on the stream's own timeline. Of an init piece: `mime_codecs` is what MediaSource wants to know, `fmt` what
    the pieces after it hold.
    """

    kind: Literal["init", "media"]
    data: bytes
    key: bool
    start_90k: int
    mime_codecs: str = ""
    fmt: StreamFormat | None = None


class Source(Protocol):
    """Whom subscriptions are of."""

    def join(self, reader: Subscription) -> None:
        """Gives the reader what there is, then all that comes."""

    def leave(self, reader: Subscription) -> None:
        """Forgets the reader."""


class Subscription:
    """Use as `async with stream.subscribe() as pieces: async for piece in pieces`. Ends when the stream's `run` does.

    Holds at most `max_bytes`, and where a younger GOP follows none that began more than `max_lag_sec` ago: a reader that is too
    slow loses whole GOPs, oldest first, and goes on at a key frame.
    """

    def __init__(
        self,
        source: Source,
        max_bytes: int,
        *,
        backlog: Backlog = "all",
        max_lag_sec: float | None = None,
    ) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._max_lag = None if max_lag_sec is None else int(max_lag_sec * VIDEO_RATE)
        self.backlog: Backlog = backlog
        self._queue: deque[Fragment] = deque()
        self._size = 0
        self._media = 0
        self._keys = 0
        self._wake = asyncio.Event()
        self._wants_key = True
        self._is_closed = False
        self.dropped = 0
        """Fragments lost because the reader was slow."""

    async def __aenter__(self) -> Self:
        self._source.join(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.leave(self)
        self._queue.clear()

    def __aiter__(self) -> AsyncIterator[Fragment]:
        return self

    async def __anext__(self) -> Fragment:
        while not self._queue:
            if self._is_closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        piece = self._queue.popleft()
        self._size -= len(piece.data)
        self._media -= piece.kind == "media"
        self._keys -= piece.key
        return piece

    @property
    def queued_bytes(self) -> int:
        """What is waiting for the reader."""
        return self._size

    def put(self, piece: Fragment) -> None:
        """Takes a piece; makes room by whole GOPs when it does not fit."""
        if piece.kind == "media":
            while self._media and self._size + len(piece.data) > self._max_bytes:
                self._drop_gop()
            fits = self._size + len(piece.data) <= self._max_bytes
            if not fits or (self._wants_key and not piece.key):
                self.dropped += 1
                self._wants_key = True
                return
            self._wants_key = False
            self._media += 1
            self._keys += piece.key
        elif self._queue and self._queue[-1].kind == "init":
            self._size -= len(self._queue.pop().data)  # superseded before anything came in it
        self._queue.append(piece)
        self._size += len(piece.data)
        while self._is_late():
            self._drop_gop()
        self._wake.set()

    def _is_late(self) -> bool:
        """Whether the reader is so far behind that it is to go on at a younger key frame."""
        if self._max_lag is None or self._queue[-1].kind == "init":
            return False
        oldest = next(piece for piece in self._queue if piece.kind == "media")
        return self._keys > oldest.key and self._queue[-1].start_90k - oldest.start_90k > self._max_lag

    def catch_up(self) -> None:
        """Goes on at the newest key frame that waits; what is older is lost."""
        while self._keys > next((piece.key for piece in self._queue if piece.kind == "media"), True):
            self._drop_gop()

    def _drop_gop(self) -> None:
        """Lets go of the queue's front up to the next key frame; the newest init piece in there stays in front of the rest."""
        init: Fragment | None = None
        gone = 0
        while self._queue:
            head = self._queue[0]
            if head.kind == "media" and head.key and gone:
                break
            self._queue.popleft()
            self._size -= len(head.data)
            if head.kind == "init":
                init = head
            else:
                gone += 1
                self._keys -= head.key
        self._media -= gone
        self.dropped += gone
        self._wants_key = not self._media
        if init is not None:
            self._queue.appendleft(init)
            self._size += len(init.data)

    def close(self) -> None:
        """No more comes."""
        self._is_closed = True
        self._wake.set()


class Broadcast:
    """Makes the fragments once for all subscriptions; costs nothing while there is none. Sound that is not AAC is left out:
    browsers do not play it. `recent` gives the stream's format and the GOPs in memory."""

    def __init__(self, recent: Callable[[], tuple[StreamFormat | None, list[Gop]]]) -> None:
        self._recent = recent
        self._readers: list[Subscription] = []
        self._builder: FragmentBuilder | None = None
        self._is_closed = False

    def join(self, reader: Subscription) -> None:
        """Gives the reader its backlog, then all that comes."""
        fmt, gops = self._recent()
        if self._is_closed:
            reader.close()
        if fmt is not None:
            fmt = _playable(fmt)
            reader.put(_init(fmt))
            if self._builder is None and gops:
                self._builder = FragmentBuilder(fmt, longest_sec=FRAGMENT_SEC)
                self._builder.add_video(gops[-1].video[-1])
                sound_from = gops[-1].audio[-1].pts + 1 if gops[-1].audio else 0
                pending = (1, sound_from)
            else:
                pending = self._builder.pending if self._builder is not None else (0, 0)
            if reader.backlog == "gop":
                gops = _newest(gops, pending[0])
            for piece in _backlog(fmt, gops, *pending):
                reader.put(piece)
        self._readers.append(reader)

    def leave(self, reader: Subscription) -> None:
        """Forgets the reader."""
        if reader in self._readers:
            self._readers.remove(reader)
        if not self._readers:
            self._builder = None

    def open(self) -> None:
        """Who joins from now on is served, also after `close`."""
        self._is_closed = False

    def close(self) -> None:
        """Ends all subscriptions."""
        self._is_closed = True
        for reader in self._readers:
            reader.close()

    def on_format(self, fmt: StreamFormat) -> None:
        self._builder = None
        if self._readers:
            fmt = _playable(fmt)
            self._builder = FragmentBuilder(fmt, longest_sec=FRAGMENT_SEC)
            piece = _init(fmt)
            for reader in self._readers:
                reader.put(piece)

    def on_video(self, sample: VideoSample) -> None:
        builder = self._builder
        if builder is None:
            return
        data = builder.add_video(sample)
        if data is not None:
            self._send(Fragment("media", data, builder.starts_on_key, builder.start_90k))

    def on_audio(self, sample: AudioSample) -> None:
        if self._builder is not None:
            self._builder.add_audio(sample)

    def on_break(self, reason: Reason) -> None:
        builder = self._builder
        data = builder.flush() if builder is not None else None
        if builder is not None and data is not None:
            self._send(Fragment("media", data, builder.starts_on_key, builder.start_90k))
        self._builder = None

    def _send(self, piece: Fragment) -> None:
        for reader in self._readers:
            reader.put(piece)


def _playable(fmt: StreamFormat) -> StreamFormat:
    return replace(fmt, audio=fmt.audio if fmt.audio is not None and fmt.audio.codec == "aac" else None)


def _init(fmt: StreamFormat) -> Fragment:
    names = fmt.video.codec_string + (",mp4a.40.2" if fmt.audio is not None else "")
    return Fragment("init", init_part(fmt), False, 0, names, fmt)


def _newest(gops: list[Gop], pending: int) -> list[Gop]:
    """The last GOP; the one before it, too, where all of the last comes with the next fragment: with a camera that sends a
    picture a second that takes one."""
    is_pending = bool(gops) and len(gops[-1].video) <= pending
    return gops[-2:] if is_pending else gops[-1:]


def _backlog(fmt: StreamFormat, gops: list[Gop], pending: int, sound_from: int) -> list[Fragment]:
    """The GOPs in memory, one fragment each, without what comes with the next fragment: the newest `pending` frames and the
    sound from `sound_from` on."""
    pieces: list[Fragment] = []
    rate = fmt.audio.rate if fmt.audio is not None else 0
    for index, gop in enumerate(gops):
        is_last = index + 1 == len(gops)
        video = gop.video[: len(gop.video) - pending] if is_last else gop.video
        if not video:
            continue
        end = gop.video[len(video)].dts if is_last else gops[index + 1].video[0].dts
        sound = [s for s in gop.audio if not is_last or s.pts < sound_from] if rate else []
        pieces.append(
            Fragment("media", fragment(0, video, end, sound, rate=rate), video[0].key, video[0].dts)
        )
    return pieces
