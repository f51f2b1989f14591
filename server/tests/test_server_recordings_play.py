"""Playing recorded footage: playlist and files over HTTP, the bytes relayed from a gateway's own PUTs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import httpx
import msgspec
import pytest
from nova_footage import PIECE_BYTES, File, Shelf, Telling, add_camera, cut_files, now, update
from nova_gateway import ScriptedGateway, connected, pair
from nova_people import add_user, client_of
from nova_recorder import FOOTAGE
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[File]:
    """Three sessions of 8 s, a minute between them; the last in another format."""
    folder, start = tmp_path_factory.mktemp("segments"), now() - timedelta(minutes=10)
    return [
        *cut_files(folder / "a", FOOTAGE, start),
        *cut_files(folder / "b", FOOTAGE, start + timedelta(seconds=68), first_id=101),
        *cut_files(folder / "c", FOOTAGE, start + timedelta(seconds=136), width=320, first_id=201),
    ]


@dataclass
class Scene:
    world: World
    gateway: ScriptedGateway
    shelf: Shelf
    camera_id: UUID
    start: datetime

    @property
    def url(self) -> str:
        return f"/api/v1/cameras/{self.camera_id}/playback"

    async def address(self, role: str = "viewer", **query: Any) -> str:
        asked = {"from": self.start.isoformat(), **query}
        answer = await self.world.client(role).get(self.url, params=asked)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def names(self, address: str) -> list[str]:
        listed = await self.world.client(None).get(address)
        assert listed.status_code == 200, listed.text
        return [line for line in listed.text.splitlines() if line.endswith(".mp4")]


@asynccontextmanager
async def scene(world: World, files: list[File], *, told: int | None = None) -> AsyncIterator[Scene]:
    """`told`: how many of the files the ledger speaks of; None: all."""
    identity, epoch = await pair(world, world.site), uuid4()
    shelf = Shelf(world, files)
    shelf.token = identity[1]
    async with connected(world, identity=identity, ledger_epoch=epoch, serve=shelf.serve) as gateway:
        camera_id = await add_camera(world, gateway)
        say, start = Telling(camera_id), files[0].info.start
        rows = [say.row("span", file.info.start, file.info.end) for file in files[:told]]
        assert await gateway.report(update(epoch, rows, rows[-1].end if told else None)) is None
        try:
            yield Scene(world, gateway, shelf, camera_id, start)
        finally:
            await shelf.end()


def beside(address: str, name: str) -> str:
    return address.rsplit("/", 1)[0] + "/" + name


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def frames(url: str) -> list[int]:
    """The width of every picture that an independent player decodes of an address or a file."""
    with av.open(url) as container:
        return [frame.width for frame in container.decode(container.streams.video[0])]


async def test_an_independent_player_sees_every_picture(
    world: World, files: list[File], tmp_path: Path
) -> None:
    async with scene(world, files) as it:
        address = await it.address()
        listed = (await world.client(None).get(address)).text
        assert listed.count("#EXTINF:") == len(files)
        assert listed.count("#EXT-X-MAP:") == 3, "one for each session"
        assert listed.count("#EXT-X-DISCONTINUITY\n") == 2
        assert listed.count("#EXT-X-PROGRAM-DATE-TIME:") == len(files)
        assert listed.endswith("#EXT-X-ENDLIST\n")
        # One session at a time: FFmpeg's HLS reader takes no second initialization section; browsers do (tests/e2e).
        for first, width in ((1, 768), (101, 768), (201, 320)):
            group = [file for file in files if first <= file.info.id < first + 100]
            edges = {"from": group[0].info.start.isoformat(), "to": group[-1].info.end.isoformat()}
            seen = await asyncio.to_thread(frames, world.base_url + await it.address(**edges))
            whole = tmp_path / f"{first}.mp4"
            whole.write_bytes(
                group[0].data + b"".join(each.data[each.info.init_bytes :] for each in group[1:])
            )
            assert len(seen) == len(await asyncio.to_thread(frames, str(whole))) > 80
            assert set(seen) == {width}
        assert set(it.shelf.sent) == {204}
        assert len(world.server.recordings.relays) == 0, "nothing is left open"


async def test_the_last_moments_play_though_the_ledger_has_no_word_of_them_yet(
    world: World, tmp_path: Path
) -> None:
    files = cut_files(tmp_path / "fresh", FOOTAGE, now() - timedelta(seconds=12))
    async with scene(world, files, told=1) as it:
        edges = {"from": files[2].info.start.isoformat(), "to": files[3].info.start.isoformat()}
        address, player = await it.address(**edges), world.client(None)
        listed = (await player.get(address)).text
        assert listed.count("#EXTINF:") == 1
        played = await player.get(beside(address, (await it.names(address))[0]))
        assert played.content == files[2].data
        it.shelf.files.clear()
        nothing = await player.get(address)
        assert (nothing.status_code, nothing.json()["error"]) == (404, "not_found")
        none = await world.client("viewer").get(it.url, params=edges)
        assert (none.status_code, none.json()["reason"]) == (404, "not_reported_yet")


async def test_files_come_whole_by_range_and_never_otherwise(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        player, data, init = world.client(None), files[0].data, files[0].info.init_bytes
        whole = await player.get(beside(address, name))
        assert (whole.status_code, whole.content == data) == (200, True)
        assert whole.headers["content-type"] == "video/mp4"
        for start, end in (
            (0, init),
            (init, len(data)),
            (5, 6),
            (len(data) - 1, len(data)),
            (10_000, 30_000),
        ):
            part = await player.get(beside(address, name), headers={"Range": f"bytes={start}-{end - 1}"})
            assert (part.status_code, part.content == data[start:end]) == (206, True), (start, end)
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"
        before = len(it.shelf.asked)
        again = await player.get(beside(address, name), headers={"Range": f"bytes=0-{init - 1}"})
        assert again.content == data[:init]
        assert len(it.shelf.asked) == before, "first parts are remembered"
        past = await player.get(beside(address, name), headers={"Range": f"bytes={len(data)}-"})
        assert past.status_code == 416
        head = await player.head(beside(address, name))
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(data)))
        wrong = name.replace("-", "0-", 1)
        for other in (wrong, "index.mp4", "1-2-3-x.mp4", "%2e%2e"):
            assert (await player.get(beside(address, other))).status_code in (403, 404), other


async def test_who_may_play_and_for_how_long(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        for role, other, status in ((None, False, 401), ("admin", True, 404), ("viewer", False, 302)):
            answer = await world.client(role, other=other).get(it.url, params={"from": it.start.isoformat()})
            assert answer.status_code == status, role
        address, player = await it.address(), world.client(None)
        name = (await it.names(address))[0]
        ticket = address.split("/")[-2]
        other = "A" if ticket[0] != "A" else "B"
        for forged in (other + ticket[1:], ticket + "x", ticket[:20], "x", "-" * 2000):
            assert (await player.get(address.replace(ticket, forged))).status_code == 403, forged
        await world.sql("DELETE FROM service_account_sites")
        for url in (address, beside(address, name)):
            assert (await player.get(url)).status_code == 403, "the grant was withdrawn"
        mine = await it.address("operator")
        assert (await player.get(mine)).status_code == 200
        assert (await player.get(beside(mine, name))).status_code == 403, "a name is of one address"
        await world.sql("UPDATE api_keys SET revoked_at = now()")
        assert (await player.get(mine)).status_code == 403


async def test_a_persons_address_ends_when_they_are_switched_off(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        person = await client_of(world, (await add_user(world, "operator"))[1])
        answer = await person.get(it.url, params={"from": it.start.isoformat()})
        assert answer.status_code == 302, answer.text
        address, player = answer.headers["location"], world.client(None)
        assert (await player.get(address)).status_code == 200
        await world.sql("UPDATE users SET enabled = false")
        assert (await player.get(address)).status_code == 403


async def test_an_address_ends_with_its_time_and_with_the_gateways_index(
    world: World, files: list[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(world, files) as it:
        address, player = await it.address(), world.client(None)
        assert (await player.get(address)).status_code == 200
        with monkeypatch.context() as patch:
            patch.setattr("novavms_server.recordings.playback.VALID", timedelta(0))
            assert (await player.get(await it.address())).status_code == 403, "its time is over"
        await it.gateway.report(update(uuid4(), []))
        gone = await player.get(address)
        assert (gone.status_code, gone.json()["reason"]) == (404, "gone")
        nothing = await world.client("viewer").get(it.url, params={"from": it.start.isoformat()})
        assert (nothing.status_code, nothing.json()["error"]) == (404, "not_found")
        assert nothing.json()["reason"]


async def test_each_way_it_can_fail_has_its_word(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        address, player = await it.address(), world.client(None)
        name = (await it.names(address))[1]
        for word, status, reason in (
            ("gone", 404, "gone"),
            ("busy", 503, "busy"),
            ("unsupported", 503, "unsupported"),
        ):
            it.shelf.refuse = word
            for url in (address, beside(address, name)):
                answer = await player.get(url)
                assert (answer.status_code, answer.json()["reason"]) == (status, reason), word
                assert ("retry-after" in answer.headers) == (status == 503)
        too_long = await world.client("viewer").get(
            it.url, params={"from": (now() - timedelta(days=3)).isoformat(), "to": now().isoformat()}
        )
        assert (too_long.status_code, too_long.json()["details"][0]["field"]) == (400, "to")
    for url in (address, beside(address, name)):
        answer = await player.get(url)
        assert (answer.status_code, answer.json()["reason"]) == (503, "gateway_offline")


async def test_a_viewer_that_hangs_up_ends_the_gateways_put(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        going = asyncio.Event()

        async def slowly() -> None:
            await asyncio.sleep(0.05)
            going.set()

        it.shelf.files[1] = File(files[0].info, files[0].data[:1000] + bytes(len(files[0].data) - 1000))
        it.shelf.pace = slowly
        async with world.client(None).stream("GET", beside(address, name)) as answer:
            assert answer.status_code == 200
            await anext(answer.aiter_raw())
        await until(lambda: len(it.shelf.sent) == 1)
        assert it.shelf.sent != [204], "it was not taken to its end"
        assert len(world.server.recordings.relays) == 0


async def test_a_gateway_that_breaks_off_breaks_the_answer_off(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        left, seen = 3, asyncio.Event()

        async def breaks() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                await seen.wait()
                raise httpx.WriteError("the cable")

        it.shelf.pace = breaks

        async def watch() -> None:
            async with world.client(None).stream("GET", beside(address, name)) as answer:
                assert answer.status_code == 200
                async for _ in answer.aiter_raw():
                    seen.set()

        with pytest.raises(httpx.RemoteProtocolError):
            await watch()
        await until(lambda: len(world.server.recordings.relays) == 0)


async def test_only_the_asked_gateway_may_send_and_only_once(world: World, files: list[File]) -> None:
    async with scene(world, files) as it, connected(world) as stranger:
        address = await it.address()
        name = (await it.names(address))[0]
        data, urls = files[0].data, []

        async def hold_back(ask: Any) -> None:
            urls.append(ask.url)

        it.shelf.put = hold_back  # type: ignore[method-assign]
        watching = asyncio.create_task(world.client(None).get(beside(address, name)))
        await until(lambda: urls)
        for token, body, status in (
            (None, data, 401),
            (stranger.token, data, 401),
            (world.keys["admin"], data, 401),
        ):
            sent = (
                await world.client(token=token).put(urls[0], content=body)
                if token
                else (await world.client(None).put(urls[0], content=body))
            )
            assert sent.status_code == status, token
        good = world.client(token=it.shelf.token)
        assert (await good.put(urls[0], content=data)).status_code == 204
        assert (await watching).content == data
        assert (await good.put(urls[0], content=data)).status_code == 404, "it was good once"
        wrong = asyncio.create_task(world.client(None).get(beside(address, name)))
        await until(lambda: len(urls) == 2)
        assert (await good.put(urls[1], content=data[:-1])).status_code == 400
        assert (await wrong).status_code == 503


async def test_an_address_that_is_being_used_takes_no_second_sender(world: World, files: list[File]) -> None:
    async with scene(world, files) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        let_go = asyncio.Event()
        it.shelf.pace = let_go.wait  # type: ignore[assignment]
        watching = asyncio.create_task(world.client(None).get(beside(address, name)))
        relays = world.server.recordings.relays
        await until(lambda: len(relays) and all(relay.begun.is_set() for relay in relays._open.values()))
        second = await world.client(token=it.shelf.token).put(it.shelf.asked[-1].url, content=b"x")
        assert second.status_code == 404
        let_go.set()
        assert (await watching).content == files[0].data


async def test_a_slow_viewer_slows_the_gateway_and_not_our_memory(world: World, files: list[File]) -> None:
    """32 MB offered; what leaves the gateway while nobody reads is what sockets and the relay's few pieces hold."""
    big = bytes(32 * 1024 * 1024)
    info = msgspec.structs.replace(files[0].info, size_bytes=len(big))
    async with scene(world, [File(info, big)]) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        offered = 0

        async def count() -> None:
            nonlocal offered
            offered += 1

        it.shelf.pace = count
        async with world.client(None).stream("GET", beside(address, name)) as answer:
            pieces = answer.aiter_raw()
            got = len(await anext(pieces))
            last = -1
            while last != offered:
                last = offered
                await asyncio.sleep(0.3)
            assert offered * PIECE_BYTES < len(big) / 2, "it waits"
            async for piece in pieces:
                got += len(piece)
        assert got == len(big)


async def test_more_than_a_gateway_can_send_at_once_is_told_so(
    world: World, files: list[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novavms_server.recordings.relay.TURN_SEC", 0.2)
    async with scene(world, files) as it:
        address = await it.address()
        name = (await it.names(address))[0]
        let_go = asyncio.Event()
        it.shelf.pace = let_go.wait  # type: ignore[assignment]
        watching = [asyncio.create_task(world.client(None).get(beside(address, name))) for _ in range(16)]
        await until(lambda: len(world.server.recordings.relays) == 16)
        one_more = await world.client(None).get(beside(address, name))
        assert (one_more.status_code, one_more.json()["reason"]) == (503, "busy")
        let_go.set()
        assert {answer.status_code for answer in await asyncio.gather(*watching)} == {200}
        assert (await world.client(None).get(beside(address, name))).status_code == 200, (
            "its turn is given back"
        )
