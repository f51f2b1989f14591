"""Clips, live fragments and segments of real footage from a simulated camera, decoded whole by PyAV."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from novavms_camera.capture import (
    CaptureStream,
    Growth,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
    SegmentRecorder,
    StreamStatus,
    SyncedFile,
    probe_media,
    salvage_clip,
    snapshot_jpeg,
)
from novavms_camera.faults import CameraFault
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
Look = Callable[[Path], Any]


def source_of(cam: SimCam, password: str | None = None) -> StreamSource:
    return StreamSource(
        url=cam.rtsp_url, username=cam.config.username, password=Secret(password or cam.config.password)
    )


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(cam: SimCam, **kwargs: Any) -> AsyncIterator[CaptureStream]:
    stream = CaptureStream(source_of(cam), jitter=random.Random(1), **kwargs)
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)


async def online(stream: CaptureStream, seconds_of_media: float = 0) -> None:
    await until(lambda: stream.status.state == "online" and len(stream._ring.gops) > 0)
    first = stream._last_pts
    await until(lambda: stream._last_pts >= first + seconds_of_media * 90_000)


@pytest.mark.parametrize(
    ("media", "audio", "codec", "tag"),
    [
        ("h264", "aac", "h264", "avc1"),
        ("h265", "none", "h265", "hvc1"),
        ("h264", "pcma", "h264", "avc1"),
        ("h264", "pcmu", "h264", "avc1"),
    ],
)
async def test_a_clip_holds_what_was_asked_for(
    tmp_path: Path, look: Look, media: Any, audio: Any, codec: str, tag: str
) -> None:
    async with SimCam(SimCamConfig(media=media, audio=audio)) as cam, running(cam, pre_roll_sec=2) as stream:
        await online(stream, 2.6)
        before = stream._clock.now()
        clip = await stream.record_clip(
            tmp_path / "clip.mp4", duration_sec=2, pre_roll_sec=2, work_folder=tmp_path / "w"
        )
    seen = look(clip.path)
    assert seen.duration == pytest.approx(4, abs=0.5)
    assert clip.duration_sec == pytest.approx(seen.duration, abs=0.1)
    assert (seen.first_is_key, seen.is_monotonic, seen.tag) == (True, True, tag)
    assert len(seen.times) == pytest.approx(seen.duration * 15, abs=2)
    assert (clip.codec, clip.width, clip.height, clip.failure_reason) == (codec, 768, 576, None)
    assert clip.gap_sec == 0
    assert abs((before - clip.started_at).total_seconds() - 2) < 1
    assert clip.has_audio == (audio != "none")
    assert seen.audio == ("aac" if clip.has_audio else None)
    if clip.has_audio:
        assert seen.audio_times[-1] - seen.audio_times[0] == pytest.approx(seen.duration, abs=0.3)
    assert list((tmp_path / "w").iterdir()) == []
    assert cam.sessions == 0
    assert stream.damaged_count == 0


async def test_a_stream_that_just_came_up_gives_a_clip_with_less_before(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam) as stream:
        await online(stream)
        clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=1, pre_roll_sec=5)
    seen = look(clip.path)
    assert 1 <= seen.duration < 5
    assert seen.first_is_key


async def test_a_key_frame_far_before_the_pre_roll_is_hidden_by_an_edit_list(
    tmp_path: Path, look: Look
) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=1) as stream:
        await online(stream)
        gop = stream._ring.gops[-1].start_90k
        await until(lambda: stream._last_pts - gop > 1.7 * 90_000)
        clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=1, pre_roll_sec=1)
    seen = look(clip.path)
    assert seen.duration == pytest.approx(2, abs=0.2)
    assert seen.packets > len(seen.times) + 8
    assert seen.first_is_key
    assert seen.times[0] == pytest.approx(0, abs=0.07)


@pytest.mark.parametrize(("fault", "reason"), [("unplug", "camera_offline"), ("freeze", "frozen")])
async def test_a_camera_lost_in_mid_clip_leaves_a_truthful_shorter_clip(
    tmp_path: Path, look: Look, fault: str, reason: str
) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=1, frozen_after_sec=1) as stream:
        await online(stream, 1)
        recording = asyncio.create_task(
            stream.record_clip(tmp_path / "clip.mp4", duration_sec=30, pre_roll_sec=1)
        )
        start = stream._last_pts
        await until(lambda: stream._last_pts > start + 1.2 * 90_000)
        if fault == "unplug":
            await cam.unplug()
        else:
            cam.freeze()
            cam.set_fault("no_media")
        clip = await asyncio.wait_for(recording, 20)
        assert stream.status.state == "offline"
    assert clip.failure_reason == reason
    seen = look(clip.path)
    assert 2 <= seen.duration < 5
    assert clip.duration_sec == pytest.approx(seen.duration, abs=0.1)
    assert seen.is_monotonic


async def test_a_camera_that_comes_right_back_gives_a_whole_clip(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=1) as stream:
        await online(stream, 1)
        recording = asyncio.create_task(
            stream.record_clip(tmp_path / "clip.mp4", duration_sec=5, pre_roll_sec=1)
        )
        await until((tmp_path / "clip.mp4.part").exists)
        await cam.drop_sessions()
        clip = await asyncio.wait_for(recording, 20)
    seen = look(clip.path)
    assert clip.failure_reason is None
    assert seen.duration == pytest.approx(6, abs=0.5)
    assert seen.is_monotonic
    hole = max(b - a for a, b in pairwise(seen.times))
    assert hole > 0.9, "it waits a second before it comes back"
    assert clip.gap_sec == pytest.approx(hole, abs=0.2)


async def test_a_recording_that_was_killed_is_salvaged_to_its_last_second(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=1) as stream:
        await online(stream, 1)
        recording = asyncio.create_task(
            stream.record_clip(tmp_path / "clip.mp4", duration_sec=30, pre_roll_sec=1)
        )
        start = stream._last_pts
        await until(lambda: stream._last_pts > start + 2.5 * 90_000)
        recorded = (stream._last_pts - start) / 90_000 + 1
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)
    assert not (tmp_path / "clip.mp4").exists()
    clip = await salvage_clip(
        tmp_path / "clip.mp4.part", tmp_path / "clip.mp4", failure_reason="gateway_restarted"
    )
    assert clip is not None
    assert look(clip.path).duration > recorded - 1.2
    assert clip.failure_reason == "gateway_restarted"


async def test_nothing_is_recorded_of_a_camera_that_is_not_online(tmp_path: Path) -> None:
    async with SimCam() as cam:
        stream = CaptureStream(source_of(cam))
        with pytest.raises(CameraFault):
            await stream.record_clip(tmp_path / "clip.mp4", duration_sec=1)
    assert list(tmp_path.iterdir()) == []


async def test_a_live_reader_gets_a_picture_at_once_and_then_all_the_rest(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=2) as stream:
        await online(stream, 2.2)
        pieces = []
        async with stream.subscribe() as first, stream.subscribe() as second:
            memory = first.queued_bytes
            async for piece in first:
                pieces.append(piece)
                if piece.start_90k > stream._first_pts + 5 * 90_000:
                    break
            async for piece in second:
                assert piece.kind == "init"
                break
    assert memory > 20_000
    assert [p.kind for p in pieces].count("init") == 1
    assert pieces[0].mime_codecs == "avc1.64001f,mp4a.40.2"
    assert pieces[1].key
    path = tmp_path / "live.mp4"
    path.write_bytes(b"".join(p.data for p in pieces))
    seen = look(path)
    assert seen.first_is_key
    assert seen.is_monotonic
    gaps = [b - a for a, b in zip(seen.times, seen.times[1:], strict=False)]
    assert max(gaps) < 0.1, "nothing is missing between memory and live"


async def test_a_slow_live_reader_loses_gops_and_no_memory(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=1) as stream:
        await online(stream)
        async with stream.subscribe(max_bytes=150_000) as slow:
            pieces = [await anext(slow)]
            start = stream._last_pts
            while stream._last_pts < start + 7 * 90_000:
                assert slow.queued_bytes <= 150_000
                await asyncio.sleep(0.05)
            assert slow.dropped > 0
            while slow.queued_bytes:
                pieces.append(await anext(slow))
    assert [p.kind for p in pieces].count("init") == 1
    assert pieces[1].key
    path = tmp_path / "live.mp4"
    path.write_bytes(b"".join(p.data for p in pieces))
    assert look(path).is_monotonic


class Folder:
    """Keeps segments by their numbers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def open_segment(self, note: SegmentNote, fmt: SegmentFormat) -> SyncedFile:
        return SyncedFile(self.folder / f"{note.number:04}.mp4")

    def on_begun(self, file: Any, facts: SegmentFacts) -> None: ...
    def on_grown(self, file: Any, growth: Growth) -> None: ...
    def on_ended(self, file: Any, facts: SegmentFacts) -> None: ...


