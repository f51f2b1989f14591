"""SPS, PPS and VPS of a stream: what they say, how they change, and the boxes that carry them (ISO/IEC 14496-15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from novavms_camera.rtsp.bits import BitReader, unescape

Codec = Literal["h264", "h265"]
_HIGH_PROFILES: Final = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_MAX_SIZE: Final = 4096
_START: Final = b"\x00\x00\x00\x01"
_H264_KINDS: Final = {7: "sps", 8: "pps"}
_H265_KINDS: Final = {32: "vps", 33: "sps", 34: "pps"}


@dataclass(frozen=True, slots=True)
class SpsFacts:
    """What a sequence parameter set says. `reorder`: frames that may come after one shown later; None: not said."""

    width: int
    height: int
    fps: float | None
    profile: int
    level: int
    chroma_format: int
    bit_depth_luma: int
    bit_depth_chroma: int
    reorder: int | None
    profile_tier_level: bytes = b""
    temporal_layers: int = 1
    temporal_nesting: bool = True


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """One coding format of a stream; a new one begins a new recording. `config` is the avcC or hvcC box's content."""

    codec: Codec
    width: int
    height: int
    fps: float | None
    config: bytes
    parameter_sets: bytes
    codec_string: str
    reorder: int | None
    """Sets in Annex B form, as a decoder wants them in front of a key frame; and the RFC 6381 name."""


class ParameterSets:
    """Collects a stream's parameter sets, given beforehand or in band. `changed` until `format()` was asked for."""

    def __init__(self, codec: Codec) -> None:
        self.codec: Codec = codec
        self.changed = False
        self.rejected = 0
        self._kinds = _H264_KINDS if codec == "h264" else _H265_KINDS
        self._sets: dict[tuple[str, int], bytes] = {}
        self._known: dict[bytes, tuple[str, int]] = {}
        self._seen: dict[tuple[str, int], bytes] = {}
        self._has_new_sps = False

    def take(self, unit: bytes) -> bool:
        """Keeps a parameter set; False for another kind of NAL unit. A broken one is dropped and counted."""
        known = self._known.get(unit)
        if known is not None:
            self._seen[known] = unit
            return True
        if len(unit) < 3:
            return False
        kind = self._kinds.get(unit[0] & 31 if self.codec == "h264" else unit[0] >> 1 & 63)
        if kind is None:
            return False
        try:
            key = (kind, self._identify(kind, unit))
        except ValueError:
            self.rejected += 1
            return True
        self._seen[key] = unit
        self._keep({**self._sets, key: unit})
        self._has_new_sps = self._has_new_sps or kind == "sps"
        self.changed = True
        return True

    def settle(self) -> None:
        """Call at each key frame: where a new SPS came with it, and all that goes with one, what the camera said before is over."""
        if self._has_new_sps and {kind for kind, _ in self._seen} == set(self._kinds.values()):
            self._keep(self._seen)
        self._seen = {}
        self._has_new_sps = False

    def _keep(self, sets: dict[tuple[str, int], bytes]) -> None:
        self._sets = sets
        self._known = {unit: key for key, unit in sets.items()}

    def _identify(self, kind: str, unit: bytes) -> int:
        if len(unit) > _MAX_SIZE:
            raise ValueError("too long")
        if self.codec == "h264":
            reader = BitReader(unescape(unit[1:]))
            if kind == "sps":
                parse_h264_sps(unit)
                reader.skip(24)
            number, limit = reader.ue(), 32 if kind == "sps" else 256
        elif kind == "vps":
            number, limit = unit[2] >> 4, 16
        elif kind == "sps":
            number, limit = _read_h265_sps(unit)[0], 16
        else:
            number, limit = BitReader(unescape(unit[2:])).ue(), 64
        if number >= limit:
            raise ValueError("a parameter set's number is out of range")
        return number

    @property
    def complete(self) -> bool:
        """Whether a decoder could begin."""
        return {kind for kind, _ in self._sets} == set(self._kinds.values())

    def format(self) -> VideoFormat:
        """The format as it is now. Raises ValueError while not complete."""
        if not self.complete:
            raise ValueError("parameter sets are missing")
        self.changed = False
        of = {
            k: [unit for (kind, _), unit in sorted(self._sets.items()) if kind == k]
            for k in self._kinds.values()
        }
        everything = b"".join(_START + unit for kind in self._kinds.values() for unit in of[kind])
        sps = of["sps"][0]
        if self.codec == "h264":
            facts = parse_h264_sps(sps)
            config, name = _avcc(facts, of["sps"], of["pps"]), f"avc1.{sps[1:4].hex()}"
            fps = facts.fps
        else:
            facts = parse_h265_sps(sps)
            config, name = _hvcc(facts, of["vps"], of["sps"], of["pps"]), _h265_name(facts)
            fps = _h265_vps_fps(of["vps"][0])
        return VideoFormat(
            self.codec, facts.width, facts.height, fps, config, everything, name, facts.reorder
        )


