"""Live view between gateway and server: one request, then one body that does not end; and a viewer's WebRTC offer, with its answer.

The server asks `Watch`; the gateway PUTs to `url` (its own token, chunked) frames of the form

    kind (1 byte)   flags (1 byte)   start_90k (8 bytes, signed)   size (4 bytes)   payload (size bytes)

all big-endian, until the server hangs up. A `NOTE` (JSON of `LiveNote`) comes first and wherever what follows is another stream or
format; an `INIT` (`ftyp` and `moov`) after each note that has codecs; then `MEDIA` (`moof` and `mdat`), the first of them beginning on a
key frame. A note without codecs says that nothing comes now, and why. While there is nothing to send, `ALIVE` (empty) says every
few seconds that the gateway is there: a body in which nothing at all comes for 10 s has broken. The server ends it by an answer
with `Connection: close`, or by closing the socket; the gateway notices either at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from novavms_protocol.base import Message

Tier = Literal["main", "sub"]
TierReason = Literal["no_sub_stream", "uplink", "cpu", "sub_failed"]
"""Why the tier is another than the asked one."""

NOTE: Final = 0
INIT: Final = 1
MEDIA: Final = 2
ALIVE: Final = 3
KEY: Final = 1
"""Flag of a MEDIA frame that begins on a key frame."""
SDP_MAX: Final = 64 * 1024
"""Of an offer and of its answer, in bytes of UTF-8."""
PAYLOAD_MAX: Final = 32 * 1024 * 1024
"""A GOP that memory held goes as one fragment."""
_HEADER: Final = struct.Struct(">BBqI")


class Watch(Message, frozen=True, kw_only=True):
    """Send the camera's stream as it comes, the last GOP first, to `url`. Reply `result` {} once begun; error `unknown_camera`.
    A camera that is not online is no error: the note says so, and the picture follows when it is back."""

    camera_id: UUID
    tier: Tier
    """Wished for. The gateway takes the other where there is no such stream, or uplink or CPU do not hold it."""
    url: str

    def __repr__(self) -> str:
        return f"Watch({self.camera_id}, {self.tier})"


class AnswerOffer(Message, frozen=True, kw_only=True):
    """Have the go2rtc beside the gateway answer a viewer's WebRTC offer; the media go between those two. Only of gateways whose
    hello says `has_go2rtc`. Reply `result` {"sdp"}; error `unknown_camera`, `not_online`, `go2rtc_away`, `refused` (it takes no such
    offer, or does not reach the camera), `busy`."""

    camera_id: UUID
    tier: Tier
    """Wished for; a camera without a sub stream is shown by its main one."""
    sdp: Annotated[str, msgspec.Meta(max_length=SDP_MAX)]

    def __repr__(self) -> str:
        return f"AnswerOffer({self.camera_id}, {self.tier})"


class LiveNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What follows in a live body. `codecs` by RFC 6381, None while nothing comes; then `reason` is the camera's (offline, frozen …)."""

    tier: Tier
    codecs: str | None = None
    codec: Literal["h264", "h265"] | None = None
    width: int = 0
    height: int = 0
    has_audio: bool = False
    tier_reason: TierReason | None = None
    reason: str | None = None
    message: str | None = None


class LiveFrame(NamedTuple):
    kind: int
    start_90k: int
    is_key: bool
    payload: bytes


class LiveBodyError(ValueError):
    """What came is no live body."""


def live_frame(kind: int, payload: bytes, *, start_90k: int = 0, is_key: bool = False) -> bytes:
    """One frame as it is sent."""
    return _HEADER.pack(kind, KEY if is_key else 0, start_90k, len(payload)) + payload


def note_frame(note: LiveNote) -> bytes:
    return live_frame(NOTE, msgspec.json.encode(note))


def read_note(payload: bytes) -> LiveNote:
    """Raises LiveBodyError."""
    try:
        return msgspec.json.decode(payload, type=LiveNote)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LiveBodyError("a note was not understood") from None


class LiveReader:
    """Frames out of pieces of any size. Frames of kinds that are not known are given, too: skip them."""

    def __init__(self, *, payload_max: int = PAYLOAD_MAX) -> None:
        self._payload_max = payload_max
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[LiveFrame]:
        """The frames that `piece` makes whole. Raises LiveBodyError for one that is larger than any fragment."""
        buffer = self._buffer
        buffer += piece
        at = 0
        while len(buffer) - at >= _HEADER.size:
            kind, flags, start_90k, size = _HEADER.unpack_from(buffer, at)
            if size > self._payload_max:
                raise LiveBodyError("a frame is larger than any fragment")
            end = at + _HEADER.size + size
            if len(buffer) < end:
                break
            yield LiveFrame(kind, start_90k, bool(flags & KEY), bytes(buffer[at + _HEADER.size : end]))
            at = end
        del buffer[:at]
