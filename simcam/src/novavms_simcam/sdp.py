"""The session description that DESCRIBE answers with (RFC 4566; payload formats RFC 6184, 7798, 3640, 3551)."""

from __future__ import annotations

from typing import Final

from novavms_simcam.faults import Faults
from novavms_simcam.media import AudioTrack, Media, VideoTrack, base64_text

VIDEO_PT: Final = 96
AAC_PT: Final = 97
G711_PT: Final = {"pcmu": 0, "pcma": 8}
VIDEO_CONTROL: Final = "trackID=0"
AUDIO_CONTROL: Final = "trackID=1"


def audio_payload_type(track: AudioTrack) -> int:
    return AAC_PT if track.codec == "aac" else G711_PT[track.codec]


def describe(media: Media, name: str, host: str, session_id: int, faults: Faults) -> bytes:
    """The SDP of a stream as the camera, with its faults, tells it."""
    if faults.malformed_sdp == "garbage":
        return b"\xff\xfe=0\r\nm=video nonsense\r\n\x00\xc3\x28a=rtpmap\r\n=\r\nv\r\n"
    lines = [
        "v=0",
        f"o=- {session_id} 1 IN IP4 {host}",
        f"s={name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=tool:novavms-simcam",
        "a=type:broadcast",
        "a=control:*",
        "a=range:npt=now-",
    ]
    if faults.mjpeg:
        lines += ["m=video 0 RTP/AVP 26", "a=rtpmap:26 JPEG/90000", f"a=control:{VIDEO_CONTROL}"]
    elif not faults.no_video:
        lines += _video(media.video, faults.malformed_sdp)
    if media.audio is not None and faults.odd_audio:
        lines += [
            "m=audio 0 RTP/AVP 99",
            "a=rtpmap:99 G726-32/8000",
            f"a=control:{AUDIO_CONTROL}",
            "a=recvonly",
        ]
    elif media.audio is not None:
        lines += _audio(media.audio)
    return ("\r\n".join(lines) + "\r\n").encode()


def _video(track: VideoTrack, malformed: str) -> list[str]:
    sets = [base64_text(s) for s in track.parameter_sets]
    if malformed == "bad_sprop":
        sets = ["%%%not-base64", "=A=", "?"][: len(sets)]
    if track.codec == "h264":
        rtpmap = f"a=rtpmap:{VIDEO_PT} H264/90000"
        profile = track.parameter_sets[0][1:4].hex().upper()
        fmtp = [f"packetization-mode=1;profile-level-id={profile}", f"sprop-parameter-sets={','.join(sets)}"]
    else:
        rtpmap = f"a=rtpmap:{VIDEO_PT} H265/90000"
        vps, sps, pps = [*sets, "", "", ""][:3]
        fmtp = ["profile-space=0", f"sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}"]
    if malformed == "no_sprop":
        fmtp.pop()
    return [
        f"m=video 0 RTP/AVP {VIDEO_PT}",
        f"b=AS:{track.bitrate_kbps}",
        rtpmap,
        f"a=fmtp:{VIDEO_PT} {';'.join(fmtp)}",
        f"a=framesize:{VIDEO_PT} {track.width}-{track.height}",
        f"a=framerate:{track.fps:g}",
        f"a=control:{VIDEO_CONTROL}",
        "a=recvonly",
    ]


def _audio(track: AudioTrack) -> list[str]:
    pt = audio_payload_type(track)
    lines = [f"m=audio 0 RTP/AVP {pt}"]
    if track.codec == "aac":
        lines += [
            f"a=rtpmap:{pt} MPEG4-GENERIC/{track.clock_rate}/{track.channels}",
            f"a=fmtp:{pt} streamtype=5;profile-level-id=15;mode=AAC-hbr;"
            f"sizelength=13;indexlength=3;indexdeltalength=3;config={track.config.hex().upper()}",
        ]
    else:
        lines.append(f"a=rtpmap:{pt} {track.codec.upper()}/{track.clock_rate}")
    return [*lines, f"a=control:{AUDIO_CONTROL}", "a=recvonly"]
