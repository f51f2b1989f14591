"""RTP, RTCP, depacketisers and parameter sets: real footage through them, then everything else."""

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import novavms_simcam
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.audio import audio_depacketiser, audio_format, parse_audio_specific_config
from novavms_camera.rtsp.nal import H264Depacketiser, H265Depacketiser, NalDepacketiser
from novavms_camera.rtsp.parameter_sets import ParameterSets, parse_h264_sps, parse_h265_sps
from novavms_camera.rtsp.rtp import RtpTrack, parse_sender_report
from novavms_camera.rtsp.sdp import Media

FOOTAGE = Path(novavms_simcam.__file__).parent / "footage"
CODECS = ["h264", "h265"]
Frame = tuple[int, bool, bytes]


def units_of(data: bytes) -> list[bytes]:
    """The NAL units of a length-prefixed access unit."""
    units, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


@lru_cache
def footage(codec: str, count: int = 45) -> list[tuple[list[bytes], bool]]:
    """(NAL units, is key) of the first frames; parameter sets in front of key frames, as cameras send them."""
    with av.open(str(FOOTAGE / f"pedestrians-{codec}.mp4")) as container:
        stream = container.streams.video[0]
        extra = stream.codec_context.extradata
        assert extra is not None
        sets = avcc_sets(extra) if codec == "h264" else hvcc_sets(extra)
        frames = []
        for packet in container.demux(stream):
            if packet.size and len(frames) < count:
                units = units_of(bytes(packet))
                frames.append(([*sets, *units] if packet.is_keyframe else units, packet.is_keyframe))
        return frames


def avcc_sets(extra: bytes) -> list[bytes]:
    size = int.from_bytes(extra[6:8], "big")
    at = 8 + size + 1
    return [extra[8 : 8 + size], extra[at + 2 : at + 2 + int.from_bytes(extra[at : at + 2], "big")]]


