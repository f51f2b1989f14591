"""Where a running session's stream is, for who opens another one of it: only of one that shows pictures, and only where it was judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.capture import CaptureStream
from novavms_camera.faults import CameraFault
from novavms_camera.secret import Secret
from novavms_camera.source import StreamSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio


def source_of(cam: SimCam) -> StreamSource:
    return StreamSource(
        url=cam.rtsp_url,
        username="admin",
        password=Secret(cam.config.password),
        address="127.0.0.1",
        redirects=AddressPolicy(allow_loopback=True),
    )


async def while_it_runs(stream: CaptureStream, condition: Callable[[], Any]) -> None:
    """Ends the stream once the condition is true."""
    running = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_session_without_pictures_gives_none() -> None:
    """Its login may be wrong, and tries are few."""
    async with SimCam() as cam:
        cam.set_fault("no_media")
        stream = CaptureStream(source_of(cam))
        seen: list[StreamSource | None] = []

        def is_talking() -> bool:
            seen.append(stream.session_source)
            return stream.bytes_received > 500

        await while_it_runs(stream, is_talking)
        assert set(map(type, seen)) == {type(None)}


async def test_a_running_one_gives_its_own_and_after_its_end_none() -> None:
    async with SimCam() as cam:
        stream = CaptureStream(source_of(cam))
        await while_it_runs(stream, lambda: stream.session_source == source_of(cam))
        assert stream.session_source is None


async def test_a_redirect_is_followed_on_the_machine_that_was_judged_and_on_no_other() -> None:
    async with SimCam() as cam, SimCam() as other, SimCam(SimCamConfig(host="127.0.0.2")) as far:
        cam.set_fault("redirect", other.rtsp_url)
        stream = CaptureStream(source_of(cam))
        there = replace(source_of(cam), url=other.rtsp_url)
        await while_it_runs(stream, lambda: stream.session_source == there)

        cam.set_fault("redirect", far.rtsp_url)
        stream = CaptureStream(source_of(cam))

        def is_refused() -> bool:
            try:
                assert stream.session_source is None
            except CameraFault as fault:
                return fault.reason == "address_forbidden"
            return False

        await while_it_runs(stream, is_refused)
