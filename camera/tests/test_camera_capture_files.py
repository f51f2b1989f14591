"""The MP4 that we write, judged by PyAV, and what a reader does with files that were cut or damaged."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novavms_camera.capture import ClipFile, salvage_clip
from novavms_camera.capture.faststart import MovieTrack, write_faststart
from novavms_camera.capture.finalise import NOTE_ID, ClipNote
from novavms_camera.capture.fmp4 import FragmentBuilder, init_part
from novavms_camera.capture.fmp4_reader import read_fragmented
from novavms_camera.capture.model import VIDEO_RATE, AudioSample, StreamFormat, VideoSample
from novavms_camera.capture.movie_facts import facts_box
from novavms_camera.capture.order import DecodeOrder
from novavms_camera.rtsp.audio import AudioFormat
from novavms_camera.rtsp.parameter_sets import ParameterSets

Look = Callable[[Path], Any]
pytestmark = pytest.mark.anyio
STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FPS = 25
GOP = 50


@lru_cache
def encoded(b_frames: int) -> tuple[StreamFormat, list[tuple[int, bool, bytes]]]:
    """200 frames, each a grey that tells its number; (pts in frames, is key, length-prefixed units) in decoding order."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 64, 64, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.gop_size = GOP
    context.max_b_frames = b_frames
    context.options = {
        "x264-params": f"scenecut=0:keyint={GOP}:min-keyint={GOP}:bframes={b_frames}:b-adapt=0:qp=10"
    }
    packets: list[av.Packet] = []
    for number in range(200):
        frame = av.VideoFrame(64, 64, "yuv420p")
        for index, plane in enumerate(frame.planes):
            plane.update(bytes((20 + number if index == 0 else 128,)) * plane.buffer_size)
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    sets = ParameterSets("h264")
    frames = []
    for packet in packets:
        units = [u for u in split_annex_b(bytes(packet)) if not sets.take(u)]
        data = b"".join(len(u).to_bytes(4, "big") + u for u in units)
        frames.append((packet.pts or 0, packet.is_keyframe, data))
    return StreamFormat(sets.format(), None), frames


def split_annex_b(data: bytes) -> list[bytes]:
    parts = data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [p for p in parts if p]


def samples_of(
    frames: list[tuple[int, bool, bytes]], reorder: int | None, start: int = 0
) -> list[VideoSample]:
    order = DecodeOrder(reorder)
    tick = VIDEO_RATE // FPS
    return [VideoSample(*order.next(start + pts * tick, tick), key, data) for pts, key, data in frames]