async def test_segments_begin_on_key_frames_and_miss_nothing(tmp_path: Path, look: Look) -> None:
    async with SimCam() as cam, running(cam, pre_roll_sec=0) as stream:
        await online(stream)
        recorder = SegmentRecorder(
            stream, Folder(tmp_path / "segments"), SegmentIdentity("c", "main", "t"), segment_sec=2
        )
        task = asyncio.create_task(recorder.run())
        await until(lambda: recorder.segments >= 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    files = sorted((tmp_path / "segments").iterdir())
    assert len(files) == recorder.segments
    seen = [look(path) for path in files[:2]]
    assert all(s.first_is_key and s.is_monotonic and s.audio == "aac" for s in seen)
    assert [len(s.times) for s in seen] == [30, 30]


async def test_the_newest_key_frame_is_a_jpeg() -> None:
    async with SimCam(SimCamConfig(media="h265", audio="none")) as cam, running(cam) as stream:
        assert stream.keyframe() is None
        await online(stream)
        keyframe = stream.keyframe()
    assert keyframe is not None
    jpeg = await snapshot_jpeg(keyframe, width=200)
    picture = av.CodecContext.create("mjpeg", "r").decode(av.Packet(jpeg))[0]
    assert (picture.width, picture.height) == (200, 150)  # type: ignore[union-attr]


async def test_a_key_frame_that_does_not_decode_is_a_fault() -> None:
    from datetime import UTC, datetime

    from novavms_camera.capture import KeyFrame

    with pytest.raises(CameraFault) as caught:
        await snapshot_jpeg(KeyFrame("h264", b"\x00\x00\x00\x01\x65nonsense", datetime.now(UTC)))
    assert caught.value.reason == "malformed_stream"


async def test_a_probe_says_what_is_there_and_leaves_nothing_open() -> None:
    async with SimCam() as cam:
        cam.set_fault("start_mid_gop")
        probe = await probe_media(source_of(cam), timeout=15, observe_sec=10)
        await until(lambda: cam.sessions == 0)
    assert (probe.facts.codec, probe.facts.width, probe.facts.height, probe.facts.audio_codec) == (
        "h264",
        768,
        576,
        "aac",
    )
    assert probe.keyframe_interval_sec == pytest.approx(2, abs=0.01)
    assert probe.bit_rate is not None
    assert 100_000 < probe.bit_rate < 5_000_000


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("no_media", "no_media"),
        ("udp_only", "transport_unsupported"),
        ("no_video", "no_video"),
        ("mjpeg", "codec_unsupported"),
        ("too_many_connections", "too_many_connections"),
        ("malformed_sdp", "malformed_stream"),
        ("wrong_path", "path_not_found"),
        ("not_rtsp", "not_rtsp"),
        ("refuse", "refused"),
    ],
)
async def test_a_probe_says_what_is_wrong(fault: str, reason: str) -> None:
    async with SimCam() as cam:
        cam.set_fault(fault)
        with pytest.raises(CameraFault) as caught:
            await probe_media(source_of(cam), timeout=1 if fault == "no_media" else 10)
        assert cam.sessions == 0
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "fault", ["malformed_rtp", "malformed_framing", "stale_nonce", "no_rtcp", "no_keep_alive"]
)
async def test_a_camera_with_bad_manners_is_recorded_all_the_same(
    tmp_path: Path, look: Look, fault: str
) -> None:
    async with SimCam() as cam:
        cam.set_fault(fault)
        async with running(cam, pre_roll_sec=1) as stream:
            await online(stream, 1)
            clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=3, pre_roll_sec=1)
            assert stream.status.state == "online"
            if fault == "malformed_rtp":
                assert stream.damaged_count > 0
    seen = look(clip.path)
    assert seen.is_monotonic
    assert seen.duration == pytest.approx(4, abs=0.5)


