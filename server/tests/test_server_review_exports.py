"""Exports where something is too long, too large, too late or never right."""

from __future__ import annotations

import asyncio
import errno
import shutil
import stat
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

import msgspec
import pytest
from nova_exports import Filmed, add_camera, ask, download, filmed, maker, read
from nova_mp4 import decode
from nova_world import World

from novavms_server.kit.jobs import GiveUp
from novavms_server.recordings.errors import FootageAway
from novavms_verify import verify_file

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(autouse=True)
async def by_hand(world: World) -> None:
    await world.server.jobs.stop()


class Usage(NamedTuple):
    total: int
    used: int
    free: int


async def test_names_fit_every_file_system_and_come_with_the_download(world: World, tmp_path: Path) -> None:
    first, footage = await filmed(world, tmp_path, name="監視カメラ" * 20)
    second = await add_camera(world, "Tor \u201eS\u00fcd\u201c; x=1")
    footage.paths[second], footage.listed[second] = footage.paths[first], footage.listed[first]
    for camera_id in (first, second):
        asked = await ask(world, camera_id)
        await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
        export = await read(world, asked["id"])
        assert export["status"] == "ready", export["status_message"]
        assert len(export["file_name"].encode()) < 255
        answer = await world.client("operator").get(export["url"], follow_redirects=True)
        shown = answer.headers["content-disposition"]
        assert shown.startswith('attachment; filename="')
        assert unquote(shown.partition("filename*=UTF-8''")[2]) == export["file_name"]
        link = str(answer.url)
        assert (await world.client(None).get(link.replace("name=", "name=x"))).status_code == 403


async def test_what_can_never_be_made_ends_at_its_deadline(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "the disk")

    monkeypatch.setattr("novavms_server.exports.making.cut_segments", broken)
    camera_id, footage = await filmed(world, tmp_path)
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    with pytest.raises(OSError, match="the disk"):
        await making.make(world.org, {"export_id": asked["id"]})
    shown = await read(world, asked["id"])
    assert (shown["status"], shown["status_reason"]) == ("pending", "internal")
    await world.sql(
        "UPDATE exports SET deadline_at = now() - interval '1 second' WHERE id = %s", UUID(asked["id"])
    )
    await making.make(world.org, {"export_id": asked["id"]})
    shown = await read(world, asked["id"])
    assert (shown["status"], shown["status_reason"]) == ("failed", "internal")
    assert not (tmp_path / "work" / asked["id"]).exists()


async def test_it_waits_for_room_on_the_disk(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 10**9, 10**9))
        with pytest.raises(FootageAway):
            await making.make(world.org, {"export_id": asked["id"]})
    assert (await read(world, asked["id"]))["status_reason"] == "server_full"
    assert footage.reads == [], "nothing was fetched"
    assert stat.S_IMODE((tmp_path / "work" / asked["id"]).stat().st_mode) == 0o700, "footage is nobody else's"
    await making.make(world.org, {"export_id": asked["id"]})
    assert (await read(world, asked["id"]))["status"] == "ready"


async def test_footage_that_trickles_gives_its_turn_up_and_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trickling(Filmed):
        async def read(self, *where: Any) -> AsyncIterator[bytes]:
            async for piece in super().read(*where):
                if self.reads == [0, 1]:
                    await asyncio.sleep(3600)
                yield piece

    camera_id, filled = await filmed(world, tmp_path)
    footage = Trickling()
    footage.paths, footage.listed = filled.paths, filled.listed
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    with monkeypatch.context() as patch:
        patch.setattr("novavms_server.exports.making.ATTEMPT_SEC", 0.5)
        with pytest.raises(FootageAway):
            await making.make(world.org, {"export_id": asked["id"]})
    assert (await read(world, asked["id"]))["status_reason"] == "gateway_timeout"
    await making.make(world.org, {"export_id": asked["id"]})
    assert footage.reads == [0, 1, 1, 2]


async def test_one_that_is_deleted_while_its_file_is_stored_leaves_none(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    store, put = world.server.clips.store, world.server.clips.store.put

    async def late(key: str, chunks: Any, **more: Any) -> None:
        gone = await world.client("operator").delete(f"/api/v1/exports/{asked['id']}")
        assert gone.status_code == 204
        await store.delete([key])  # what the job of the deletion does, before there is anything
        await put(key, chunks, **more)

    monkeypatch.setattr(store, "put", late)
    with pytest.raises(GiveUp):
        await making.make(world.org, {"export_id": asked["id"]})
    assert await store.list_below("exports/") == []
    assert not (tmp_path / "work" / asked["id"]).exists()


async def test_footage_that_is_missing_though_no_gap_was_told_is_told_in_the_evidence(
    world: World, tmp_path: Path
) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    first, lost, *_ = footage.listed[camera_id]
    footage.listed[camera_id] = [each for each in footage.listed[camera_id] if each.id != lost.id]
    asked = await ask(world, camera_id)
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
    export = await read(world, asked["id"])
    gaps = [(gap["reason"], datetime.fromisoformat(gap["start"])) for gap in export["gaps"]]
    assert gaps == [("unknown", first.end)]
    path = await download(world, tmp_path, export)
    assert verify_file(path).manifest["gaps"][0]["reason"] == "unknown"


async def test_other_footage_under_the_same_id_is_fetched_anew(world: World, tmp_path: Path) -> None:
    """A gateway that began its index anew, while an export waited, counts from one again."""
    camera_id, footage = await filmed(world, tmp_path)
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    good = footage.paths[camera_id][2].read_bytes()
    footage.paths[camera_id][2].write_bytes(b"half")
    with pytest.raises(FootageAway):
        await making.make(world.org, {"export_id": asked["id"]})
    footage.paths[camera_id][2].write_bytes(good)
    shifted = {1: footage.paths[camera_id][0], 2: footage.paths[camera_id][1], 3: footage.paths[camera_id][2]}
    footage.paths[camera_id] = shifted
    footage.listed[camera_id] = [
        msgspec.structs.replace(each, id=each.id + 1) for each in footage.listed[camera_id][:3]
    ]
    await making.make(world.org, {"export_id": asked["id"]})
    path = await download(world, tmp_path, await read(world, asked["id"]))
    verdict = verify_file(path)
    listed = [each.sha256 for each in footage.listed[camera_id]]
    assert [piece["segment_sha256"] for piece in verdict.manifest["pieces"]] == listed
    assert decode(path.read_bytes()).video_frames == 125


async def test_a_hash_is_no_path(world: World, tmp_path: Path) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    listed = footage.listed[camera_id]
    listed[1] = msgspec.structs.replace(listed[1], sha256="/../../../../etc/cron.d/x")
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    with pytest.raises(FootageAway):
        await making.make(world.org, {"export_id": asked["id"]})
    assert (await read(world, asked["id"]))["status_reason"] == "corrupt_footage"
