"""Audio payloads: AAC as mpeg4-generic (RFC 3640) and LATM (RFC 6416), G.711 (RFC 3551). Frames leave as they are."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from novavms_camera.rtsp.bits import BitReader
from novavms_camera.rtsp.sdp import Media

AudioCodec = Literal["aac", "pcma", "pcmu"]
AudioEmit = Callable[[int, int, bytes], None]
"""Takes (unwrapped RTP timestamp, duration in the track's clock, frame)."""

_MAX_FRAME: Final = 65_536
_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`config` is the AudioSpecificConfig (ISO/IEC 14496-3) of AAC; empty for G.711. `rate` in Hz is the RTP clock too."""

    codec: AudioCodec
    rate: int
    channels: int
    config: bytes = b""
    frame_length: int = 1024


class AudioDepacketiser(Protocol):
    """Turns payloads into frames."""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        """Takes one packet's payload. Raises ValueError for a malformed one."""

    def lose(self) -> None:
        """A packet is known to be missing or unreadable."""


def audio_format(media: Media) -> AudioFormat | None:
    """The format that a track announces, or None where we can't record it."""
    if media.encoding in {"PCMA", "PCMU"}:
        codec: AudioCodec = "pcma" if media.encoding == "PCMA" else "pcmu"
        known = 4000 <= media.clock_rate <= 48000 and media.channels <= 2
        return AudioFormat(codec, media.clock_rate, media.channels) if known else None
    try:
        config = binascii.unhexlify(media.fmtp.get("config", ""))
        if media.encoding == "MP4A-LATM":
            if media.fmtp.get("cpresent", "1") != "0":
                return None
            config = _latm_config(config)
        rate, channels, length = parse_audio_specific_config(config)
    except ValueError:
        return None
    # With SBR the track's clock is the doubled rate; the frames are twice as long on it.
    factor = max(1, media.clock_rate // rate) if media.clock_rate % rate == 0 else 1
    return AudioFormat("aac", rate * factor, channels, config, length * factor)


def audio_depacketiser(media: Media, fmt: AudioFormat, emit: AudioEmit) -> AudioDepacketiser:
    """What reads the payloads of `media`."""
    if fmt.codec != "aac":
        return G711Depacketiser(fmt, emit)
    if media.encoding == "MP4A-LATM":
        return LatmDepacketiser(fmt, emit)
    return AacDepacketiser(media, fmt, emit)


def parse_audio_specific_config(config: bytes) -> tuple[int, int, int]:
    """(sampling rate, channels, samples per frame) by ISO/IEC 14496-3 clause 1.6.2.1. Raises ValueError."""
    reader = BitReader(config)
    kind = reader.u(5)
    if kind == 31:
        kind = 32 + reader.u(6)
    index = reader.u(4)
    if index == 15:
        rate = reader.u(24)
    elif index < len(_RATES):
        rate = _RATES[index]
    else:
        raise ValueError("an unknown sampling rate")
    channels = reader.u(4)
    if kind not in {1, 2, 5, 29} or not 1 <= channels <= 7 or not 7350 <= rate <= 96000:
        raise ValueError("a kind of AAC that is not supported")
    short = kind in {1, 2} and bool(reader.u(1))
    return rate, 8 if channels == 7 else channels, 960 if short else 1024


def _latm_config(config: bytes) -> bytes:
    """The AudioSpecificConfig in a StreamMuxConfig (ISO/IEC 14496-3 clause 1.7.3) of one program, one layer."""
    reader = BitReader(config)
    version, same_framing, frames, programs, layers = (reader.u(n) for n in (1, 1, 6, 4, 3))
    if version or not same_framing or frames or programs or layers:
        raise ValueError("a LATM multiplex that is not supported")
    kind, index = reader.u(5), reader.u(4)
    if kind not in {1, 2} or index >= len(_RATES):
        raise ValueError("a kind of AAC that is not supported")
    return (kind << 11 | index << 7 | reader.u(4) << 3).to_bytes(2, "big")


class AacDepacketiser:
    """RFC 3640 with AU headers (AAC-hbr, AAC-lbr); one frame may span packets, one packet hold many frames."""

    def __init__(self, media: Media, fmt: AudioFormat, emit: AudioEmit) -> None:
        self._length_bits = _small(media, "sizelength", 13)
        self._index_bits = _small(media, "indexlength", 3)
        self._delta_bits = _small(media, "indexdeltalength", 3)
        self._fmt = fmt
        self._emit = emit
        self._partial: list[bytes] = []
        self._missing = 0

    def lose(self) -> None:
        self._partial, self._missing = [], 0

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        if lost:
            self.lose()
        if len(payload) < 2:
            raise ValueError("a payload without a frame")
        header_bits = payload[0] << 8 | payload[1]
        data = 2 + (header_bits + 7) // 8
        each = self._length_bits + self._delta_bits
        first = self._length_bits + self._index_bits
        if data > len(payload) or header_bits < first or header_bits > 8192:
            raise ValueError("frame headers that do not add up")
        reader = BitReader(payload[2:data].tobytes())
        sizes = [reader.u(self._length_bits)]
        reader.skip(self._index_bits)
        left = header_bits - first
        while left >= each > 0:
            sizes.append(reader.u(self._length_bits))
            reader.skip(self._delta_bits)
            left -= each
        self._frames(payload[data:].tobytes(), sizes, timestamp)

    def _frames(self, data: bytes, sizes: list[int], timestamp: int) -> None:
        if len(sizes) == 1 and (self._missing or sizes[0] > len(data)):
            self._gather(data, sizes[0], timestamp)
            return
        self.lose()
        length = self._fmt.frame_length
        at = 0
        for number, size in enumerate(sizes):
            if size == 0 or size > len(data) - at:
                raise ValueError("a frame that is longer than its packet")
            self._emit(timestamp + number * length, length, data[at : at + size])
            at += size

    def _gather(self, piece: bytes, size: int, timestamp: int) -> None:
        if not self._missing:
            self._missing = size
        self._partial.append(piece)
        self._missing -= len(piece)
        if self._missing < 0 or not piece:
            self.lose()
            raise ValueError("a frame in pieces that do not add up")
        if self._missing == 0:
            frame = b"".join(self._partial)
            self._partial = []
            self._emit(timestamp, self._fmt.frame_length, frame)


class LatmDepacketiser:
    """RFC 6416 with the configuration out of band: a PayloadLengthInfo, then the frame."""

    def __init__(self, fmt: AudioFormat, emit: AudioEmit) -> None:
        self._fmt = fmt
        self._emit = emit
        self._data = b""

    def lose(self) -> None:
        self._data = b""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        if lost:
            self.lose()
        self._data += payload.tobytes()
        if len(self._data) > _MAX_FRAME:
            self.lose()
            raise ValueError("an audio frame without an end")
        if not marker:
            return
        data, self._data = self._data, b""
        at = size = 0
        while at < len(data):
            size += data[at]
            at += 1
            if data[at - 1] != 255:
                break
        if size == 0 or size > len(data) - at:
            raise ValueError("a frame that is longer than its packet")
        self._emit(timestamp, self._fmt.frame_length, data[at : at + size])


class G711Depacketiser:
    """RFC 3551 section 4.5.14: one byte is one sample of one channel."""

    def __init__(self, fmt: AudioFormat, emit: AudioEmit) -> None:
        self._channels = fmt.channels
        self._emit = emit

    def lose(self) -> None:
        """Nothing is gathered, so nothing is lost."""

    def push(self, payload: memoryview, marker: bool, timestamp: int, lost: bool) -> None:
        if len(payload):
            self._emit(timestamp, len(payload) // self._channels, payload.tobytes())


def _small(media: Media, name: str, default: int) -> int:
    text = media.fmtp.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text[:3]) <= 32 else default
