"""Live pictures to the server: a PUT whose body does not end, for each camera and tier that is looked at."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final
from uuid import UUID

import httpx

from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import Tasks, race
from novavms_gateway.link.requests import RequestRefusedError, own_address
from novavms_gateway.link.uplink import Uplink, Urgency
from novavms_gateway.live.ear import Ear
from novavms_gateway.live.feed import Feed
from novavms_gateway.live.tiers import CPU_PERCENT_MAX, TierPolicy
from novavms_gateway.storage.identity import Identity
from novavms_protocol import Watch

log = logging.getLogger(__name__)

SENDING_MAX: Final = 64
"""Live views at once; each may hold some seconds of its stream in memory."""
KNOWN_WITHIN_SEC: Final = 2.0
PIECE_BYTES: Final = 64 * 1024
TIMEOUT: Final = httpx.Timeout(10.0, write=15.0)
"""Who takes nothing for this long has gone."""


class LiveSender:
    """Answers Watch. `http`: each request on a connection of its own."""

    def __init__(
        self, *, fleet: Fleet, identity: Identity, http: httpx.AsyncClient, uplink: Uplink, clock: Clock
    ) -> None:
        self._fleet = fleet
        self._identity = identity
        self._http = http
        self._uplink = uplink
        self._clock = clock
        self._sending = Tasks()
        self._feeds: list[Feed] = []
        self._policies: dict[UUID, TierPolicy] = {}

    async def watch(self, ask: Watch) -> dict[str, Any]:
        """The reply of Watch; the body follows. Raises RequestRefusedError."""
        if len(self._sending) >= SENDING_MAX:
            raise RequestRefusedError("busy", "The gateway already sends as much as it can.")
        url = own_address(self._identity.server_url, ask.url)
        if not self._fleet.desires(ask.camera_id):
            await self._fleet.find_soon(ask.camera_id, within_sec=KNOWN_WITHIN_SEC)
        if not self._fleet.desires(ask.camera_id):
            raise RequestRefusedError("unknown_camera", "This gateway does not run the camera.")
        feed = Feed(ask.camera_id, ask.tier, fleet=self._fleet, policy=self._policy(ask.camera_id))
        self._sending.start(self._send(feed, url))
        return {}

    def cpu_is(self, percent: float) -> None:
        """The machine's load over the last quarter of a minute."""
        if percent > CPU_PERCENT_MAX:
            for feed in self._feeds:
                if feed.wished == "main":
                    feed.policy.trouble("cpu")

    async def stop(self) -> None:
        """Breaks off what is being sent."""
        await self._sending.end()

    def _policy(self, camera_id: UUID) -> TierPolicy:
        """The camera's own, kept over its views: what the uplink did not hold a moment ago is not tried by each new one."""
        self._policies = {known: each for known, each in self._policies.items() if self._fleet.desires(known)}
        return self._policies.setdefault(camera_id, TierPolicy(self._clock))

    async def _send(self, feed: Feed, url: str) -> None:
        ear, error, status = Ear(), "", None
        self._feeds.append(feed)
        try:
            async with aclosing(self._pieces(feed)) as pieces:
                status = await race(self._put(url, pieces, ear), self._heard(ear))
        except httpx.HTTPError as broken:
            error = type(broken).__name__
        finally:
            self._feeds.remove(feed)
            await ear.close()
        # Whoever watched has gone: that is how most of these end.
        log.info(
            "live ended",
            extra={"facts": {"camera": feed.camera_id, "status": status or "", "error": error}},
        )

    async def _put(self, url: str, pieces: AsyncGenerator[bytes, None], ear: Ear) -> int | None:
        answer = await self._http.put(
            url,
            headers={
                "Authorization": self._identity.authorization,
                "Content-Type": "application/octet-stream",
            },
            content=pieces,
            timeout=TIMEOUT,
            extensions={"trace": ear.trace},
        )
        return answer.status_code

    async def _heard(self, ear: Ear) -> int | None:
        await ear.heard()
        return ear.status

    async def _pieces(self, feed: Feed) -> AsyncGenerator[bytes, None]:
        async with aclosing(feed.frames()) as frames:
            async for frame in frames:
                size = self._uplink.piece_bytes(PIECE_BYTES)
                for at in range(0, len(frame), size):
                    piece = frame[at : at + size]
                    await self._uplink.take(len(piece), Urgency.NOW)
                    yield piece
