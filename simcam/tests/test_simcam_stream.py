"""The healthy camera, seen by decoders that we did not write, and packet by packet."""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import imageio_ffmpeg
import pytest

from novavms_simcam import SimCam, SimCamFleet

pytestmark = pytest.mark.anyio


def url_with_login(cam: SimCam, url: str = "") -> str:
    login = f"{quote(cam.config.username, safe='')}:{quote(cam.config.password, safe='')}@"
    return (url or cam.rtsp_url).replace("rtsp://", f"rtsp://{login}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "transport", "codecs"),
    [
        ({}, "tcp", {"video": "h264", "audio": "aac"}),
        ({"auth": "basic", "media": "h265"}, "tcp", {"video": "hevc", "audio": "aac"}),
        ({"auth": "both", "audio": "pcma"}, "udp", {"video": "h264", "audio": "pcm_alaw"}),
        ({"audio": "pcmu", "media": "h265"}, "tcp", {"video": "hevc", "audio": "pcm_mulaw"}),
        ({"auth": "none", "audio": "none"}, "tcp", {"video": "h264"}),
    ],
)
async def test_pyav_decodes_it(
    start_camera: Any, decode: Any, until: Any, fields: Any, transport: str, codecs: Any
) -> None:
    cam = await start_camera(**fields)
    got = await decode(url_with_login(cam), 20, transport)
    assert got.codecs == codecs
    assert got.first_video_key
    assert min(got.brightness) > 40, "a street by daylight, not grey or green smear"
    steps = {round((b - a) * 15) for a, b in zip(got.video_times, got.video_times[1:], strict=False)}
    assert steps == {1}
    assert cam.login_attempts.failed == 0
    await until(lambda: cam.sessions == 0)


@pytest.mark.slow
async def test_ffmpeg_program_decodes_both_streams(start_camera: Any) -> None:
    cam = await start_camera()
    for url in (cam.rtsp_url, cam.stream_url("sub")):
        process = await asyncio.create_subprocess_exec(
            imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-xerror", "-rtsp_transport", "tcp",
            "-i", url_with_login(cam, url), "-t", "2", "-f", "null", "-",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, errors) == (0, b"")


async def test_describe_tells_what_is_played(start_camera: Any, connect: Any) -> None:
    cam = await start_camera(media="h265")
    client = await connect(cam)
    options = await client.call("OPTIONS", cam.rtsp_url, login=False)
    assert {"DESCRIBE", "SETUP", "PLAY", "TEARDOWN"} <= set(options.headers["public"].split(", "))
    main = await client.call("DESCRIBE", cam.rtsp_url, Accept="application/sdp")
    text = main.body.decode()
    assert main.headers["content-base"] == cam.rtsp_url + "/"
    for line in ("a=framesize:96 768-576", "a=rtpmap:96 H265/90000", "a=control:trackID=0", "sprop-vps="):
        assert line in text
    sub = (await client.call("DESCRIBE", cam.stream_url("sub"))).body.decode()
    assert "a=framesize:96 384-288" in sub
    assert "sprop-parameter-sets=" in sub


def rtp(packet: bytes) -> tuple[int, int, int, bool]:
    """(sequence, timestamp, SSRC, marker) of an RTP packet."""
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", packet)
    assert first == 0x80
    return sequence, timestamp, ssrc, bool(second & 0x80)


async def test_packets_agree_with_rtp_info_and_sender_report(start_camera: Any, connect: Any) -> None:
    cam = await start_camera()
    client = await connect(cam)
    played = await client.start(cam.rtsp_url, tracks=(0, 1))
    before = time.time()
    await client.gather(lambda packets: {c for c, _ in packets} == {0, 1, 2, 3})
    assert [c for c, _ in client.packets[:2]] == [1, 3], "reports come before the first packet"
    for track in (0, 1):
        sequence, timestamp, ssrc, _ = rtp(next(p for c, p in client.packets if c == track * 2))
        fields = next(f for f in played.headers["rtp-info"].split(",") if f"trackID={track}" in f)
        assert f"seq={sequence};rtptime={timestamp}" in fields
        report = next(p for c, p in client.packets if c == track * 2 + 1)
        kind, report_ssrc, ntp, report_timestamp = report[1], *struct.unpack_from(">IQI", report, 4)
        assert (kind, report_ssrc) == (200, ssrc)
        assert abs(ntp / 2**32 - 2_208_988_800 - before) < 5
        ticks = (timestamp - report_timestamp + 2**31) % 2**32 - 2**31
        assert abs(ticks) <= 90_000, "report and packet name moments less than a second apart"


