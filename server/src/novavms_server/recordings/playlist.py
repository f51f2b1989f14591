"""The HLS media playlist of a stretch of footage (RFC 8216; fragmented MP4 by section 3.3, byte ranges by 4.3.2.2).

One file is one segment: its first `init_bytes` are the Media Initialization Section, the rest the media. Files that go on from
the one before share its section; others begin with a discontinuity and one of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from novavms_protocol import SegmentInfo

CONTENT_TYPE = "application/vnd.apple.mpegurl"


def render(segments: Sequence[SegmentInfo], start: datetime, name_of: Callable[[SegmentInfo], str]) -> str:
    """`start` is where playing is to begin; `name_of` a file's address, relative to the playlist's."""
    longest = max(segment.duration_sec for segment in segments)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    ahead = (start - segments[0].start).total_seconds()
    if ahead > 0:
        lines.append(f"#EXT-X-START:TIME-OFFSET={ahead:.3f},PRECISE=YES")
    for index, segment in enumerate(segments):
        name = name_of(segment)
        if index and not segment.continues:
            lines.append("#EXT-X-DISCONTINUITY")
        if not index or not segment.continues:
            lines.append(f'#EXT-X-MAP:URI="{name}",BYTERANGE="{segment.init_bytes}@0"')
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{time_text(segment.start)}",
            f"#EXTINF:{segment.duration_sec:.6f},",
            f"#EXT-X-BYTERANGE:{segment.size_bytes - segment.init_bytes}@{segment.init_bytes}",
            name,
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
