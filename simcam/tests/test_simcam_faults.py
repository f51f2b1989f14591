"""Each fault, seen from outside; and the table of README.md, held to the code."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from novavms_simcam import FAULTS, Faults, SimCam
from novavms_simcam.rot import RottenPackets

pytestmark = pytest.mark.anyio

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"
UDP = "RTP/AVP;unicast;client_port=40000-40001"


def test_readme_lists_exactly_these_faults() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", readme, re.MULTILINE)
    expected = [(n, f"`{str(s.metadata['on']).lower()}`", s.metadata["what"]) for n, s in FAULTS.items()]
    assert rows == expected


def test_every_fault_is_read_somewhere() -> None:
    source = Path(__file__).parent.parent / "src" / "novavms_simcam"
    text = "".join(p.read_text(encoding="utf-8") for p in source.glob("*.py") if p.name != "faults.py")
    assert [name for name in FAULTS if not re.search(rf"faults\.{name}\b", text)] == []


def test_set_takes_what_people_write_and_says_what_is_wrong() -> None:
    faults = Faults()
    faults.set("locks_after")
    faults.set("long_gop", "4.5")
    faults.set("udp_only", "yes")
    faults.set("refuse", "")
    assert faults.active() == {"refuse": "all", "locks_after": 3, "udp_only": True, "long_gop": 4.5}
    faults.set("udp_only", "no")
    faults.set("refuse", False)
    assert faults.active() == {"locks_after": 3, "long_gop": 4.5}
    for name, value in [
        ("nope", True), ("locks_after", "many"), ("udp_only", "perhaps"), ("refuse", "me"), ("long_gop", "nan"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=name):
            faults.set(name, value)
    faults.clear()
    assert faults.active() == {}


async def setup(cam: SimCam, client: Any, transport: str = TCP, track: int = 0) -> int:
    answer = await client.call("SETUP", f"{cam.rtsp_url}/trackID={track}", Transport=transport)
    return int(answer.status)


@pytest.mark.parametrize(
    ("fault", "value", "describe", "over_tcp", "over_udp"),
    [
        ("udp_only", True, 200, 461, 200),
        ("tcp_only", True, 200, 200, 461),
        ("wrong_path", True, 404, 404, 404),
        ("wrong_path", 400, 400, 400, 400),
        ("too_many_connections", "describe", 453, 200, 200),
        ("too_many_connections", "setup", 200, 453, 453),
        ("no_video", True, 200, 404, 404),
    ],
)
async def test_status_faults(
    start_camera: Any, connect: Any, fault: str, value: Any, describe: int, over_tcp: int, over_udp: int
) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault(fault, value)
    seen = [
        (await (await connect(cam)).call("DESCRIBE", cam.rtsp_url)).status,
        await setup(cam, await connect(cam), TCP),
        await setup(cam, await connect(cam), UDP),
    ]
    assert seen == [describe, over_tcp, over_udp]


async def test_ordinary_mistakes_get_their_status(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    client = await connect(cam)
    assert (await client.call("DESCRIBE", cam.rtsp_url + "x")).status == 404
    assert (await client.call("DESCRIBE", "rtsp://127.0.0.1/")).status == 404
    assert await setup(cam, client, track=1) == 404
    assert await setup(cam, client, "RTP/AVP;multicast") == 461
    assert (await client.call("SETUP", cam.rtsp_url, Transport=TCP)).status == 459
    assert (await client.call("PLAY", cam.rtsp_url)).status == 455
    assert (await client.call("PLAY", cam.rtsp_url, Session="abc")).status in {454, 455}
    assert (await client.call("RECORD", cam.rtsp_url)).status == 405
    assert cam.sessions == 0
    client.writer.write(b"nonsense\r\n\r\n")
    assert b"400" in await client.reader.readline()


async def test_sessions_can_run_out(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("max_sessions", 1)
    first = await connect(cam)
    assert await setup(cam, first) == 200
    assert await setup(cam, await connect(cam)) == 453
    cam.set_fault("too_many_connections", "play")
    session = next(iter(cam.open_sessions)).id
    assert (await first.call("PLAY", cam.rtsp_url, Session=session)).status == 453


async def test_not_rtsp_speaks_http(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("not_rtsp")
    reader, writer = await asyncio.open_connection("127.0.0.1", cam.rtsp_port)
    writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.0 400")
    writer.close()


async def test_refuse_can_be_one_port(start_camera: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("refuse", "rtsp")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", cam.rtsp_port)
    _, writer = await asyncio.open_connection("127.0.0.1", cam.onvif_port)
    writer.close()
    cam.clear_faults("refuse")
    _, other = await asyncio.open_connection("127.0.0.1", cam.rtsp_port)
    other.close()


async def test_silent_unplug_leaves_connections_standing_and_mute(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    playing = await connect(cam)
    await playing.start(cam.rtsp_url)
    await cam.unplug(silent=True)
    fresh = await connect(cam)
    fresh.writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    sent = cam.stats.packets_sent
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fresh.reader.read(1), 0.3)
    assert cam.stats.packets_sent == sent
    await cam.plug()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await playing.gather(lambda _: False)
    assert (await (await connect(cam)).start(cam.rtsp_url)).status == 200


async def test_slow_answers_come_late_and_in_order(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("slow_answer_sec", 0.2)
    client = await connect(cam)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    client.writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n")
    answers = [await client.answer(), await client.answer()]
    assert [a.headers["cseq"] for a in answers] == ["1", "2"]
    assert loop.time() - begun >= 0.2


async def test_slow_refusal_delays_only_the_wrong_password(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("slow_refusal_sec", 0.3)
    client = await connect(cam)
    client.password = "wrong"
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert (await client.call("DESCRIBE", cam.rtsp_url)).status == 401
    assert loop.time() - begun >= 0.3


@pytest.mark.parametrize(
    ("fault", "value", "has", "has_not"),
    [
        ("no_video", True, b"m=audio", b"m=video"),
        ("mjpeg", True, b"JPEG/90000", b"H264"),
        ("odd_audio", True, b"G726-32/8000", b"MPEG4-GENERIC"),
        ("malformed_sdp", "garbage", b"\xff\xfe", b"v=0"),
        ("malformed_sdp", "bad_sprop", b"%%%not-base64", b"Z2QA"),
        ("malformed_sdp", "no_sprop", b"H264/90000", b"sprop"),
    ],
)
async def test_what_the_sdp_says(
    start_camera: Any, connect: Any, fault: str, value: Any, has: bytes, has_not: bytes
) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault(fault, value)
    body = (await (await connect(cam)).call("DESCRIBE", cam.rtsp_url)).body
    assert has in body
    assert has_not not in body


async def test_no_keep_alive_refuses_get_parameter_but_not_options(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("no_keep_alive")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    assert (await client.call("GET_PARAMETER", cam.rtsp_url, Session=client.session)).status == 405
    assert (await client.call("OPTIONS", cam.rtsp_url, Session=client.session)).status == 200


async def test_no_media_and_no_rtcp(start_camera: Any, connect: Any, until: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("no_media")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    for _ in range(5):
        await client.call("OPTIONS", cam.rtsp_url)
        await asyncio.sleep(0.05)
    assert client.packets == []
    cam.clear_faults()
    cam.set_fault("no_rtcp")
    await client.gather(lambda p: len(p) > 5)
    assert {c for c, _ in client.packets} == {0}


def nal_type(packet: bytes) -> int:
    kind = packet[12] & 0x1F
    return packet[13] & 0x1F if kind == 28 else kind


@pytest.mark.slow
async def test_start_mid_gop_and_long_gop(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("start_mid_gop")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: any(c == 0 and nal_type(x) == 5 for c, x in p))
    kinds = [nal_type(p) for c, p in client.packets if c == 0]
    assert kinds[0] == 1, "first a picture that needs others"
    assert kinds.index(7) < kinds.index(5)
    cam.set_fault("long_gop", 1000)
    other = await connect(cam)
    await other.start(cam.rtsp_url)
    await other.gather(lambda p: sum(c == 0 and bool(x[1] & 0x80) for c, x in p) > 32)
    assert 5 not in {nal_type(p) for c, p in other.packets if c == 0}, "two seconds without a key frame"


async def test_freeze_after_and_drop_every(start_camera: Any, connect: Any, until: Any) -> None:
    cam: SimCam = await start_camera()
    cam.set_fault("freeze_after_sec", 0.2)
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    playback = next(iter(cam.open_sessions)).playback
    await until(lambda: playback._was_frozen)
    assert cam.stats.frames_sent > 0
    assert (await client.call("OPTIONS", cam.rtsp_url)).status == 200
    cam.clear_faults()
    cam.set_fault("drop_every_sec", 0.2)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.gather(lambda _: False)


@pytest.mark.slow
async def test_malformed_rtp_and_framing_reach_the_client(start_camera: Any, connect: Any) -> None:
    cam: SimCam = await start_camera(audio="none")
    cam.set_fault("malformed_rtp")
    client = await connect(cam)
    await client.start(cam.rtsp_url)
    await client.gather(lambda p: any(c == 0 and len(x) == 2 for c, x in p))
    assert any(c == 0 and x[0] >> 6 == 0 for c, x in client.packets)
    rotten = RottenPackets()
    kinds = {rotten.next(96, 7, 1, "h265") for _ in range(10)}
    assert len(kinds) == 10
    cam.clear_faults()
    cam.set_fault("malformed_framing")
    with pytest.raises(AssertionError):
        await client.gather(lambda _: False)
