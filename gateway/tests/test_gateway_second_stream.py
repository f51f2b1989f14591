"""The session that is opened for who looks: when it ends, and when it is tried again, on a clock that the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from novavms_camera.address import AddressPolicy
from novavms_camera.capture import StreamStatus
from novavms_camera.faults import CameraFault
from novavms_camera.source import CameraSource, StreamSource, Tier
from novavms_gateway.cameras.finder import StreamFinder
from novavms_gateway.cameras.second import LINGER_SEC, OPEN_SEC, SecondStream
from novavms_protocol import CameraConfig

pytestmark = pytest.mark.anyio


class Stream:
    """Runs until cancelled, and says what the test makes it say."""

    def __init__(self, site: Site, on_status: Any) -> None:
        self._site = site
        self._on_status = on_status
        self.say("pending")

    def say(self, state: Any, reason: Any = None) -> None:
        self.status = StreamStatus(state, reason, None, datetime.now(UTC))
        if state != "pending":
            self._on_status(self.status)

    async def run(self) -> NoReturn:
        self._site.sessions += 1
        self._site.most = max(self._site.most, self._site.sessions)
        try:
            while True:
                await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)  # TEARDOWN
            self._site.sessions -= 1


class Site:
    """A made-up camera, and what is open there."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.opened: list[Stream] = []
        self.sessions = self.most = 0
        self.resolved: list[Tier] = []
        self.finder = finder(asked=self.resolved)
        self.second = SecondStream("sub", self.finder, clock=clock, new_stream=self._open)

    def _open(self, source: Any, *, on_status: Any, pre_roll_sec: float, clock: Any) -> Any:
        assert pre_roll_sec == 0
        self.opened.append(Stream(self, on_status))
        return self.opened[-1]

    async def turn(self, seconds: float = 0) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        self.clock.advance(seconds)
        for _ in range(10):
            await asyncio.sleep(0)

    async def fails(self, reason: str, *, online: bool = False) -> float:
        """Opens it, lets it fail; seconds until it may be opened again, up to 20 minutes."""
        with self.second.reading():
            await self.turn()
            if online:
                self.opened[-1].say("online")
            self.opened[-1].say("offline", reason)
            await self.turn()
        assert self.sessions == 0
        waited = 0
        while self.second.failure is not None and waited < 1200:
            assert self.second.failure == reason
            await self.turn(1)
            waited += 1
        return waited


def finder(tier: Tier = "sub", given: Tier = "sub", asked: list[Tier] | None = None) -> StreamFinder:
    async def resolve(source: CameraSource, tier: Tier, policy: AddressPolicy) -> StreamSource:
        if asked is not None:
            asked.append(tier)
        return StreamSource(url="rtsp://192.0.2.1/x", tier=given)

    plain: dict[str, Any] = {
        "camera_id": uuid4(),
        "revision": 1,
        "name": "Yard",
        "kind": "onvif",
        "host": "192.0.2.1",
        "port": 80,
    }
    return StreamFinder(CameraConfig(**plain), resolve, only=tier)


@pytest.fixture
async def site(manual_clock: Any) -> AsyncIterator[Site]:
    made = Site(manual_clock)
    yield made
    await made.second.stop()
    assert made.sessions == 0


async def test_one_session_for_all_and_none_some_seconds_after_the_last(site: Site) -> None:
    assert not site.second.is_open
    with ExitStack() as readers:
        first, second = (readers.enter_context(site.second.reading()) for _ in range(2))
        assert first is second
        await site.turn()
        site.opened[0].say("online")
        await site.turn(60)
    await site.turn(LINGER_SEC - 1)
    assert site.sessions == 1
    with site.second.reading():
        await site.turn()
    assert (site.sessions, len(site.opened)) == (1, 1), "who comes back finds it there"
    await site.turn(LINGER_SEC - 1)
    assert site.sessions == 1, "the seconds count from the last"
    await site.turn(1)
    assert (site.sessions, site.second.is_open, site.second.failure) == (0, False, None)


async def test_what_fails_is_left_for_longer_each_time_until_a_picture_came(site: Site) -> None:
    assert [await site.fails("refused") for _ in range(4)] == [15, 30, 60, 120]
    for _ in range(4):
        last = await site.fails("timeout")
    assert last == 600
    assert await site.fails("connection_lost", online=True) == 15


@pytest.mark.parametrize("reason", ["auth_failed", "locked_out"])
async def test_a_refused_login_is_not_tried_again(site: Site, reason: str) -> None:
    assert await site.fails(reason) == 1200


async def test_no_sub_stream_is_asked_for_again_after_ten_minutes(site: Site) -> None:
    assert await site.fails("no_profiles") == 600


async def test_a_picture_that_does_not_come_is_waited_for_some_seconds(site: Site) -> None:
    with site.second.reading():
        await site.turn(OPEN_SEC)
        assert (site.second.failure, site.sessions) == ("timeout", 0)


async def test_the_next_session_begins_after_the_end_of_the_one_before(site: Site) -> None:
    with site.second.reading():
        await site.turn()
        site.opened[0].say("online")
        site.opened[0].say("offline", "connection_lost")
        site.clock.advance(15)
        with site.second.reading():
            await site.turn()
            await site.turn()
            assert (len(site.opened), site.sessions, site.most) == (2, 1, 1)


async def test_an_address_that_failed_is_asked_for_anew_and_one_that_served_is_not(site: Site) -> None:
    await site.finder()
    await site.finder()
    assert site.resolved == ["sub"]
    await site.fails("path_not_found")
    await site.finder()
    assert site.resolved == ["sub", "sub"]


async def test_the_finder_of_one_tier_takes_no_other() -> None:
    with pytest.raises(CameraFault) as caught:
        await finder(given="main")()
    assert caught.value.reason == "no_profiles"
    found = finder()
    assert ((await found()).tier, found.tier) == ("sub", "sub")
