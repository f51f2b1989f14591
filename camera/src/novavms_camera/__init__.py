"""All of NovaVMS that touches a camera: ONVIF, RTSP, the connection check and the capture."""
