"""Clips of the past, and footage that is held for starred events: over HTTP, with a gateway that takes orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from nova_footage import Telling, add_camera, minutes, now, update
from nova_gateway import ScriptedGateway, connected, pair
from nova_recorder import FOOTAGE, Recorder, event_when
from nova_world import World

from novavms_protocol import ClipState, CutClip, HoldFootage, ListSegments, SegmentInfo

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@dataclass
class Scene:
    """A camera with footage from 60 to 30 minutes ago, and none before or after."""

    world: World
    identity: tuple[UUID, str]
    epoch: UUID
    at: datetime
    cuts: list[CutClip] = field(default_factory=list)
    holds: list[HoldFootage] = field(default_factory=list)
    refuse: str | None = None
    newest: SegmentInfo | None = None
    """What it is writing now."""
    listed: int = 0
    camera_id: UUID = UUID(int=0)

    async def serve(self, body: Any) -> dict[str, Any] | str:
        if self.refuse is not None:
            return self.refuse
        if isinstance(body, ListSegments):
            self.listed += 1
            return {"segments": [msgspec.to_builtins(self.newest)] if self.newest else [], "more": False}
        if isinstance(body, CutClip):
            self.cuts.append(body)
            return {"started_at": body.start.isoformat()}
        if isinstance(body, HoldFootage):
            self.holds.append(body)
        return {}

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[ScriptedGateway]:
        async with connected(
            self.world, identity=self.identity, ledger_epoch=self.epoch, serve=self.serve
        ) as gateway:
            yield gateway

    async def prepare(self, gateway: ScriptedGateway) -> None:
        self.camera_id = await add_camera(self.world, gateway)
        say = Telling(self.camera_id)
        rows = [
            say.row("gap", self.at - minutes(120), self.at - minutes(60), reason="frozen"),
            say.row("span", self.at - minutes(60), self.at - minutes(30)),
        ]
        await gateway.report(update(self.epoch, rows, self.at))

    async def ask(self, start: datetime, end: datetime, **more: Any) -> httpx.Response:
        client = self.world.client(more.pop("role", "operator"))
        headers = more.pop("headers", {})
        body = {"from": start.isoformat(), "to": end.isoformat(), **more}
        return await client.post(f"/api/v1/cameras/{self.camera_id}/clips", json=body, headers=headers)

    async def clip(self) -> str:
        """Asks for a minute of it; answers the event's id."""
        made = await self.ask(self.at - minutes(50), self.at - minutes(49))
        assert made.status_code == 202, made.text
        return str(made.json()["event_id"])

    async def star(self, event_id: str, *, starred: bool) -> None:
        answer = await self.world.client("operator").patch(
            f"/api/v1/events/{event_id}", json={"starred": starred}
        )
        assert answer.status_code == 200, answer.text

    async def told(self, count: int) -> HoldFootage:
        async with asyncio.timeout(10):
            while len(self.holds) < count:
                await asyncio.sleep(0.02)
        return self.holds[-1]

    async def all_told(self) -> None:
        """The server has written down that the gateway took what it was told; before, it would tell it again."""
        async with asyncio.timeout(10):
            while (await self.world.sql("SELECT count(*) FROM footage_holds WHERE told <> changed"))[0][0]:
                await asyncio.sleep(0.02)


async def prepared(world: World) -> Scene:
    return Scene(world, await pair(world, world.site), uuid4(), now())


