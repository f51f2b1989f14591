"""What live HLS keeps and lists: every playlist against RFC 8216bis, every byte against the frames that went in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nova_mp4 import decode
from nova_recorder import FOOTAGE
from nova_segments import pictures

from novavms_camera.capture.fmp4 import FragmentBuilder, fragment, init_part
from novavms_camera.capture.live import Fragment
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import ParameterSets
from novavms_server.live import hls
from novavms_server.live.hls import Window
from novavms_server.live.hls_playlist import index, render
from novavms_server.live.hls_segments import part_target_90k

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FORMATS = [StreamFormat(pictures(size)[0].video, None) for size in (64, 96)]


@dataclass
class Listed:
    """One segment of a playlist, as its lines say. `parts`: (seconds, name, independent). `seconds` is None while it grows."""

    number: int
    discontinuity: int
    init: str
    at: str
    parts: list[tuple[float, str, bool]] = field(default_factory=list[tuple[float, str, bool]])
    seconds: float | None = None
    name: str = ""


def read(text: str) -> tuple[dict[str, str], list[Listed]]:
    """Written from the RFC, not from the renderer: (tags of the whole playlist, segments)."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    tags: dict[str, str] = {}
    segments: list[Listed] = []
    discontinuity, init, at, parts = 0, "", "", []
    for line in lines[1:]:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-DISCONTINUITY":
            assert not parts
            discontinuity, init = discontinuity + 1, ""
        elif tag == "#EXT-X-MAP":
            init = re.fullmatch(r'URI="([^"]+)"', value)[1]  # type: ignore[index]
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            at = value
        elif tag == "#EXT-X-PART":
            assert init, "a part without an initialization section"
            found = re.fullmatch(r'DURATION=([0-9.]+),URI="([^"]+)"(,INDEPENDENT=YES)?', value)
            assert found is not None, line
            parts.append((float(found[1]), found[2], found[3] is not None))
        elif tag == "#EXTINF":
            seconds = float(value.rstrip(","))
        elif not line.startswith("#"):
            segments.append(Listed(0, discontinuity, init, at, parts, seconds, line))
            parts = []
        else:
            assert tag not in tags, line
            tags[tag.removeprefix("#EXT-X-")] = value
    if parts:
        segments.append(Listed(0, discontinuity, init, at, parts))
    first, passed = int(tags["MEDIA-SEQUENCE"]), int(tags["DISCONTINUITY-SEQUENCE"])
    for offset, segment in enumerate(segments):
        segment.number, segment.discontinuity = first + offset, segment.discontinuity + passed
    return tags, segments


def attribute(tags: dict[str, str], tag: str, name: str) -> str:
    found = re.search(rf'(?:^|,){name}=("[^"]*"|[^,]*)', tags[tag])
    assert found is not None, tags
    return found[1].strip('"')


def served(window: Window, name: str) -> bytes | None:
    kind, _, number = name.removesuffix(".mp4").partition("-")
    look = {"init": window.init_part, "part": window.part, "segment": window.segment}[kind]
    return look(int(number))


