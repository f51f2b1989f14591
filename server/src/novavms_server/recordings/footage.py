"""Footage asked of the gateway that has it: which segments there are, and their bytes. No connection of the database is held
meanwhile, and nothing is kept but the first parts of files, which players ask for again and again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from novavms_protocol import ListSegments, Reply, SegmentInfo, SendMedia
from novavms_protocol.messages import RequestBody
from novavms_server.gateways.errors import GatewayOffline, GatewayTimeout
from novavms_server.kit.clock import is_storable
from novavms_server.recordings.errors import FootageAway, FootageGone, RelayBroken
from novavms_server.recordings.models import FootageGap
from novavms_server.recordings.relay import Relay, Relays

ASK_SEC: Final = 10.0
BEGIN_SEC: Final = 10.0
"""From the gateway's word that it sends to its first bytes."""
LIST_LIMIT: Final = 500
SEGMENTS_MAX: Final = 20_000
INIT_MAX: Final = 64 * 1024
INITS_KEPT: Final = 256
FILE_MAX: Final = 2**32
OVERLAP_SEC: Final = 0.5
"""Segments may overlap so much, by clocks that are corrected."""


class Hub(Protocol):
    """The gateways' hub, as far as footage asks it."""

    async def request(self, gateway_id: UUID, body: RequestBody, *, timeout_sec: float) -> Reply: ...


class FileRef(msgspec.Struct, frozen=True):
    """A segment's file, by a name that no other content ever has: ids begin anew with another index (`life`)."""

    gateway_id: UUID
    life: int
    segment_id: int
    size_bytes: int


class Media:
    """Bytes on their way, the first of them here already. Iterate once, or `close`."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes], relay: Relay) -> None:
        self._first = first
        self._rest = rest
        self._relay = relay

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield self._first
            async for piece in self._rest:
                yield piece
        finally:
            self._relay.close()

    def close(self) -> None:
        self._relay.close()


class Footage:
    """Made once. All raise FootageAway with a `reason`, and FootageGone for what is no more."""

    def __init__(self, hub: Hub, relays: Relays) -> None:
        self._hub = hub
        self._relays = relays
        self._inits: OrderedDict[tuple[FileRef, int], bytes] = OrderedDict()

    async def segments(
        self, gateway_id: UUID, camera_id: UUID, start: datetime, end: datetime, *, wanted: str | None = None
    ) -> list[SegmentInfo]:
        """Those that overlap the range, oldest first, of one stream at a time: `wanted` where both were recorded."""
        found: list[SegmentInfo] = []
        at = start
        while len(found) < SEGMENTS_MAX:
            ask = ListSegments(camera_id=camera_id, start=at, end=end, limit=LIST_LIMIT)
            reply = await self.ask(gateway_id, ask)
            segments, more = _read_list(reply)
            known = {segment.id for segment in found[-LIST_LIMIT:]}
            new = [segment for segment in segments if segment.id not in known]
            found += new
            if not more or not new:
                break
            at = new[-1].end
        return one_line(found, wanted)

    async def fresh(
        self, gateway_id: UUID, camera_id: UUID, gaps: Sequence[FootageGap]
    ) -> list[tuple[datetime, datetime]]:
        """Stretches of footage within `gaps`, of which the ledger has no word yet."""
        if not gaps:
            return []
        try:
            found = await self.segments(gateway_id, camera_id, gaps[0].start, gaps[-1].end)
        except FootageGone:
            return []
        pieces = [(max(gap.start, each.start), min(gap.end, each.end)) for gap in gaps for each in found]
        return [(low, high) for low, high in pieces if low < high]

    async def ask(self, gateway_id: UUID, body: RequestBody, timeout_sec: float = ASK_SEC) -> Reply:
        """The gateway's good word; else FootageAway or FootageGone."""
        try:
            reply = await self._hub.request(gateway_id, body, timeout_sec=timeout_sec)
        except GatewayOffline as error:
            raise FootageAway("gateway_offline", error.message) from None
        except GatewayTimeout as error:
            raise FootageAway("gateway_timeout", error.message) from None
        if reply.ok:
            return reply
        if reply.error in ("gone", "unknown_camera"):
            raise FootageGone
        if reply.error == "busy":
            raise FootageAway(
                "busy", "The gateway already sends as much as it can; try again.", retry_after_sec=1
            )
        raise FootageAway(
            "unsupported", reply.message or "The gateway's software can't send footage; update it."
        )

    async def read(self, file: FileRef, start: int, end: int) -> Media:
        """Bytes from `start` to before `end`. Returns when the first are here."""
        relay = await self._relays.open(file.gateway_id, end - start)
        try:
            order = SendMedia(
                segment_id=file.segment_id,
                offset_bytes=start,
                size_bytes=end - start,
                url=self._relays.url(relay),
            )
            await self.ask(file.gateway_id, order)
            try:
                async with asyncio.timeout(BEGIN_SEC):
                    await relay.begun.wait()
            except TimeoutError:
                raise FootageAway("gateway_timeout", "The gateway's footage did not come in time.") from None
            pieces = relay.pieces()
            try:
                return Media(await anext(pieces), pieces, relay)
            except StopAsyncIteration:
                raise RelayBroken from None
        except BaseException:
            relay.close()
            raise

    async def init_part(self, file: FileRef, size_bytes: int) -> bytes:
        """The first bytes of a file. Kept for a while."""
        key = (file, size_bytes)
        if key not in self._inits:
            part = b"".join([piece async for piece in await self.read(file, 0, size_bytes)])
            self._inits[key] = part
            while len(self._inits) > INITS_KEPT:
                self._inits.popitem(last=False)
        self._inits.move_to_end(key)
        return self._inits[key]


def _read_list(reply: Reply) -> tuple[list[SegmentInfo], bool]:
    try:
        result = reply.result or {}
        segments = msgspec.convert(result.get("segments"), list[SegmentInfo])
        return [segment for segment in segments if _believable(segment)], bool(result.get("more"))
    except msgspec.ValidationError:
        message = "The gateway's answer was not understood; update its software."
        raise FootageAway("unsupported", message) from None


def _believable(segment: SegmentInfo) -> bool:
    return (
        0 <= segment.id < 2**60
        and 0 < segment.init_bytes <= INIT_MAX
        and segment.init_bytes < segment.size_bytes <= FILE_MAX
        and 0 < segment.duration_sec < 3600
        and is_storable(segment.start)
        and is_storable(segment.end)
        and segment.start < segment.end
    )


def one_line(found: list[SegmentInfo], wanted: str | None) -> list[SegmentInfo]:
    """Without what overlaps: of two streams at once the wanted one. What follows something left out does not continue it."""
    line: list[SegmentInfo] = []
    is_next = False
    for segment in sorted(found, key=lambda each: each.start):
        overlaps = bool(line) and (line[-1].end - segment.start).total_seconds() > OVERLAP_SEC
        if overlaps and (segment.stream != wanted or line[-1].stream == wanted):
            is_next = False
            continue
        if overlaps:
            line.pop()
        continues = segment.continues and is_next and not overlaps
        line.append(msgspec.structs.replace(segment, continues=continues))
        is_next = True
    return line
