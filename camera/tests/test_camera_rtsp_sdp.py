"""Stream descriptions, good and bad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.audio import audio_format
from novavms_camera.rtsp.sdp import parse_sdp, resolve_control

CAMERA = b"""v=0\r
o=- 1 1 IN IP4 10.0.0.5\r
s=Media\r
a=control:rtsp://10.0.0.5/stream/\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkA2D3n4QAAAwABAAADADIPFi5I,aMuMsg==; profile-level-id=42C01E\r
a=control:trackID=1\r
m=audio 0 RTP/AVP 97\r
a=rtpmap:97 MPEG4-GENERIC/16000/1\r
a=fmtp:97 streamtype=5;mode=AAC-hbr;config=1408;SizeLength=13;IndexLength=3;IndexDeltaLength=3\r
a=control:trackID=2\r
m=audio 0 RTP/AVP 0\r
a=sendonly\r
m=application 0 RTP/AVP 107\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
"""


def test_a_cameras_description() -> None:
    description = parse_sdp(CAMERA, "rtsp://ignored/")
    video, audio = description.video, description.audio
    assert video is not None
    assert audio is not None
    assert (video.encoding, video.payload_type, video.clock_rate) == ("H264", 96, 90000)
    assert video.control == "rtsp://10.0.0.5/stream/trackID=1"
    assert [unit[0] & 31 for unit in video.parameter_sets()] == [7, 8]
    assert (audio.encoding, audio.clock_rate, audio.fmtp["sizelength"]) == ("MPEG4-GENERIC", 16000, "13")
    fmt = audio_format(audio)
    assert fmt is not None
    assert (fmt.codec, fmt.rate, fmt.channels) == ("aac", 16000, 1)
    assert len(description.medias) == 4


def test_static_payload_types_need_no_rtpmap() -> None:
    description = parse_sdp(b"v=0\nm=video 0 RTP/AVP 26\nm=audio 0 RTP/AVP 8\n", "rtsp://cam/")
    assert [(m.encoding, m.clock_rate) for m in description.medias] == [("JPEG", 90000), ("PCMA", 8000)]


@pytest.mark.parametrize(
    ("lines", "bit_rate", "frame_rate"),
    [
        (b"b=AS:5050\na=framerate:25", 5_050_000, 25.0),
        (b"b=TIAS:2000123\na=framerate:12,5", 2_000_123, 12.5),
        (b"b=RR:100\nb=AS: 64 \na=framerate:29.97", 64_000, 29.97),
        (b"b=AS:0\na=framerate:0", None, None),
        (b"b=AS:-1\na=framerate:nan", None, None),
        (b"b=AS:" + b"9" * 40 + b"\na=framerate:1e9", None, None),
        ("b=AS:\u0665\na=framerate:\u0665".encode(), None, None),
        (b"a=b:AS:5", None, None),
    ],
)
def test_what_the_camera_says_it_was_set_to(
    lines: bytes, bit_rate: int | None, frame_rate: float | None
) -> None:
    head = b"v=0\nb=AS:999999\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    video = parse_sdp(head + lines + b"\nm=audio 0 RTP/AVP 8\nb=AS:64\n", "rtsp://cam/").video
    assert video is not None
    assert (video.bit_rate, video.frame_rate) == (bit_rate, frame_rate)


@pytest.mark.parametrize(
    ("control", "base", "expected"),
    [
        (None, "rtsp://cam/a", "rtsp://cam/a"),
        ("*", "rtsp://cam/a", "rtsp://cam/a"),
        ("track1", "rtsp://cam/a", "rtsp://cam/a/track1"),
        ("track1", "rtsp://cam/a/", "rtsp://cam/a/track1"),
        ("track1", "rtsp://cam/a?x=1", "rtsp://cam/a?x=1/track1"),
        ("rtsp://other/t", "rtsp://cam/a", "rtsp://other/t"),
    ],
)
def test_control_addresses(control: str | None, base: str, expected: str) -> None:
    assert resolve_control(control, base) == expected


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"<html>404</html>", b"hello\nworld"])
def test_what_is_no_description_is_a_fault(body: bytes) -> None:
    with pytest.raises(CameraFault) as caught:
        parse_sdp(body, "rtsp://cam/")
    assert caught.value.reason == "malformed_stream"


@given(
    st.binary() | st.lists(st.sampled_from(CAMERA.split(b"\r\n")) | st.binary(max_size=30)).map(b"\n".join)
)
def test_any_bytes_are_a_description_or_a_fault(body: bytes) -> None:
    try:
        description = parse_sdp(body, "rtsp://cam/")
    except CameraFault as fault:
        if fault.reason != "malformed_stream":
            raise
    else:
        for media in description.medias:
            media.parameter_sets()
            audio_format(media)
