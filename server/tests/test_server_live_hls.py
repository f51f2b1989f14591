"""Live HLS over HTTP: FFmpeg's and a browser's players, requests that wait, who may, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import imageio_ffmpeg
import pytest
from nova_live import Scene, scene, until
from nova_mp4 import decode
from nova_world import World

from novavms_protocol.live import LiveNote, note_frame

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def index_of(it: Scene, role: str = "viewer", **query: Any) -> str:
    ways = (await it.live(role, **query))["protocols"]
    url: str = next(way["url"] for way in ways if way["type"] == "hls")
    return url


class Player:
    """Asks as a low-latency player does."""

    def __init__(self, http: httpx.AsyncClient, index: str) -> None:
        self.http = http
        self.index = index
        self.media = ""

    async def begin(self) -> str:
        answer = await self.http.get(self.index)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/vnd.apple.mpegurl")
        assert answer.headers["cache-control"] == "no-store"
        self.media = self.beside(self.index, answer.text.splitlines()[-1])
        return answer.text

    @staticmethod
    def beside(address: str, name: str) -> str:
        return address.partition("?")[0].rsplit("/", 1)[0] + "/" + name

    async def look(self, **query: Any) -> list[str]:
        answer = await self.http.get(self.media, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.text.splitlines()

    async def get(self, name: str) -> httpx.Response:
        return await self.http.get(self.beside(self.media, name))


def named(lines: list[str], tag: str) -> list[str]:
    """The URIs of a tag, or the segments for no tag."""
    if not tag:
        return [line for line in lines if line and not line.startswith("#")]
    return [line.split('URI="')[1].split('"')[0] for line in lines if line.startswith(tag)]


def number(lines: list[str], tag: str) -> int:
    return int(next(line for line in lines if line.startswith(tag)).rpartition(":")[2])


@asynccontextmanager
async def playing(world: World, **camera: Any) -> AsyncIterator[tuple[Scene, Player]]:
    async with scene(world, **camera) as it:
        player = Player(world.client(None), await index_of(it))
        text = await player.begin()
        assert f'CODECS="{it.sender.film.fmt.video.codec_string}",RESOLUTION=64x64' in text
        assert text.splitlines()[-1] == "main/media.m3u8"
        yield it, player


async def test_parts_and_segments_come_and_all_that_is_listed_is_served(world: World) -> None:
    async with playing(world) as (it, player):
        body = await it.sender.body()
        await body.send(it.sender.film.play(9))
        lines = await player.look(_HLS_msn=number(await player.look(), "#EXT-X-MEDIA-SEQUENCE") + 3)
        names = [*named(lines, "#EXT-X-MAP"), *named(lines, "#EXT-X-PART:"), *named(lines, "")]
        assert len(names) > 20
        for name in names:
            answer = await player.get(name)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4"), name
        parts = [(await player.get(name)).content for name in named(lines, "#EXT-X-PART:")[:3]]
        assert b"".join(parts) == (await player.get(named(lines, "")[0])).content
        assert len(it.sender.asked) == 1, "one upstream"
        for name in (
            "part-1.mp4",
            "segment-1.mp4",
            "init-1.mp4",
            "x.mp4",
            "..%2f..%2fmse",
            "part-" + "9" * 18 + ".mp4",
        ):
            answer = await player.get(name)
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), name


async def test_requests_for_what_is_to_come_are_held_until_it_is_there(world: World) -> None:
    async with playing(world) as (it, player):
        lines = await player.look()
        segment, there = number(lines, "#EXT-X-MEDIA-SEQUENCE"), len(named(lines, "#EXT-X-PART:"))
        hint = named(lines, "#EXT-X-PRELOAD-HINT")[0]
        assert there == 3
        held = [
            asyncio.create_task(player.look(_HLS_msn=segment + 1, _HLS_part=0)),
            asyncio.create_task(player.look(_HLS_msn=segment, _HLS_part=there, _HLS_new_one="x")),
            asyncio.create_task(player.look(_HLS_msn=segment + 1)),
            asyncio.create_task(player.get(hint)),
        ]
        feed = next(iter(world.server.live.hls._feeds.values()))
        await until(lambda: feed.held == 4)
        assert not any(each.done() for each in held)
        body = await it.sender.body()
        await body.send(it.sender.film.play(0.6))
        for each in held[:2]:
            assert len(named(await each, "#EXT-X-PART:")) > there  # type: ignore[arg-type]
        part = await held[3]
        assert isinstance(part, httpx.Response)
        assert (part.status_code, part.content[4:8]) == (200, b"moof")
        assert hint in named(await player.look(), "#EXT-X-PART:")
        assert not held[2].done(), "the segment grows"
        await body.send(it.sender.film.play(2))
        assert len(named(await held[2], "")) == 2  # type: ignore[arg-type]


async def test_what_is_too_far_or_makes_no_sense_is_400(world: World) -> None:
    async with playing(world) as (_, player):
        segment = number(await player.look(), "#EXT-X-MEDIA-SEQUENCE")
        for query in (
            {"_HLS_msn": segment + 3},
            {"_HLS_msn": segment + 1, "_HLS_part": 50},
            {"_HLS_part": 1},
            {"_HLS_msn": "x"},
            {"_HLS_msn": -1},
            {"_HLS_msn": "9" * 30},
            {"_HLS_msn": [1, 2]},
        ):
            answer = await player.http.get(player.media, params=query)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"]) == (400, "validation_error"), query
        assert (await player.http.get(player.media, params={"_HLS_msn": 5})).status_code == 200, "long there"
        for url in (player.index + "?x=1", player.index + "?tier=third", player.index + "?codecs=av1"):
            assert (await player.http.get(url)).status_code == 400, url
        third = player.media.replace("/main/", "/third/")
        assert (await player.http.get(third)).status_code in (400, 404)


async def test_ffmpeg_plays_it(world: World) -> None:
    async with playing(world) as (it, player):
        body = await it.sender.body()
        await body.send(it.sender.film.play(9))
        await player.look(_HLS_msn=number(await player.look(), "#EXT-X-MEDIA-SEQUENCE") + 3)

        def watch() -> list[tuple[float, int]]:
            found = []
            with av.open(world.base_url + player.index) as container:
                for frame in container.decode(container.streams.video[0]):
                    found.append((float(frame.time or 0), frame.width))
                    if len(found) == 150:
                        break
            return found

        async def go_on() -> None:
            while True:
                await body.send(it.sender.film.play(1))
                await asyncio.sleep(0.02)

        going = asyncio.create_task(go_on())
        seen = await asyncio.to_thread(watch)
        going.cancel()
        assert {width for _, width in seen} == {64}
        steps = [round(after[0] - before[0], 3) for before, after in pairwise(seen)]
        assert set(steps) == {0.04}, "no picture is missing"


async def test_the_guides_commands(world: World, tmp_path: Path) -> None:
    """As they stand in docs/guides/live.md; only the address is another."""
    text = (ROOT / "docs/guides/live.md").read_text()
    curl, ffmpeg = (
        next(line.strip() for line in text.splitlines() if line.startswith(f"    {name} "))
        for name in ("curl", "ffmpeg")
    )
    (tmp_path / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())

    async def run(line: str, **variables: str) -> bytes:
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        line = line.replace("https://novavms.novalien.com", world.base_url)
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-euc", line),
            env=env,
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await shell.communicate()
        assert shell.returncode == 0
        return out

    async with scene(world) as it:
        asked = {"NOVAVMS_API_KEY": world.keys["viewer"], "CAMERA": str(it.camera_id)}
        ways = json.loads(await run(curl, **asked))["protocols"]
        url = next(way["url"] for way in ways if way["type"] == "hls")

        async def go_on() -> None:
            body = await it.sender.body()
            while True:
                await body.send(it.sender.film.play(0.2))
                await asyncio.sleep(0.05)

        going = asyncio.create_task(go_on())
        await run(ffmpeg, URL=world.base_url + url)
        going.cancel()
        seen = decode((tmp_path / "live.mp4").read_bytes())
        assert seen.video_frames >= 49
        assert seen.first_is_key


async def test_no_picture_says_why(world: World) -> None:
    world.server.live.hls.first_sec = 3
    async with scene(world) as it:
        it.sender.opening = note_frame(LiveNote(tier="main", reason="frozen", message="No picture for 10 s."))
        index = await index_of(it)
        answer = await world.client(None).get(index)
        assert (answer.status_code, answer.json()["reason"]) == (503, "frozen")
        assert answer.json()["message"] == "No picture for 10 s."
        assert int(answer.headers["retry-after"]) > 0
        body = await it.sender.body()
        await body.send(it.sender.film.beginning() + it.sender.film.play(1))
        await until(lambda: any(f.window.segments for f in world.server.live.hls._feeds.values()))
        assert (await world.client(None).get(index)).status_code == 200


async def test_a_camera_that_goes_and_comes_is_a_discontinuity(world: World) -> None:
    async with playing(world) as (it, player):
        body = await it.sender.body()
        await body.send(it.sender.film.play(1))
        await body.send(note_frame(LiveNote(tier="main", reason="offline", message="It is away.")))
        it.sender.film.at_90k += 90_000 * 30
        it.sender.film.size = 96
        await body.send(it.sender.film.beginning() + it.sender.film.play(5))
        lines = await player.look(_HLS_msn=number(await player.look(), "#EXT-X-MEDIA-SEQUENCE") + 2)
        assert lines.count("#EXT-X-DISCONTINUITY") == 1
        assert len(set(named(lines, "#EXT-X-MAP"))) == 2


async def test_who_loses_the_right_to_see_loses_playlists_and_parts(world: World) -> None:
    async with playing(world) as (_, player):
        lines = await player.look()
        name = named(lines, "#EXT-X-PART:")[0]
        ticket = player.index.split("/")[4]
        for forged in ("x", ticket[:-2], ("A" if ticket[0] != "A" else "B") + ticket[1:]):
            assert (await player.http.get(player.index.replace(ticket, forged))).status_code == 401
        await world.sql("DELETE FROM service_account_sites")
        world.server.live.hls._viewers[ticket].looked_mono -= 3
        assert (await player.get(name)).status_code == 403
        for url in (player.index, player.media):
            assert (await player.http.get(url)).status_code == 403


async def test_an_address_that_has_begun_is_good_for_longer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("novavms_server.live.service.VALID", timedelta(seconds=3))
        async with playing(world) as (it, player):
            late = await index_of(it)
            await asyncio.sleep(3)
            viewer = next(iter(world.server.live.hls._viewers.values()))
            viewer.looked_mono -= 3
            assert (await player.http.get(player.media)).status_code == 200
            assert (await player.http.get(late)).status_code == 401


async def test_what_nobody_asks_for_any_more_ends_and_begins_anew(world: World) -> None:
    door = world.server.live.hls
    async with playing(world) as (it, player):
        first = await player.look()
        assert (len(door), len(world.server.live.watchers)) == (1, 1)
        door.idle_sec = 0
        await until(lambda: not len(door) and not len(world.server.live.watchers))
        await until(lambda: not len(world.server.live.upstreams))
        assert (await player.get(named(first, "#EXT-X-PART:")[0])).status_code == 404
        door.idle_sec = 60
        await asyncio.sleep(0.2)
        again = await player.look(_HLS_msn=number(first, "#EXT-X-MEDIA-SEQUENCE"), _HLS_part=3)
        tag = "#EXT-X-MEDIA-SEQUENCE"
        assert number(again, tag) > number(first, tag), "numbers never go back"
        assert len(it.sender.asked) == 2


async def test_places_are_limited_as_for_all_viewers(world: World) -> None:
    world.server.live.watchers.per_camera = 1
    async with playing(world) as (it, player):
        other = await world.client(None).get(await index_of(it))
        assert (other.status_code, other.json()["error"]) == (429, "rate_limited")
        assert (await player.http.get(player.media)).status_code == 200


async def test_who_can_not_decode_it_is_told_so(world: World) -> None:
    async with playing(world) as (_, player):
        answer = await player.http.get(player.index + "?codecs=h265")
        assert (answer.status_code, answer.json()["reason"]) == (409, "codec_unsupported")
        assert "H.264" in answer.json()["message"]


async def test_a_server_that_stops_lets_nobody_wait(world: World) -> None:
    async with playing(world) as (_, player):
        segment = number(await player.look(), "#EXT-X-MEDIA-SEQUENCE")
        held = asyncio.create_task(player.http.get(player.media, params={"_HLS_msn": segment + 1}))
        feed = next(iter(world.server.live.hls._feeds.values()))
        await until(lambda: feed.held == 1)
        world.server.live.say_goodbye()
        answer = await held
        assert (answer.status_code, answer.json().get("reason")) == (503, None), (
            "at once, not when it was too long"
        )
        assert (await player.http.get(player.media)).status_code == 503
