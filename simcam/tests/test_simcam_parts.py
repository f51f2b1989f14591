"""The parts that can be judged alone: G.711 against FFmpeg's, packets taken apart again, the message reader under any chunking."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novavms_simcam import SimCam, SimCamConfig, g711, media, packetise
from novavms_simcam.port import Port
from novavms_simcam.wire import BadMessage, RequestReader


@pytest.mark.parametrize(("law", "decoder"), [("pcma", "pcm_alaw"), ("pcmu", "pcm_mulaw")])
def test_g711_comes_back_from_a_foreign_decoder(law: Any, decoder: str) -> None:
    samples = list(range(-32768, 32768))
    coded = g711.encode(struct.pack("=65536h", *samples), law)
    context = av.CodecContext.create(decoder, "r")
    context.sample_rate, context.layout = 8000, "mono"  # type: ignore[attr-defined]
    frames = context.decode(av.Packet(coded))  # type: ignore[attr-defined]
    back = struct.unpack("=65536h", bytes(frames[0].planes[0])[:131072])
    assert len(set(coded)) >= 255
    for sample, heard in zip(samples, back, strict=True):
        # each segment doubles the step; half a step is the best there can be, mu-law clips at 32635
        step = max(16, 2 ** (max(abs(sample) + 132, 1).bit_length() - 5))
        assert abs(sample - heard) <= step / 2 + 133 * (abs(sample) > 32635), (sample, heard)


# sizes evenly from one packet to several: plain st.binary seldom leaves the first
NAL_BODIES = st.tuples(st.integers(2, 6000), st.integers(0, 255)).map(
    lambda x: bytes((i * 7 + x[1]) % 256 for i in range(x[0]))
)


@settings(max_examples=100)
@given(NAL_BODIES)
def test_h264_fragments_make_the_nal_unit_again(body: bytes) -> None:
    nal = bytes([0x65]) + body
    payloads = packetise.h264_payloads([nal])
    assert all(len(p) <= packetise.MAX_PAYLOAD_BYTES for p in payloads)
    if len(payloads) == 1:
        assert payloads == [nal]
        return
    assert payloads[0][1] & 0xC0 == 0x80
    assert payloads[-1][1] & 0xC0 == 0x40
    header = bytes([(payloads[0][0] & 0xE0) | (payloads[0][1] & 0x1F)])
    assert header + b"".join(p[2:] for p in payloads) == nal


@settings(max_examples=100)
@given(NAL_BODIES)
def test_h265_fragments_make_the_nal_unit_again(body: bytes) -> None:
    nal = bytes([19 << 1, 1]) + body
    payloads = packetise.h265_payloads([nal])
    assert all(len(p) <= packetise.MAX_PAYLOAD_BYTES for p in payloads)
    if len(payloads) > 1:
        assert {(p[0] >> 1) & 0x3F for p in payloads} == {49}
        header = bytes([(payloads[0][2] & 0x3F) << 1, payloads[0][1]])
        assert header + b"".join(p[3:] for p in payloads) == nal


def test_an_odd_file_is_refused_with_a_sentence(tmp_path: Any) -> None:
    path = tmp_path / "picture.avi"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        for packet in stream.encode(av.VideoFrame(64, 64, "yuvj420p")):
            out.mux(packet)
    with pytest.raises(ValueError, match=r"mjpeg; the simulated camera plays H\.264 and H\.265"):
        media.load(path, "none")


MESSAGE = b"SETUP rtsp://h/p RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nbody"


@settings(max_examples=200)
@given(st.lists(st.integers(1, 9), max_size=60))
def test_requests_are_the_same_however_the_bytes_come(sizes: list[int]) -> None:
    stream = b"\r\n" + MESSAGE + b"$\x01\x00\x03abc" + MESSAGE
    reader, got, at = RequestReader(), [], 0
    for size in [*sizes, len(stream)]:
        got += reader.feed(stream[at : at + size])
        at += size
    assert [(r.method, r.uri, r.headers["cseq"], r.body) for r in got] == [
        ("SETUP", "rtsp://h/p", "3", b"body")
    ] * 2
    assert reader.interleaved_frames == 1


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        RequestReader().feed(data + b"\r\n\r\n")
    except BadMessage:
        pass


@pytest.mark.anyio
async def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    taken = Port("127.0.0.1", 0, lambda _: asyncio.Protocol())
    taken.open()
    await taken.opened()
    cam = SimCam(SimCamConfig(onvif_port=taken.number))
    with pytest.raises(OSError, match="in use"):
        await cam.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", cam.rtsp_port or 1)
    taken.release()
