"""A simulated camera as the server tells a gateway of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from novavms_protocol import CameraConfig
from novavms_simcam import DEFAULT_PASSWORD, SimCam


def as_rtsp(cam: SimCam, **changed: Any) -> CameraConfig:
    """By its RTSP address, another id each time."""
    plain: dict[str, Any] = {
        "camera_id": uuid4(),
        "revision": 1,
        "name": "Yard",
        "kind": "rtsp",
        "host": "127.0.0.1",
        "port": cam.rtsp_port,
        "rtsp_url": cam.rtsp_url,
        "username": "admin",
        "password": DEFAULT_PASSWORD,
        "allow_loopback": True,
    }
    return CameraConfig(**plain | changed)


def as_onvif(cam: SimCam, **changed: Any) -> CameraConfig:
    """By its ONVIF service, another id each time."""
    return as_rtsp(cam, **{"kind": "onvif", "port": cam.onvif_port, "rtsp_url": None} | changed)
