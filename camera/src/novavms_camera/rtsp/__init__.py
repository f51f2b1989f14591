"""Our own asyncio RTSP client (RFC 2326), RTP/RTCP readers and depacketisers. No threads, no decoding."""

from novavms_camera.rtsp.client import RtspClient
from novavms_camera.rtsp.connection import PacketHandler
from novavms_camera.rtsp.sdp import Media, SessionDescription, parse_sdp
from novavms_camera.rtsp.url import RtspUrl, split_credentials

__all__ = [
    "Media",
    "PacketHandler",
    "RtspClient",
    "RtspUrl",
    "SessionDescription",
    "parse_sdp",
    "split_credentials",
]
