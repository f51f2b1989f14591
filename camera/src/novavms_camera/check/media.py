"""The last proof: the camera really sends a picture that can be decoded. Ends at the first key frame."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Literal

from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.nal import H264Depacketiser, H265Depacketiser, NalDepacketiser
from novavms_camera.rtsp.parameter_sets import ParameterSets, VideoFormat
from novavms_camera.rtsp.rtp import RtpTrack
from novavms_camera.rtsp.sdp import Media, SessionDescription

SILENCE_SEC = 5.0
"""Without a single packet for this long after PLAY, none will come."""

_VIDEO = {"H264": H264Depacketiser, "H265": H265Depacketiser}
_AUDIO = {"MPEG4-GENERIC": "aac", "MP4A-LATM": "aac", "PCMA": "pcma", "PCMU": "pcmu"}
CODEC_NAMES = {"h264": "H.264", "h265": "H.265"}


@dataclass(frozen=True, slots=True)
class FirstKeyFrame:
    """What arrived, and how long after PLAY."""

    format: VideoFormat
    wait_sec: float
    transport: Literal["tcp", "udp"]


def choose_video(description: SessionDescription) -> Media:
    """The track to record. Raises CameraFault no_video or codec_unsupported."""
    media = description.video
    if media is None:
        offered = ", ".join(sorted({media.kind for media in description.medias})) or "nothing"
        raise CameraFault("no_video", f"the stream has no video track (it offers: {offered})")
    if media.encoding not in _VIDEO:
        raise CameraFault(
            "codec_unsupported", f"the stream's video is {media.encoding or 'of an unknown codec'}"
        )
    return media


def audio_codec(description: SessionDescription) -> tuple[str | None, bool]:
    """(codec of the audio that the camera sends, whether we can record it); (None, True) without audio."""
    if description.audio is not None:
        return _AUDIO[description.audio.encoding], True
    for media in description.medias:
        if media.kind == "audio" and media.direction in {"sendrecv", "sendonly"}:
            return media.encoding.lower() or "unknown", False
    return None, True


async def first_key_frame(
    client: RtspClient, media: Media, transport: Literal["tcp", "udp"]
) -> FirstKeyFrame:
    """SETUP, PLAY, and wait. The caller bounds the time, and tears the session down whatever happens.

    Raises CameraFault no_media after SILENCE_SEC without any packet, transport_unsupported, too_many_connections, or
    what ended the connection.
    """
    arrived: asyncio.Future[VideoFormat] = asyncio.get_running_loop().create_future()
    codec: Literal["h264", "h265"] = "h264" if media.encoding == "H264" else "h265"
    sets = ParameterSets(codec)
    for unit in media.parameter_sets():
        sets.take(unit)

    def on_access_unit(timestamp: int, is_key: bool, unit: bytes) -> None:
        if is_key and sets.complete and not arrived.done():
            arrived.set_result(sets.format())

    depacketiser: NalDepacketiser = _VIDEO[media.encoding](sets, on_access_unit)
    track = RtpTrack(media.payload_type, depacketiser)
    await client.setup(media, transport, on_rtp=track.on_rtp, on_rtcp=track.on_rtcp)
    started = time.perf_counter()
    await client.play()
    ended = asyncio.ensure_future(client.wait_closed())
    either: set[asyncio.Future[Any]] = {arrived, ended}
    try:
        await asyncio.wait(either, timeout=SILENCE_SEC, return_when=asyncio.FIRST_COMPLETED)
        if not arrived.done() and not ended.done():
            if track.packets == 0:
                raise CameraFault(
                    "no_media", f"PLAY was accepted, but no packet came within {SILENCE_SEC:g} s"
                )
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not arrived.done():
            raise ended.result()
        return FirstKeyFrame(arrived.result(), time.perf_counter() - started, transport)
    finally:
        ended.cancel()
