"""The last proof: the camera really sends a picture that can be decoded. Ends at the first key frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from novavms_camera.capture.model import MediaFacts
from novavms_camera.capture.probe import Silence, probe_client
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.sdp import SessionDescription

SILENCE_SEC = 5.0
"""Without media for this long after PLAY, none will come; with some, the key frame may still be on its way."""
SILENCE_BYTES = 4096
"""What the answers to SETUP and PLAY and a few sender reports amount to; a picture is more."""

UDP_HINT = (
    "The camera's UDP packets do not arrive: let UDP from the camera through the firewalls and VLANs on the way, or switch on "
    "RTP over RTSP (TCP) in the camera's network settings."
)
_AUDIO = {"MPEG4-GENERIC": "aac", "MP4A-LATM": "aac", "PCMA": "pcma", "PCMU": "pcmu"}
CODEC_NAMES = {"h264": "H.264", "h265": "H.265"}


@dataclass(frozen=True, slots=True)
class FirstKeyFrame:
    """What arrived, and how many seconds after SETUP began."""

    facts: MediaFacts
    wait_sec: float


def audio_codec(description: SessionDescription) -> tuple[str | None, bool]:
    """(codec of the audio that the camera sends, whether we can record it); (None, True) without audio."""
    if description.audio is not None:
        return _AUDIO[description.audio.encoding], True
    for media in description.medias:
        if media.kind == "audio" and media.direction in {"sendrecv", "recvonly"}:
            return media.encoding.lower() or "unknown", False
    return None, True


class SilenceFault(CameraFault):
    """PLAY was accepted, and then nothing came by `transport`."""

    def __init__(self, transport: Literal["tcp", "udp"] | None, *, tcp_too: bool = False) -> None:
        by = "neither over TCP nor over UDP" if tcp_too else "over UDP" if transport == "udp" else "over TCP"
        super().__init__(
            "no_media",
            f"PLAY was accepted, but no picture came within {SILENCE_SEC:g} s {by}",
            hint=UDP_HINT if transport == "udp" and not tcp_too else None,
        )
        self.transport = transport


async def first_key_frame(
    client: RtspClient,
    description: SessionDescription,
    timeout_sec: float,
    transports: Sequence[Literal["tcp", "udp"]],
) -> FirstKeyFrame:
    """SETUP, PLAY, and wait, as the capture does it; then TEARDOWN, whatever happened.

    Raises CameraFault no_media (SilenceFault), transport_unsupported, too_many_connections, or what ended the connection.
    """
    seen = await probe_client(
        client,
        description,
        timeout=timeout_sec,
        transports=transports,
        silence=Silence(SILENCE_SEC, SILENCE_BYTES, SilenceFault),
    )
    return FirstKeyFrame(seen.facts, seen.first_key_sec)
