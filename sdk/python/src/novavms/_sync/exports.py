# Made from _async/ by tools/sdk_python; not to be edited.
"""`client.exports`: the operations, waiting, and the download."""

from __future__ import annotations

import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from uuid import UUID

from novavms._sync.downloads import download
from novavms._sync.resources.exports import ExportsOperations
from novavms._sync.runtime import sleep
from novavms.errors import ExportFailedError, WaitTimeoutError
from novavms.types import Export

POLL_SEC, POLL_MOST_SEC = 0.5, 5.0


class ExportsResource(ExportsOperations):
    """`client.exports`"""

    def wait_until_ready(
        self,
        export_id: str | UUID,
        *,
        timeout: float = 600.0,
        progress: Callable[[Export], None] | None = None,
    ) -> Export:
        """Wait until an export is ready.

        Raises ExportFailedError when it failed, and WaitTimeoutError when the time is over: it goes on being made.

        Args:
            timeout: Seconds for all of it.
            progress: Told the export each time it is looked at.
        """
        deadline = time.monotonic() + timeout
        pause = POLL_SEC
        while True:
            export = self.get(export_id)
            if progress is not None:
                progress(export)
            if export.status == "ready":
                return export
            if export.status == "failed":
                why = export.status_message or export.status_reason or "no reason given"
                raise ExportFailedError(f"Export {export_id} failed: {why}", export)
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeoutError(f"Export {export_id} is {export.status} after {timeout:g} s")
            sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_MOST_SEC)

    def download(
        self,
        export_id: str | UUID,
        path: str | PathLike[str],
        *,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Save an export's file. Goes on where a connection broke; checks size and SHA-256.

        The file appears at `path` when it is whole. Raises DownloadError when it cannot be had whole, and ConflictError while
        it is being made.

        Args:
            path: The file to write.
            progress: Told the bytes so far, and how many there are.
        """
        export = self.get(export_id)

        def link() -> str:
            return self.download_url(export_id)

        return download(
            self._transport, link, Path(path), size=export.size_bytes, sha256=export.sha256, progress=progress
        )
