"""The playlists of live HLS (draft-pantos-hls-rfc8216bis, "RFC 8216bis"; fragmented MP4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from novavms_camera.capture.model import VIDEO_RATE
from novavms_server.live.hls import Window
from novavms_server.live.hls_segments import TARGET_SEC, Part, Segment

CONTENT_TYPE: Final = "application/vnd.apple.mpegurl"
HOLD_BACK_PARTS: Final = 3
"""PART-HOLD-BACK in parts: no fewer than two, three are advised (4.4.3.8)."""


def index(window: Window, media: str, *, width: int = 0, height: int = 0) -> str:
    """The multivariant playlist, which tells a player the codecs before it loads anything. `media`: the media playlist's address."""
    peak, average = _bit_rates(window)
    attributes = [
        f"BANDWIDTH={peak}",
        f"AVERAGE-BANDWIDTH={average}",
        f'CODECS="{window.codecs}"',
    ]
    if width and height:
        attributes.append(f"RESOLUTION={width}x{height}")
    lines = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-STREAM-INF:" + ",".join(attributes), media, ""]
    return "\n".join(lines)


def render(window: Window) -> str:
    """The media playlist as of now. There has to be a part."""
    target = window.part_target_90k / VIDEO_RATE
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        f"#EXT-X-TARGETDURATION:{TARGET_SEC}",
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK_PARTS * target:.3f},"
        f"HOLD-BACK={3 * TARGET_SEC:.1f}",
        f"#EXT-X-PART-INF:PART-TARGET={target:.3f}",
        f"#EXT-X-MEDIA-SEQUENCE:{window.first_listed}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{window.discontinuities}",
    ]
    init: int | None = None
    for segment in window.listed():
        if segment.is_discontinuity:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init != init or segment.is_discontinuity:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{init_name(init)}"')
        lines += _segment(segment)
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_name(window.next_part)}"')
    return "\n".join([*lines, ""])


def _segment(segment: Segment) -> Iterator[str]:
    yield f"#EXT-X-PROGRAM-DATE-TIME:{_time(segment.at)}"
    if not segment.is_one_frame:
        yield from map(_part, segment.parts)
    if segment.is_whole:
        yield f"#EXTINF:{segment.duration_90k / VIDEO_RATE:.6f},"
        yield segment_name(segment.number)


def _part(part: Part) -> str:
    independent = ",INDEPENDENT=YES" if part.is_independent else ""
    return f'#EXT-X-PART:DURATION={part.duration_90k / VIDEO_RATE:.6f},URI="{part_name(part.number)}"{independent}'


def init_name(number: int) -> str:
    return f"init-{number}.mp4"


def part_name(number: int) -> str:
    """Of its own number, not of its place in a segment: so the next one's name is known before it is known where it belongs."""
    return f"part-{number}.mp4"


def segment_name(number: int) -> str:
    return f"segment-{number}.mp4"


def _bit_rates(window: Window) -> tuple[int, int]:
    """(that of the segment with most, that of all), bit/s; never 0."""
    rates = [
        (each.size_bytes * 8, each.duration_90k / VIDEO_RATE) for each in window.listed() if each.duration_90k
    ]
    whole = [
        (each.size_bytes * 8, each.duration_90k / VIDEO_RATE) for each in window.listed() if each.is_whole
    ]
    bits, seconds = sum(bits for bits, _ in rates), sum(seconds for _, seconds in rates)
    average = max(1, int(bits / seconds)) if seconds else 1
    peak = max((int(bits / seconds) for bits, seconds in whole), default=average)
    return max(peak, average), average


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
