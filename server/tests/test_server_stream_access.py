"""Who hears what, and until when."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from nova_people import HandClock, add_user, client_of, log_in
from nova_stream import PATH, SseReader, streaming
from nova_wire import until
from nova_world import World, make_world

from novavms_server.accounts.bootstrap import create_key
from novavms_server.feed.log import NewItem, tell
from novavms_server.stream.follower import POLL_SEC
from novavms_server.stream.service import PER_CALLER, TICK_SEC

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def say(
    world: World, number: int, site: UUID | None = None, *, other: bool = False, **more: Any
) -> None:
    org = world.other_org if other else world.org
    site = site or (world.other_site if other else world.site)
    kind = more.pop("type", "camera_status")
    async with world.server.database.org(org) as connection:
        item = NewItem(kind, site, {"number": number}, **more)
        await tell(connection, org, world.server.clock.now(), item)


async def numbers(reader: SseReader, count: int) -> list[int]:
    found = [await reader.next() for _ in range(count)]
    return [item["data"]["number"] for item in found if item]


async def test_nobody_without_a_credential(world: World) -> None:
    refused = await world.client(None).get(PATH)
    assert (refused.status_code, refused.json()["error"]) == (401, "auth_required")
    refused = await world.client(token="sk_live_wrong").get(PATH)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert world.server.services.streams.follower.channels == {}


async def test_an_org_hears_of_itself_a_viewer_of_its_sites(world: World) -> None:
    async with (
        streaming(world.client("viewer")) as viewer,
        streaming(world.client("operator")) as operator,
        streaming(world.client("admin", other=True)) as foreign,
    ):
        await say(world, 1, world.ungranted_site)
        await say(world, 2)
        await say(world, 3, other=True)
        await say(world, 4)
        assert await numbers(viewer, 2) == [2, 4]
        assert await numbers(operator, 3) == [1, 2, 4]
        assert await numbers(foreign, 1) == [3]


async def test_filters_narrow(world: World) -> None:
    camera = uuid4()
    admin = world.client("admin")
    async with (
        streaming(admin, "?types=event,clip") as kinds,
        streaming(admin, f"?camera_id={camera}") as of_camera,
        streaming(admin, f"?site_id={world.ungranted_site}") as at_site,
        streaming(world.client("viewer"), f"?site_id={world.ungranted_site}") as nothing,
    ):
        await say(world, 1)
        await say(world, 2, type="event")
        await say(world, 3, camera_id=camera)
        await say(world, 4, world.ungranted_site, type="clip")
        await say(world, 5, camera_id=camera, type="clip")
        assert await numbers(kinds, 3) == [2, 4, 5]
        assert await numbers(of_camera, 2) == [3, 5]
        assert await numbers(at_site, 1) == [4]
        assert len(nothing.seen) == 1
    for query, name in (
        ("?types=event,dance", "types"),
        ("?types=", "types"),
        ("?camera_id=x", "camera_id"),
        ("?site_id=x", "site_id"),
        ("?colour=red", "colour"),
        ("?last_event_id=x", "last_event_id"),
    ):
        refused = await admin.get(PATH + query)
        assert refused.status_code == 400, query
        assert refused.json()["details"][0]["field"] == name


async def test_who_sees_only_the_site_that_a_camera_left_is_told_that_it_is_gone(world: World) -> None:
    viewer, admin = world.client("viewer"), world.client("admin")
    camera = uuid4()
    async with streaming(viewer) as left_behind, streaming(admin) as all_seeing:
        await say(world, 1, world.ungranted_site, type="camera", camera_id=camera, left_site_id=world.site)
        gone = await left_behind.expect("camera", change="deleted", camera_id=str(camera), camera=None)
        assert gone["data"]["site_id"] == str(world.site)
        assert str(world.ungranted_site) not in json.dumps(gone)
        assert await numbers(all_seeing, 1) == [1]


async def test_a_withdrawn_grant_narrows_what_is_heard(world: World) -> None:
    user, email = await add_user(world, "viewer", sites=[world.site, world.ungranted_site])
    client = await client_of(world, email)
    async with streaming(client) as reader:
        await say(world, 1, world.ungranted_site)
        assert await numbers(reader, 1) == [1]
        changed = await world.client("admin").patch(
            f"/api/v1/users/{user}", json={"site_ids": [str(world.site)]}
        )
        assert changed.status_code == 200, changed.text
        await say(world, 2, world.ungranted_site)  # at once: the epoch is read with the item
        await say(world, 3)
        assert await numbers(reader, 1) == [3]
        await world.client("admin").patch(
            f"/api/v1/users/{user}", json={"site_ids": [str(world.site), str(world.ungranted_site)]}
        )
        await say(world, 4, world.ungranted_site)
        assert await numbers(reader, 1) == [4], "and widens"


@pytest.mark.parametrize("how", ["disabled", "logged_out", "revoked"])
async def test_who_is_nobody_any_more_hears_so_within_five_seconds(world: World, how: str) -> None:
    """Nothing happens in the org meanwhile: no item brings the news, but the poll does."""
    assert POLL_SEC + TICK_SEC < 5
    admin = world.client("admin")
    if how == "revoked":
        async with world.server.database.everywhere() as connection:
            made = await create_key(connection, world.org, "K", "viewer", [world.site])
        client = world.client(token=made.key)
    else:
        user, email = await add_user(world, "operator")
        client = await client_of(world, email)
    async with streaming(client) as reader:
        if how == "revoked":
            url = f"/api/v1/service-accounts/{made.service_account_id}/keys/{made.key_id}"
            assert (await admin.delete(url)).status_code == 204
        elif how == "disabled":
            answer = await admin.patch(f"/api/v1/users/{user}", json={"enabled": False})
            assert answer.status_code == 200, answer.text
        else:
            assert (await client.post("/api/v1/auth/logout")).status_code == 204
        assert await reader.ended() == "revoked"
    assert (await client.get(PATH)).status_code == 401
    assert world.server.services.streams.follower.channels == {}


async def test_a_token_that_ends_ends_its_stream_with_that_word(database_url: str, tmp_path: Any) -> None:
    clock = HandClock()
    async with make_world(database_url, tmp_path, clock=clock) as world:
        _, email = await add_user(world, "operator")
        logged_in = (await log_in(world, email)).json()
        client = world.client(token=logged_in["access_token"])
        async with streaming(client) as reader:
            await say(world, 1)
            await reader.expect("camera_status", number=1)
            clock.move(minutes=16)
            await say(world, 2)  # told, or not: whichever was first
            assert await reader.ended() == "token_expired"
        last = [item["id"] for item in reader.seen if "number" in item["data"]][-1]
        renewed = await world.client(None).post(
            "/api/v1/auth/refresh", json={"refresh_token": logged_in["refresh_token"]}
        )
        client = world.client(token=renewed.json()["access_token"])
        await say(world, 3)
        async with streaming(client, last_id=last) as again:
            told = {2, 3} - {item["data"].get("number") for item in reader.seen}
            assert set(await numbers(again, len(told))) == told, "what was missed follows"


async def test_so_many_streams_and_no_more(world: World) -> None:
    viewer = world.client("viewer")
    async with AsyncExitStack() as stack:
        for _ in range(PER_CALLER):
            await stack.enter_async_context(streaming(viewer))
        async with viewer.stream("GET", PATH) as refused:
            assert refused.status_code == 429
            assert json.loads(await refused.aread())["error"] == "rate_limited"
            assert int(refused.headers["retry-after"]) >= 1
        async with streaming(world.client("operator")):
            pass

    async def free() -> bool:
        return not world.server.services.streams.follower.channels

    await until(free)
    async with streaming(viewer):
        pass


async def test_an_org_has_so_many_streams_and_no_more(world: World) -> None:
    world.server.services.streams._per_org = 2
    async with streaming(world.client("viewer")), streaming(world.client("operator")):
        async with world.client("admin").stream("GET", PATH) as refused:
            assert refused.status_code == 429
        async with streaming(world.client("admin", other=True)):
            pass


async def test_opening_one_costs_one_of_the_rate(database_url: str, tmp_path: Any) -> None:
    async with make_world(database_url, tmp_path, rate_burst=3, rate_per_min=1, clock=HandClock()) as world:
        client = world.client("viewer")
        left = []
        for _ in range(2):
            async with client.stream("GET", PATH) as response:
                left.append(response.headers["x-ratelimit-remaining"])
        assert left == ["2", "1"]
        await client.get("/api/v1/sites")
        assert (await client.get(PATH)).status_code == 429


async def test_a_temporary_password_opens_no_stream(world: World) -> None:
    user, email = await add_user(world, "operator")
    client = await client_of(world, email)
    async with streaming(client) as reader:
        await world.sql("UPDATE users SET must_change_password = true WHERE id = %s", user)
        await world.sql("UPDATE orgs SET auth_epoch = auth_epoch + 1 WHERE id = %s", world.org)
        assert await reader.ended() == "revoked"
    assert (await client.get(PATH)).status_code == 403


async def test_no_credential_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = world.keys["viewer"]
    async with streaming(world.client("viewer")) as reader:
        opening = next(iter(world.server.services.streams._readers))
        assert secret not in repr(opening)
        await say(world, 1)
        await reader.next()
        with pytest.raises(httpx.HTTPStatusError):
            (await world.client(token=secret + "x").get(PATH)).raise_for_status()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("novavms")]
    assert not [line for line in ours if secret in line]
