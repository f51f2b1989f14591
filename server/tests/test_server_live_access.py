"""Who may watch, how many, and until when."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from nova_live import Scene, scene, until, watch
from nova_people import add_user, client_of
from nova_world import World
from psycopg import OperationalError
from websockets.exceptions import InvalidStatus

from novavms_server.accounts.bootstrap import create_key
from novavms_server.kit.clock import SystemClock
from novavms_server.live import rights
from novavms_server.live.tickets import Ticket, Tickets

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def refused(world: World, path: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with watch(world, path):
            pass
    answer = caught.value.response
    assert b'"error"' in answer.body
    assert b'"request_id"' in answer.body
    if answer.status_code == 429:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code, answer.body.decode()


def ticket_of(world: World, address: str) -> Ticket:
    return world.server.live.tickets.open(address.split("/")[4])


def altered(world: World, address: str, **changes: Any) -> str:
    """As we would sign it."""
    ticket = msgspec.structs.replace(ticket_of(world, address), **changes)
    return f"/api/v1/live/{world.server.live.tickets.make(ticket)}/mse"


async def test_addresses_of_others_or_none_open_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    async with scene(world) as it:
        address = await it.address()
        token = address.split("/")[4]
        for at in (0, 10, len(token) // 2, len(token) - 3):
            broken = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            assert (await refused(world, address.replace(token, broken)))[0] == 401
        for wrong in ("x", "A" * 2000, token[:-4], "%00", "ä"):
            assert (await refused(world, address.replace(token, wrong)))[0] == 401
        foreign = Tickets(b"another key", SystemClock()).make(ticket_of(world, address))
        assert (await refused(world, address.replace(token, foreign)))[0] == 401
        old = altered(world, address, expires_at=world.server.clock.now() - timedelta(seconds=1))
        assert (await refused(world, old))[0] == 401
        assert (await refused(world, altered(world, address, camera_id=uuid4())))[0] == 404
        assert (await refused(world, altered(world, address, org_id=world.other_org)))[0] == 403
        assert (await refused(world, altered(world, address, credential_id=uuid4())))[0] == 403
        assert (await refused(world, altered(world, address, kind="user")))[0] == 403
        assert (await refused(world, address + "?tier=third"))[0] == 400
        assert (await refused(world, address + "?codecs=av1"))[0] == 400
        assert it.sender.asked == [], "nothing was asked of the gateway for them"
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


async def test_no_address_for_who_may_not_see(world: World) -> None:
    async with scene(world) as it:
        url = f"/api/v1/cameras/{it.camera_id}/live"
        assert (await world.client(None).get(url)).status_code == 401
        assert (await world.client("admin", other=True).get(url)).status_code == 404
        assert (await world.client("admin").get(f"/api/v1/cameras/{uuid4()}/live")).status_code == 404
        await world.sql("UPDATE cameras SET site_id = %s WHERE id = %s", world.ungranted_site, it.camera_id)
        assert (await world.client("viewer").get(url)).status_code == 403
        for query, name in (("tier=third", "tier"), ("codecs=av1", "codecs"), ("codecs=", "codecs")):
            answer = await world.client("admin").get(f"{url}?{query}")
            assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, name), query


async def test_a_view_that_has_begun_outlives_its_token(world: World) -> None:
    async with scene(world) as it:
        address = await it.address()
        expires_at = world.server.clock.now() + timedelta(seconds=3)
        brief = altered(world, address, expires_at=expires_at)
        async with watch(world, brief) as watcher:
            await watcher.hear("init")
            await until(lambda: world.server.clock.now() > expires_at)
            await world.server.live.rights.look()
            await (await it.sender.body()).send(it.sender.film.play(1))
            await watcher.see(11)
            assert (await refused(world, brief))[0] == 401


async def _camera(it: Scene) -> str:
    deleted = await it.world.client("operator").delete(f"/api/v1/cameras/{it.camera_id}")
    assert deleted.status_code == 204
    return "camera_deleted"


async def _site(it: Scene) -> str:
    await it.world.sql("UPDATE cameras SET site_id = %s WHERE id = %s", it.world.ungranted_site, it.camera_id)
    return "revoked"


@pytest.mark.parametrize("how", ["grant", "key", "camera", "site"])
async def test_a_right_that_ends_ends_what_is_watched_by_it(world: World, how: str) -> None:
    async with world.server.database.everywhere() as connection:
        key = await create_key(connection, world.org, "watcher", "viewer", [world.site])
    async with scene(world) as it:
        answer = await world.client(token=key.key).get(f"/api/v1/cameras/{it.camera_id}/live")
        address = answer.json()["protocols"][0]["url"]
        async with watch(world, address) as watcher, it.watching("operator") as other:
            await watcher.hear("init")
            await other.hear("init")
            await world.server.live.rights.look()
            reason = "revoked"
            if how == "grant":
                await world.sql(
                    "DELETE FROM service_account_sites WHERE service_account_id = %s", key.service_account_id
                )
            elif how == "key":
                await world.sql("UPDATE api_keys SET revoked_at = now() WHERE id = %s", key.key_id)
            elif how == "site":
                await _site(it)
            else:
                reason = await _camera(it)
            await world.server.live.rights.look()
            said = await watcher.hear("end")
            assert said["reason"] == reason
            assert said["message"].endswith(".")
            assert await watcher.closed() == (1008, reason)
            if how != "camera":
                await (await it.sender.body()).send(it.sender.film.play(1))
                await other.see(11)
            assert (await refused(world, address))[0] == (404 if how == "camera" else 403)


async def test_a_user_that_is_disabled_sees_no_more_by_itself_within_seconds(world: World) -> None:
    user_id, email = await add_user(world, "viewer")
    client = await client_of(world, email)
    async with scene(world) as it:
        address = (await client.get(f"/api/v1/cameras/{it.camera_id}/live")).json()["protocols"][0]["url"]
        async with watch(world, address) as watcher:
            await watcher.hear("init")
            disabled = await world.client("admin").patch(f"/api/v1/users/{user_id}", json={"enabled": False})
            assert disabled.status_code == 200, disabled.text
            assert (await watcher.hear("end"))["reason"] == "revoked"


async def test_one_look_for_all_who_watch_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Counted:
        """The database as the rights see it: others look into it as well meanwhile."""

        async def look_everywhere(self, *queries: Any) -> list[list[Any]]:
            asked.append(len(queries))
            return await world.server.database.look_everywhere(*queries)

    async with scene(world) as it, AsyncExitStack() as stack:
        for role in ("viewer", "viewer", "viewer", "operator"):
            watcher = await stack.enter_async_context(it.watching(role))
            await watcher.hear("init")
        monkeypatch.setattr(world.server.live.rights, "_database", Counted())
        await world.server.live.rights.look()
        assert asked == [1, 2], "the camera once, two holders in one round trip"


async def test_without_the_database_it_is_shown_on_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*queries: Any) -> list[list[Any]]:
        raise OperationalError("away")

    async with scene(world) as it:
        address = await it.address()
        async with watch(world, address) as watcher:
            await watcher.hear("init")
            with monkeypatch.context() as patch:
                patch.setattr(world.server.database, "look_everywhere", away)
                await world.server.live.rights.look()
                await (await it.sender.body()).send(it.sender.film.play(1))
                await watcher.see(11)
                assert (await refused(world, address))[0] == 503
                patch.setattr(rights, "BLIND_SEC", -1.0)
                await world.server.live.rights.look()
                assert (await watcher.hear("end"))["reason"] == "internal"


async def test_so_many_and_no_more(world: World) -> None:
    async with scene(world) as it, scene(world) as beside, AsyncExitStack() as stack:
        for _ in range(8):
            last = await stack.enter_async_context(it.watching())
            await last.hear("init")
        address = await it.address()
        assert (await refused(world, address))[0] == 429
        async with it.watching("operator") as other, beside.watching() as elsewhere:
            await other.hear("init")
            await elsewhere.hear("init")
            world.server.live.watchers.at_all = 10
            code, body = await refused(world, await it.address("admin"))
            assert (code, "as it can" in body) == (429, True)
            world.server.live.watchers.per_org = 10
            code, body = await refused(world, await it.address("admin"))
            assert (code, "Your organization" in body) == (429, True)
        await last.socket.close()
        await until(lambda: len(world.server.live.watchers) == 7)
        async with watch(world, address) as one_more:
            await one_more.hear("init")


async def test_knocking_is_limited(world: World) -> None:
    world.server.live.door._anonymous._burst = 3
    world.server.live.door._anonymous._per_sec = 1 / 60
    world.server.live.door._anonymous._buckets.clear()
    codes = [(await refused(world, "/api/v1/live/guess/mse"))[0] for _ in range(4)]
    assert codes == [401, 401, 401, 429]


async def test_a_ticket_tells_no_secret_of_itself(world: World) -> None:
    async with scene(world) as it:
        found = await it.live()
        ticket = world.server.live.tickets.open(found["token"])
        assert str(ticket.credential_id) not in repr(ticket)
        assert ticket.camera_id == it.camera_id
        assert isinstance(ticket.org_id, UUID)