async def test_a_camera_whose_clock_is_wrong_does_not_date_our_clips(tmp_path: Path) -> None:
    async with SimCam() as cam:
        cam.set_fault("clock_offset_sec", 10_800)
        async with running(cam) as stream:
            await online(stream, 0.5)
            clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=1, pre_roll_sec=0)
            assert abs((stream._clock.now() - clip.started_at).total_seconds()) < 600


async def test_states_follow_the_frames() -> None:
    said: list[StreamStatus] = []
    async with SimCam() as cam, running(cam, on_status=said.append, frozen_after_sec=1) as stream:
        assert stream.status.state == "pending"
        await online(stream)
        await cam.unplug()
        await until(lambda: stream.status.reason == "refused")
        await cam.plug()
        stream.retry_now()
        await until(lambda: stream.status.state == "online")
        cam.freeze()
        await until(lambda: stream.status.state == "offline")
        assert stream.status.reason == "frozen"
        assert stream.status.last_frame_at is not None
        cam.thaw()
        stream.retry_now()
        await until(lambda: stream.status.state == "online")
        await cam.unplug(silent=True)
        await until(lambda: stream.status.state == "offline")
        await cam.plug()
    states = [(s.state, s.reason) for s in said]
    assert states[:4] == [
        ("online", None),
        ("offline", "connection_lost"),
        ("offline", "refused"),
        ("online", None),
    ]
    assert ("offline", "frozen") in states


async def test_a_wrong_password_is_an_error_and_is_not_tried_again_until_told() -> None:
    async with SimCam() as cam:
        password = "not-the-password"
        stream = CaptureStream(provide := Provider(source_of(cam, password)))
        task = asyncio.create_task(stream.run())
        await until(lambda: stream.status.state == "error")
        assert stream.status.reason == "auth_failed"
        failed = cam.login_attempts.failed
        assert failed == 1
        await asyncio.sleep(0.3)
        assert cam.login_attempts.failed == failed
        provide.source = source_of(cam)
        stream.retry_now()
        await until(lambda: stream.status.state == "online")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert password not in repr(stream.status)


class Provider:
    """A source that changes, as when a person mends the password."""

    def __init__(self, source: StreamSource) -> None:
        self.source = source

    async def __call__(self) -> StreamSource:
        return self.source
