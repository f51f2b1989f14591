"""Media over UDP: order, loss and strangers, on the parts alone and on real sockets."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_camera.capture import CaptureStream
from novavms_camera.check import AddressPolicy, CheckReport, check_camera, validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.paths import UdpPath
from novavms_camera.rtsp.reorder import MAX_HELD, Reception, ReorderBuffer
from novavms_camera.rtsp.rtp import RtpTrack
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio


def packet(sequence: int, *, ssrc: int = 7, timestamp: int = 0) -> bytes:
    return struct.pack(">BBHII", 0x80, 96, sequence & 0xFFFF, timestamp, ssrc) + b"x"


def sequence_of(data: bytes) -> int:
    return int.from_bytes(data[2:4], "big")


async def deliver(packets: list[bytes], *, flush: bool = True) -> list[int]:
    got: list[int] = []
    buffer = ReorderBuffer(
        lambda view, start, end: got.append(sequence_of(view[start:end].tobytes())), Reception(90_000)
    )
    for data in packets:
        buffer.push(data)
    if flush:
        buffer.flush()
    buffer.close()
    return got


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.booleans()), min_size=1, max_size=200),
)
@settings(max_examples=150, deadline=None)
def test_what_arrives_comes_out_in_order_and_once(first: int, fates: list[tuple[bool, int, bool]]) -> None:
    """`fates`: of each packet whether it is lost, how many places it comes late, whether it comes twice."""
    arrivals = [(0.0, first)]
    for place, (is_lost, delay, twice) in enumerate(fates, start=1):
        if not is_lost:
            arrivals += [(place + delay + 0.5 * n, first + place) for n in range(1 + twice)]
    sent = [sequence for _, sequence in sorted(arrivals)]
    got = asyncio.run(deliver([packet(sequence) for sequence in sent]))
    assert got == [sequence & 0xFFFF for sequence in sorted(set(sent))]


async def test_a_hole_is_waited_for_only_so_long() -> None:
    got: list[int] = []
    done = asyncio.Event()

    def take(view: memoryview, start: int, end: int) -> None:
        got.append(sequence_of(view[start:end].tobytes()))
        if got[-1] == 4:
            done.set()

    buffer = ReorderBuffer(take, Reception(90_000))
    for sequence in (1, 3, 4):
        buffer.push(packet(sequence))
    assert got == [1]
    await asyncio.wait_for(done.wait(), 5)
    assert got == [1, 3, 4]
    buffer.push(packet(2))  # too late by now
    assert got == [1, 3, 4]


async def test_a_hole_holds_back_only_so_many() -> None:
    sent = [0, *range(2, 2 + MAX_HELD)]
    assert await deliver([packet(s) for s in sent], flush=False) == [0]
    assert await deliver([packet(s) for s in [*sent, 99]], flush=False) == sent


async def test_another_source_begins_anew_and_nothing_held_is_lost() -> None:
    sent = [packet(10), packet(12), packet(9000, ssrc=8), packet(9001, ssrc=8)]
    assert await deliver(sent) == [10, 12, 9000, 9001]


def test_the_report_says_what_was_lost_and_for_how_long_the_sender_waits() -> None:
    reception = Reception(90_000)
    for number, sequence in enumerate([0xFFFE, 0xFFFF, 1, 2, 3, 6, 5]):  # 0 and 4 lost, 5 late
        reception.packet(7, sequence, number * 3000, number * 3000 / 90_000)
    reception.sender_report(struct.pack(">BBHIQIII", 0x80, 200, 6, 7, 0x1122334455667788, 0, 0, 0), 100.0)
    ssrc, losses, highest, jitter, last, delay = struct.unpack(">IIIIII", reception.block(101.5))
    assert (ssrc, losses & 0xFFFFFF, losses >> 24) == (7, 2, 2 * 256 // 9)
    assert (highest, jitter, last, delay) == (0x10006, 0, 0x33445566, 98304)
    assert struct.unpack(">IIIIII", reception.block(102))[1] == 2  # nothing lost since
    track = RtpTrack(96, None)  # type: ignore[arg-type]
    report = track.receiver_report(reception.block(103))
    assert (report[0], report[1], report[2:4]) == (0x81, 201, b"\0\x07")
    assert len(report) == 32 + 4 * (1 + int.from_bytes(report[34:36], "big"))


# ---- real sockets --------------------------------------------------------------------------------------------


async def until(condition: Callable[[], object], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def source_of(cam: SimCam, transport: Any = "udp") -> StreamSource:
    return StreamSource(
        url=cam.rtsp_url, username="admin", password=Secret(cam.config.password), transport=transport
    )


async def test_only_the_cameras_own_address_is_heard() -> None:
    heard: list[bytes] = []

    def take(view: memoryview, start: int, end: int) -> None:
        heard.append(view[start:end].tobytes())

    async with SimCam(SimCamConfig(audio="none")) as cam, RtspClient(source_of(cam)) as client:
        description = await client.describe()
        assert description.video is not None
        path = await client.setup(description.video, "udp", on_rtp=take)
        assert isinstance(path, UdpPath)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.sendto(packet(1), ("127.0.0.1", path.port))
        await until(lambda: path.strangers)
        assert heard == []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_port:
            other_port.bind(("127.0.0.1", 0))
            other_port.sendto(packet(2), ("127.0.0.1", path.port))
        await until(lambda: heard)
        port = path.port
        assert port % 2 == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))  # given back


async def test_a_fault_met_in_a_datagram_ends_the_session() -> None:
    def take(view: memoryview, start: int, end: int) -> None:
        raise CameraFault("malformed_stream", "unreadable")

    async with SimCam(SimCamConfig(audio="none")) as cam, RtspClient(source_of(cam)) as client:
        description = await client.describe()
        assert description.video is not None
        await client.setup(description.video, "udp", on_rtp=take)
        await client.play()
        fault = await asyncio.wait_for(client.wait_closed(), 5)
    assert fault.reason == "malformed_stream"


@asynccontextmanager
async def running(stream: CaptureStream) -> AsyncIterator[CaptureStream]:
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize(("transport", "fault"), [("udp", None), ("auto", "udp_only")])
async def test_a_clip_over_udp_is_as_good_as_one_over_tcp(
    tmp_path: Path, look: Callable[[Path], Any], transport: str, fault: str | None
) -> None:
    async with SimCam() as cam:
        if fault:
            cam.set_fault(fault)
        async with running(CaptureStream(source_of(cam, transport))) as stream:
            await until(lambda: stream.status.state == "online")
            assert stream.facts is not None
            assert stream.facts.transport == "udp"
            clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=3, pre_roll_sec=1)
            assert stream.bytes_received > clip.size_bytes // 2
            assert stream.damaged_count == 0
        await until(lambda: cam.sessions == 0)
    seen = look(clip.path)
    assert (seen.first_is_key, seen.is_monotonic, clip.has_audio) == (True, True, True)
    assert len(seen.times) == pytest.approx(seen.duration * 15, abs=2)


@pytest.mark.slow
async def test_what_a_bad_network_loses_is_left_out_and_the_rest_decodes(
    tmp_path: Path, look: Callable[[Path], Any]
) -> None:
    async with SimCam() as cam, running(CaptureStream(source_of(cam))) as stream:
        cam.set_fault("udp_loss_percent", 1)
        cam.set_fault("udp_reorder_percent", 10)
        await until(lambda: stream.status.state == "online")
        clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=8, pre_roll_sec=0)
        assert stream.damaged_count > 0
        assert stream.status.state == "online"
    seen = look(clip.path)  # decodes whole: no picture in it refers to a lost one
    assert (seen.first_is_key, seen.is_monotonic) == (True, True)
    assert 10 < len(seen.times) < 8 * 15
    assert max(b - a for a, b in pairwise(seen.times)) < 4.5
    gaps = [b - a - 1 / 15 for a, b in pairwise(seen.times) if b - a > 0.5]
    assert clip.gap_sec == pytest.approx(sum(gaps), abs=0.2)


@pytest.mark.slow
async def test_a_session_over_udp_is_kept_alive() -> None:
    """What the camera hears on its RTSP connection while media goes by datagrams is our keep-alive alone."""
    async with (
        SimCam(SimCamConfig(session_timeout_sec=4)) as cam,
        running(CaptureStream(source_of(cam))) as stream,
    ):
        await until(lambda: stream.frames_received > 15 * 7, 12)
        assert cam.stats.sessions_total == 1
        assert cam.stats.requests["GET_PARAMETER"] >= 2


# ---- silence -------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_packets_that_overtake_each_other_damage_nothing(
    tmp_path: Path, look: Callable[[Path], Any]
) -> None:
    async with SimCam() as cam, running(CaptureStream(source_of(cam))) as stream:
        cam.set_fault("udp_reorder_percent", 20)
        await until(lambda: stream.status.state == "online")
        clip = await stream.record_clip(tmp_path / "clip.mp4", duration_sec=3, pre_roll_sec=0)
        assert stream.damaged_count == 0
    seen = look(clip.path)
    assert len(seen.times) == pytest.approx(seen.duration * 15, abs=2)


async def check(cam: SimCam, transport: Any) -> CheckReport:
    policy = AddressPolicy(allow_loopback=True)
    source = validate_source(
        kind="rtsp",
        rtsp_url=cam.rtsp_url,
        username="admin",
        password=cam.config.password,
        policy=policy,
        transport=transport,
    )
    return await check_camera(source, policy=policy)


@pytest.mark.slow
async def test_silence_over_tcp_is_ended_over_udp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novavms_camera.check.media.SILENCE_SEC", 2)
    async with SimCam() as cam:
        cam.set_fault("tcp_mute")
        report = await check(cam, "auto")
        assert report.ok, report
        assert report.facts.transport == "udp"
        report = await check(cam, "tcp")
        assert (report.reason, "over TCP" in (report.message or "")) == ("no_media", True)
        cam.set_fault("udp_blocked")
        report = await check(cam, "auto")
        assert report.reason == "no_media"
        assert "neither over TCP nor over UDP" in (report.message or "")
        report = await check(cam, "udp")
        assert report.reason == "no_media"
        assert "firewall" in (report.hint or "")
        await until(lambda: cam.sessions == 0 and cam.stats.connections == 0)
        assert cam.login_attempts.failed == 0


@pytest.mark.slow
async def test_a_refused_tcp_and_a_firewall_against_udp_is_told_with_a_hint_at_the_firewall() -> None:
    async with SimCam() as cam:
        cam.set_fault("udp_only")
        cam.set_fault("udp_blocked")
        report = await check(cam, "auto")
        assert report.reason == "no_media"
        assert "firewall" in (report.hint or "")


@pytest.mark.slow
async def test_the_capture_goes_over_to_udp_where_tcp_stays_silent() -> None:
    async with SimCam() as cam:
        cam.set_fault("tcp_mute")
        stream = CaptureStream(source_of(cam, "auto"), frozen_after_sec=0.5, jitter=random.Random(1))
        async with running(stream):
            await until(lambda: stream.status.state == "online")
            assert stream.facts is not None
            assert stream.facts.transport == "udp"