async def test_a_clip_of_the_past_is_ordered_sent_and_played(world: World) -> None:
    scene, data = await prepared(world), FOOTAGE.read_bytes()
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        start, end = scene.at - minutes(50), scene.at - minutes(49)
        made = await scene.ask(start, end, note="the van")
        assert made.status_code == 202, made.text
        answer = made.json()
        assert set(answer) == {"event_id", "started_at", "expected_clip_duration_sec"}
        assert (datetime.fromisoformat(answer["started_at"]), answer["expected_clip_duration_sec"]) == (
            start,
            60,
        )
        (cut,) = scene.cuts
        assert (cut.camera_id, cut.start, cut.end) == (scene.camera_id, start, end)
        event = await event_when(world, answer["event_id"], lambda _: True)
        assert (event["note"], event["clip"]["status"]) == ("the van", "recording")
        assert datetime.fromisoformat(event["triggered_at"]) == start

        await gateway.report(ClipState(clip_id=cut.clip_id, status="uploading"))
        sender = Recorder(world, scene.identity[0], scene.identity[1], scene.camera_id)
        await sender.upload(cut.clip_id, data)
        await gateway.report(sender.ready(cut.clip_id, data, gap_sec=1.5))
        event = await event_when(world, answer["event_id"], lambda each: each["clip"]["status"] == "ready")
        assert event["clip"]["gap_sec"] == 1.5
        played = await world.client("viewer").get(event["clip"]["url"], follow_redirects=True)
        assert played.content == data


async def test_where_nothing_was_recorded_it_says_why(world: World) -> None:
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        t = scene.at
        none = await scene.ask(t - minutes(100), t - minutes(90))
        assert (none.status_code, none.json()["error"], none.json()["reason"]) == (409, "conflict", "frozen")
        partly = await scene.ask(t - minutes(70), t - minutes(55))
        assert partly.status_code == 202
        assert partly.json()["expected_clip_duration_sec"] == 300
        assert datetime.fromisoformat(partly.json()["started_at"]) == t - minutes(60)
        for start, end in (
            (t - minutes(61), t),
            (t - minutes(40), t - minutes(41)),
            (t - minutes(40), t + minutes(2)),
            (t - minutes(40), t - minutes(40)),
        ):
            refused = await scene.ask(start, end)
            assert (refused.status_code, refused.json()["details"][0]["field"]) == (400, "to")
        for role, status in (("viewer", 403), (None, 401)):
            assert (await scene.ask(t - minutes(50), t - minutes(49), role=role)).status_code == status
        key = {"Idempotency-Key": "once"}
        twice = [await scene.ask(t - minutes(50), t - minutes(49), headers=key) for _ in range(2)]
        assert twice[0].json() == twice[1].json()
        count = await world.sql("SELECT count(*) FROM clips")
        assert (count[0][0], len(scene.cuts)) == (2, 2)
    await world.sql("UPDATE gateways SET status = 'offline'")
    away = await scene.ask(t - minutes(50), t - minutes(49))
    assert (away.status_code, away.json()["reason"]) == (503, "gateway_offline")


async def test_what_a_gateway_has_not_told_before_it_went_is_away_not_nothing(world: World) -> None:
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
    await world.sql("UPDATE gateways SET status = 'offline'")
    t = scene.at
    await world.sql("UPDATE ledgers SET as_of = %s", t - minutes(20))
    for start, end in ((t - minutes(15), t - minutes(14)), (t - minutes(28), t - minutes(15))):
        away = await scene.ask(start, end)
        assert (away.status_code, away.json()["reason"]) == (503, "gateway_offline")
    none = await scene.ask(t - minutes(100), t - minutes(90))
    assert (none.status_code, none.json()["reason"]) == (409, "frozen"), "of this it did tell"


