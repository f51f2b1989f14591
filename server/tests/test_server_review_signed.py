"""Signed addresses, and what they count for: players come without a credential, and several of them from one address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from nova_people import HandClock
from nova_world import World, make_world

from novavms_server.clips.store import as_attachment
from novavms_server.clips.store_local import LocalStore
from novavms_server.exports.files import file_name
from novavms_server.recordings.tickets import Ticket, Tickets

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


@pytest.fixture
async def limited(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A bucket of five, and a clock that stands."""
    async with make_world(database_url, tmp_path, clock=HandClock(), rate_per_min=60, rate_burst=5) as world:
        yield world


async def spend(world: World) -> None:
    """All that this address may ask for without a credential."""
    for _ in range(5):
        assert (await world.client(None).get("/api/v1/sites")).status_code == 401
    assert (await world.client(None).get("/api/v1/sites")).status_code == 429


def ticket(world: World) -> str:
    server, now = world.server, world.server.clock.now()
    tickets = Tickets(server.sealer.derive("playback"), server.database, server.clock)
    ids = [uuid4() for _ in range(4)]
    times = (now - timedelta(hours=1), now, "key", ids[3], now + timedelta(hours=6))
    return f"/api/v1/play/{tickets.make(Ticket(*ids[:3], 0, *times))}/index.m3u8"


async def test_a_player_does_not_use_up_what_its_address_may_ask(limited: World) -> None:
    mine, yours = ticket(limited), ticket(limited)
    await spend(limited)
    player = limited.client(None)
    for _ in range(5):
        assert (await player.get(mine)).status_code == 403, "nobody's, but signed"
    refused = await player.get(mine)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True), "it has a limit of its own"
    assert (await player.get(yours)).status_code == 403, "and so has another's"
    assert (await player.get(mine.replace("/index", "x/index"))).status_code == 429, "made up: a stranger's"


async def test_a_gateway_is_asked_to_send_to_the_server_that_it_knows(
    database_url: str, tmp_path: Path
) -> None:
    """Under whatever name it was paired, behind whatever proxy: its token goes to no other."""
    async with make_world(database_url, tmp_path, public_url="https://vms.example.org") as world:
        relays = world.server.recordings.relays
        relay = await relays.open(uuid4(), 1)
        assert relays.url(relay).startswith("/api/v1/relay/")
        relay.close()


async def test_a_files_link_has_a_bucket_of_its_own(limited: World) -> None:
    store = limited.server.clips.store
    assert isinstance(store, LocalStore)

    async def content() -> AsyncIterator[bytes]:
        yield b"clip"

    soon = limited.server.clock.now() + timedelta(minutes=10)
    for name in ("a", "b"):
        await store.put(f"clips/{name}.mp4", content(), size_bytes=4)
    one, two = [(await store.link("GET", f"clips/{name}.mp4", expires_at=soon)).url for name in ("a", "b")]
    up = (await store.link("PUT", "uploads/x", expires_at=soon, size_bytes=4)).url
    await spend(limited)
    player = limited.client(None)
    assert [(await player.get(one)).status_code for _ in range(6)] == [200] * 5 + [429]
    assert (await player.get(two)).status_code == 200
    assert (await player.put(up, content=b"part")).status_code == 204
    for forged in (two + "x", two.replace("b.mp4", "c.mp4"), two.replace("expires=", "expires=9"), two[:-60]):
        assert (await player.get(forged)).status_code == 429, forged


def test_a_file_name_breaks_out_of_no_header() -> None:
    told = as_attachment('a"b\\c\r\nX: y; "é.mp4')
    assert (
        told
        == "attachment; filename=\"a_b_c__X: y; __.mp4\"; filename*=UTF-8''a%22b%5Cc%0D%0AX%3A%20y%3B%20%22%C3%A9.mp4"
    )


def test_two_names_differ_also_where_case_does_not_count() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    one = file_name({"name": "DOCK"}, at, set())
    assert file_name({"name": "dock"}, at, {one.casefold()}) == "dock 2026-03-01 000000Z (1).mp4"