@pytest.mark.slow
async def test_timestamps_and_sequence_go_on_when_the_footage_starts_again(
    start_camera: Any, connect: Any, first_second: Path
) -> None:
    cam = await start_camera(media=first_second, audio="aac")
    client = await connect(cam)
    await client.start(cam.rtsp_url, tracks=(0, 1))

    def frames(packets: Any) -> list[tuple[int, int, int, bool]]:
        return [rtp(p) for c, p in packets if c == 0]

    await client.gather(lambda packets: sum(f[3] for f in frames(packets)) >= 34)
    video = frames(client.packets)
    assert {(b[0] - a[0]) % 65536 for a, b in itertools.pairwise(video)} == {1}
    marks = [f[1] for f in video if f[3]]
    assert {(b - a) % 2**32 for a, b in itertools.pairwise(marks)} == {6000}
    sound = [rtp(p)[1] for c, p in client.packets if c == 2]
    assert {(b - a) % 2**32 for a, b in itertools.pairwise(sound)} == {1024}


@pytest.mark.slow
async def test_freeze_stops_media_and_thaw_goes_on_from_a_key_frame_in_real_time(
    start_camera: Any, connect: Any, until: Any
) -> None:
    cam = await start_camera(audio="none")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: sum(c == 0 for c, _ in p) > 20)
    cam.freeze()
    assert (await client.call("GET_PARAMETER", cam.rtsp_url, Session=client.session)).status == 200
    sent = cam.stats.frames_sent
    for _ in range(3):
        assert (await client.call("GET_PARAMETER", cam.rtsp_url, Session=client.session)).status == 200
        await asyncio.sleep(0.2)
    assert cam.stats.frames_sent == sent
    old = rtp([p for c, p in client.packets if c == 0][-1])
    client.packets.clear()
    cam.thaw()
    await client.gather(lambda p: sum(c == 0 for c, _ in p) > 20)
    video = [p for c, p in client.packets if c == 0]
    assert video[0][12] & 0x1F == 7, "parameter sets of a key frame come first"
    gap = (rtp(video[0])[1] - old[1]) % 2**32 / 90_000
    assert 0.5 < gap < 20
    assert rtp(video[0])[0] == (old[0] + 1) % 65536


async def test_teardown_and_disconnect_end_sessions(start_camera: Any, connect: Any, until: Any) -> None:
    cam = await start_camera()
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    assert cam.sessions == 1
    assert (await client.call("PAUSE", cam.rtsp_url, Session=client.session)).status == 200
    assert (await client.call("PLAY", cam.rtsp_url, Session=client.session)).status == 200
    assert (await client.call("TEARDOWN", cam.rtsp_url, Session=client.session)).status == 200
    assert (cam.sessions, cam.stats.teardowns) == (0, 1)
    assert (await client.call("PLAY", cam.rtsp_url, Session=client.session)).status in {454, 455}
    other = await connect(cam)
    await other.start(cam.rtsp_url)
    other.writer.close()
    await until(lambda: cam.sessions == 0 and cam.stats.connections == 1)


async def test_silence_for_the_session_timeout_ends_it(start_camera: Any, connect: Any, until: Any) -> None:
    cam = await start_camera(session_timeout_sec=0.3)
    client = await connect(cam)
    played = await client.start(cam.rtsp_url)
    assert played.status == 200
    await until(lambda: cam.sessions == 0 and cam.stats.connections == 0)


async def test_unplug_refuses_and_plug_listens_on_the_same_ports(
    start_camera: Any, connect: Any, until: Any
) -> None:
    cam = await start_camera()
    ports = (cam.rtsp_port, cam.onvif_port)
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await cam.unplug()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.gather(lambda _: False)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: cam.sessions == 0)
    await cam.plug()
    assert (cam.rtsp_port, cam.onvif_port) == ports
    again = await connect(cam)
    assert (await again.start(cam.rtsp_url)).status == 200


async def test_drop_sessions_cuts_connections_but_not_the_camera(start_camera: Any, connect: Any) -> None:
    cam = await start_camera()
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await cam.drop_sessions()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.gather(lambda _: False)
    assert (await (await connect(cam)).call("DESCRIBE", cam.rtsp_url)).status == 200


async def test_a_reader_that_does_not_read_loses_frames_not_our_memory(
    start_camera: Any, connect: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novavms_simcam.sinks.MAX_BACKLOG_BYTES", -1)
    cam = await start_camera(audio="none")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await until(lambda: cam.stats.frames_dropped > 3)
    assert cam.stats.frames_sent == 0


async def test_a_fleet_shares_footage_and_has_different_identities() -> None:
    async with SimCamFleet.of(5, auth="none") as fleet:
        first, *others = fleet.cameras
        assert all(cam.media["main"].video is first.media["main"].video for cam in others)
        assert len({c.config.serial for c in fleet.cameras}) == 5
        assert len({c.rtsp_port for c in fleet.cameras}) == 5
        first.set_fault("silent")
        assert not others[0].faults.silent
