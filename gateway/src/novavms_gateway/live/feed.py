"""The body of one live view: what its camera shows, whichever stream, session or capture that comes from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Final
from uuid import UUID

from novavms_camera.capture import CaptureStream, Fragment, StreamStatus
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.cameras.watch import Watch
from novavms_gateway.live.tiers import Choice, TierPolicy, choose
from novavms_protocol.live import ALIVE, INIT, MEDIA, LiveNote, Tier, live_frame, note_frame

TICK_SEC: Final = 1.0
"""Where nothing comes, so late are a change of the tier and the word of why."""
WORD_TICKS: Final = 4
NOTE_TICKS: Final = 20
"""While nothing comes: how often the server hears that we are there, and again why."""
MAX_LAG_SEC: Final = 3.0
"""Further than this behind the camera, a viewer is better served by younger pictures, and by fewer bytes."""


class Feed:
    """`frames` is the body; it ends when the camera is no longer to run here."""

    def __init__(self, camera_id: UUID, wished: Tier, *, fleet: Fleet, policy: TierPolicy) -> None:
        self.camera_id = camera_id
        self.wished: Tier = wished
        self.policy = policy
        self._fleet = fleet
        self._told: LiveNote | None = None
        self._silent_ticks = 0

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Frames of `novavms_protocol.live`. To be closed (`aclosing`): it holds sessions open."""
        while True:
            watch = self._fleet.find(self.camera_id)
            if watch is None:
                if not self._fleet.desires(self.camera_id):
                    return
                yield self._silence(None, Choice(self.wished, None, None))  # it is checked, or begun anew
                await self._fleet.find_soon(self.camera_id, within_sec=TICK_SEC)
                continue
            choice = choose(watch, self.wished, self.policy)
            if choice.is_waiting:
                yield self._silence(watch.stream.status, choice)
                await asyncio.sleep(TICK_SEC)
                continue
            with ExitStack() as stack:
                stream = watch.stream
                if choice.second is not None:
                    stream = stack.enter_context(choice.second.reading())
                if choice.is_brought_down:
                    stack.enter_context(watch.brought_down())
                async with aclosing(self._of(stream, watch, choice)) as frames:
                    async for frame in frames:
                        yield frame

    async def _of(self, stream: CaptureStream, watch: Watch, choice: Choice) -> AsyncGenerator[bytes, None]:
        """Frames of one stream, for as long as it is the one to send."""
        async with stream.subscribe(backlog="gop", max_lag_sec=MAX_LAG_SEC) as pieces:
            lost = pieces.dropped
            if stream.status.state in {"offline", "error"} and not pieces.queued_bytes:
                yield self._silence(stream.status, choice)
            while (
                self._fleet.find(self.camera_id) is watch
                and choose(watch, self.wished, self.policy) == choice
            ):
                try:
                    async with asyncio.timeout(TICK_SEC):
                        piece = await anext(pieces)
                except TimeoutError:
                    yield self._silence(stream.status, choice)
                    continue
                except StopAsyncIteration:
                    break
                if pieces.dropped > lost:
                    lost = pieces.dropped
                    if self.wished == "main":
                        self.policy.trouble("uplink")
                for frame in self._frames(piece, choice):
                    yield frame
            else:
                return
        if self._fleet.find(self.camera_id) is watch and not (choice.second and choice.second.failure):
            # The capture failed by a bug of ours, and begins anew in its own time.
            yield self._silence(stream.status, choice)
            await asyncio.sleep(TICK_SEC)

    def _frames(self, piece: Fragment, choice: Choice) -> list[bytes]:
        self._silent_ticks = 0
        if piece.fmt is None:
            return [live_frame(MEDIA, piece.data, start_90k=piece.start_90k, is_key=piece.key)]
        video = piece.fmt.video
        self._told = LiveNote(
            tier=choice.tier,
            codecs=piece.mime_codecs,
            codec=video.codec,
            width=video.width,
            height=video.height,
            has_audio=piece.fmt.audio is not None,
            tier_reason=choice.reason,
        )
        return [note_frame(self._told), live_frame(INIT, piece.data)]

    def _silence(self, status: StreamStatus | None, choice: Choice) -> bytes:
        """What is said while nothing comes; empty where it was said a moment ago."""
        self._silent_ticks += 1
        alive = b"" if self._silent_ticks % WORD_TICKS else live_frame(ALIVE, b"")
        if status is not None and status.state == "online":
            return alive
        note = LiveNote(
            tier=choice.tier,
            tier_reason=choice.reason,
            reason=(status.reason if status is not None else None) or "pending",
            message=status.message if status is not None else None,
        )
        if note == self._told and self._silent_ticks % NOTE_TICKS:
            return alive
        self._told = note
        return note_frame(note)
