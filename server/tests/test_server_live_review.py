"""What a review of live view found: gateways that lie cost no memory and no 500s; held requests are no way around withdrawn rights."""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from nova_gateway import connected
from nova_live import Film, Scene, scene, until
from nova_world import World

from novavms_camera.capture.boxes import box, full_box
from novavms_camera.capture.fmp4 import init_part
from novavms_camera.capture.live import Fragment
from novavms_protocol.live import MEDIA, NOTE, live_frame
from novavms_server.live import hls
from novavms_server.live.hls import Window
from novavms_server.live.hls_frames import FragmentError, Frames
from novavms_server.live.hls_playlist import index

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILM = Film()
Run = list[tuple[int, int, bool]]
"""Of each picture: duration, bytes, key."""


def lie(start_90k: int, *runs: Run, data: bytes = b"") -> bytes:
    """A fragment of pictures as they are told; each run begins where the data does."""
    made = b""
    for _ in range(2):  # the second time with the offset known
        offset = len(made) + 8
        trafs = []
        for run in runs:
            fields = b"".join(struct.pack(">IIIi", d, s, 0 if key else 0x10000, 0) for d, s, key in run)
            heads = (
                full_box(b"tfhd", 0, 0x020000, struct.pack(">I", 1)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", start_90k)),
                full_box(b"trun", 1, 0xF01, struct.pack(">II", len(run), offset), fields),
            )
            trafs.append(box(b"traf", *heads))
        made = box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), *trafs)
    return made + box(b"mdat", data)


def window() -> Window:
    made = Window(BEGAN)
    made.add(Fragment("init", init_part(FILM.fmt), False, 0, "avc1.64001f"), BEGAN)
    return made


def held_bytes(made: Window) -> int:
    return made.size_bytes + sum(len(frame.sample.data) for frame in made._pending)


def test_pictures_that_take_no_time_do_not_pile_up() -> None:
    made = window()
    data = bytes(1024 * 1024)
    for number in range(60):
        made.add(
            Fragment("media", lie(1000 + number, [(0, len(data), not number)], data=data), True, 0), BEGAN
        )
        assert held_bytes(made) <= hls.MAX_BYTES + hls.SEGMENT_MAX_BYTES + len(data)
    made.interrupt()
    assert "BANDWIDTH" in index(made, "media.m3u8")


def test_empty_pictures_do_not_pile_up() -> None:
    made = window()
    for number in range(30):
        run = [(1, 0, not number)] * 100
        made.add(Fragment("media", lie(1000 + 100 * number, run), True, 0), BEGAN)
    assert len(made._pending) <= hls.PART_MAX_FRAMES


def test_a_time_that_jumps_always_does_not_make_segments_for_ever() -> None:
    made = window()
    for number in range(300):
        made.add(
            Fragment("media", lie(1_000_000 - 1000 * number, [(1, 4, True)], data=bytes(4)), True, 0), BEGAN
        )
    made.interrupt()
    assert len(made.segments) <= hls.SEGMENTS_MAX
    assert "BANDWIDTH" in index(made, "media.m3u8")


def test_pictures_that_share_their_bytes_are_no_fragment() -> None:
    data = bytes(100_000)
    with pytest.raises(FragmentError):
        Frames(init_part(FILM.fmt)).take(lie(0, *[[(1, len(data), True)]] * 50, data=data))


def test_a_fragment_of_more_pictures_than_any_gop_has_is_none() -> None:
    with pytest.raises(FragmentError):
        Frames(init_part(FILM.fmt)).take(lie(0, [(1, 0, True)] * 40_000))


LIES = {
    "a note nested for ever": live_frame(NOTE, b'{"tier": "main", "x": ' + b"[" * 8000),
    "fragments with nothing in them": FILM.beginning()
    + live_frame(MEDIA, b"\0\0\0\x08moof", is_key=True) * 9,
}


@pytest.mark.anyio
@pytest.mark.slow
@pytest.mark.parametrize("kind", LIES)
async def test_lies_are_cut_off(world: World, kind: str) -> None:
    async with scene(world) as it:
        it.sender.opening = LIES[kind]
        async with it.watching() as watcher:
            assert (await watcher.hear("waiting"))["reason"] == "bad_data"
            assert await it.sender.bodies[0].ended() in (410, 0)


async def begin_hls(it: Scene) -> tuple[Any, str]:
    """(client, the address below which all is)."""
    ways = (await it.live())["protocols"]
    url = next(way["url"] for way in ways if way["type"] == "hls")
    http = it.world.client(None)
    assert (await http.get(url)).status_code == 200
    return http, url.rpartition("/")[0]


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_held_part_is_not_given_to_who_lost_the_right_meanwhile(world: World) -> None:
    door = world.server.live.hls
    async with scene(world) as it:
        it.sender.opening = it.sender.film.beginning() + it.sender.film.play(3)
        http, at = await begin_hls(it)
        feed = next(iter(door._feeds.values()))
        held = asyncio.create_task(http.get(f"{at}/main/part-{feed.window.next_part}.mp4"))
        listing = asyncio.create_task(
            http.get(f"{at}/main/media.m3u8", params={"_HLS_msn": feed.window._next_segment})
        )
        await until(lambda: feed.held == 2)
        await world.sql("DELETE FROM service_account_sites")
        next(iter(door._viewers.values())).looked_mono -= 3
        await (await it.sender.body()).send(it.sender.film.play(8))
        assert {(await held).status_code, (await listing).status_code} == {403}


@pytest.mark.anyio
@pytest.mark.slow
async def test_who_waits_has_not_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novavms_server.live.service.VALID", timedelta(seconds=5))
    door = world.server.live.hls
    async with scene(world) as it:
        http, at = await begin_hls(it)
        feed, viewer = next(iter(door._feeds.values())), next(iter(door._viewers.values()))
        held = asyncio.create_task(http.get(f"{at}/main/part-{feed.window.next_part}.mp4"))
        await until(lambda: feed.held == 1)
        viewer.asked_mono -= 3600
        door.sweep()
        assert len(world.server.live.watchers) == 1
        await (await it.sender.body()).send(it.sender.film.play(3))
        assert (await held).status_code == 200
        door.sweep()
        assert len(world.server.live.watchers) == 1


@pytest.mark.anyio
async def test_a_snapshot_that_is_no_base64_is_the_gateways_fault(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nova_gateway.base64", SimpleNamespace(b64encode=lambda _data: "é".encode()))
    async with connected(world) as gateway:
        body = {
            **{"site_id": str(world.site), "gateway_id": str(gateway.id), "name": "x", "type": "rtsp"},
            **{"rtsp_url": "rtsp://192.0.2.7/a", "connection_mode": "gateway"},
        }
        made = await world.client("operator").post("/api/v1/cameras", json=body)
        answer = await world.client("viewer").get(f"/api/v1/cameras/{made.json()['id']}/snapshot")
        assert answer.status_code in (502, 503), answer.text
        assert len(gateway.snapshots) == 1, "it was asked"


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_box_whose_token_has_ended_is_shown_no_longer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novavms_server.live.inlet.TOKEN_SEC", 0.02)
    async with scene(world) as it, it.watching() as watcher:
        await watcher.hear("init")
        body = await it.sender.body()
        await world.sql("UPDATE gateways SET token_hash = '\\x00' WHERE id = %s", it.gateway.id)
        assert await body.ended() in (410, 0)
