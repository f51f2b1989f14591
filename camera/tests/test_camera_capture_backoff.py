"""How often a camera is bothered, counted at the camera over days that pass in a moment; and how soon a frozen picture is noticed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.capture import CaptureStream, SourceProvider, StreamStatus
from novavms_camera.faults import CameraFault, Reason
from novavms_camera.onvif import resolve_stream
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, StreamSource
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
DAY_SEC = 86_400.0


class RunningClock:
    """Every sleep passes at once and takes its time from the clock; nothing else moves it. Sleeps that would begin after `end` last for ever."""

    def __init__(self, end: float) -> None:
        self.time = 0.0
        self.end = end
        self.ended = asyncio.Event()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if self.time + seconds > self.end:
            self.ended.set()
            await asyncio.Event().wait()
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class TurnedClock:
    """Time stands until `turn`."""

    def __init__(self) -> None:
        self.time = 0.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        over = asyncio.Event()
        self._waiting.append((self.time + seconds, over))
        await over.wait()

    async def turn(self, seconds: float) -> None:
        self.time += seconds
        for at, over in self._waiting:
            if at <= self.time:
                over.set()
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def running(stream: CaptureStream) -> AsyncIterator[CaptureStream]:
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def rtsp(cam: SimCam, password: str) -> StreamSource:
    return StreamSource(url=cam.rtsp_url, username="admin", password=Secret(password))


def onvif(cam: SimCam, password: str) -> SourceProvider:
    async def provide() -> StreamSource:
        assert cam.onvif_port is not None
        source = CameraSource(
            kind="onvif",
            host="127.0.0.1",
            port=cam.onvif_port,
            username="admin",
            password=Secret(password),
        )
        return await resolve_stream(source, "main", policy=AddressPolicy(allow_loopback=True))

    return provide


@pytest.mark.parametrize(
    ("kind", "auth", "faults", "a_try"),
    [
        ("rtsp", "digest", {}, 1),
        ("rtsp", "digest-sha256", {}, 1),
        ("rtsp", "digest-both", {}, 2),
        ("rtsp", "both", {}, 1),
        ("rtsp", "basic", {"close_after_401": True}, 1),
        ("onvif", "digest", {}, 1),
        ("onvif", "digest", {"no_ws_token": True}, 1),
        ("onvif", "digest", {"not_authorized_status": 401}, 2),
    ],
)
async def test_a_wrong_password_is_tried_once_in_ten_minutes_for_a_day(
    kind: str, auth: Any, faults: dict[str, Any], a_try: int
) -> None:
    async with SimCam(SimCamConfig(auth=auth, password="right")) as cam:
        for name, value in faults.items():
            cam.set_fault(name, value)
        clock, told = RunningClock(DAY_SEC), list[StreamStatus]()
        source = rtsp(cam, "wrong") if kind == "rtsp" else onvif(cam, "wrong")
        async with running(CaptureStream(source, clock=clock, on_status=told.append)):
            await asyncio.wait_for(clock.ended.wait(), 30)
        assert clock.slept == [600.0] * 144
        assert 145 <= cam.login_attempts.failed <= 145 * a_try
        assert cam.login_attempts.ok == 0
        assert [(status.state, status.reason) for status in told] == [("error", "auth_failed")]


async def test_a_locked_account_is_left_alone_as_well() -> None:
    async with SimCam(SimCamConfig(password="right")) as cam:
        cam.set_fault("locks_after", 1)
        clock = RunningClock(DAY_SEC)
        async with running(CaptureStream(rtsp(cam, "wrong"), clock=clock)) as stream:
            await asyncio.wait_for(clock.ended.wait(), 30)
            assert stream.status.reason == "locked_out"
        assert cam.login_attempts.failed == 1
        assert cam.stats.connections_total == 145


async def test_new_credentials_are_tried_at_once() -> None:
    async with SimCam(SimCamConfig(password="right")) as cam:
        given = [rtsp(cam, "wrong")]

        async def provide() -> StreamSource:
            return given[0]

        stream = CaptureStream(provide, clock=TurnedClock())
        async with running(stream):
            await until(lambda: stream.status.reason == "auth_failed")
            given[0] = rtsp(cam, "right")
            stream.retry_now()
            await until(lambda: stream.status.state == "online")
        assert cam.login_attempts.failed == 1


@pytest.mark.parametrize("reason", ["refused", "unreachable", "timeout", "dns_failed", "connection_lost"])
async def test_other_failures_back_off_to_a_minute_with_jitter(reason: Reason) -> None:
    async def provide() -> StreamSource:
        raise CameraFault(reason, "x")

    clock = RunningClock(DAY_SEC)
    async with running(CaptureStream(provide, clock=clock, jitter=random.Random(3))):
        await asyncio.wait_for(clock.ended.wait(), 30)
    assert [round(seconds) <= 2**n for n, seconds in enumerate(clock.slept[:6], start=1)] == [True] * 6
    late = clock.slept[8:]
    assert 30 <= min(late) < 35
    assert 55 < max(late) <= 60
    assert min(clock.slept) >= 1
    assert len(clock.slept) < DAY_SEC / 40


@asynccontextmanager
async def online() -> AsyncIterator[tuple[SimCam, TurnedClock, CaptureStream]]:
    """A camera that is watched, by a clock that stands."""
    async with SimCam() as cam:
        clock = TurnedClock()
        stream = CaptureStream(rtsp(cam, cam.config.password), clock=clock)
        async with running(stream):
            await until(lambda: stream.status.state == "online")
            yield cam, clock, stream


@pytest.mark.slow
async def test_frames_that_came_while_the_machine_stood_still_are_read_before_it_is_judged() -> None:
    async with online() as (cam, clock, stream):
        frames = stream.frames_received
        await clock.turn(30)
        await until(lambda: stream.frames_received > frames + 2)
        await clock.turn(0.3)
        await asyncio.sleep(0.1)
        assert (stream.status.state, cam.stats.sessions_total) == ("online", 1)


@pytest.mark.slow
async def test_a_frozen_picture_is_told_after_ten_seconds_and_a_new_session_heals_it() -> None:
    async with online() as (cam, clock, stream):
        cam.freeze()
        await until(lambda: stream.frames_received, 1)
        frames = -1
        while frames != stream.frames_received:  # what was under way has come
            frames = stream.frames_received
            await asyncio.sleep(0.3)
        await clock.turn(9.74)
        assert stream.status.state == "online"
        await clock.turn(0.1)
        assert stream.status.state == "online", "what waits to be read is read first"
        await clock.turn(0.3)
        await until(lambda: stream.status.state == "offline")
        assert stream.status.reason == "frozen"
        await until(lambda: cam.sessions == 0)
        cam.thaw()
        while stream.status.state != "online":  # it sleeps before it comes back, and may not have begun to
            await clock.turn(0.5)
            await asyncio.sleep(0.05)
        assert cam.stats.sessions_total == 2
