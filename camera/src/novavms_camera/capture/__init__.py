"""Capturing streams: one reader per camera, memory for pre-roll, clips, segments and live fragments; nothing is decoded."""

from novavms_camera.capture.finalise import salvage_clip
from novavms_camera.capture.live import Fragment, Subscription
from novavms_camera.capture.model import (
    ClipFile,
    Clock,
    KeyFrame,
    MediaFacts,
    SourceProvider,
    StreamStatus,
    SystemClock,
)
from novavms_camera.capture.probe import MediaProbe, probe_client, probe_media
from novavms_camera.capture.segments import SegmentRecorder
from novavms_camera.capture.stream import CaptureStream
from novavms_camera.capture.work import snapshot_jpeg

__all__ = [
    "CaptureStream",
    "ClipFile",
    "Clock",
    "Fragment",
    "KeyFrame",
    "MediaFacts",
    "MediaProbe",
    "SegmentRecorder",
    "SourceProvider",
    "StreamStatus",
    "Subscription",
    "SystemClock",
    "probe_client",
    "probe_media",
    "salvage_clip",
    "snapshot_jpeg",
]