def parse_h264_sps(unit: bytes) -> SpsFacts:
    """H.264 clause 7.3.2.1.1 and annex E. Raises ValueError."""
    r = BitReader(unescape(unit[1:]))
    profile, _, level = r.u(8), r.u(8), r.u(8)
    r.ue()
    chroma, luma_depth, chroma_depth = 1, 8, 8
    if profile in _HIGH_PROFILES:
        chroma = r.ue()
        if chroma == 3:
            r.u(1)
        luma_depth, chroma_depth = 8 + r.ue(), 8 + r.ue()
        r.u(1)
        if r.u(1):
            for index in range(12 if chroma == 3 else 8):
                if r.u(1):
                    _skip_scaling_list(r, 16 if index < 6 else 64)
    r.ue()
    poc_type = r.ue()
    if poc_type == 0:
        r.ue()
    elif poc_type == 1:
        r.u(1), r.se(), r.se()
        for _ in range(_at_most(r.ue(), 255)):
            r.se()
    r.ue(), r.u(1)
    width, height_units = (r.ue() + 1) * 16, r.ue() + 1
    frames_only = r.u(1)
    if not frames_only:
        r.u(1)
    r.u(1)
    height = height_units * 16 * (2 - frames_only)
    if r.u(1):
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (2 - frames_only)
        width -= (r.ue() + r.ue()) * across
        height -= (r.ue() + r.ue()) * down
    fps, reorder = _h264_vui(r) if r.u(1) else (None, None)
    if poc_type == 2 or profile == 66:
        reorder = 0
    _check_size(width, height, chroma, luma_depth, chroma_depth)
    return SpsFacts(width, height, fps, profile, level, chroma, luma_depth, chroma_depth, reorder)


def _h264_vui(r: BitReader) -> tuple[float | None, int | None]:
    """Annex E.1.1: (frames per second, frames to reorder). A cut-off VUI tells what it tells."""
    fps: float | None = None
    try:
        if r.u(1) and r.u(8) == 255:
            r.u(32)
        if r.u(1):
            r.u(1)
        if r.u(1):
            r.u(4)
            if r.u(1):
                r.u(24)
        if r.u(1):
            r.ue(), r.ue()
        if r.u(1):
            fps = _rate(r.u(32), r.u(32), 2)
            r.u(1)
        if _skip_hrd(r) + _skip_hrd(r):
            r.u(1)
        r.u(1)
        if not r.u(1):
            return fps, None
        r.u(1), r.ue(), r.ue(), r.ue(), r.ue()
        return fps, _at_most(r.ue(), 16)
    except ValueError:
        return fps, None


def _skip_hrd(r: BitReader) -> int:
    if not r.u(1):
        return 0
    count = _at_most(r.ue(), 31) + 1
    r.u(8)
    for _ in range(count):
        r.ue(), r.ue(), r.u(1)
    r.u(20)
    return 1


def _skip_scaling_list(r: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + r.se() + 256) % 256
        last = following or last


def parse_h265_sps(unit: bytes) -> SpsFacts:
    """H.265 clause 7.3.2.2.1 as far as the size and order of pictures. Raises ValueError."""
    return _read_h265_sps(unit)[1]


def _read_h265_sps(unit: bytes) -> tuple[int, SpsFacts]:
    r = BitReader(unescape(unit[2:]))
    r.u(4)
    layers, nesting = r.u(3), bool(r.u(1))
    tier_level = _profile_tier_level(r, layers)
    number = r.ue()
    chroma = r.ue()
    if chroma == 3:
        r.u(1)
    width, height = r.ue(), r.ue()
    if r.u(1):
        width -= (r.ue() + r.ue()) * (2 if chroma in (1, 2) else 1)
        height -= (r.ue() + r.ue()) * (2 if chroma == 1 else 1)
    luma_depth, chroma_depth = 8 + r.ue(), 8 + r.ue()
    r.ue()
    reorder = 0
    for _ in range(layers + 1 if r.u(1) else 1):
        r.ue()
        reorder = _at_most(r.ue(), 16)
        r.ue()
    _check_size(width, height, chroma, luma_depth, chroma_depth)
    facts = SpsFacts(
        width, height, None, tier_level[0] & 31, tier_level[11], chroma, luma_depth, chroma_depth, reorder,
        tier_level, layers + 1, nesting,
    )  # fmt: skip
    return number, facts


