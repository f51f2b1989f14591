"""A gateway that lies: what it PUTs is cut off, and harms nobody."""

from __future__ import annotations

import asyncio

import pytest
from nova_live import Film, scene, until
from nova_world import World

from novavms_protocol.live import ALIVE, INIT, MEDIA, NOTE, LiveNote, live_frame, note_frame
from novavms_server.live import inlet, upstream

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
FILM = Film()
NOTHING = LiveNote(tier="main", reason="offline")


def frame(kind: int, payload: bytes, size: int | None = None) -> bytes:
    """`size`: what its head says."""
    made = live_frame(kind, payload)
    return made if size is None else made[:10] + size.to_bytes(4, "big") + made[14:]


LIES = {
    "garbage": b"\xff" * 10_000,
    "http": b"GET / HTTP/1.1\r\n\r\n" * 10,
    "a giant frame": FILM.beginning() + frame(MEDIA, b"", size=2**31),
    "a note that is none": frame(NOTE, b"{"),
    "a note of another shape": frame(NOTE, b'{"tier": "third"}'),
    "a note too long": frame(NOTE, b'{"tier": "main", "message": "' + b"x" * 10_000 + b'"}'),
    "codecs that break out": note_frame(FILM.note(codecs='avc1"; evil')),
    "no size": note_frame(FILM.note(width=-1)),
    "init without a note": frame(INIT, b"\0\0\0\x08ftyp"),
    "init after nothing": note_frame(NOTHING) + frame(INIT, b"\0\0\0\x08ftyp"),
    "init that is none": note_frame(FILM.note()) + frame(INIT, b"<html>xxxxxxx"),
    "a giant init": note_frame(FILM.note()) + frame(INIT, b"\0\0\0\x08ftyp" + bytes(2**21)),
    "media without init": note_frame(FILM.note()) + FILM.play(1),
    "media that is none": FILM.beginning() + frame(MEDIA, b"<html>xxxxxxx"),
    "notes for ever": note_frame(NOTHING) * 1002,
    "unknown frames for ever": note_frame(FILM.note()) + frame(77, b"x") * 1002,
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies_are_cut_off_and_asked_for_later_and_later(
    world: World, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    pause = upstream.Upstreams._pause

    async def noted(self: upstream.Upstreams, gateway_id: object, socket: object, delay_sec: float) -> None:
        pauses.append(delay_sec)
        await pause(self, gateway_id, socket, delay_sec / 1000)  # type: ignore[arg-type]

    monkeypatch.setattr(upstream.Upstreams, "_pause", noted)
    monkeypatch.setattr(upstream, "LOOK_SEC", 0.005)
    async with scene(world) as it:
        it.sender.opening = LIES[lie]
        async with it.watching() as watcher:
            while (await watcher.hear("waiting"))["reason"] != "bad_data":
                pass
            assert await it.sender.bodies[0].ended() in (410, 0)
            await until(lambda: len(pauses) >= 6)
            assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
            it.sender.opening = None
            await watcher.hear("init")
            await watcher.see(6)


async def test_a_body_without_pictures_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet, "SILENCE_SEC", 0.2)
    monkeypatch.setattr(upstream, "BACK_OFF_SEC", (0.01, 0.01))
    monkeypatch.setattr(upstream, "LOOK_SEC", 0.01)
    async with scene(world) as it:
        it.sender.opening = it.sender.film.beginning() + it.sender.film.play(1)
        async with it.watching() as watcher:
            await watcher.hear("init")
            assert (await watcher.hear("waiting"))["reason"] == "stalled"
            assert await it.sender.bodies[0].ended() in (410, 0)
            await watcher.hear("init")
        registry = world.server.services.metrics.registry
        assert (registry.get_sample_value("novavms_live_stalls_total") or 0) >= 1


async def test_bytes_that_never_become_a_frame_are_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inlet, "FRAME_SEC", 0.2)
    async with scene(world) as it:
        it.sender.opening = it.sender.film.beginning() + it.sender.film.play(1)
        async with it.watching() as watcher:
            await watcher.hear("init")
            body = await it.sender.body()
            await body.send(live_frame(MEDIA, bytes(1_000_000))[:-1])
            assert (await watcher.hear("waiting"))["reason"] == "stalled"
            assert await body.ended() in (410, 0)


async def test_a_camera_that_is_away_may_be_so_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inlet, "FRAME_SEC", 0.0)
    monkeypatch.setattr(inlet, "_MINUTE_SEC", -1.0)
    monkeypatch.setattr(inlet, "IDLE_FRAMES", 25)
    taken = world.server.live.metrics.bytes_in._value.get
    async with scene(world) as it:
        it.sender.opening = note_frame(NOTHING)
        async with it.watching() as watcher:
            await watcher.hear("waiting")
            body = await it.sender.body()
            for _ in range(10):
                word = (live_frame(ALIVE, b"") + note_frame(NOTHING)) * 10
                before = taken()
                await body.send(word)
                await until(lambda: taken() == before + len(word))  # noqa: B023
            monkeypatch.setattr(inlet, "FRAME_SEC", 30.0)
            await body.send(FILM.beginning() + FILM.play(1))
            await watcher.hear("init")
            assert body.status is None
        assert len(it.sender.asked) == 1


async def test_alive_is_no_picture(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet, "FRAME_SEC", 0.2)
    async with scene(world) as it, it.watching() as watcher:
        await watcher.hear("init")
        body = await it.sender.body()
        while body.status is None:
            await body.send(live_frame(ALIVE, b""))
            await asyncio.sleep(0.005)  # the server runs in this loop, too
        assert (await watcher.hear("waiting"))["reason"] == "stalled"


async def test_who_says_yes_and_sends_nothing_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "BEGIN_SEC", 0.05)
    monkeypatch.setattr(upstream, "BACK_OFF_SEC", (0.01, 0.01))
    monkeypatch.setattr(upstream, "LOOK_SEC", 0.01)
    async with scene(world) as it:
        it.sender.mute = True
        async with it.watching() as watcher:
            assert (await watcher.hear("waiting"))["reason"] == "gateway_timeout"
            await until(lambda: len(it.sender.asked) > 2)
            assert len(world.server.live.inlets) <= 1