def write_part(
    path: Path, *, b_frames: int = 0, start_frame: int = 0, frames: int = 200, audio: AudioFormat | None = None,
    audio_from: float = 0, base: int = 900_000,
) -> int:  # fmt: skip
    """A .part file as a recording leaves it; returns its size. Shows from `start_frame` on."""
    fmt, encoded_frames = encoded(b_frames)
    fmt = StreamFormat(fmt.video, audio)
    video = samples_of(encoded_frames[:frames], fmt.video.reorder, base)
    builder = FragmentBuilder(fmt, base_90k=video[0].dts)
    first = base - video[0].dts
    note = ClipNote(STARTED, first + start_frame * VIDEO_RATE // FPS, first + frames * VIDEO_RATE // FPS)
    parts = [init_part(fmt), note.to_box()]
    next_sound = audio_from
    for sample in video:
        while audio and next_sound * VIDEO_RATE + base <= sample.dts:
            at = round((base / VIDEO_RATE + next_sound) * audio.rate)
            builder.add_audio(AudioSample(at, 160, b"\xd5" * 160))
            next_sound += 0.02
        due = builder.add_video(sample)
        if due:
            parts.append(due)
    parts.append(builder.flush() or b"")
    return path.write_bytes(b"".join(parts))


async def finish(tmp_path: Path, look: Look) -> tuple[ClipFile, Any]:
    clip = await salvage_clip(tmp_path / "a.part", tmp_path / "a.mp4", failure_reason="gateway_restarted")
    assert clip is not None
    assert clip.failure_reason == "gateway_restarted"
    assert not (tmp_path / "a.part").exists()
    assert clip.size_bytes == clip.path.stat().st_size
    return clip, look(clip.path)


async def test_every_frame_comes_out_once_and_in_order(tmp_path: Path, look: Look) -> None:
    write_part(tmp_path / "a.part")
    clip, seen = await finish(tmp_path, look)
    assert seen.pictures == pytest.approx([20 + n for n in range(200)], abs=1)
    assert (seen.first_is_key, seen.is_monotonic, seen.tag) == (True, True, "avc1")
    assert seen.duration == pytest.approx(8.0, abs=0.05)
    assert clip.duration_sec == pytest.approx(8.0, abs=0.05)
    assert clip.started_at == STARTED
    data = clip.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("b_frames", [1, 3])
async def test_b_frames_are_shown_in_order(tmp_path: Path, look: Look, b_frames: int) -> None:
    write_part(tmp_path / "a.part", b_frames=b_frames)
    _, seen = await finish(tmp_path, look)
    assert seen.pictures == pytest.approx([20 + n for n in range(200)], abs=2)
    assert seen.is_monotonic
    assert seen.times[0] == pytest.approx(0, abs=0.001)
    assert seen.duration == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_an_edit_list_begins_the_clip_between_key_frames(
    tmp_path: Path, look: Look, b_frames: int
) -> None:
    write_part(tmp_path / "a.part", b_frames=b_frames, start_frame=30)
    clip, seen = await finish(tmp_path, look)
    assert seen.packets == 200
    assert seen.first_is_key
    assert seen.pictures == pytest.approx([20 + n for n in range(30, 200)], abs=2)
    assert seen.times[0] == pytest.approx(0, abs=0.001)
    assert seen.duration == pytest.approx(6.8, abs=0.1)
    assert clip.duration_sec == pytest.approx(6.8, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("audio_from", "start_frame"), [(0.0, 0), (1.0, 0), (0.0, 30)])
async def test_g711_becomes_aac_and_begins_when_it_did(
    tmp_path: Path, look: Look, audio_from: float, start_frame: int
) -> None:
    write_part(
        tmp_path / "a.part",
        audio=AudioFormat("pcma", 8000, 1),
        audio_from=audio_from,
        start_frame=start_frame,
    )
    clip, seen = await finish(tmp_path, look)
    assert clip.has_audio
    assert seen.audio == "aac"
    assert seen.is_monotonic
    assert seen.audio_times[0] == pytest.approx(audio_from, abs=0.15)
    assert seen.audio_times[-1] == pytest.approx(seen.duration, abs=0.3)


async def test_the_note_of_a_part_file_is_read_back(tmp_path: Path) -> None:
    write_part(tmp_path / "a.part")
    file = read_fragmented(tmp_path / "a.part", NOTE_ID)
    assert file.whole
    assert b"2026-03-01T12:00:00Z" in file.note
    assert file.video is not None
    assert len(file.video.samples) == 200


@pytest.mark.parametrize("part_of_file", [0.0, 0.01, 0.3, 0.55, 0.9, 0.999])
async def test_a_power_cut_anywhere_costs_at_most_the_last_second(
    tmp_path: Path, look: Look, part_of_file: float
) -> None:
    part = tmp_path / "a.part"
    size = write_part(part)
    kept = int(size * part_of_file)
    part.write_bytes(part.read_bytes()[:kept])
    clip = await salvage_clip(part, tmp_path / "a.mp4", failure_reason="x")
    if part_of_file < 0.1:
        assert clip is None
        assert part.exists()
        assert not (tmp_path / "a.mp4").exists()
    else:
        assert clip is not None
        seen = look(clip.path)
        assert seen.first_is_key
        assert seen.is_monotonic
        assert seen.duration > 8 * part_of_file - 1.5
        assert seen.pictures == pytest.approx([20 + n for n in range(len(seen.pictures))], abs=1)


async def test_nothing_is_left_of_a_file_that_the_disk_refused(tmp_path: Path) -> None:
    write_part(tmp_path / "a.part")
    with pytest.raises(OSError, match="No such file"):
        await salvage_clip(tmp_path / "a.part", tmp_path / "missing" / "a.mp4", failure_reason="x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.part"]


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_as_far_as_it_goes_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    part = tmp_path / "a.part"
    if not part.exists():
        write_part(part, frames=60)
    whole = part.read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, 2500) | st.integers(0, len(whole) - 1))] = data.draw(
            st.integers(0, 255)
        )
    other = tmp_path / "b.part"
    other.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    try:
        file = read_fragmented(other)
    except ValueError:
        return
    for track in file.tracks:
        assert all(s.offset >= 0 and s.offset + s.size <= other.stat().st_size for s in track.samples)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_salvage_of_a_damaged_file_never_raises(tmp_path: Path, data: st.DataObject) -> None:
    part = tmp_path / "a.part"
    write_part(part, frames=60)
    damaged = bytearray(part.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 2500))] = data.draw(st.integers(0, 255))
    part.write_bytes(bytes(damaged))
    asyncio.run(salvage_clip(part, tmp_path / "a.mp4", failure_reason="x"))
    (tmp_path / "a.mp4").unlink(missing_ok=True)


@given(st.lists(st.integers(-200_000, 200_000), max_size=60), st.none() | st.integers(0, 16))
def test_decoding_times_only_go_forward_whatever_the_camera_says(jumps: list[int], depth: int | None) -> None:
    order = DecodeOrder(depth)
    pts, last = 1_000_000, -(10**9)
    for jump in jumps:
        pts += jump
        dts, shown = order.next(pts, 3600)
        assert dts > last
        assert shown >= dts
        last = dts


def test_facts_are_read_by_others_and_every_byte_of_the_media_has_its_second(tmp_path: Path) -> None:
    part = tmp_path / "a.part"
    write_part(part)
    tracks = [
        MovieTrack(t.entry, t.timescale, t.samples, t.size if t.is_video else None)
        for t in read_fragmented(part).tracks
    ]
    facts = facts_box(title="Tor „Süd“", comment="case 4711", date="2026-03-01T12:00:00Z", author="")
    target = tmp_path / "clip.mp4"
    end = max(sample.shown_until for sample in tracks[0].samples)
    written = write_faststart(part, target, tracks, start_90k=0, end_90k=end, created=STARTED, facts=facts)
    with av.open(str(target)) as container:
        assert container.metadata["title"] == "Tor „Süd“"
        assert container.metadata["comment"] == "case 4711"
        assert container.metadata["date"] == "2026-03-01T12:00:00Z"
        assert sum(1 for _ in container.decode(video=0)) == 200
    data = target.read_bytes()
    assert data[written.head_bytes + 4 : written.head_bytes + 8] == b"mdat"
    at = written.head_bytes + 8
    for number, stretch in enumerate(written.stretches):
        assert (stretch.start_90k, stretch.offset) == (number * VIDEO_RATE, at)
        at += stretch.size_bytes
    assert at == len(data)
    assert len(written.stretches) == 8