class Player:
    """Reads every playlist, and holds each to the rules and to those before it."""

    def __init__(self, window: Window, *, is_even: bool = True) -> None:
        self.window = window
        self.is_even = is_even
        self.seen: dict[int, Listed] = {}
        self.first = 0
        self.movie: dict[int, bytes] = {}
        self.target = ""

    def look(self) -> list[Listed]:
        tags, segments = read(render(self.window))
        target_sec, target = int(tags["TARGETDURATION"]), float(attribute(tags, "PART-INF", "PART-TARGET"))
        assert self.target in ("", tags["PART-INF"]), "PART-TARGET never changes"
        self.target = tags["PART-INF"]
        assert attribute(tags, "SERVER-CONTROL", "CAN-BLOCK-RELOAD") == "YES"
        assert float(attribute(tags, "SERVER-CONTROL", "PART-HOLD-BACK")) >= 3 * target - 0.002
        assert float(attribute(tags, "SERVER-CONTROL", "HOLD-BACK")) >= 3 * target_sec
        assert int(tags["MEDIA-SEQUENCE"]) >= self.first
        if 0 < self.first < int(tags["MEDIA-SEQUENCE"]) and self.window.size_bytes < hls.MAX_BYTES // 2:
            assert sum(s.seconds or 0 for s in segments) >= 3 * target_sec - 0.001
        self.first = int(tags["MEDIA-SEQUENCE"])
        for segment in segments:
            self._hold(segment, target_sec, target)
        hint = attribute(tags, "PRELOAD-HINT", "URI")
        assert served(self.window, hint) is None, "a hint is of what is not there yet"
        assert self.window.size_bytes <= hls.MAX_BYTES
        return segments

    def _hold(self, segment: Listed, target_sec: int, target: float) -> None:
        before = self.seen.get(segment.number)
        self.seen[segment.number] = segment
        if before is not None:
            assert (before.discontinuity, before.init, before.at) == (
                *(segment.discontinuity, segment.init),
                segment.at,
            )
            assert segment.parts[: len(before.parts)] == before.parts, "parts only come at the end"
            assert before.seconds in (None, segment.seconds)
        assert served(self.window, segment.init) is not None
        bodies = [served(self.window, name) for _, name, _ in segment.parts]
        assert None not in bodies
        for seconds, _, _ in segment.parts:
            assert 0 < seconds <= target + 1e-6
        short = [
            seconds
            for seconds, _, independent in (segment.parts[:-1] if segment.seconds else segment.parts)
            if seconds < 0.85 * target - 1e-6 and not independent
        ]
        # The last part of one that grows may be its last.
        assert not self.is_even or not (short if segment.seconds else short[:-1])
        if segment.seconds is None:
            return
        assert round(segment.seconds) <= target_sec
        whole = served(self.window, segment.name)
        assert whole is not None
        if segment.parts:
            assert sum(seconds for seconds, _, _ in segment.parts) == pytest.approx(segment.seconds, abs=1e-4)
            assert whole == b"".join(bodies)  # type: ignore[arg-type]
        self.movie[segment.number] = whole


def pieces(
    frames: list[VideoSample], fmt: StreamFormat = FORMATS[0], *, longest_sec: float = 0.2
) -> list[Fragment]:
    """As capture makes them."""
    builder, found = FragmentBuilder(fmt, longest_sec=longest_sec), []
    for frame in frames:
        data = builder.add_video(frame)
        if data is not None:
            found.append(Fragment("media", data, builder.starts_on_key, builder.start_90k))
    data = builder.flush()
    if data is not None:
        found.append(Fragment("media", data, builder.starts_on_key, builder.start_90k))
    return found


def beginning(fmt: StreamFormat = FORMATS[0]) -> Fragment:
    return Fragment("init", init_part(fmt), False, 0, fmt.video.codec_string)


def frames_of(count: int, *, gop: int = 50, tick: int = 3600, start: int = 900_000) -> list[VideoSample]:
    every = pictures()[1]
    return [
        VideoSample(start + i * tick, start + i * tick, i % gop == 0, every[0 if i % gop == 0 else 1][1])
        for i in range(count)
    ]


def feed(window: Window, some: list[Fragment], player: Player | None = None) -> None:
    for number, piece in enumerate(some):
        window.add(piece, BEGAN + timedelta(seconds=number))
        if player is not None and window.segments:
            player.look()


def test_a_camera_of_25_frames_with_two_second_gops() -> None:
    window = Window(BEGAN)
    player = Player(window)
    feed(window, [beginning(), *pieces(frames_of(25 * 40))], player)
    tags, segments = read(render(window))
    assert attribute(tags, "PART-INF", "PART-TARGET") == "0.400"
    assert [s.seconds for s in segments[:-1]] == [2.0] * (len(segments) - 1)
    assert {len(s.parts) for s in segments[:-1]} == {5}
    assert [s.seconds for s in player.seen.values()][:4] == [1, 1, 2, 2], "the first one is short"
    assert all(s.parts[0][2] and not any(each[2] for each in s.parts[1:]) for s in segments)
    assert len({s.discontinuity for s in player.seen.values()}) == 1
    first = int(BEGAN.timestamp()) * 10
    assert list(player.seen) == list(range(first, first + 21)), "numbers begin at the time of day"
    assert window.segment(first) is None, "what has left is not kept"


