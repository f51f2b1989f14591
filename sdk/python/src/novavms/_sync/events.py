# Made from _async/ by tools/sdk_python; not to be edited.
"""`client.events`: the operations, waiting for a clip, and downloads."""

from __future__ import annotations

import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import cast
from uuid import UUID

from novavms._sync.downloads import download
from novavms._sync.resources.events import EventsOperations
from novavms._sync.runtime import sleep
from novavms.errors import ClipFailedError, WaitTimeoutError
from novavms.types import Clip

POLL_SEC, POLL_MOST_SEC = 0.25, 2.0
Progress = Callable[[int, "int | None"], None]
"""Told the bytes so far, and how many there are where that is known."""


class ReadyClip(Clip):
    """A clip that can be played, with its download at hand."""

    def download(self, path: str | PathLike[str], *, progress: Progress | None = None) -> Path:
        """As `client.events.download_clip`.

        Args:
            path: The file to write.
            progress: Told the bytes so far, and how many there are.
        """
        events, event_id = cast("tuple[EventsResource, str]", self.__dict__[".source"])
        return events.download_clip(event_id, path, progress=progress)


class EventsResource(EventsOperations):
    """`client.events`"""

    def wait_for_clip(self, event_id: str | UUID, *, timeout: float = 180.0) -> ReadyClip:
        """Wait until an event's clip is ready.

        Raises ClipFailedError when there will be none, and WaitTimeoutError when the time is over.

        Args:
            timeout: Seconds for all of it, the recording itself included.
        """
        deadline = time.monotonic() + timeout
        pause = POLL_SEC
        while True:
            clip = (self.get(event_id)).clip
            if clip is None:
                raise ClipFailedError(f"Event {event_id} has no clip", None)
            if clip.status == "ready":
                ready = object.__new__(ReadyClip)
                ready.__dict__.update(clip.__dict__, **{".source": (self, str(event_id))})
                return ready
            if clip.status == "failed":
                why = clip.failure_message or clip.failure_reason or "no reason given"
                raise ClipFailedError(f"The clip of event {event_id} failed: {why}", clip)
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeoutError(f"The clip of event {event_id} is {clip.status} after {timeout:g} s")
            sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_MOST_SEC)

    def download_clip(
        self, event_id: str | UUID, path: str | PathLike[str], *, progress: Progress | None = None
    ) -> Path:
        """Save an event's clip as an MP4. Goes on where a connection broke; checks size and SHA-256.

        The file appears at `path` when it is whole, in place of what was there. Raises DownloadError when it cannot be had
        whole, and ConflictError while the clip is being made.

        Args:
            path: The file to write.
            progress: Told the bytes so far, and how many there are.
        """
        clip = (self.get(event_id)).clip

        def link() -> str:
            return self.clip_url(event_id)

        size, sha256 = (clip.size_bytes, clip.sha256) if clip is not None else (None, None)
        return download(self._transport, link, Path(path), size=size, sha256=sha256, progress=progress)

    def download_snapshot(self, event_id: str | UUID, path: str | PathLike[str]) -> Path:
        """Save an event's picture as a JPEG.

        Args:
            path: The file to write.
        """

        def link() -> str:
            return self.snapshot_url(event_id)

        return download(self._transport, link, Path(path))
