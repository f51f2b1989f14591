"""Clips of one camera that overlap: each whole and of its own event, all of them from one session, by one capture."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import av
import msgspec
import pytest
from nova_camera import as_rtsp, clip_order

from novavms_protocol import ClipReady, CutClip, RecordingPlan
from novavms_simcam import SimCam

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Running = Callable[..., AbstractAsyncContextManager[None]]


def digests(content: bytes) -> list[bytes]:
    """The SHA-256 of each coded picture, in order."""
    with av.open(io.BytesIO(content)) as container:
        return [hashlib.sha256(bytes(packet)).digest() for packet in container.demux(video=0) if packet.size]


def stretch(whole: list[bytes], part: list[bytes]) -> list[bytes]:
    """From the first picture of `part` on in `whole`, as many as both have."""
    at = whole.index(part[0])
    return whole[at : at + len(part)]


async def test_triggers_within_a_running_clip_and_a_cut_of_the_same_time(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    """A long clip, two triggers while it runs, and a cut of the past over all of them."""
    async with SimCam() as cam, gateway():
        camera = msgspec.structs.replace(as_rtsp(cam), recording=RecordingPlan(mode="continuous"))
        await server_side.bring_online(camera)
        online = server_side.status(camera.camera_id).at
        await wait_until(lambda: datetime.now(UTC) - online > timedelta(seconds=4))
        orders = [clip_order(camera, duration_sec=6, pre_roll_sec=2)]
        assert (await server_side.ask(orders[0])).ok
        for duration_sec in (3.0, 2.0):
            before = orders[-1].triggered_at
            await wait_until(lambda before=before: datetime.now(UTC) - before > timedelta(seconds=1))
            orders.append(clip_order(camera, duration_sec=duration_sec, pre_roll_sec=2))
            assert (await server_side.ask(orders[-1])).ok
        ends = [await wait_until(lambda each=each: server_side.clip_end(each.clip_id)) for each in orders]
        assert all(isinstance(end, ClipReady) and end.failure_reason is None for end in ends), ends
        assert len({order.event_id for order in orders}) == 3
        for order, end in zip(orders, ends, strict=True):
            assert abs(end.duration_sec - order.duration_sec - 2) < 0.5
            assert abs((order.triggered_at - end.started_at).total_seconds() - 2) < 1.5, "its own pre-roll"

        cut = CutClip(
            clip_id=uuid4(),
            event_id=uuid4(),
            camera_id=camera.camera_id,
            start=orders[0].triggered_at - timedelta(seconds=1),
            end=orders[0].triggered_at + timedelta(seconds=4),
        )
        answer = await server_side.ask(cut)
        assert answer.ok, answer
        ready = await wait_until(lambda: server_side.clip_end(cut.clip_id))
        assert isinstance(ready, ClipReady), ready

        long, *short = [digests(server_side.stored(order.clip_id)) for order in orders]
        for each in short:
            assert len(each) > 40
            assert stretch(long, each) == each, "the very same pictures"
        of_the_past = digests(server_side.stored(cut.clip_id))
        assert len(of_the_past) > 40
        assert stretch(long, of_the_past) == of_the_past
        assert cam.stats.sessions_total == 1, "one session, however many clips"
