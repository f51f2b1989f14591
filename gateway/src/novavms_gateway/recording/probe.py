"""What is in a finished clip whose facts were lost: the box went down between the file and the journal."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import av

from novavms_gateway.storage.journal import ClipFacts, ClipJob

WHOLE_WITHIN_SEC = 0.5


def is_whole(duration_sec: float, job: ClipJob) -> bool:
    """Whether a clip has all that was asked for."""
    return duration_sec >= job.pre_roll_sec + job.duration_sec - WHOLE_WITHIN_SEC


async def probe_clip(path: Path, job: ClipJob, *, failure_reason: str) -> ClipFacts | None:
    """The file's facts; None where it holds no video. `started_at` is by our clock. Raises OSError."""
    return await asyncio.to_thread(_probe, path, job, failure_reason)


def _probe(path: Path, job: ClipJob, failure_reason: str) -> ClipFacts | None:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
    try:
        with av.open(str(path)) as container:
            if not container.streams.video or not container.duration:
                return None
            video = container.streams.video[0]
            duration_sec = round(container.duration / av.time_base, 3)
            return ClipFacts(
                size_bytes=size_bytes,
                sha256=sha256,
                duration_sec=duration_sec,
                started_at=job.started_at - timedelta(seconds=job.pre_roll_sec),
                codec="h265" if video.codec_context.name == "hevc" else video.codec_context.name,
                width=video.codec_context.width,
                height=video.codec_context.height,
                has_audio=bool(container.streams.audio),
                failure_reason=None if is_whole(duration_sec, job) else failure_reason,
            )
    except av.FFmpegError:
        return None
