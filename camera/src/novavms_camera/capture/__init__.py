"""Capturing streams: one reader per camera, memory for pre-roll, clips, segments and live fragments; nothing is decoded."""

from novavms_camera.capture.finalise import salvage_clip
from novavms_camera.capture.live import Fragment, Subscription
from novavms_camera.capture.model import (
    ClipFile,
    Clock,
    Jump,
    KeyFrame,
    Loss,
    MediaFacts,
    SampleSink,
    SampleSource,
    SourceProvider,
    StreamStatus,
    SystemClock,
    WallClock,
)
from novavms_camera.capture.probe import MediaProbe, probe_client, probe_media
from novavms_camera.capture.segment import (
    Growth,
    KeyEntry,
    SegmentFacts,
    SegmentFormat,
    SegmentIdentity,
    SegmentNote,
)
from novavms_camera.capture.segment_disk import SyncedFile, SyncPace
from novavms_camera.capture.segment_reader import read_segment, repair_segment
from novavms_camera.capture.segment_writer import SegmentFile
from novavms_camera.capture.segments import SegmentKeeper, SegmentRecorder
from novavms_camera.capture.stream import CaptureStream
from novavms_camera.capture.work import snapshot_jpeg

__all__ = [
    "CaptureStream",
    "ClipFile",
    "Clock",
    "Fragment",
    "Growth",
    "Jump",
    "KeyEntry",
    "KeyFrame",
    "Loss",
    "MediaFacts",
    "MediaProbe",
    "SampleSink",
    "SampleSource",
    "SegmentFacts",
    "SegmentFile",
    "SegmentFormat",
    "SegmentIdentity",
    "SegmentKeeper",
    "SegmentNote",
    "SegmentRecorder",
    "SourceProvider",
    "StreamStatus",
    "Subscription",
    "SyncPace",
    "SyncedFile",
    "SystemClock",
    "WallClock",
    "probe_client",
    "probe_media",
    "read_segment",
    "repair_segment",
    "salvage_clip",
    "snapshot_jpeg",
]
