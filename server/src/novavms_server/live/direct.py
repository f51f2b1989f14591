"""Direct cameras' pictures: what this server captures of them, straight into a channel. There is one tier, main."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol
from uuid import UUID

from novavms_camera.capture import CaptureStream
from novavms_camera.capture.live import Fragment
from novavms_protocol.live import LiveNote
from novavms_server.kit.clock import Clock
from novavms_server.live.channel import Channel
from novavms_server.live.inlet import SILENCE_SEC
from novavms_server.live.metrics import LiveMetrics

LOOK_SEC: Final = 1.0
"""How often one that waits looks whether the camera is captured again."""


class Captures(Protocol):
    """This server's own captures (cameras.direct.fleet)."""

    def stream_of(self, camera_id: UUID) -> CaptureStream | None:
        """None: it is not captured here (now)."""


class DirectFeed:
    def __init__(self, captures: Captures, clock: Clock, metrics: LiveMetrics) -> None:
        self._captures = captures
        self._clock = clock
        self._metrics = metrics

    async def feed(self, camera_id: UUID, channel: Channel) -> None:
        """Until cancelled."""
        while True:
            stream = self._captures.stream_of(camera_id)
            if stream is not None:
                await self._follow(stream, channel)
            message = "The server has no connection to the camera; the picture follows."
            channel.wait(LiveNote(tier="main", reason="offline", message=message))
            await self._clock.sleep(LOOK_SEC)

    async def _follow(self, stream: CaptureStream, channel: Channel) -> None:
        async with stream.subscribe(backlog="gop") as pieces:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_SEC if stream.status.state == "online" else LOOK_SEC):
                        piece = await anext(pieces)
                except TimeoutError:
                    if channel.note is not None and channel.note.codecs is not None:
                        self._metrics.stalls.inc()
                    status = stream.status
                    reason = status.reason or ("stalled" if status.state == "online" else "offline")
                    message = status.message or "No picture comes from the camera; it follows."
                    channel.wait(LiveNote(tier="main", reason=reason, message=message))
                except StopAsyncIteration:
                    return
                else:
                    self._metrics.bytes_in.inc(len(piece.data))
                    self._put(piece, channel)

    def _put(self, piece: Fragment, channel: Channel) -> None:
        if piece.kind == "media":
            channel.put(piece.data, is_key=piece.key, start_90k=piece.start_90k)
        elif piece.fmt is not None:
            video = piece.fmt.video
            note = LiveNote(
                tier="main",
                codecs=piece.mime_codecs,
                codec=video.codec,
                width=video.width,
                height=video.height,
                has_audio=piece.fmt.audio is not None,
            )
            channel.begin(note, piece.data)
