"""A strip of pictures: asked of the gateway, relayed, and kept for a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_footage import Telling, add_camera, minutes, now, update
from nova_gateway import connected, pair
from nova_world import World

from novavms_protocol import SendThumbnails

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
JPEG = b"\xff\xd8\xff\xe0 tiles " * 5000


class Painter:
    """A gateway's answer to SendThumbnails: what it sends, and what it says of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = ""
        self.asked: list[SendThumbnails] = []
        self.jpeg = JPEG
        self.says: Any = None

    async def serve(self, body: Any) -> dict[str, Any] | str:
        assert isinstance(body, SendThumbnails)
        self.asked.append(body)
        if isinstance(self.says, str):
            return self.says
        await self.world.client(token=self.token).put(body.url, content=self.jpeg)
        tiles = [None, *(at.isoformat() for at in body.times[1:])]
        return self.says or {"tiles": tiles, "width": body.width, "height": 90}


@asynccontextmanager
async def painting(world: World) -> AsyncIterator[tuple[Painter, UUID, datetime]]:
    """Footage from 60 to 30 minutes before the time that is answered."""
    identity, epoch, t, painter = await pair(world, world.site), uuid4(), now(), Painter(world)
    painter.token = identity[1]
    async with connected(world, identity=identity, ledger_epoch=epoch, serve=painter.serve) as gateway:
        camera_id = await add_camera(world, gateway)
        row = Telling(camera_id).row("span", t - minutes(60), t - minutes(30))
        await gateway.report(update(epoch, [row], t))
        yield painter, camera_id, t


async def test_a_strip_is_made_once_and_shown_twice(world: World) -> None:
    async with painting(world) as (painter, camera_id, t):
        url = f"/api/v1/cameras/{camera_id}/thumbnails"
        asked = {"from": (t - minutes(60)).isoformat(), "to": (t - minutes(50)).isoformat(), "count": "5"}
        for _ in range(2):
            answer = await world.client("viewer").get(url, params=asked)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
            assert answer.content == JPEG
            times = answer.headers["x-thumbnail-times"].split(",")
            assert (len(times), times[0]) == (5, "")
            assert times[4].endswith("Z")
            assert (answer.headers["x-thumbnail-width"], answer.headers["x-thumbnail-height"]) == (
                "160",
                "90",
            )
        (order,) = painter.asked
        assert [at - (t - minutes(60)) for at in order.times] == [minutes(n) for n in (1, 3, 5, 7, 9)]
        wider = await world.client("viewer").get(url, params={**asked, "width": "320"})
        assert (wider.status_code, len(painter.asked)) == (200, 2)
        assert len(world.server.recordings.relays) == 0


async def test_each_way_it_can_fail_has_its_word(world: World) -> None:
    async with painting(world) as (painter, camera_id, t):
        url = f"/api/v1/cameras/{camera_id}/thumbnails"
        asked = {"from": (t - minutes(60)).isoformat(), "to": (t - minutes(50)).isoformat()}
        viewer = world.client("viewer")
        for says, status, reason in (
            ("unsupported", 503, "unsupported"),
            ("busy", 503, "busy"),
            ({"tiles": [None], "width": 160, "height": 90}, 503, "unsupported"),
            ({"tiles": "none"}, 503, "unsupported"),
        ):
            painter.says = says
            answer = await viewer.get(url, params=asked)
            assert (answer.status_code, answer.json()["reason"]) == (status, reason), says
        painter.says, painter.jpeg = None, bytes(5 * 1024 * 1024)
        assert (await viewer.get(url, params=asked)).status_code == 503, "more than a strip can be"
        long_ago = {"from": (t - minutes(20)).isoformat(), "to": (t - minutes(10)).isoformat()}
        none = await viewer.get(url, params=long_ago)
        assert (none.status_code, none.json()["reason"]) == (404, "unknown")
        for wrong in ({"count": "0"}, {"count": "61"}, {"width": "9999"}):
            assert (await viewer.get(url, params={**asked, **wrong})).status_code == 400, wrong
        for role, other, status in ((None, False, 401), ("admin", True, 404)):
            assert (await world.client(role, other=other).get(url, params=asked)).status_code == status
        assert len(world.server.recordings.relays) == 0
    away = await viewer.get(url, params={**asked, "count": "3"})
    assert (away.status_code, away.json()["reason"]) == (503, "gateway_offline")


async def test_the_last_moments_have_pictures_though_the_ledger_has_no_word_of_them_yet(world: World) -> None:
    async with painting(world) as (painter, camera_id, t):
        url = f"/api/v1/cameras/{camera_id}/thumbnails"
        await world.sql("UPDATE ledgers SET as_of = %s", t - minutes(0.5))
        await world.sql("UPDATE ledger_rows SET end_at = %s", t - minutes(0.5))
        fresh = {"from": (t - minutes(0.4)).isoformat(), "to": t.isoformat(), "count": "3"}
        shown = await world.client("viewer").get(url, params=fresh)
        assert (shown.status_code, shown.content) == (200, JPEG), shown.text
        painter.says = {"tiles": [None, None, None], "width": 320, "height": 90}
        black = await world.client("viewer").get(url, params={**fresh, "width": "320"})
        assert (black.status_code, black.json()["reason"]) == (404, "not_reported_yet")
