"""The last proof: the camera really sends a picture that can be decoded. Ends at the first key frame."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from novavms_camera.capture.model import MediaFacts
from novavms_camera.capture.probe import probe_client
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.sdp import SessionDescription

SILENCE_SEC = 5.0
"""Without media for this long after PLAY, none will come; with some, the key frame may still be on its way."""
SILENCE_BYTES = 4096
"""What the answers to SETUP and PLAY and a few sender reports amount to; a picture is more."""

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
        if media.kind == "audio" and media.direction in {"sendrecv", "sendonly"}:
            return media.encoding.lower() or "unknown", False
    return None, True


async def first_key_frame(
    client: RtspClient, description: SessionDescription, timeout_sec: float
) -> FirstKeyFrame:
    """SETUP, PLAY, and wait, as the capture does it. The caller tears the session down whatever happens.

    Raises CameraFault no_media, transport_unsupported, too_many_connections, or what ended the connection.
    """
    started, before = time.perf_counter(), client.bytes_received
    probe = asyncio.create_task(probe_client(client, description, timeout=timeout_sec))
    try:
        await asyncio.wait({probe}, timeout=SILENCE_SEC)
        if not probe.done() and client.bytes_received - before < SILENCE_BYTES:
            raise CameraFault("no_media", f"PLAY was accepted, but no picture came within {SILENCE_SEC:g} s")
        seen = await probe
        return FirstKeyFrame(seen.facts, time.perf_counter() - started)
    finally:
        if probe.cancel():
            await asyncio.wait({probe})
