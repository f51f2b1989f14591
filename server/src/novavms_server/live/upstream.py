"""Streams brought to this server: one for each camera and tier, however many watch and by which protocol.

1. It begins with the first who holds it.  2. A gateway is asked to PUT (inlet.py); a direct camera's capture is read.  3. Where
that breaks, stalls or can't begin, the channel says why, and it is tried again, later and later (1 to 10 s), and at once when the
gateway connects anew, for as long as somebody holds it.  4. 5 s after the last one let go, it ends: the gateway is hung up on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

from novavms_protocol.live import LiveNote, Tier, Watch
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout
from novavms_server.kit.clock import Clock
from novavms_server.kit.errors import Unavailable
from novavms_server.kit.tasks import end
from novavms_server.live.channel import Channel
from novavms_server.live.direct import DirectFeed
from novavms_server.live.hub import Hub
from novavms_server.live.inlet import Inlets
from novavms_server.live.memory import LiveMemory
from novavms_server.live.metrics import LiveMetrics
from novavms_server.live.models import LiveCamera

log = logging.getLogger("novavms.live")

LINGER_SEC: Final = 5.0
ASK_SEC: Final = 10.0
BEGIN_SEC: Final = 10.0
"""From the gateway's word that it sends to its PUT."""
LOOK_SEC: Final = 0.25
"""How often one that waits looks whether the gateway is back."""
BACK_OFF_SEC: Final = (1.0, 10.0)
OFFLINE: Final = ("gateway_offline", "The gateway is not connected; the picture follows when it is back.")
TIMEOUT: Final = ("gateway_timeout", "The gateway did not answer in time; it is asked again.")
_REFUSED: Final = {
    "unknown_camera": ("unknown_camera", "The gateway does not run this camera now; it is asked again."),
    "busy": ("busy", "The gateway already shows as much as it can; it is asked again."),
}
_UNSUPPORTED: Final = ("unsupported", "The gateway's software can't show live pictures; update it.")


class Key(NamedTuple):
    camera_id: UUID
    gateway_id: UUID | None
    tier: Tier


class _Upstream:
    def __init__(self, channel: Channel, task: asyncio.Task[None]) -> None:
        self.channel = channel
        self.task = task
        self.holds = 0
        self.lingering: asyncio.Task[None] | None = None


class Upstreams:
    """One for the server."""

    def __init__(
        self,
        hub: Hub,
        inlets: Inlets,
        direct: DirectFeed,
        clock: Clock,
        metrics: LiveMetrics,
        memory: LiveMemory,
        *,
        linger_sec: float = LINGER_SEC,
    ) -> None:
        self._hub = hub
        self._inlets = inlets
        self._direct = direct
        self._clock = clock
        self._metrics = metrics
        self._memory = memory
        self.linger_sec = linger_sec
        self._open: dict[Key, _Upstream] = {}
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def hold(self, camera: LiveCamera, tier: Tier) -> Iterator[Channel]:
        """The stream comes as long as the block runs, and a moment longer. A tier that the camera can't have is main.
        Raises Unavailable while the server stops."""
        if self._closing:
            raise Unavailable("The server stops or starts anew; come again in a moment.", retry_after_sec=1)
        key = Key(camera.id, camera.gateway_id, tier if camera.has_sub else "main")
        upstream = self._open.get(key)
        if upstream is None:
            channel = Channel(key.tier, self._metrics.dropped, self._memory)
            upstream = self._open[key] = _Upstream(channel, asyncio.create_task(self._feed(key, channel)))
            self._metrics.upstreams.set(len(self._open))
        if upstream.lingering is not None:
            upstream.lingering.cancel()
            upstream.lingering = None
        upstream.holds += 1
        try:
            yield upstream.channel
        finally:
            upstream.holds -= 1
            if not upstream.holds and self._open.get(key) is upstream:
                upstream.lingering = asyncio.create_task(self._linger(key, upstream))

    def say_goodbye(self) -> None:
        """Gateways are hung up on; nothing begins any more."""
        self._closing = True
        for upstream in self._open.values():
            upstream.task.cancel()

    async def stop(self) -> None:
        """All of them; whoever reads comes to an end."""
        while self._open:
            await self._end(next(iter(self._open)))

    async def _linger(self, key: Key, upstream: _Upstream) -> None:
        await self._clock.sleep(self.linger_sec)
        if self._open.get(key) is upstream and not upstream.holds:
            await self._end(key)

    async def _end(self, key: Key) -> None:
        upstream = self._open.pop(key)
        self._metrics.upstreams.set(len(self._open))
        tasks = [task for task in (upstream.task, upstream.lingering) if task is not None]
        await end(tasks)
        upstream.channel.close()

    # ---- in

    async def _feed(self, key: Key, channel: Channel) -> None:
        while True:
            try:
                if key.gateway_id is None:
                    await self._direct.feed(key.camera_id, channel)
                else:
                    await self._from_gateway(key, key.gateway_id, channel)
            except Exception:
                log.exception("camera %s: live view", key.camera_id)
                _wait(channel, ("internal", "Something of ours failed; it is tried again."))
                await self._clock.sleep(BACK_OFF_SEC[1])

    async def _from_gateway(self, key: Key, gateway_id: UUID, channel: Channel) -> None:
        delay_sec = BACK_OFF_SEC[0]
        while True:
            socket = self._hub.find(gateway_id)
            had_picture, why = await self._one_body(key, gateway_id, channel)
            _wait(channel, why)
            if had_picture:
                delay_sec = BACK_OFF_SEC[0]
            await self._pause(gateway_id, socket, delay_sec)
            delay_sec = min(delay_sec * 2, BACK_OFF_SEC[1])

    async def _one_body(self, key: Key, gateway_id: UUID, channel: Channel) -> tuple[bool, tuple[str, str]]:
        """Until it ends: whether pictures came, and why it ended."""
        inlet = self._inlets.open(gateway_id, channel)
        try:
            ask = Watch(camera_id=key.camera_id, tier=key.tier, url=self._inlets.url(inlet))
            reply = await self._hub.request(gateway_id, ask, timeout_sec=ASK_SEC)
            if not reply.ok:
                return False, _REFUSED.get(reply.error or "", _UNSUPPORTED)
            async with asyncio.timeout(BEGIN_SEC):
                await inlet.begun.wait()
            await inlet.ended.wait()
            return inlet.had_picture, (inlet.reason, inlet.message)
        except GatewayOffline:
            return False, OFFLINE
        except (GatewayTimeout, TimeoutError):
            return False, TIMEOUT
        finally:
            self._inlets.close(inlet)

    async def _pause(self, gateway_id: UUID, socket: Any, delay_sec: float) -> None:
        """Until it is time to ask again: at once where the gateway has connected anew, never while it is away."""
        until = self._clock.monotonic() + delay_sec
        while (found := self._hub.find(gateway_id)) is None or found is socket:
            if found is not None and self._clock.monotonic() >= until:
                return
            await self._clock.sleep(LOOK_SEC)


def _wait(channel: Channel, why: tuple[str, str]) -> None:
    channel.wait(LiveNote(tier=channel.tier, reason=why[0], message=why[1]))