def _profile_tier_level(r: BitReader, layers: int) -> bytes:
    """Clause 7.3.3: the 12 general bytes, which hvcC repeats; those of the sub-layers are passed over."""
    general = r.u(96).to_bytes(12, "big")
    present = [(r.u(1), r.u(1)) for _ in range(layers)]
    if layers:
        r.skip(2 * (8 - layers))
    for profile, level in present:
        r.skip(88 * profile + 8 * level)
    return general


def _h265_vps_fps(unit: bytes) -> float | None:
    """Clause 7.3.2.1: the frame rate, where the VPS tells it."""
    try:
        r = BitReader(unescape(unit[2:]))
        r.skip(12)
        layers = r.u(3)
        r.skip(17)
        _profile_tier_level(r, layers)
        for _ in range(layers + 1 if r.u(1) else 1):
            r.ue(), r.ue(), r.ue()
        ids = r.u(6) + 1
        r.skip(ids * _at_most(r.ue(), 1023))
        return _rate(r.u(32), r.u(32), 1) if r.u(1) else None
    except ValueError:
        return None


def _rate(units: int, scale: int, fields: int) -> float | None:
    fps = scale / (units * fields) if units else 0.0
    return round(fps, 3) if 0.1 <= fps <= 240 else None


def _at_most(number: int, limit: int) -> int:
    if number > limit:
        raise ValueError("a number is out of range")
    return number


def _check_size(width: int, height: int, chroma: int, luma_depth: int, chroma_depth: int) -> None:
    if not (
        16 <= width <= 16384 and 16 <= height <= 16384 and chroma <= 3 and luma_depth <= 16 >= chroma_depth
    ):
        raise ValueError("a picture of this size or format is not possible")


def _avcc(facts: SpsFacts, sps: list[bytes], pps: list[bytes]) -> bytes:
    """AVCDecoderConfigurationRecord, ISO/IEC 14496-15 clause 5.3.3.1."""
    sps, pps = sps[:31], pps[:255]
    parts = [b"\x01", sps[0][1:4], b"\xff", bytes((0xE0 | len(sps),)), *map(_sized, sps)]
    parts += [bytes((len(pps),)), *map(_sized, pps)]
    if facts.profile in {100, 110, 122, 144}:
        chroma = 0xFC | facts.chroma_format
        parts.append(bytes((chroma, 0xF8 | facts.bit_depth_luma - 8, 0xF8 | facts.bit_depth_chroma - 8, 0)))
    return b"".join(parts)


def _hvcc(facts: SpsFacts, vps: list[bytes], sps: list[bytes], pps: list[bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 clause 8.3.3.1."""
    head = b"\x01" + facts.profile_tier_level + b"\xf0\x00\xfc"
    head += bytes(
        (0xFC | facts.chroma_format, 0xF8 | facts.bit_depth_luma - 8, 0xF8 | facts.bit_depth_chroma - 8)
    )
    head += b"\x00\x00" + bytes((facts.temporal_layers << 3 | facts.temporal_nesting << 2 | 3, 3))
    arrays = [
        bytes((0x80 | kind,)) + len(units).to_bytes(2, "big") + b"".join(map(_sized, units))
        for kind, units in ((32, vps), (33, sps), (34, pps))
    ]
    return head + b"".join(arrays)


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


def _h265_name(facts: SpsFacts) -> str:
    """The codec's name by ISO/IEC 14496-15 annex E, as browsers ask for it."""
    head, flags = facts.profile_tier_level[0], int.from_bytes(facts.profile_tier_level[1:5], "big")
    space = ("", "A", "B", "C")[head >> 6]
    tier = "H" if head & 0x20 else "L"
    compatibility = int(f"{flags:032b}"[::-1], 2)
    constraints = facts.profile_tier_level[5:11].rstrip(b"\x00")
    tail = "".join(f".{byte:X}" for byte in constraints)
    return f"hvc1.{space}{head & 31}.{compatibility:X}.{tier}{facts.level}{tail}"
