"""The hostile camera: a simulated RTSP and ONVIF camera with faults to switch on."""
