"""A strip of pictures for a timeline: one JPEG of tiles, made by the gateway, kept here for a moment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from novavms_protocol import SendThumbnails
from novavms_protocol.base import Time
from novavms_server.kit.clock import Clock, is_storable
from novavms_server.kit.tasks import end
from novavms_server.kit.work import Work
from novavms_server.recordings.errors import FootageAway, NoFootage, RelayBroken
from novavms_server.recordings.footage import Footage
from novavms_server.recordings.relay import Relay, Relays
from novavms_server.recordings.service import RecordingService

RANGE_MAX: Final = timedelta(days=31)
DEFAULT_RANGE: Final = timedelta(hours=1)
MAKE_SEC: Final = 20.0
ARRIVE_SEC: Final = 5.0
"""From the gateway's word that it sent it all."""
MOST_BYTES: Final = 4 * 1024 * 1024
KEPT_SEC: Final = 30.0
KEPT_BYTES: Final = 32 * 1024 * 1024


class Strip(NamedTuple):
    """`tiles`: the time of each tile's picture; None: black, there is no footage."""

    jpeg: bytes
    tiles: list[datetime | None]
    width: int
    height: int


class _Made(msgspec.Struct):
    tiles: list[Time | None]
    width: int
    height: int


class _Key(NamedTuple):
    camera_id: UUID
    life: int | None
    start: datetime
    end: datetime
    tiles: int
    width: int


class Thumbnails:
    """Made once."""

    def __init__(self, recordings: RecordingService, footage: Footage, relays: Relays, clock: Clock) -> None:
        self._recordings = recordings
        self._footage = footage
        self._relays = relays
        self._kept = _Kept(clock.monotonic)

    async def strip(
        self,
        work: Work,
        camera_id: UUID,
        range_from: str | None,
        range_to: str | None,
        count: int,
        width: int,
    ) -> Strip:
        """`count` tiles, each of the middle of its share of the range. Raises NoFootage, FootageAway."""
        known = await self._recordings.look(
            work, camera_id, range_from, range_to, longest=RANGE_MAX, default=DEFAULT_RANGE
        )
        camera = known.camera
        if camera.gateway_id is None or not (known.line.spans or known.fresh):
            raise NoFootage(extra={"reason": known.reason})
        key = _Key(camera.id, camera.life, known.start, known.end, count, width)
        strip = self._kept.find(key)
        if strip is None:
            share = (known.end - known.start) / count
            times = [known.start + share * (index + 0.5) for index in range(count)]
            strip = await self._make(camera.gateway_id, camera.id, times, width)
            if not known.line.spans and not any(strip.tiles):
                raise NoFootage(extra={"reason": known.reason})
            self._kept.keep(key, strip)
        return strip

    async def _make(self, gateway_id: UUID, camera_id: UUID, times: list[datetime], width: int) -> Strip:
        relay = await self._relays.open(gateway_id, most_bytes=MOST_BYTES)
        reading = asyncio.create_task(_all(relay))
        try:
            order = SendThumbnails(camera_id=camera_id, times=times, width=width, url=self._relays.url(relay))
            reply = await self._footage.ask(gateway_id, order, timeout_sec=MAKE_SEC)
            made = _read(reply.result, len(times))
            async with asyncio.timeout(ARRIVE_SEC):
                jpeg = await asyncio.shield(reading)
        except TimeoutError:
            raise RelayBroken from None
        finally:
            relay.close()
            await end([reading])
        return Strip(jpeg, made.tiles, made.width, made.height)


async def _all(relay: Relay) -> bytes:
    """Waits as long as it takes for the first piece: who asked has a limit."""
    await relay.begun.wait()
    return b"".join([piece async for piece in relay.pieces()])


def _read(result: dict[str, Any] | None, count: int) -> _Made:
    message = "The gateway's answer was not understood; update its software."
    try:
        made = msgspec.convert(result, _Made)
    except msgspec.ValidationError:
        raise FootageAway("unsupported", message) from None
    if len(made.tiles) != count or not all(at is None or is_storable(at) for at in made.tiles):
        raise FootageAway("unsupported", message)
    return made


class _Kept:
    """The last few strips, for KEPT_SEC: a timeline asks for the same again while it is moved about."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._strips: OrderedDict[_Key, tuple[float, Strip]] = OrderedDict()
        self._bytes = 0

    def find(self, key: _Key) -> Strip | None:
        found = self._strips.get(key)
        return found[1] if found is not None and found[0] > self._monotonic() else None

    def keep(self, key: _Key, strip: Strip) -> None:
        self._forget(key)
        self._strips[key] = (self._monotonic() + KEPT_SEC, strip)
        self._bytes += len(strip.jpeg)
        while self._bytes > KEPT_BYTES or next(iter(self._strips.values()))[0] <= self._monotonic():
            self._forget(next(iter(self._strips)))

    def _forget(self, key: _Key) -> None:
        gone = self._strips.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone[1].jpeg)
