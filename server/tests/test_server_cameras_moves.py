"""A camera that its gateway found at another address: offered or applied, by identity, never blindly."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_gateway import ScriptedGateway, bad_report, connected, good_report
from nova_system import until
from nova_world import World

from novavms_protocol import CameraMoved, Check

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short
SELF = {"serial": "SN-1", "mac": "02:00:00:00:00:01", "endpoint_reference": "urn:uuid:0A-1"}
NEW = "192.0.2.77"


async def itself(check: Check) -> dict[str, Any]:
    """The camera, wherever it is asked; at .66 is another with the same login, at .55 one with another, .44 is slow to start."""
    if check.host == "192.0.2.55":
        return bad_report("auth_failed")
    if check.host == "192.0.2.44":
        return bad_report("timeout")
    who = {**SELF, "serial": "SN-2"} if check.host == "192.0.2.66" else SELF
    return good_report(stream_url=f"rtsp://{check.host}:554/main", **who)


async def add(world: World, gateway: ScriptedGateway, *, missing: bool = True) -> str:
    body = {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Door", "type": "onvif"},
        **{"host": "192.0.2.10", "onvif_username": "viewer", "onvif_password": "first-password"},
    }
    made = await world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    if missing:
        assert await gateway.say(made.json()["id"], "offline", reason="unreachable") is None
    return str(made.json()["id"])


async def found(
    world: World, gateway: ScriptedGateway, camera: str, host: str = NEW, **more: Any
) -> str | None:
    body: dict[str, Any] = {
        **{"camera_id": UUID(camera), "revision": 1, "host": host, "port": 80},
        **{"matched_by": "endpoint_reference", "found_at": world.server.clock.now(), **more},
    }
    return await gateway.report(CameraMoved(**body))


async def read(world: World, camera: str) -> dict[str, Any]:
    answer = await world.client("viewer").get(f"/api/v1/cameras/{camera}")
    return {**answer.json(), "etag": answer.headers["etag"]}


async def audit(world: World, camera: str) -> list[tuple[str, str]]:
    rows = await world.sql("SELECT actor, action FROM audit_log WHERE target_id = %s ORDER BY id", camera)
    return [(row[0].partition(":")[0], row[1]) for row in rows][1:]  # all but camera.created


async def test_who_may_accept_and_dismiss(world: World) -> None:
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)
        assert await found(world, gateway, camera) is None
        for role, other, status in (
            (None, False, 401),
            ("viewer", False, 403),
            ("admin", True, 404),
        ):
            client = world.client(role, other=other)
            assert (await client.post(f"/api/v1/cameras/{camera}/accept-move")).status_code == status
            assert (await client.delete(f"/api/v1/cameras/{camera}/move")).status_code == status
        assert (await read(world, camera))["moved_to"]["host"] == NEW
        assert len(gateway.checks) == 1, "that of its making"


async def test_the_gateway_is_told_who_its_onvif_cameras_are(world: World) -> None:
    async with connected(world, answer=itself) as gateway:
        await add(world, gateway)
        await gateway.until(lambda: bool(gateway.states[-1].cameras))
        identity = gateway.states[-1].cameras[0].identity
        assert identity is not None
        assert {name: getattr(identity, name) for name in SELF} == SELF
        plain = {
            "site_id": str(gateway.site_id),
            "gateway_id": str(gateway.id),
            "name": "Plain",
            "type": "rtsp",
        }
        url = {"rtsp_url": "rtsp://192.0.2.11/s1"}
        assert (
            await world.client("operator").post("/api/v1/cameras", json={**plain, **url})
        ).status_code == 201
        await gateway.until(lambda: len(gateway.states[-1].cameras) == 2)
        assert {camera.kind: camera.identity for camera in gateway.states[-1].cameras}["rtsp"] is None


async def test_a_device_that_replaces_a_camera_brings_its_own_identity(world: World) -> None:
    answers: list[dict[str, Any]] = [SELF, {"serial": "SN-1"}, {"serial": "SN-9", "mac": "02:00:00:00:00:09"}]

    async def replaced(check: Check) -> dict[str, Any]:
        return good_report(stream_url=f"rtsp://{check.host}:554/main", **answers.pop(0))

    async with connected(world, answer=replaced) as gateway:
        url = f"/api/v1/cameras/{await add(world, gateway)}"
        revision = 1
        for known in (SELF, {"serial": "SN-9", "mac": "02:00:00:00:00:09", "endpoint_reference": None}):
            changed = await world.client("operator").patch(url, json={"onvif_password": "first-password"})
            assert changed.status_code == 200
            revision += 1
            await gateway.until(lambda now=revision: gateway.states[-1].cameras[0].revision == now)
            identity = gateway.states[-1].cameras[0].identity
            assert {name: getattr(identity, name) for name in SELF} == known


async def test_offered_accepted_and_told_to_the_gateway(world: World) -> None:
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)
        before = await read(world, camera)
        assert await found(world, gateway, camera, port=8000) is None
        offered = await read(world, camera)
        assert offered["etag"] != before["etag"]
        assert (offered["host"], offered["port"], offered["status"]) == ("192.0.2.10", 80, "offline")
        moved = offered["moved_to"]
        assert (moved["host"], moved["port"], moved["matched_by"]) == (NEW, 8000, "endpoint_reference")
        assert (moved["reason"], moved["message"]) == (None, None)
        assert len(gateway.checks) == 1, "an offer tries nothing"

        operator = world.client("operator")
        accepted = await operator.post(
            f"/api/v1/cameras/{camera}/accept-move", headers={"If-Match": offered["etag"]}
        )
        assert accepted.status_code == 200, accepted.text
        now = accepted.json()
        assert (now["host"], now["port"], now["rtsp_url"]) == (NEW, 8000, f"rtsp://{NEW}:554/main")
        assert (now["moved_to"], now["status"], now["version"]) == (None, "online", 2)
        assert (gateway.checks[-1].host, gateway.checks[-1].password) == (NEW, "first-password")
        await gateway.until(lambda: gateway.states[-1].cameras[0].host == NEW)
        assert gateway.states[-1].cameras[0].revision == 2
        assert {**await read(world, camera), "etag": 0} == {**now, "etag": 0}
        assert await audit(world, camera) == [("gateway", "camera.found"), ("key", "camera.moved")]
        entry = (await world.sql("SELECT before, after FROM audit_log WHERE action = 'camera.moved'"))[0]
        assert [side["host"] for side in entry] == ["192.0.2.10", NEW]
        twice = await operator.post(f"/api/v1/cameras/{camera}/accept-move")
        assert (twice.status_code, twice.json()["error"]) == (409, "conflict")


async def test_its_certificate_is_asked_for_at_whatever_port(world: World) -> None:
    """A change of port by a person lets go of it, for that is another service; what was found might be anybody."""
    pin = "0f" * 32

    async def secured(check: Check) -> dict[str, Any]:
        return good_report(stream_url=f"rtsp://{check.host}:554/main", tls_fingerprint=pin, **SELF)

    async with connected(world, answer=secured) as gateway:
        camera = await add(world, gateway)
        assert await found(world, gateway, camera, port=4443) is None
        accepted = await world.client("operator").post(f"/api/v1/cameras/{camera}/accept-move")
        assert (accepted.status_code, accepted.json()["tls_fingerprint"]) == (200, pin)
        assert [check.tls_fingerprint for check in gateway.checks] == [None, pin]


@pytest.mark.parametrize("where", ["192.0.2.55", "192.0.2.66"])
async def test_what_fails_there_changes_nothing(world: World, where: str) -> None:
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)
        assert await found(world, gateway, camera, where) is None
        before = await read(world, camera)
        refused = await world.client("operator").post(f"/api/v1/cameras/{camera}/accept-move")
        reason = "other_device" if where.endswith("66") else "auth_failed"
        assert (refused.status_code, refused.json()["reason"]) == (400, reason)
        assert refused.json()["hint"]
        assert await read(world, camera) == before
        assert await audit(world, camera) == [("gateway", "camera.found")]


async def test_dismissed_is_not_offered_again_until_it_was_back(world: World) -> None:
    async with connected(world, answer=itself) as gateway:
        camera, operator = await add(world, gateway), world.client("operator")
        assert await found(world, gateway, camera) is None
        stale = await operator.delete(f"/api/v1/cameras/{camera}/move", headers={"If-Match": '"7-0"'})
        assert stale.status_code == 409
        for _ in range(2):
            assert (await operator.delete(f"/api/v1/cameras/{camera}/move")).status_code == 204
        assert await found(world, gateway, camera) is None
        assert (await read(world, camera))["moved_to"] is None
        assert await found(world, gateway, camera, "192.0.2.78") is None
        assert (await read(world, camera))["moved_to"]["host"] == "192.0.2.78"
        assert (await operator.delete(f"/api/v1/cameras/{camera}/move")).status_code == 204
        assert await gateway.say(camera, "online") is None
        assert await gateway.say(camera, "offline", reason="timeout") is None
        assert await found(world, gateway, camera, "192.0.2.78") is None
        assert (await read(world, camera))["moved_to"]["host"] == "192.0.2.78"
        actions = [action for _, action in await audit(world, camera)]
        assert actions == ["camera.found", "camera.move_dismissed"] * 2 + ["camera.found"]


async def test_reports_that_are_not_taken(world: World) -> None:
    async with connected(world, answer=itself) as gateway, connected(world, answer=itself) as other:
        camera = await add(world, gateway)
        now = world.server.clock.now()
        assert await found(world, other, camera) == "unknown_camera"
        assert await found(world, gateway, str(uuid4())) == "unknown_camera"
        assert await found(world, gateway, camera, revision=7) == "stale_revision"
        assert await found(world, gateway, camera, "192.0.2.10") == "not_moved"
        for host in (
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "::ffff:169.254.169.254",
            "elsewhere",
            "fe80::1",
        ):
            assert await found(world, gateway, camera, host) == "address_forbidden", host
        assert await found(world, gateway, camera, port=0) == "address_forbidden"
        assert await found(world, gateway, camera, found_at=now) is None
        earlier = now - timedelta(seconds=1)
        assert await found(world, gateway, camera, "192.0.2.78", found_at=earlier) == "stale"
        assert await found(world, gateway, camera, "192.0.2.78", found_at=now + timedelta(days=9)) is None
        seen = (await read(world, camera))["moved_to"]
        assert (seen["host"], seen["found_at"] < (now + timedelta(days=1)).isoformat()) == (
            "192.0.2.78",
            True,
        )
        url = f"/api/v1/cameras/{camera}"
        off = await world.client("operator").patch(url, json={"enabled": False})
        assert off.json()["moved_to"] is None
        assert await found(world, gateway, camera, revision=2) == "disabled"
        assert (await world.client("operator").delete(url)).status_code == 204
        assert await found(world, gateway, camera, revision=2) == "unknown_camera"


async def test_it_is_no_news_where_it_is_online_or_was_added_anew(world: World) -> None:
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)
        assert await found(world, gateway, camera) is None
        assert await gateway.say(camera, "online") is None
        assert (await read(world, camera))["moved_to"] is None, "it is back"
        assert await found(world, gateway, camera) == "not_missing"
        assert await gateway.say(camera, "offline", reason="unreachable") is None
        body = {
            "site_id": str(gateway.site_id),
            "gateway_id": str(gateway.id),
            "name": "Anew",
            "type": "onvif",
        }
        login = {"host": NEW, "onvif_username": "viewer", "onvif_password": "first-password"}
        assert (await world.client("operator").post("/api/v1/cameras", json=body | login)).status_code == 201
        assert await found(world, gateway, camera) == "taken"


async def test_two_who_accept_at_once_move_it_once(world: World) -> None:
    go = asyncio.Event()

    async def slow(check: Check) -> dict[str, Any]:
        if check.host == NEW:
            await go.wait()
        return await itself(check)

    async with connected(world, answer=slow) as gateway:
        camera, url = await add(world, gateway), "/api/v1/cameras/{}/accept-move"
        assert await found(world, gateway, camera) is None
        both = [asyncio.create_task(world.client("operator").post(url.format(camera))) for _ in range(2)]
        await gateway.until(lambda: len(gateway.checks) == 3)
        go.set()
        answers = [await each for each in both]
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert (await read(world, camera))["version"] == 2
        assert [action for _, action in await audit(world, camera)].count("camera.moved") == 1


@pytest.mark.parametrize("between", ["patched", "renamed", "back", "found elsewhere"])
async def test_what_happens_during_the_check_wins(world: World, between: str) -> None:
    go = asyncio.Event()

    async def slow(check: Check) -> dict[str, Any]:
        if check.host == NEW:
            await go.wait()
        return await itself(check)

    async with connected(world, answer=slow) as gateway:
        camera, operator = await add(world, gateway), world.client("operator")
        url = f"/api/v1/cameras/{camera}"
        assert await found(world, gateway, camera) is None
        accepting = asyncio.create_task(operator.post(f"{url}/accept-move"))
        await gateway.until(lambda: len(gateway.checks) == 2)
        if between == "patched":
            assert (await operator.patch(url, json={"host": "192.0.2.20"})).status_code == 200
        elif between == "renamed":
            assert (await operator.patch(url, json={"name": "Other"})).status_code == 200
        elif between == "back":
            assert await gateway.say(camera, "online") is None
        else:
            assert await found(world, gateway, camera, "192.0.2.78") is None
        go.set()
        assert (await accepting).status_code == 409
        seen = await read(world, camera)
        assert seen["host"] == ("192.0.2.20" if between == "patched" else "192.0.2.10")
        left = {"renamed": NEW, "found elsewhere": "192.0.2.78"}
        assert (seen["moved_to"] or {}).get("host") == left.get(between)


async def applying(world: World) -> None:
    changed = await world.client("admin").patch("/api/v1/orgs/current", json={"moved_cameras": "apply"})
    assert changed.status_code == 200


async def test_applied_where_the_org_says_so(world: World) -> None:
    await applying(world)
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)
        assert await found(world, gateway, camera) is None
        await gateway.until(lambda: bool(gateway.states) and gateway.states[-1].cameras[0].host == NEW)
        seen = await read(world, camera)
        assert (seen["host"], seen["moved_to"], seen["status"]) == (NEW, None, "online")
        assert await audit(world, camera) == [("gateway", "camera.found"), ("system", "camera.moved")]


@pytest.mark.parametrize(
    ("where", "reason", "tries"),
    [("192.0.2.55", "auth_failed", 1), ("192.0.2.66", "other_device", 1), ("192.0.2.44", "timeout", 2)],
)
async def test_a_move_that_fails_stays_an_offer_and_a_login_is_tried_once(
    world: World, where: str, reason: str, tries: int
) -> None:
    await applying(world)
    async with connected(world, answer=itself) as gateway:
        camera = await add(world, gateway)

        async def tried(times: int) -> bool:
            checks = [check for check in gateway.checks if check.host == where]
            waiting = await world.sql("SELECT count(*) FROM jobs WHERE task = 'camera.apply_move'")
            return len(checks) == times and waiting[0][0] == 0

        assert await found(world, gateway, camera, where) is None
        await until(lambda: tried(1), within=10, what="tried there")
        seen = await read(world, camera)
        assert (seen["host"], seen["moved_to"]["host"], seen["moved_to"]["reason"]) == (
            "192.0.2.10",
            where,
            reason,
        )
        assert seen["moved_to"]["message"]
        assert await found(world, gateway, camera, where) is None
        await until(lambda: tried(tries), within=10, what="left alone, but where it was not the login")
        assert (await audit(world, camera))[-1] == ("system", "camera.move_failed")
        assert await found(world, gateway, camera) is None
        await gateway.until(lambda: gateway.states[-1].cameras[0].host == NEW)


async def test_two_that_swapped_their_addresses(world: World) -> None:
    """Each goes to where the other was told to be; that both stand in the table for a moment does not matter."""

    async def swapped(check: Check) -> dict[str, Any]:
        one = {**SELF, "serial": "SN-A", "mac": None, "endpoint_reference": "urn:uuid:A"}
        two = {**SELF, "serial": "SN-B", "mac": None, "endpoint_reference": "urn:uuid:B"}
        here = {"192.0.2.1": one, "192.0.2.2": two}
        if sum(check.host in here for check in gateway.checks) > 2:
            here = {"192.0.2.1": two, "192.0.2.2": one}
        return good_report(stream_url=f"rtsp://{check.host}:554/main", **here[check.host or ""])

    await applying(world)
    async with connected(world, answer=swapped) as gateway:
        ids = []
        for host in ("192.0.2.1", "192.0.2.2"):
            body = {
                "site_id": str(gateway.site_id),
                "gateway_id": str(gateway.id),
                "name": host,
                "type": "onvif",
            }
            login = {"host": host, "onvif_username": "viewer", "onvif_password": "first-password"}
            made = await world.client("operator").post("/api/v1/cameras", json=body | login)
            ids.append(made.json()["id"])
            assert await gateway.say(ids[-1], "offline", reason="other_device") is None
        assert await found(world, gateway, ids[0], "192.0.2.2") is None
        assert await found(world, gateway, ids[1], "192.0.2.1") is None
        hosts = {UUID(ids[0]): "192.0.2.2", UUID(ids[1]): "192.0.2.1"}
        await gateway.until(
            lambda: {camera.camera_id: camera.host for camera in gateway.states[-1].cameras} == hosts
        )