@pytest.mark.parametrize(
    ("frame_sec", "target"),
    [
        (1 / 60, 0.4),
        (1 / 30, 0.4),
        (0.04, 0.4),
        (1 / 15, 0.467),
        (0.1, 0.7),
        (0.2, 1.0),
        (1, 1),
        (2, 2),
        (9, 6),
    ],
)
def test_the_parts_target_fits_the_frames(frame_sec: float, target: float) -> None:
    assert part_target_90k([round(frame_sec * VIDEO_RATE)] * 5) / VIDEO_RATE == pytest.approx(
        target, abs=0.001
    )


@pytest.mark.parametrize(("gop_sec", "lengths"), [(1, {2}), (4, {4}), (10, {6, 4}), (7, {6, 1}), (60, {6})])
def test_segments_begin_on_key_frames_unless_the_gop_is_too_long(gop_sec: int, lengths: set[int]) -> None:
    window = Window(BEGAN)
    feed(window, [beginning(), *pieces(frames_of(25 * 60, gop=25 * gop_sec))], Player(window))
    _, segments = read(render(window))
    assert {s.seconds for s in segments[-4:-1]} <= lengths


def test_nothing_is_lost_or_changed_on_the_way() -> None:
    """Real pictures and sound, decoded by FFmpeg."""
    fmt, fragments = footage()
    window = Window(BEGAN)
    player = Player(window)
    init = Fragment("init", init_part(fmt), False, 0, "avc1.640028,mp4a.40.2")
    feed(window, [init, *fragments], player)
    window.interrupt()
    player.look()
    whole = init.data + b"".join(player.movie[number] for number in sorted(player.movie))
    there, before = decode(whole), decode(init.data + b"".join(each.data for each in fragments))
    assert there == before
    assert there.video_frames > 200
    assert there.audio_frames > 300
    assert there.monotonic


