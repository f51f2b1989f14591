"""What a server tells a gateway: of a simulated camera, and to record a clip of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from novavms_protocol import CameraConfig, RecordClip
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


def clip_order(camera: CameraConfig, *, duration_sec: float = 2.0, pre_roll_sec: float = 1.0) -> RecordClip:
    """Triggered now, another clip of another event each time."""
    return RecordClip(
        clip_id=uuid4(),
        event_id=uuid4(),
        camera_id=camera.camera_id,
        triggered_at=datetime.now(UTC),
        duration_sec=duration_sec,
        pre_roll_sec=pre_roll_sec,
    )