def hvcc_sets(extra: bytes) -> list[bytes]:
    sets, at = [], 23
    for _ in range(extra[22]):
        count = int.from_bytes(extra[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(extra[at : at + 2], "big")
            if extra[at - 3] & 63 in {32, 33, 34} or sets:
                sets.append(extra[at + 2 : at + 2 + size])
            at += 2 + size
    return [s for s in sets if s[0] >> 1 & 63 in {32, 33, 34}]


def payloads(codec: str, units: list[bytes], mtu: int, *, donl: bool = False) -> Iterator[bytes]:
    """RFC 6184 / RFC 7798 payloads: small units aggregated, big ones in fragments."""
    wide = codec == "h265"
    order = b"\x00\x07" if donl else b""
    small = [u for u in units if len(u) < 60]
    if len(small) > 1:
        head = b"\x60\x01" if wide else b"\x18"
        yield head + order + (b"\x00" if donl else b"").join(len(u).to_bytes(2, "big") + u for u in small)
    for unit in [u for u in units if u not in small or len(small) < 2]:
        if len(unit) <= mtu:
            yield unit[:2] + order + unit[2:] if wide else unit
            continue
        skip = 2 if wide else 1
        pieces = [unit[at : at + mtu] for at in range(skip, len(unit), mtu)]
        for index, piece in enumerate(pieces):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            if wide:
                head = bytes((unit[0] & 0x81 | 49 << 1, unit[1], flags | unit[0] >> 1 & 63))
                yield head + (order if index == 0 else b"") + piece
            else:
                yield bytes((unit[0] & 0xE0 | 28, flags | unit[0] & 31)) + piece


def packets(
    codec: str,
    frames: list[tuple[list[bytes], bool]],
    *,
    mtu: int = 1200,
    donl: bool = False,
    marker: str = "last",
) -> list[bytes]:
    """RTP packets that begin just before both counters wrap."""
    sequence, result = 65_530, []
    for number, (units, _) in enumerate(frames):
        timestamp = (0xFFFFFFFF - 30_000 + number * 6000) & 0xFFFFFFFF
        parts = list(payloads(codec, units, mtu, donl=donl))
        for index, payload in enumerate(parts):
            mark = {"last": index == len(parts) - 1, "all": True, "none": False}[marker]
            result.append(struct.pack(">BBHII", 0x80, 96 | mark << 7, sequence, timestamp, 7) + payload)
            sequence = (sequence + 1) & 0xFFFF
    return result


def receiver(
    codec: str, *, donl: bool = False
) -> tuple[RtpTrack, NalDepacketiser, ParameterSets, list[Frame]]:
    got: list[Frame] = []

    def emit(timestamp: int, key: bool, data: bytes) -> None:
        got.append((timestamp, key, data))

    sets = ParameterSets("h264" if codec == "h264" else "h265")
    nal: NalDepacketiser = (
        H264Depacketiser(sets, emit) if codec == "h264" else H265Depacketiser(sets, emit, has_donl=donl)
    )
    return RtpTrack(96, nal), nal, sets, got


def feed(track: RtpTrack, data: bytes) -> None:
    """Gives the packet as the connection does: somewhere in a bigger buffer."""
    buffer = memoryview(b"\xee" * 5 + data + b"\xee" * 9)
    track.on_rtp(buffer, 5, 5 + len(data))


def coded(codec: str, units: list[bytes]) -> list[bytes]:
    """What goes into the file: no parameter sets, no delimiters."""
    if codec == "h264":
        return [u for u in units if u[0] & 31 in {1, 5, 6}]
    return [u for u in units if u[0] >> 1 & 63 < 32 or u[0] >> 1 & 63 in {39, 40}]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("mtu", [200, 1200, 60_000])
def test_footage_comes_out_as_it_went_in(codec: str, mtu: int) -> None:
    frames = footage(codec)
    track, nal, sets, got = receiver(codec)
    for data in packets(codec, frames, mtu=mtu):
        feed(track, data)
    assert len(got) == len(frames)
    for (_, key, data), (units, is_key) in zip(got, frames, strict=True):
        assert key == is_key
        assert sorted(units_of(data)) == sorted(coded(codec, units))
    steps = {b[0] - a[0] for a, b in pairwise(got)}
    assert steps == {6000}, "timestamps wrapped"
    assert (track.lost, track.malformed, nal.damaged) == (0, 0, 0)
    fmt = sets.format()
    assert (fmt.width, fmt.height) == (768, 576)
    assert fmt.codec_string.startswith("avc1.64" if codec == "h264" else "hvc1.1.6.L")


def test_h265_with_decoding_order_numbers() -> None:
    frames = footage("h265", 10)
    track, _, _, got = receiver("h265", donl=True)
    for data in packets("h265", frames, donl=True):
        feed(track, data)
    assert [sorted(units_of(d)) for _, _, d in got] == [sorted(coded("h265", u)) for u, _ in frames]


@pytest.mark.parametrize("codec", CODECS)
def test_a_lost_packet_costs_everything_up_to_the_next_key_frame_and_nothing_else(codec: str) -> None:
    frames = footage(codec)
    keys = [i for i, (_, key) in enumerate(frames) if key]
    assert len(keys) == 2, "the footage has a key frame every 2 s"
    track, nal, _, got = receiver(codec)
    all_packets = packets(codec, frames)
    firsts = [i for i, p in enumerate(all_packets) if i == 0 or all_packets[i - 1][4:8] != p[4:8]]
    missing = firsts[10]
    for number, data in enumerate(all_packets):
        if number != missing:
            feed(track, data)
    assert track.lost == 1
    assert [key for _, key, _ in got].count(True) == 2
    assert len(got) == 10 + len(frames) - keys[1]
    assert nal.damaged >= 1
    assert nal.damaged + nal.skipped in {keys[1] - 10, keys[1] - 11}


@pytest.mark.parametrize("codec", CODECS)
def test_a_camera_that_marks_every_packet_or_none_is_understood(codec: str) -> None:
    frames = footage(codec)
    for marker, expected in (("none", len(frames) - 1), ("all", 14)):
        track, _, _, got = receiver(codec)
        for data in packets(codec, frames, marker=marker):
            feed(track, data)
        assert len(got) >= expected
        whole = {tuple(sorted(coded(codec, units))) for units, _ in frames}
        assert all(tuple(sorted(units_of(data))) in whole for _, _, data in got[1:])


def test_a_stream_begins_with_a_key_frame() -> None:
    track, nal, _, got = receiver("h264")
    for data in packets("h264", footage("h264")[5:]):
        feed(track, data)
    assert got[0][1]
    assert nal.skipped == 25


def test_padding_extension_and_sources_are_taken_off() -> None:
    plain, _, _, expected = receiver("h264")
    odd, _, _, got = receiver("h264")
    for data in packets("h264", footage("h264", 5)):
        feed(plain, data)
        head = bytes((0x80 | 0x20 | 0x10 | 2,)) + data[1:12]
        feed(odd, head + b"\x00" * 8 + b"\xbe\xde\x00\x01abcd" + data[12:] + b"\x00\x00\x03")
    assert got == expected
    assert got


def test_malformed_packets_are_counted_and_end_the_session_when_nothing_else_comes() -> None:
    track, _, _, _ = receiver("h264")
    with pytest.raises(CameraFault) as caught:  # noqa: PT012
        for _ in range(1000):
            feed(track, b"\x00" * 20)
    assert caught.value.reason == "malformed_stream"
    assert track.malformed == 201


def test_changed_parameter_sets_are_noticed_and_repeated_ones_are_not() -> None:
    sets = ParameterSets("h264")
    first, second = avcc_sets_of("pedestrians-h264.mp4"), avcc_sets_of("pedestrians-sub-h264.mp4")
    for unit in first:
        assert sets.take(unit)
    assert sets.changed
    assert sets.format().width == 768
    for unit in first:
        sets.take(unit)
    assert not sets.changed
    for unit in second:
        sets.take(unit)
    assert sets.changed
    assert sets.format().width == 384


@lru_cache
def avcc_sets_of(name: str) -> list[bytes]:
    with av.open(str(FOOTAGE / name)) as container:
        extra = container.streams.video[0].codec_context.extradata
        assert extra is not None
        return avcc_sets(extra)


@pytest.mark.parametrize(("encoder", "parse"), [("libx264", parse_h264_sps), ("libx265", parse_h265_sps)])
@pytest.mark.parametrize(("width", "height"), [(320, 240), (1920, 1080), (1918, 1078)])
def test_sps_against_real_encoders(
    encoder: str, parse: Callable[[bytes], object], width: int, height: int
) -> None:
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
    frame = av.VideoFrame(width, height, "yuv420p")
    data = b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])
    is_sps = (lambda u: u[0] & 31 == 7) if encoder == "libx264" else (lambda u: u[0] >> 1 & 63 == 33)
    units = [u.rstrip(b"\x00") for u in data.split(b"\x00\x00\x01")[1:]]
    facts = parse(next(u for u in units if is_sps(u)))
    assert (facts.width, facts.height) == (width, height)  # type: ignore[attr-defined]


