"""Unplugging in the moment of connecting: every connection is refused, reset or closed, none is lost open."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio


async def test_nothing_accepted_is_left_open() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for turns in range(12):
            camera = SimCam(SimCamConfig(onvif_port=None))
            await camera.__aenter__()
            callers = [socket.socket() for _ in range(8)]
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", camera.rtsp_port))
            for _ in range(turns % 4):
                await asyncio.sleep(0)
            await camera.__aexit__(None, None, None)
            await asyncio.sleep(0.001)
            for caller in callers:
                caller.close()
        gc.collect()
    assert [str(each.message) for each in said if "unclosed" in str(each.message)] == []
