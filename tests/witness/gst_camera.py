"""A camera that we did not write: GStreamer's RTSP server on 127.0.0.1. Run by Debian's Python, which has its bindings.

    /usr/bin/python3 gst_camera.py digest|basic|none        # login by $WITNESS_USERNAME and $WITNESS_PASSWORD

Prints {"port": …, "paths": […]} once it listens, and ends with its standard input. Imports nothing of ours.
"""

import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

# I420 is forced: left alone, x264enc takes 4:4:4 from the test picture, which no camera sends.
PICTURE = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"
)
SOUND = "audiotestsrc is-live=true wave=ticks ! audio/x-raw,format=S16LE,channels=1,rate={rate}"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=300 ! rtph264pay name=pay0 pt=96 config-interval=1"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=300 ! rtph265pay name=pay0 pt=96 config-interval=1"
AAC = "voaacenc ! rtpmp4gpay name=pay1 pt=97"
PCMA = "alawenc ! rtppcmapay name=pay1 pt=8"

STREAMS = {
    "h264": f"{PICTURE} ! {H264}",
    "h264-pcma": f"{PICTURE} ! {H264} {SOUND.format(rate=8000)} ! {PCMA}",
    "h264-aac": f"{PICTURE} ! {H264} {SOUND.format(rate=32000)} ! {AAC}",
    "h265": f"{PICTURE} ! {H265}",
    "mjpeg": f"{PICTURE} ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "sound": f"{SOUND.format(rate=8000)} ! alawenc ! rtppcmapay name=pay0 pt=8",
}


def guard(server, method):
    """Let only the one user in, by this method."""
    username, password = os.environ["WITNESS_USERNAME"], os.environ["WITNESS_PASSWORD"]
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if method == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(username, password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(username, password), token)
    server.set_auth(auth)


def main(method):
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if method != "none":
        guard(server, method)
    for name, pipeline in STREAMS.items():
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( {pipeline} )")
        if method != "none":
            permissions = GstRtspServer.RTSPPermissions.new()
            for right in (
                GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS,
                GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
            ):
                permissions.add_permission_for_role("viewer", right, True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
    server.attach(None)
    loop = GLib.MainLoop()
    GLib.io_add_watch(
        sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP | GLib.IOCondition.IN, lambda *_: loop.quit()
    )
    print(json.dumps({"port": server.get_bound_port(), "paths": list(STREAMS)}), flush=True)
    loop.run()


if __name__ == "__main__":
    main(sys.argv[1])