async def test_the_last_moments_are_cut_though_the_ledger_has_no_word_of_them_yet(world: World) -> None:
    """Rows that grow are told every 30 s; who saw something wants it now."""
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        scene.camera_id = await add_camera(world, gateway)
        t, sec = scene.at, timedelta(seconds=1)
        span = Telling(scene.camera_id).row("span", t - minutes(5), t - 20 * sec)
        await gateway.report(update(scene.epoch, [span], t - 20 * sec))

        nothing = await scene.ask(t - 15 * sec, t - 5 * sec)
        assert (nothing.status_code, nothing.json()["reason"]) == (409, "not_reported_yet")
        assert (scene.listed, scene.cuts) == (1, [])

        scene.newest = SegmentInfo(
            **{"id": 7, "stream": "main", "start": t - 20 * sec, "end": t - 8 * sec, "duration_sec": 12},
            **{"size_bytes": 9000, "init_bytes": 900, "codecs": "avc1.640028", "width": 64, "height": 64},
            **{"has_audio": False, "is_whole": False},
        )
        made = await scene.ask(t - 15 * sec, t - 5 * sec)
        assert made.status_code == 202, made.text
        assert datetime.fromisoformat(made.json()["started_at"]) == t - 15 * sec
        assert made.json()["expected_clip_duration_sec"] == 7
        over = await scene.ask(t - 25 * sec, t - 5 * sec)
        assert datetime.fromisoformat(over.json()["started_at"]) == t - 25 * sec
        assert over.json()["expected_clip_duration_sec"] == 17, "what was told, and what was not yet"
        assert [(cut.start, cut.end) for cut in scene.cuts] == [
            (t - 15 * sec, t - 5 * sec),
            (t - 25 * sec, t - 5 * sec),
        ]
        before = scene.listed
        assert (await scene.ask(t - minutes(4), t - minutes(3))).status_code == 202
        assert scene.listed == before, "what is told needs no question"


async def test_a_gateway_that_finds_nothing_after_all_fails_the_clip(world: World) -> None:
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        scene.refuse = "no_footage"
        event = await event_when(world, await scene.clip(), lambda each: each["clip"]["status"] == "failed")
        assert event["clip"]["failure_reason"] == "no_footage"


async def test_a_starred_events_footage_is_held_until_it_is_unstarred_or_deleted(world: World) -> None:
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        event_id = await scene.clip()
        await scene.star(event_id, starred=True)
        first = await scene.told(1)
        assert (first.camera_id, first.is_held) == (scene.camera_id, True)
        assert (first.start, first.end) == (scene.at - minutes(50), scene.at - minutes(49))
        await scene.star(event_id, starred=False)
        freed = await scene.told(2)
        assert (freed.hold_id, freed.is_held) == (first.hold_id, False)
        await scene.star(event_id, starred=True)
        assert (await scene.told(3)).is_held
        deleted = await world.client("admin").delete(f"/api/v1/events/{event_id}")
        assert deleted.status_code == 204
        last = await scene.told(4)
        assert (last.hold_id, last.is_held) == (first.hold_id, False)
        await scene.all_told()
        await world.server.recordings.holds.look()
        assert len(scene.holds) == 4, "what is told is told once"


async def test_an_exports_footage_is_held_until_the_export_is_deleted(world: World) -> None:
    scene, operator = await prepared(world), world.client("operator")
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        start, end = scene.at - minutes(50), scene.at - minutes(45)
        body = {"camera_id": str(scene.camera_id), "from": start.isoformat(), "to": end.isoformat()}
        made = await operator.post("/api/v1/exports", json=body)
        assert made.status_code == 202, made.text
        held = await scene.told(1)
        assert (held.camera_id, held.start, held.end, held.is_held) == (scene.camera_id, start, end, True)
        deleted = await operator.delete(f"/api/v1/exports/{made.json()['id']}")
        assert deleted.status_code == 204
        freed = await scene.told(2)
        assert (freed.hold_id, freed.is_held) == (held.hold_id, False)


async def test_holds_are_told_to_a_gateway_that_was_away_and_to_a_new_index(world: World) -> None:
    scene = await prepared(world)
    async with scene.gateway() as gateway:
        await scene.prepare(gateway)
        event_id = await scene.clip()
    await scene.star(event_id, starred=True)
    assert scene.holds == []
    async with scene.gateway():
        first = await scene.told(1)
        await scene.all_told()
    async with scene.gateway():
        await world.server.recordings.holds.look()
        assert len(scene.holds) == 1
    scene.epoch = uuid4()
    async with scene.gateway():
        again = await scene.told(2)
        assert again == first, "an index that began anew knows no holds"
