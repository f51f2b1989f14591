"""`client.cameras`: the operations, and waiting."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from novavms._async.resources.cameras import AsyncCamerasOperations
from novavms._async.runtime import sleep
from novavms.errors import CameraStateError, WaitTimeoutError
from novavms.types import CameraDetail, CameraStatus

POLL_SEC, POLL_MOST_SEC = 0.25, 2.0
FINAL = frozenset({"error", "disabled"})
"""States that a camera leaves only with somebody's help."""


class AsyncCamerasResource(AsyncCamerasOperations):
    """`client.cameras`"""

    async def wait_until(
        self, camera_id: str | UUID, status: CameraStatus = "online", *, timeout: float = 60.0
    ) -> CameraDetail:
        """Wait until a camera is in a state, and answer it as it is then.

        Raises CameraStateError when it goes to `error` or `disabled` instead, which it does not leave by itself, and
        WaitTimeoutError when the time is over.

        Args:
            status: `online`, unless you wait for another.
            timeout: Seconds for all of it.
        """
        deadline = time.monotonic() + timeout
        pause = POLL_SEC
        first: CameraDetail | None = None
        while True:
            camera = await self.get(camera_id)
            if camera.status == status:
                return camera
            # One that was in error when we came may be leaving it: its credentials were just mended.
            if camera.status in FINAL and first is not None and _state(camera) != _state(first):
                why = camera.status_message or camera.status_reason or "no reason given"
                raise CameraStateError(f"Camera {camera_id} is {camera.status}: {why}", camera)
            first = first or camera
            left = deadline - time.monotonic()
            if left <= 0:
                why = f" ({camera.status_reason})" if camera.status_reason else ""
                raise WaitTimeoutError(
                    f"Camera {camera_id} is {camera.status}{why}, not {status}, after {timeout:g} s"
                )
            await sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_MOST_SEC)


def _state(camera: CameraDetail) -> tuple[str, datetime]:
    return camera.status, camera.status_at
