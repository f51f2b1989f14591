"""PATCH, DELETE and GET of one camera over HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from nova_gateway import ScriptedGateway, bad_report, connected, good_report
from nova_world import World

from novavms_protocol import Check

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


async def add(world: World, gateway: ScriptedGateway, **more: Any) -> dict[str, Any]:
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Door", "type": "onvif"},
        **{"host": "192.0.2.10", "onvif_username": "viewer", "onvif_password": "first-password"},
        **more,
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    camera: dict[str, Any] = made.json()
    return camera


async def add_rtsp(world: World, gateway: ScriptedGateway, **more: Any) -> dict[str, Any]:
    nothing = {"host": None, "onvif_username": None, "onvif_password": None}
    url = "rtsp://admin:first-password@192.0.2.11:554/s1"
    return await add(world, gateway, **{**nothing, "type": "rtsp", "rtsp_url": url, **more})


async def whole(world: World, camera_id: str) -> Any:
    """The row, every byte of it."""
    return (await world.sql("SELECT c::text FROM cameras AS c WHERE id = %s", camera_id))[0][0]


async def picky(check: Check) -> dict[str, Any]:
    if check.password == "wrong" or check.host == "192.0.2.99":
        return bad_report("auth_failed")
    return good_report(stream_url=check.rtsp_url or f"rtsp://{check.host}:554/main")


async def test_who_may_see_and_change(world: World) -> None:
    async with connected(world) as near, connected(world, site_id=world.ungranted_site) as far:
        seen, unseen = await add(world, near), await add(world, far)
        for camera, role, other, read, write in (
            (seen, None, False, 401, 401),
            (seen, "viewer", False, 200, 403),
            (seen, "operator", False, 200, 200),
            (unseen, "viewer", False, 403, 403),
            (seen, "admin", True, 404, 404),
            (seen, "viewer", True, 404, 403),
        ):
            client = world.client(role, other=other)
            url = f"/api/v1/cameras/{camera['id']}"
            assert (await client.get(url)).status_code == read, (role, other)
            assert (await client.patch(url, json={"name": "Renamed"})).status_code == write, (role, other)
            if write != 200:
                assert (await client.delete(url)).status_code == write
            assert (await client.get(url + "/snapshot")).status_code in {read, 409, 503}
        nobody = f"/api/v1/cameras/{uuid4()}"
        operator = world.client("operator")
        assert (await operator.get(nobody)).status_code == 404
        assert (await operator.patch(nobody, json={"name": "x"})).status_code == 404
        assert (await operator.delete(nobody)).status_code == 404
        assert (await operator.get("/api/v1/cameras/not-a-uuid")).status_code == 400


async def test_names_streams_and_the_gateways_state(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"
        operator = world.client("operator")
        change = {"name": "Back door", "recording_stream": "sub", "detection_stream": "main"}
        changed = await operator.patch(url, json=change)
        assert changed.status_code == 200, changed.text
        assert {name: changed.json()[name] for name in change} == change
        assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2-0"')
        assert changed.json()["created_at"] == camera["created_at"]
        assert changed.json()["updated_at"] > camera["updated_at"]
        assert len(gateway.checks) == 1, "nothing here needs a check"
        await gateway.until(
            lambda: bool(gateway.states[-1].cameras) and gateway.states[-1].cameras[0].name == "Back door"
        )
        config = gateway.states[-1].cameras[0]
        assert (config.revision, config.recording_stream, config.password) == (2, "sub", "first-password")
        empty = await operator.patch(url, json={})
        assert (empty.status_code, empty.json(), empty.headers["etag"]) == (200, changed.json(), '"2-0"')
        same = await operator.patch(url, json={"name": "Back door"})
        assert same.json() == changed.json()


@pytest.mark.parametrize(
    "change",
    [
        {"onvif_password": "wrong"},
        {"onvif_password": "wrong", "name": "New name", "enabled": False},
        {"onvif_username": "else", "onvif_password": "wrong"},
        {"host": "192.0.2.99"},
        {"host": "127.0.0.1:80"},
        {"host": "169.254.169.254"},
        {"name": "New name", "site_id": "OTHER", "onvif_password": "wrong"},
    ],
)
async def test_a_failed_check_changes_nothing_at_all(world: World, change: dict[str, Any]) -> None:
    async with connected(world, answer=picky) as gateway:
        camera = await add(world, gateway)
        if "site_id" in change:
            change = {**change, "site_id": str(world.ungranted_site)}
        before = await whole(world, camera["id"])
        audited = await world.sql("SELECT count(*) FROM audit_log")
        states = await world.sql("SELECT state_version FROM gateways")
        failed = await world.client("operator").patch(f"/api/v1/cameras/{camera['id']}", json=change)
        assert (failed.status_code, failed.json()["error"]) == (400, "validation_error")
        assert failed.json()["reason"] in {"auth_failed", "invalid_url", "address_forbidden"}
        assert failed.json()["check"]["ok"] is False
        assert await whole(world, camera["id"]) == before
        assert await world.sql("SELECT count(*) FROM audit_log") == audited
        assert await world.sql("SELECT state_version FROM gateways") == states


async def test_credentials_are_checked_merged_with_what_is_stored(world: World) -> None:
    async with connected(world, answer=picky) as gateway:
        operator = world.client("operator")
        camera = await add(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"
        assert (await operator.patch(url, json={"onvif_password": "second"})).status_code == 200
        assert (gateway.checks[-1].username, gateway.checks[-1].password) == ("viewer", "second")
        assert (await operator.patch(url, json={"onvif_username": "root"})).status_code == 200
        assert (gateway.checks[-1].username, gateway.checks[-1].password) == ("root", "second")
        moved = await operator.patch(url, json={"host": "192.0.2.12", "port": 8000})
        assert (moved.json()["host"], moved.json()["port"]) == ("192.0.2.12", 8000)
        assert moved.json()["rtsp_url"] == "rtsp://192.0.2.12:554/main"
        assert (gateway.checks[-1].host, gateway.checks[-1].port, gateway.checks[-1].password) == (
            "192.0.2.12",
            8000,
            "second",
        )
        udp = await operator.patch(url, json={"stream_transport": "udp"})
        assert (udp.json()["stream_transport"], gateway.checks[-1].stream_transport) == ("udp", "udp")
        assert len(gateway.checks) == 5
        await gateway.until(lambda: gateway.states[-1].cameras[0].revision == 5)
        config = gateway.states[-1].cameras[0]
        assert (config.username, config.password, config.host) == ("root", "second", "192.0.2.12")


async def test_an_rtsp_address_and_its_parts(world: World) -> None:
    async with connected(world, answer=picky) as gateway:
        operator = world.client("operator")
        camera = await add_rtsp(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"

        async def last(change: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
            answer = await operator.patch(url, json=change)
            assert answer.status_code == 200, answer.text
            check = gateway.checks[-1]
            assert answer.json()["rtsp_url"] == check.rtsp_url
            return check.rtsp_url, check.username, check.password

        assert await last({"rtsp_url": "rtsp://192.0.2.12/s2"}) == (
            "rtsp://192.0.2.12:554/s2",
            "admin",
            "first-password",
        )
        assert await last({"host": "192.0.2.13", "port": 8554}) == (
            "rtsp://192.0.2.13:8554/s2",
            "admin",
            "first-password",
        )
        assert await last({"rtsp_url": "rtsp://bob:pw2@192.0.2.13/s3"}) == (
            "rtsp://192.0.2.13:554/s3",
            "bob",
            "pw2",
        )
        assert await last({"rtsp_username": "carol"}) == ("rtsp://192.0.2.13:554/s3", "carol", "pw2")
        assert await last({"rtsp_username": None, "rtsp_password": None}) == (
            "rtsp://192.0.2.13:554/s3",
            None,
            None,
        )
        [(sealed,)] = await world.sql("SELECT credentials FROM cameras")
        assert sealed is None


async def test_bad_changes_are_400_and_name_their_field(world: World) -> None:
    async with connected(world) as gateway:
        onvif, rtsp = await add(world, gateway), await add_rtsp(world, gateway)
        operator = world.client("operator")
        for camera, change, field in (
            (onvif, {"name": None}, "name"),
            (onvif, {"name": "x" * 101}, "name"),
            (onvif, {"site_id": None}, "site_id"),
            (onvif, {"enabled": "no"}, "enabled"),
            (onvif, {"enabled": None}, "enabled"),
            (onvif, {"port": 0}, "port"),
            (onvif, {"port": 65536}, "port"),
            (onvif, {"onvif_username": None}, "onvif_username"),
            (onvif, {"onvif_password": ""}, "onvif_password"),
            (onvif, {"rtsp_url": "rtsp://192.0.2.1/x"}, "rtsp_url"),
            (onvif, {"rtsp_password": "x"}, "rtsp_password"),
            (onvif, {"stream_transport": "sctp"}, "stream_transport"),
            (onvif, {"recording_stream": "third"}, "recording_stream"),
            (onvif, {"gateway_id": str(gateway.id)}, "gateway_id"),
            (onvif, {"type": "rtsp"}, "type"),
            (onvif, {"status": "online"}, "status"),
            (rtsp, {"rtsp_url": None}, "rtsp_url"),
            (rtsp, {"rtsp_url": "exec:x"}, "rtsp_url"),
            (rtsp, {"rtsp_url": "rtsp://192.0.2.1/x", "host": "192.0.2.1"}, "host"),
            (rtsp, {"onvif_password": "x"}, "onvif_password"),
        ):
            answer = await operator.patch(f"/api/v1/cameras/{camera['id']}", json=change)
            assert answer.status_code == 400, (change, answer.text)
            assert answer.json()["details"][0]["field"] == field, (change, answer.text)
        assert len(gateway.checks) == 2


async def test_stale_edits_and_edits_during_a_check(world: World) -> None:
    go = asyncio.Event()

    async def slow(check: Check) -> dict[str, Any]:
        if check.password == "slow":
            await go.wait()
        return good_report()

    async with connected(world, answer=slow) as gateway:
        operator = world.client("operator")
        camera = await add(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"
        assert (
            await operator.patch(url, json={"name": "A"}, headers={"If-Match": '"1-0"'})
        ).status_code == 200
        for method, kwargs in (("PATCH", {"json": {"name": "B"}}), ("DELETE", {})):
            stale = await operator.request(method, url, headers={"If-Match": '"1-0"'}, **kwargs)
            assert (stale.status_code, stale.json()["error"]) == (409, "conflict")
        assert (
            await operator.patch(url, json={"name": "B"}, headers={"If-Match": "nonsense"})
        ).status_code == 400
        assert (await operator.get(url, headers={"If-None-Match": '"2-0"'})).status_code == 304

        checking = asyncio.create_task(operator.patch(url, json={"onvif_password": "slow"}))
        await gateway.until(lambda: len(gateway.checks) == 2)
        assert (await operator.patch(url, json={"name": "Meanwhile"})).status_code == 200
        before = await whole(world, camera["id"])
        go.set()
        lost = await checking
        assert (lost.status_code, lost.json()["error"]) == (409, "conflict")
        assert await whole(world, camera["id"]) == before

        go.clear()
        checking = asyncio.create_task(operator.patch(url, json={"onvif_password": "slow"}))
        await gateway.until(lambda: len(gateway.checks) == 3)
        assert await gateway.say(camera["id"], "offline", reason="frozen", revision=3) is None
        go.set()
        assert (await checking).status_code == 200, "a status is nobody's edit"


async def test_switching_off_and_on(world: World) -> None:
    async with connected(world) as gateway:
        operator = world.client("operator")
        camera = await add(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"
        off = (await operator.patch(url, json={"enabled": False})).json()
        assert (off["enabled"], off["status"], off["status_reason"]) == (
            False,
            "disabled",
            "disabled_by_user",
        )
        assert off["status_at"] == off["updated_at"]
        await gateway.until(
            lambda: bool(gateway.states[-1].cameras) and not gateway.states[-1].cameras[0].enabled
        )
        assert await gateway.say(camera["id"], "online", revision=2) == "disabled"
        assert (await operator.get(url)).json()["status"] == "disabled"
        checked = await operator.patch(url, json={"onvif_password": "p2"})
        assert (checked.status_code, checked.json()["status"]) == (200, "disabled")
        on = (await operator.patch(url, json={"enabled": True})).json()
        assert (on["enabled"], on["status"], on["status_reason"]) == (True, "pending", None)
        assert await gateway.say(camera["id"], "online", revision=2) == "stale_revision"
        assert await gateway.say(camera["id"], "online", revision=4) is None
        assert (await operator.get(url)).json()["status"] == "online"
        logged = await world.sql("SELECT status, flaps FROM camera_status_log")
        assert logged == [("online", 3)], "one entry a minute, and what was folded into it"


async def test_moving_to_another_site_moves_who_sees_it(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        url = f"/api/v1/cameras/{camera['id']}"
        operator, viewer = world.client("operator"), world.client("viewer")
        for site, status in ((world.other_site, 404), (uuid4(), 404), (world.ungranted_site, 200)):
            moved = await operator.patch(url, json={"site_id": str(site)})
            assert moved.status_code == status, moved.text
        assert moved.json()["site_id"] == str(world.ungranted_site)
        assert (await viewer.get(url)).status_code == 403
        listed = (await viewer.get("/api/v1/cameras")).json()
        assert (listed["data"], listed["total"]) == ([], 0)


async def test_deleting_is_soft_and_told_to_the_gateway(world: World) -> None:
    async with connected(world) as gateway:
        operator = world.client("operator")
        camera = await add(world, gateway)
        await gateway.until(lambda: bool(gateway.states[-1].cameras))
        url = f"/api/v1/cameras/{camera['id']}"
        gone = await operator.delete(url)
        assert (gone.status_code, gone.content) == (204, b"")
        await gateway.until(lambda: gateway.states[-1].cameras == [])
        for method in ("GET", "PATCH", "DELETE"):
            answer = await operator.request(method, url, json={} if method == "PATCH" else None)
            assert answer.status_code == 404, method
        listed = (await operator.get("/api/v1/cameras")).json()
        assert (listed["data"], listed["total"]) == ([], 0)
        [row] = await world.sql("SELECT deleted_at IS NOT NULL, credentials, last_check, name FROM cameras")
        assert row == (True, None, None, "Door")
        assert await gateway.say(camera["id"], "online", revision=2) == "unknown_camera"
        await add(world, gateway)
        assert (await operator.get("/api/v1/cameras")).json()["total"] == 1


async def test_two_deletes_at_once_are_one(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        client = world.client("operator")
        answers = await asyncio.gather(*(client.delete(f"/api/v1/cameras/{camera['id']}") for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


async def test_credentials_no_key_opens_do_not_stop_the_gateways_others(world: World) -> None:
    async with connected(world) as gateway:
        lost, kept = await add(world, gateway), await add(world, gateway, name="Kept")
        await world.sql("UPDATE cameras SET credentials = 'gAAAA' WHERE id = %s", lost["id"])
        assert (
            await world.client("operator").patch(f"/api/v1/cameras/{kept['id']}", json={"name": "K"})
        ).status_code == 200
        await gateway.until(lambda: any(camera.name == "K" for camera in gateway.states[-1].cameras))
        told = {str(camera.camera_id): camera.password for camera in gateway.states[-1].cameras}
        assert told == {lost["id"]: None, kept["id"]: "first-password"}


async def test_times_are_utc_and_move_forward(world: World) -> None:
    async with connected(world) as gateway:
        camera = await add(world, gateway)
        now = world.server.clock.now()
        for name in ("created_at", "updated_at", "status_at", "last_seen_at"):
            read = (await world.client("viewer").get(f"/api/v1/cameras/{camera['id']}")).json()[name]
            assert read.endswith("Z"), name
            assert read <= (now + timedelta(seconds=1)).isoformat()


@pytest.mark.slow
async def test_another_address_is_perhaps_another_camera_of_which_nothing_is_known_yet(world: World) -> None:
    """Else it would be looked for, and told apart, by who the one before it was."""
    told: dict[str, Any] = {"serial": "A1", "mac": "00:00:5e:00:53:0a", "endpoint_reference": "urn:uuid:a"}

    async def answer(check: Check) -> dict[str, Any]:
        return good_report(**told)

    async with connected(world, answer=answer) as gateway:
        camera = await add(world, gateway)
        url, row = (
            f"/api/v1/cameras/{camera['id']}",
            "SELECT serial, mac, endpoint_reference FROM cameras WHERE id = %s",
        )
        told |= {"mac": None, "endpoint_reference": None}
        assert (await world.client("operator").patch(url, json={"onvif_password": "new"})).status_code == 200
        assert await world.sql(row, camera["id"]) == [("A1", "00:00:5e:00:53:0a", "urn:uuid:a")]
        told["serial"] = "B2"
        assert (await world.client("operator").patch(url, json={"host": "192.0.2.12"})).status_code == 200
        assert await world.sql(row, camera["id"]) == [("B2", None, None)]