def test_sender_reports_tell_the_time() -> None:
    ntp = 1_700_000_000 + 2_208_988_800
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, ntp, 0x80000000, 90_000, 1, 1)
    found = parse_sender_report(report)
    assert found is not None
    assert (found.ssrc, found.utc, found.timestamp) == (7, 1_700_000_000.5, 90_000)
    receiver_first = struct.pack(">BBHI", 0x80, 201, 1, 7) + report
    assert parse_sender_report(receiver_first) == found
    assert parse_sender_report(struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 0, 0, 1, 1, 1)) is None
    assert parse_sender_report(report[:15]) is None


AAC = Media(
    "audio", 97, "MPEG4-GENERIC", 16000, 1,
    {"config": "1408", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3", "mode": "AAC-hbr"},
)  # fmt: skip
LATM = Media("audio", 97, "MP4A-LATM", 16000, 1, {"config": "400028103FC0", "cpresent": "0"})
PCMA = Media("audio", 8, "PCMA", 8000)


def sound(media: Media) -> tuple[RtpTrack, list[tuple[int, int, bytes]]]:
    got: list[tuple[int, int, bytes]] = []
    fmt = audio_format(media)
    assert fmt is not None
    return RtpTrack(media.payload_type, audio_depacketiser(media, fmt, lambda *frame: got.append(frame))), got


def audio_packet(
    media: Media, sequence: int, timestamp: int, payload: bytes, *, marker: bool = True
) -> bytes:
    return struct.pack(">BBHII", 0x80, media.payload_type | marker << 7, sequence, timestamp, 9) + payload


def test_aac_frames_together_alone_and_in_pieces() -> None:
    track, got = sound(AAC)
    feed(track, audio_packet(AAC, 1, 1000, b"\x00\x20" + struct.pack(">HH", 3 << 3, 2 << 3) + b"aaabb"))
    feed(track, audio_packet(AAC, 2, 3048, b"\x00\x10" + struct.pack(">H", 6 << 3) + b"ccc", marker=False))
    feed(track, audio_packet(AAC, 3, 3048, b"\x00\x10" + struct.pack(">H", 6 << 3) + b"ddd"))
    assert got == [(1000, 1024, b"aaa"), (2024, 1024, b"bb"), (3048, 1024, b"cccddd")]


def test_latm_with_a_length_of_more_than_a_byte() -> None:
    track, got = sound(LATM)
    feed(track, audio_packet(LATM, 1, 5, b"\xff\x01" + b"x" * 100, marker=False))
    feed(track, audio_packet(LATM, 2, 5, b"x" * 156))
    assert got == [(5, 1024, b"x" * 256)]
    fmt = audio_format(LATM)
    assert fmt is not None
    assert parse_audio_specific_config(fmt.config)[1] == fmt.channels


def test_g711_is_as_long_as_its_bytes() -> None:
    track, got = sound(PCMA)
    feed(track, audio_packet(PCMA, 1, 160, b"\xd5" * 160))
    assert got == [(160, 160, b"\xd5" * 160)]


@given(
    st.sampled_from(["h264", "h265", "h265-donl", "aac", "latm", "pcma"]),
    st.lists(st.binary(max_size=80), max_size=30),
)
@settings(max_examples=300)
def test_no_payload_does_more_than_be_dropped(kind: str, data: list[bytes]) -> None:
    if kind.startswith("h26"):
        track = receiver(kind[:4], donl=kind.endswith("donl"))[0]
        number = 96
    else:
        media = {"aac": AAC, "latm": LATM, "pcma": PCMA}[kind]
        track, number = sound(media)[0], media.payload_type
    for sequence, payload in enumerate(data):
        feed(track, payload)
        feed(
            track,
            struct.pack(">BBHII", 0x80, number | sequence % 3 << 7 & 128, sequence, sequence // 3, 1)
            + payload,
        )
        track.on_rtcp(memoryview(payload), 0, len(payload))
        parse_sender_report(payload)


@given(
    st.sampled_from(CODECS),
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda b: b"\x67" + b)
    | st.binary(max_size=60).map(lambda b: b"\x42\x01" + b),
)
@settings(max_examples=400)
def test_no_parameter_set_does_more_than_be_rejected(codec: str, data: bytes) -> None:
    sets = ParameterSets("h264" if codec == "h264" else "h265")
    sets.take(data)
    for parse in (parse_h264_sps, parse_h265_sps):
        try:
            facts = parse(data)
        except ValueError:
            continue
        assert 16 <= facts.width <= 16384


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_real_parameter_set_never_breaks_the_format(data: st.DataObject) -> None:
    units = avcc_sets_of("pedestrians-h264.mp4")
    sets = ParameterSets("h264")
    for unit in units:
        sets.take(unit)
    broken = bytearray(units[0])
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(1, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    sets.take(bytes(broken))
    fmt = sets.format()
    assert 16 <= fmt.width <= 16384
    assert 16 <= fmt.height <= 16384
