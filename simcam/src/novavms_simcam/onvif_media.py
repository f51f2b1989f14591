"""ONVIF's Media (ver10) and Media2 (ver20) services: profiles, stream and snapshot addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from novavms_simcam.media import AudioTrack, VideoTrack
from novavms_simcam.onvif_device import Operation
from novavms_simcam.soap import Call, SoapFault

if TYPE_CHECKING:
    from novavms_simcam.camera import SimCam

PROFILES: Final = {"profile_main": "main", "profile_sub": "sub"}
_AUDIO_NAMES: Final = {"aac": ("AAC", "MP4A-LATM"), "pcma": ("G711", "PCMA"), "pcmu": ("G711", "PCMU")}
_MULTICAST: Final = (
    "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
    "<tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
)


def _video_source(camera: SimCam) -> str:
    video = camera.media["main"].video
    return (
        "<tt:Name>VideoSource</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source_0</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{video.width}" height="{video.height}"/>'
    )


def _keyframe_distance(video: VideoTrack) -> int:
    """Frames from one key frame to the next (GovLength)."""
    return video.keys[1] - video.keys[0] if len(video.keys) > 1 else len(video.samples)


def _encoder1(video: VideoTrack) -> str:
    """A VideoEncoderConfiguration of Media1. Its schema knows no H.265; cameras say H264 or H265 there all the same."""
    coding = {"h264": "H264", "h265": "H265"}[video.codec]
    return (
        f"<tt:Name>{coding}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{coding}</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{video.width}</tt:Width><tt:Height>{video.height}</tt:Height></tt:Resolution>"
        f"<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>{round(video.fps)}</tt:FrameRateLimit>"
        f"<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{video.bitrate_kbps}</tt:BitrateLimit></tt:RateControl>"
        f"<tt:{coding}><tt:GovLength>{_keyframe_distance(video)}</tt:GovLength><tt:{coding}Profile>Main</tt:{coding}Profile></tt:{coding}>"
        f"{_MULTICAST}<tt:SessionTimeout>PT60S</tt:SessionTimeout>"
    )


def _audio_encoder(audio: AudioTrack, *, media2: bool) -> str:
    return (
        f"<tt:Name>Audio</tt:Name><tt:UseCount>2</tt:UseCount><tt:Encoding>{_AUDIO_NAMES[audio.codec][media2]}</tt:Encoding>"
        f"<tt:Bitrate>64</tt:Bitrate><tt:SampleRate>{audio.clock_rate // 1000}</tt:SampleRate>"
        f"{'' if media2 else _MULTICAST + '<tt:SessionTimeout>PT60S</tt:SessionTimeout>'}"
    )


def _profiles1(camera: SimCam, call: Call, local: str) -> str:
    if camera.faults.no_profiles:
        return ""
    out = []
    for token, tier in PROFILES.items():
        media = camera.media[tier]
        sound = (
            f'<tt:AudioEncoderConfiguration token="audio_0">{_audio_encoder(media.audio, media2=False)}</tt:AudioEncoderConfiguration>'
            if media.audio
            else ""
        )
        out.append(
            f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{tier}</tt:Name>'
            f'<tt:VideoSourceConfiguration token="vsc_0">{_video_source(camera)}</tt:VideoSourceConfiguration>'
            f'<tt:VideoEncoderConfiguration token="vec_{tier}">{_encoder1(media.video)}</tt:VideoEncoderConfiguration>'
            f"{sound}</trt:Profiles>"
        )
    return "".join(out)


def _encoder2(video: VideoTrack) -> str:
    coding = {"h264": "H264", "h265": "H265"}[video.codec]
    return (
        f"<tt:Name>{coding}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{coding}</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{video.width}</tt:Width><tt:Height>{video.height}</tt:Height></tt:Resolution>"
        f'<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>{video.fps:g}</tt:FrameRateLimit>'
        f"<tt:BitrateLimit>{video.bitrate_kbps}</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality>"
    )


def _encoder2_tag(camera: SimCam, tier: str, tag: str) -> str:
    video = camera.media[tier].video
    return f'<{tag} token="vec_{tier}" GovLength="{_keyframe_distance(video)}" Profile="Main">{_encoder2(video)}</{tag}>'


def _profiles2(camera: SimCam, call: Call, local: str) -> str:
    """Configurations come only if asked for by Type (Media2, section 5.2.2)."""
    if camera.faults.no_profiles:
        return ""
    asked = {(e.text or "").strip() for e in call.element.iter() if str(e.tag).endswith("}Type")}
    out = []
    for token, tier in PROFILES.items():
        media = camera.media[tier]
        parts = ""
        if asked & {"All", "VideoSource"}:
            parts += f'<tr2:VideoSource token="vsc_0">{_video_source(camera)}</tr2:VideoSource>'
        if asked & {"All", "VideoEncoder"}:
            parts += _encoder2_tag(camera, tier, "tr2:VideoEncoder")
        if media.audio and asked & {"All", "AudioEncoder"}:
            parts += f'<tr2:AudioEncoder token="audio_0">{_audio_encoder(media.audio, media2=True)}</tr2:AudioEncoder>'
        configurations = f"<tr2:Configurations>{parts}</tr2:Configurations>" if parts else ""
        out.append(
            f'<tr2:Profiles token="{token}" fixed="true"><tr2:Name>{tier}</tr2:Name>{configurations}</tr2:Profiles>'
        )
    return "".join(out)


def _tier(call: Call) -> str:
    tier = PROFILES.get(call.text("ProfileToken"))
    if tier is None:
        raise SoapFault("Sender", ("ter:InvalidArgVal", "ter:NoProfile"), "No such profile")
    return tier


def stream_uri(camera: SimCam, tier: str, local: str) -> str:
    host = camera.faults.stream_uri_host or local
    if camera.faults.stream_uri_rtsps and camera.rtsps_port is not None:
        return f"rtsps://{host}:{camera.rtsps_port}/stream/{tier}"
    return f"rtsp://{host}:{camera.rtsp_port}/stream/{tier}"


def _media_uri(uri: str) -> str:
    return (
        f"<trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
    )


def _snapshot(camera: SimCam, call: Call, local: str) -> str:
    return f"{camera.onvif_scheme}://{camera.faults.xaddr_host or local}:{camera.onvif_port}/snapshot/{_tier(call)}.jpg"


def _video_sources(camera: SimCam, call: Call, local: str) -> str:
    video = camera.media["main"].video
    return (
        f'<trt:VideoSources token="source_0"><tt:Framerate>{video.fps:g}</tt:Framerate><tt:Resolution>'
        f"<tt:Width>{video.width}</tt:Width><tt:Height>{video.height}</tt:Height></tt:Resolution></trt:VideoSources>"
    )


def _encoders1(camera: SimCam, call: Call, local: str) -> str:
    return "".join(
        f'<trt:Configurations token="vec_{tier}">{_encoder1(media.video)}</trt:Configurations>'
        for tier, media in camera.media.items()
    )


def _one_encoder1(camera: SimCam, call: Call, local: str) -> str:
    media = camera.media.get(call.text("ConfigurationToken").removeprefix("vec_"))
    if media is None:
        raise SoapFault("Sender", ("ter:InvalidArgVal", "ter:NoConfig"), "No such configuration")
    token = escape(call.text("ConfigurationToken"))
    return f'<trt:Configuration token="{token}">{_encoder1(media.video)}</trt:Configuration>'


def _encoders2(camera: SimCam, call: Call, local: str) -> str:
    return "".join(_encoder2_tag(camera, tier, "tr2:Configurations") for tier in camera.media)


MEDIA1: Final[dict[str, Operation]] = {
    "GetProfiles": _profiles1,
    "GetStreamUri": lambda camera, call, local: _media_uri(stream_uri(camera, _tier(call), local)),
    "GetSnapshotUri": lambda camera, call, local: _media_uri(_snapshot(camera, call, local)),
    "GetVideoSources": _video_sources,
    "GetVideoEncoderConfigurations": _encoders1,
    "GetVideoEncoderConfiguration": _one_encoder1,
}

MEDIA2: Final[dict[str, Operation]] = {
    "GetProfiles": _profiles2,
    "GetStreamUri": lambda camera, call, local: (
        f"<tr2:Uri>{escape(stream_uri(camera, _tier(call), local))}</tr2:Uri>"
    ),
    "GetSnapshotUri": lambda camera, call, local: (
        f"<tr2:Uri>{escape(_snapshot(camera, call, local))}</tr2:Uri>"
    ),
    "GetVideoEncoderConfigurations": _encoders2,
}
