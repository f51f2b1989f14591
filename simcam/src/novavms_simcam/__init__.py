"""The hostile camera: a simulated RTSP and ONVIF camera with faults to switch on."""

from novavms_simcam.camera import SimCam, SimCamFleet
from novavms_simcam.config import DEFAULT_PASSWORD, DEFAULT_USERNAME, SimCamConfig
from novavms_simcam.faults import FAULTS, Faults

__all__ = [
    "DEFAULT_PASSWORD",
    "DEFAULT_USERNAME",
    "FAULTS",
    "Faults",
    "SimCam",
    "SimCamConfig",
    "SimCamFleet",
]
