"""ONVIF, as far as cameras need it: finding devices, their clock, login, profiles and stream addresses."""

from novavms_camera.onvif.discovery import FoundDevice, discover
from novavms_camera.onvif.stream import resolve_stream

__all__ = ["FoundDevice", "discover", "resolve_stream"]