def footage() -> tuple[StreamFormat, list[Fragment]]:
    """Ten seconds of a street, with AAC."""
    found: list[Fragment] = []
    with av.open(str(FOOTAGE)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        sets = ParameterSets("h264")
        record = bytes(video.codec_context.extradata or b"")  # ISO/IEC 14496-15, 5.3.3.1: one of each
        size = int.from_bytes(record[6:8], "big")
        sets.take(record[8 : 8 + size])
        sets.take(record[11 + size :][: int.from_bytes(record[9 + size : 11 + size], "big")])
        rate = audio.codec_context.sample_rate
        sound = AudioFormat(
            "aac", rate, audio.codec_context.channels, bytes(audio.codec_context.extradata or b"")
        )
        fmt = StreamFormat(sets.format(), sound)
        builder = FragmentBuilder(fmt, longest_sec=0.2)
        for packet in container.demux(video, audio):
            if (
                packet.dts is None
                or packet.pts is None
                or packet.time_base is None
                or packet.duration is None
            ):
                continue
            if packet.stream is audio:
                times = [
                    int((each * packet.time_base + 10) * rate)
                    for each in (packet.pts, packet.pts + packet.duration)
                ]
                builder.add_audio(AudioSample(times[0], times[1] - times[0], bytes(packet)))
                continue
            dts, pts = (int((each * packet.time_base + 10) * VIDEO_RATE) for each in (packet.dts, packet.pts))
            data = builder.add_video(VideoSample(dts, pts, packet.is_keyframe, bytes(packet)))
            if data is not None:
                found.append(Fragment("media", data, builder.starts_on_key, builder.start_90k))
    return fmt, found


def test_a_new_format_and_a_jump_are_discontinuities_and_wait_for_a_key_frame() -> None:
    window = Window(BEGAN)
    player, first = Player(window), window.discontinuities
    some = frames_of(200, gop=50)
    feed(window, [beginning(), *pieces(some[:120])], player)
    feed(window, [beginning(FORMATS[1]), *pieces(some[120:])], player)
    later = frames_of(100, start=some[-1].dts + 40 * VIDEO_RATE)
    feed(window, pieces(later), player)
    feed(window, pieces(frames_of(100, start=0)), player)
    feed(window, [beginning(FORMATS[1])], player)
    feed(window, pieces(frames_of(50, start=100 * 3600)), player)
    assert first < 10_000, "hls.js keeps a list as long as that"
    assert [s.discontinuity - first for s in player.seen.values()] == [0, 0, 0, 0, 1, 2, 2, 3, 3, 3]
    assert len({s.init for s in player.seen.values()}) == 2
    counts = [len(list(s.parts)) for s in player.seen.values()]
    assert counts[3] == 2, "the 20 frames that were there"
    assert counts[4] == 5, "from the key frame at 150 on: nothing before it can be shown"


def test_a_frame_that_lasts_too_long_is_a_segment_without_parts() -> None:
    window = Window(BEGAN)
    player = Player(window)
    some = frames_of(60, gop=50)
    late = [
        f._replace(dts=f.dts + 3 * VIDEO_RATE, pts=f.pts + 3 * VIDEO_RATE)
        for f in frames_of(140, gop=50)[60:]
    ]
    feed(window, [beginning(), *pieces([*some, *late])], player)
    found = list(player.seen.values())
    assert [s.seconds for s in found[:5]] == pytest.approx([1, 1, 0.36, 3.04, 1.6])
    assert found[3].parts == []
    assert len({s.discontinuity for s in found}) == 1
    very_late = [f._replace(dts=f.dts + 30 * VIDEO_RATE, pts=f.pts + 30 * VIDEO_RATE) for f in late]
    feed(window, pieces([*late[-2:], *very_late])[1:], player)
    assert player.look()[-1].discontinuity == found[0].discontinuity + 1


@pytest.mark.parametrize("then_90k", [9_000_000, 90_000])
def test_sound_of_before_a_break_does_not_come_after_it(then_90k: int) -> None:
    fmt = StreamFormat(FORMATS[0].video, AudioFormat("aac", 48_000, 2, b"\x11\x90"))
    window = Window(BEGAN)
    window.add(beginning(fmt), BEGAN)
    for start, word in ((900_000, b"before"), (then_90k, b"later")):
        some = frames_of(50, start=start)
        sound = [
            AudioSample(start * 48 // 90 + 1024 * i, 1024, word) for i in range(150)
        ]  # longer than the pictures
        data = fragment(1, some, start + 50 * 3600, sound, rate=48_000)
        window.add(Fragment("media", data, True, start), BEGAN)
    window.interrupt()
    bodies = [window.segment(s.number) or b"" for s in window.segments if s.is_discontinuity]
    assert len(bodies) == 1
    assert b"later" in bodies[0]
    assert b"before" not in bodies[0]


def test_damage_ends_in_a_discontinuity_and_not_in_an_error() -> None:
    window = Window(BEGAN)
    player = Player(window)
    good = pieces(frames_of(300, gop=25))
    for at in (7, 30, 45):
        data = good[at].data
        for bad in (data[:100], b"", data[:-1], b"\0" * 50, data[:60] + b"\xff" * 40 + data[100:]):
            feed(window, [beginning(), *good[:at], Fragment("media", bad, False, 0), *good[at + 1 :]], player)
    window.add(Fragment("init", b"x" * 30, False, 0), BEGAN)
    window.add(good[0], BEGAN)
    assert player.look()[-1].seconds is not None


def test_the_times_of_day_follow_the_pictures() -> None:
    window = Window(BEGAN)
    window.add(beginning(), BEGAN)
    some = pieces(frames_of(500))
    for number, piece in enumerate(some):
        window.add(piece, BEGAN + timedelta(seconds=0.2 * (number + 1) + (0.1 if number % 3 else 0)))
    _, segments = read(render(window))
    assert segments[0].at == "2026-03-01T12:00:00.000Z"
    assert segments[3].at == "2026-03-01T12:00:04.000Z"


def test_bytes_are_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls, "MAX_BYTES", 300_000)
    monkeypatch.setattr(hls, "SEGMENT_MAX_BYTES", 100_000)
    window = Window(BEGAN)
    some = [f._replace(data=b"\0\0\0\x01x" * 400) for f in frames_of(1000, gop=1000)]
    feed(window, [beginning(), *pieces(some)], Player(window))


def test_what_is_there_and_what_is_too_far() -> None:
    window = Window(BEGAN)
    first = int(BEGAN.timestamp()) * 10
    assert not window.has(first, 0)
    assert not window.is_too_far(first, 0)
    feed(window, [beginning(), *pieces(frames_of(130))[:-1]])  # segments of 1, 1 and 2 s
    now = first + 3
    assert [len(s.parts) for s in window.segments] == [3, 3, 5, 2]
    there = [(first, None), (first + 1, None), (first, 2), (first, 99), (first + 2, 5), (now, 0), (now, 1)]
    missing = [(now, None), (now, 2), (now, 9), (now + 1, None), (now + 1, 0), (now + 1, 7)]
    assert [each for each in there if not window.has(*each)] == []
    assert [each for each in missing if window.has(*each)] == []
    assert [each for each in (*there, *missing) if window.is_too_far(*each)] == []
    far: list[tuple[int, int | None]] = [
        (now, 10),
        (now + 1, 8),
        (now + 2, 0),
        (now + 2, None),
        (10**15, None),
    ]
    assert [each for each in far if not window.is_too_far(*each)] == []


def test_the_index_tells_codecs_and_bit_rates() -> None:
    window = Window(BEGAN)
    feed(window, [beginning(), *pieces(frames_of(300))])
    text = index(window, "main/media.m3u8", width=64, height=64)
    assert text.splitlines()[-1] == "main/media.m3u8"
    found = re.search(r"BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)", text)
    assert found is not None
    assert int(found[1]) >= int(found[2]) > 1000
    assert f'CODECS="{FORMATS[0].video.codec_string}",RESOLUTION=64x64' in text


STRETCH = st.fixed_dictionaries(
    {
        "frames": st.integers(1, 120),
        "gop": st.integers(1, 200),
        "format": st.integers(0, 1),
        "jump_90k": st.sampled_from([0, 0, 0, 1, 5000, -3600, -900_000, 10 * VIDEO_RATE, 3 * VIDEO_RATE]),
        "longest_sec": st.sampled_from([0.04, 0.2, 0.5, 3]),
    }
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    tick=st.sampled_from([1500, 3000, 3600, 6000, 9000, 18_000, 90_000]),
    jitter=st.integers(0, 400),
    stretches=st.lists(STRETCH, min_size=1, max_size=12),
)
def test_whatever_comes_each_playlist_keeps_the_rules(
    tick: int, jitter: int, stretches: list[dict[str, Any]]
) -> None:
    window = Window(BEGAN)
    player = Player(window, is_even=jitter == 0 or tick + 2 * jitter <= 0.15 * 0.4 * VIDEO_RATE)
    at, number, current = 900_000, 0, -1
    for stretch in stretches:
        at = max(0, at + stretch["jump_90k"])
        some = []
        for count in range(stretch["frames"]):
            data = number.to_bytes(4, "big") * 5
            some.append(VideoSample(at, at, count % stretch["gop"] == 0, data))
            at += tick + (jitter if number % 3 else -jitter)
            number += 1
        if stretch["format"] != current:
            current = stretch["format"]
            window.add(beginning(FORMATS[current]), BEGAN)
        edges = pieces(some, FORMATS[current], longest_sec=stretch["longest_sec"])
        feed(window, edges, player)
    window.interrupt()
    player.look()
    numbers = [
        int.from_bytes(each[:4], "big")
        for key in sorted(player.movie)
        for each in re.findall(rb"((?:\0[\0-\x0f][\0-\xff]{2}))\1{4}", player.movie[key])
    ]
    assert numbers == sorted(set(numbers)), "each at most once, in order"


def test_frames_go_through_whole_where_time_goes_on() -> None:
    window = Window(BEGAN)
    player = Player(window)
    some = [f._replace(data=b"%06d" % i) for i, f in enumerate(frames_of(700, gop=33))]
    feed(window, [beginning(), *pieces(some)], player)
    window.interrupt()
    player.look()
    movie = b"".join(player.movie[number] for number in sorted(player.movie))
    assert re.findall(rb"mdat((?:\d{6})+)", movie)
    assert b"".join(re.findall(rb"mdat((?:\d{6})+)", movie)) == b"".join(f.data for f in some)


def test_a_fragment_without_pictures_changes_nothing() -> None:
    window = Window(BEGAN)
    fmt = StreamFormat(FORMATS[0].video, AudioFormat("aac", 48_000, 2, b"\x11\x90"))
    window.add(Fragment("init", init_part(fmt), False, 0), BEGAN)
    sound = [AudioSample(480_000 + 1024 * i, 1024, b"sound") for i in range(20)]
    window.add(Fragment("media", fragment(1, [], 0, sound, rate=48_000), False, 0), BEGAN)
    assert not window.segments
