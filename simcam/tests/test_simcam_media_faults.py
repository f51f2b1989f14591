"""What the media faults put on the wire: sequence numbers, timestamps, footage and sound, and what the camera wants to hear."""

from __future__ import annotations

import asyncio
import socket
import struct
from itertools import pairwise
from typing import Any

import pytest

from novavms_simcam import SimCam
from novavms_simcam.media import VIDEO_CLOCK, Sample, VideoTrack, footage_path, load, other_footage
from novavms_simcam.reel import Reel

pytestmark = pytest.mark.anyio


def header(packet: bytes) -> tuple[int, int]:
    """(sequence number, timestamp)."""
    _, _, sequence, timestamp, _ = struct.unpack_from(">BBHII", packet)
    return sequence, timestamp


def video(packets: list[tuple[int, bytes]]) -> list[tuple[int, int]]:
    return [header(p) for channel, p in packets if channel == 0]


def nal_kinds(packets: list[tuple[int, bytes]]) -> list[int]:
    kinds = [p[12] & 31 for channel, p in packets if channel == 0]
    return [p[13] & 31 if k == 28 else k for k, (_, p) in zip(kinds, packets, strict=False)]


@pytest.mark.slow
async def test_sequence_numbers_and_timestamps_pass_their_highest(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("sequence_wrap")
    cam.set_fault("timestamp_wrap_sec", 0.2)
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: len(video(p)) > 150 and video(p)[-1][1] < 1 << 31)
    seen = video(client.packets)
    assert seen[0][0] == 0xFFFF - 100
    assert all((b - a) & 0xFFFF == 1 for (a, _), (b, _) in pairwise(seen))
    assert seen[0][1] > (1 << 32) - VIDEO_CLOCK
    assert {(b - a) & 0xFFFFFFFF for (_, a), (_, b) in pairwise(seen)} <= {0, 6000}


async def test_a_wrong_clock_counts_too_fast(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("rtp_clock_percent", 150)
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: len({t for _, t in video(p)}) > 6)
    steps = {(b - a) & 0xFFFFFFFF for (_, a), (_, b) in pairwise(video(client.packets))} - {0}
    assert all(abs(step - 9000) <= 1 for step in steps)


@pytest.mark.slow
async def test_timestamps_leap_once_and_the_report_after_leaps_along(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("timestamp_jump_sec", -3600)
    client = await connect(cam)
    await client.start(cam.rtsp_url, (0, 1))
    await client.gather(lambda p: sum(channel == 1 for channel, _ in p) > 1)
    steps = [(b - a) & 0xFFFFFFFF for (_, a), (_, b) in pairwise(video(client.packets))]
    leaps = [step for step in steps if step > 100_000]
    assert leaps == [(6000 - 3600 * VIDEO_CLOCK) & 0xFFFFFFFF]
    report = [p for channel, p in client.packets if channel == 1][-1]
    told = struct.unpack_from(">I", report, 16)[0]
    assert abs(told - video(client.packets)[-1][1]) < VIDEO_CLOCK


async def test_sound_that_comes_late(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("audio_late_sec", 0.5)
    client = await connect(cam)
    await client.start(cam.rtsp_url, (0, 1))
    await client.gather(lambda p: any(channel == 2 for channel, _ in p))
    assert len({t for _, t in video(client.packets)}) >= 7


async def test_main_plays_the_footage_that_the_fault_says(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("b_frames")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: len({t for _, t in video(p)}) > 9)
    times = [t for _, t in video(client.packets)]
    assert any((b - a) & 0x80000000 for a, b in pairwise(times)), "a picture is shown before one sent earlier"
    cam.clear_faults()
    cam.set_fault("gop_10s")
    media = cam.media_at("/stream/main")
    assert media is not None
    keys = [media.video.samples[k].send_at / VIDEO_CLOCK for k in media.video.keys]
    assert keys == [0, 10]
    assert cam.media_at("/stream/sub") is cam.media["sub"]


def test_a_change_of_format_goes_on_without_a_pause() -> None:
    own, other = (load(footage_path(name), "none").video for name in ("h264", "sub-h264"))
    assert (own.width, other.width) == (768, 384)
    assert other_footage(own, "resolution") is other
    assert other_footage(other, "resolution") is own
    sets = other_footage(other, "sets")
    assert (sets.width, sets.height) == (other.width, other.height)
    assert sets.parameter_sets != other.parameter_sets
    reel = Reel(own)
    reel.locate(1000.0, mid_gop=False)
    dues: list[float] = []
    samples: list[Sample] = []
    films: list[VideoTrack] = []
    for number in range(12):
        if number == 7:
            reel.splice(other)
        dues.append(reel.due)
        samples.append(reel.sample)
        films.append(reel.video)
        reel.index += 1
    assert all(abs(b - a - 1 / 15) < 1e-6 for a, b in pairwise(dues))
    assert (films[6], films[7]) == (own, other)
    assert samples[7].is_key


async def test_a_stream_has_one_session_at_a_time(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("one_session_per_stream")
    await (await connect(cam)).start(cam.rtsp_url)
    other = await connect(cam)
    transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert (await other.call("SETUP", f"{cam.rtsp_url}/trackID=0", Transport=transport)).status == 453
    assert (
        await other.call("SETUP", f"{cam.stream_url('sub')}/trackID=0", Transport=transport)
    ).status == 200


async def test_media_stops_without_receiver_reports_and_goes_on_with_one(
    start_camera: Any, connect: Any, until: Any
) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("needs_reports_sec", 0.3)
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    playback = next(iter(cam.open_sessions)).playback
    await until(lambda: playback._was_frozen)
    sent = cam.stats.frames_sent
    report = struct.pack(">BBHI", 0x80, 201, 1, 7)
    client.writer.write(struct.pack(">cBH", b"$", 1, len(report)) + report)
    await until(lambda: cam.stats.frames_sent > sent)
    assert cam.stats.receiver_reports == 1


async def test_receiver_reports_over_udp_are_heard(start_camera: Any, connect: Any, until: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    client = await connect(cam)
    await client.call("DESCRIBE", cam.rtsp_url)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
        mine.bind(("127.0.0.1", 0))
        port = mine.getsockname()[1]
        done = await client.call(
            "SETUP", f"{cam.rtsp_url}/trackID=0", Transport=f"RTP/AVP;unicast;client_port={port}-{port}"
        )
        to = int(done.headers["transport"].split("server_port=")[1].split(";")[0].split("-")[1])
        report = struct.pack(">BBHI", 0x80, 201, 1, 7)
        mine.sendto(report, ("127.0.0.1", to))
        await until(lambda: cam.stats.receiver_reports == 1)
    assert cam.stats.last_receiver_report == report
    await asyncio.sleep(0)
