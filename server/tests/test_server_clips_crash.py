"""The plug is pulled at every step of finishing a clip, and what is left is finished by the next run; direct-mode clips."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from nova_recorder import FOOTAGE, add_camera, event_when, recording, sha256
from nova_world import World

from novavms_camera.capture.model import ClipFile
from novavms_camera.faults import CameraFault
from novavms_server.clips import keeper as keeping
from novavms_server.clips import orders as ordering
from novavms_server.clips import queries
from novavms_server.clips.errors import StoreAway
from novavms_server.clips.finishing import Finisher
from novavms_server.clips.keeper import Keeper
from novavms_server.clips.store import Link, Store, StoredObject, uploads_prefix
from novavms_server.kit.database import run

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
DATA = b"".join(bytes([number]) * 70_000 for number in range(5))


class PlugPulledError(BaseException):
    """Not an Exception: nothing of ours gets to tidy up, as when the power goes."""


@dataclass
class Plug:
    """A store whose plug is pulled at the n-th change to it: before it is done, or after."""

    store: Store
    at: int
    when: Literal["before", "after"]
    changes: int = 0

    def _pull(self, when: str) -> None:
        if when == "before":
            self.changes += 1
        if self.changes == self.at and when == self.when:
            raise PlugPulledError

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
    ) -> None:
        self._pull("before")
        await self.store.put(key, chunks, size_bytes=size_bytes)
        self._pull("after")

    async def delete(self, keys: Sequence[str]) -> None:
        self._pull("before")
        await self.store.delete(keys)
        self._pull("after")

    async def find(self, key: str) -> StoredObject | None:
        return await self.store.find(key)

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        return self.store.read(key, start, end)

    async def list_below(self, prefix: str) -> list[StoredObject]:
        return await self.store.list_below(prefix)

    async def link(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires_at: datetime,
        size_bytes: int = 0,
        file_name: str = "",
    ) -> Link:
        return await self.store.link(method, key, expires_at=expires_at, size_bytes=size_bytes)


async def run_until_idle(world: World, store: Store, clip_id: UUID) -> None:
    """What the keeper does for one clip, without its waiting."""
    finisher = Finisher(world.server.database, store, world.server.clock)
    while True:
        async with world.server.database.org(world.org) as connection:
            row = await (await run(connection, queries.by_id(world.org, clip_id))).fetchone()
        if not await finisher.work_on(row):
            return


@pytest.mark.slow
async def test_pulling_the_plug_after_each_step_loses_nothing(world: World) -> None:
    store = world.server.clips.store
    async with recording(world) as gateway:
        await world.server.clips.keeper.stop()
        for deleted in (False, True):
            pulled = 0
            for at in range(1, 6):
                for when in ("before", "after"):
                    await world.sql("UPDATE cameras SET last_triggered_at = NULL")
                    await gateway.trigger()
                    order = gateway.orders[-1]
                    await gateway.upload(order.clip_id, DATA, part_bytes=100_000)
                    await gateway.report(gateway.ready(order.clip_id, DATA))
                    if deleted:
                        await world.client("admin").delete(f"/api/v1/events/{order.event_id}")
                    plug = Plug(store, at, when)  # type: ignore[arg-type]
                    try:
                        await run_until_idle(world, plug, order.clip_id)
                    except PlugPulledError:
                        pulled += 1
                    await run_until_idle(world, store, order.clip_id)
                    assert await store.list_below(uploads_prefix(order.clip_id)) == [], (at, when)
                    held = [
                        item for item in await store.list_below("clips/") if str(order.clip_id) in item.key
                    ]
                    if deleted:
                        assert held == [], (at, when)
                        continue
                    event = await event_when(world, str(order.event_id), lambda _: True)
                    assert event["clip"]["status"] == "ready", (at, when)
                    answer = await world.client("admin").get(event["clip"]["url"], follow_redirects=True)
                    assert answer.content == DATA
            assert pulled >= 4, "the plug was really pulled"


async def test_an_event_deleted_while_its_clip_is_joined_leaves_nothing(world: World) -> None:
    store = world.server.clips.store
    async with recording(world) as gateway:
        await world.server.clips.keeper.stop()
        await gateway.trigger()
        order = gateway.orders[-1]
        await gateway.upload(order.clip_id, DATA)
        await gateway.report(gateway.ready(order.clip_id, DATA))

        @dataclass
        class Slow(Plug):
            async def put(
                self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
            ) -> None:
                await self.store.put(key, chunks, size_bytes=size_bytes)
                answer = await world.client("admin").delete(f"/api/v1/events/{order.event_id}")
                assert answer.status_code == 204

        await run_until_idle(world, Slow(store, 0, "before"), order.clip_id)
        assert await store.list_below("clips/") == []
        assert await world.sql("SELECT status, store_key FROM clips") == [("uploading", None)]


async def test_two_servers_do_not_work_on_one_clip_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, entered, begun = world.server.clips.store, 0, asyncio.Event()
    go_on = asyncio.Event()

    @dataclass
    class Counting(Plug):
        async def put(
            self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
        ) -> None:
            nonlocal entered
            entered += key.startswith("clips/")
            begun.set()
            await go_on.wait()
            await self.store.put(key, chunks, size_bytes=size_bytes)

    async with recording(world) as gateway:
        await world.server.clips.keeper.stop()
        monkeypatch.setattr(keeping, "LOOK_EVERY_SEC", 0.02)
        await gateway.trigger()
        order = gateway.orders[-1]
        await gateway.upload(order.clip_id, DATA)
        await gateway.report(gateway.ready(order.clip_id, DATA))
        database, clock = world.server.database, world.server.clock
        keepers = [
            Keeper(database, Finisher(database, Counting(store, 0, "before"), clock), clock) for _ in range(2)
        ]
        for each in keepers:
            each.start()
        await asyncio.wait_for(begun.wait(), 10)
        for each in keepers:  # both have looked since
            await each.look()
        go_on.set()
        await event_when(world, str(order.event_id), lambda each: each["clip"]["status"] == "ready")
        assert entered == 1
        for each in keepers:
            await each.stop()


@dataclass
class Camera:
    """Stands for the capture: it gives a real MP4, or fails."""

    fault: CameraFault | None = None
    failure_reason: str | None = None
    asked: tuple[Any, ...] = ()

    async def record_clip(
        self, camera_id: UUID, path: Path, duration_sec: float, pre_roll_sec: float
    ) -> ClipFile:
        self.asked = (camera_id, duration_sec, pre_roll_sec)
        if self.fault is not None:
            raise self.fault
        data = FOOTAGE.read_bytes()
        path.write_bytes(data)
        return ClipFile(
            path=path,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            duration_sec=10.0,
            started_at=datetime.now(UTC) - timedelta(seconds=10),
            codec="h264",
            width=768,
            height=432,
            has_audio=True,
            failure_reason=self.failure_reason,
        )


async def _direct(world: World, camera: Camera) -> dict[str, Any]:
    world.server.clips.orders.direct = camera
    camera_id = await add_camera(world, None)
    made = await world.client("operator").post(
        f"/api/v1/cameras/{camera_id}/trigger", json={"duration_sec": 7}
    )
    assert made.status_code == 202
    event = await event_when(
        world, made.json()["event_id"], lambda each: each["clip"]["status"] in ("ready", "failed")
    )
    if camera.asked:
        assert camera.asked == (camera_id, 7.0, 5.0)
    return event


async def test_a_direct_cameras_clip_goes_into_the_store(world: World) -> None:
    event = await _direct(world, Camera())
    assert (event["clip"]["status"], event["clip"]["sha256"]) == ("ready", sha256(FOOTAGE.read_bytes()))
    answer = await world.client("viewer").get(event["clip"]["url"], follow_redirects=True)
    assert answer.content == FOOTAGE.read_bytes()
    await _empty(world)


async def test_a_direct_camera_that_fails_says_why(world: World) -> None:
    event = await _direct(world, Camera(fault=CameraFault("connection_lost", "It went away.")))
    assert (event["clip"]["status"], event["clip"]["failure_reason"]) == ("failed", "connection_lost")
    event = await _direct(world, Camera(failure_reason="camera_offline"))
    assert (event["clip"]["status"], event["clip"]["failure_reason"]) == ("failed", "camera_offline")
    assert event["clip"]["url"] is not None
    await _empty(world)


async def test_a_direct_clip_waits_for_the_store_but_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "STORE_RETRY_SEC", 0.01)
    store = world.server.clips.orders._store
    tries = 0

    @dataclass
    class Away(Plug):
        async def put(
            self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
        ) -> None:
            nonlocal tries
            tries += 1
            if tries != 4:
                raise StoreAway
            await self.store.put(key, chunks, size_bytes=size_bytes)

    world.server.clips.orders._store = Away(store, 0, "before")
    assert (await _direct(world, Camera()))["clip"]["status"] == "ready"
    event = await _direct(world, Camera())
    assert (event["clip"]["status"], event["clip"]["failure_reason"]) == ("failed", "store_unavailable")
    await _empty(world)


async def test_a_restart_ends_a_direct_clip_and_removes_its_file(world: World) -> None:
    camera_id = await add_camera(world, None)
    begun = asyncio.Event()

    class Endless(Camera):
        async def record_clip(self, camera_id: UUID, path: Path, *_: float) -> ClipFile:
            path.write_bytes(b"half")
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

    orders = world.server.clips.orders
    orders.direct = Endless()
    made = await world.client("operator").post(f"/api/v1/cameras/{camera_id}/trigger", json={})
    await begun.wait()
    left = world.server.settings.data_dir / "direct-clips" / "left.mp4"
    left.write_bytes(b"of a crash")
    await orders.stop()
    await orders.start()
    await _empty(world)
    event = await event_when(world, made.json()["event_id"], lambda _: True)
    assert event["clip"]["status"] == "recording"
    await world.sql("UPDATE clips SET deadline_at = now()")
    event = await event_when(world, made.json()["event_id"], lambda each: each["clip"]["status"] == "failed")
    assert event["clip"]["failure_reason"] == "server_restart"


async def _empty(world: World) -> None:
    """The folder of direct clips is, soon."""
    folder = world.server.settings.data_dir / "direct-clips"
    async with asyncio.timeout(5):
        while list(folder.glob("*")):
            await asyncio.sleep(0.01)
