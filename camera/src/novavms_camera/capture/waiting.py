"""Waiting for whichever comes first, by a clock that was handed in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from novavms_camera.capture.model import Clock


async def first_of(
    clock: Clock, seconds: float, *things: Coroutine[Any, Any, object] | asyncio.Future[Any]
) -> None:
    """Returns when one of `things` is done or `seconds` are over. Futures are left as they are; coroutines are cancelled."""
    own = [
        asyncio.ensure_future(t) for t in (*things, clock.sleep(max(0.0, seconds))) if asyncio.iscoroutine(t)
    ]
    futures = [t for t in things if isinstance(t, asyncio.Future)]
    try:
        await asyncio.wait([*own, *futures], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
