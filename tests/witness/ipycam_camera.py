"""An ONVIF device that we did not write: ipycam's, on 127.0.0.1, without its discovery (which joins a multicast group).

    python ipycam_camera.py RTSP_PORT STREAM     # login by $WITNESS_USERNAME and $WITNESS_PASSWORD

Its stream is said to be at rtsp://127.0.0.1:RTSP_PORT/STREAM. Prints {"port": …} once it listens, and ends with its
standard input. Imports nothing of ours.
"""

import json
import os
import sys
import threading
from http.server import ThreadingHTTPServer

from ipycam import CameraConfig, IPCamera, IPCameraHTTPHandler


def main(rtsp_port, stream):
    camera = IPCamera(
        CameraConfig(
            local_ip="127.0.0.1",
            rtsp_port=rtsp_port,
            main_stream_name=stream,
            sub_stream_name=stream,
            username=os.environ["WITNESS_USERNAME"],
            password=os.environ["WITNESS_PASSWORD"],
        )
    )
    IPCameraHTTPHandler.camera = camera
    with ThreadingHTTPServer(("127.0.0.1", 0), IPCameraHTTPHandler) as server:
        server.daemon_threads = True
        camera.config.onvif_port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"port": server.server_port}), flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
