"""POST /cameras over HTTP: the check comes first, and a failed one leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from nova_adding import PASSWORD, onvif, rtsp, traces, without
from nova_gateway import ScriptedGateway, bad_report, connected, good_report, pair, works
from nova_world import World, make_world

from novavms_protocol import Check

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_anonymous_and_viewers_add_nothing(world: World) -> None:
    assert (await world.client(None).post("/api/v1/cameras", json={})).status_code == 401
    assert (await world.client("viewer").post("/api/v1/cameras", json={})).status_code == 403


async def test_an_onvif_camera_is_checked_then_added_and_told_to_its_gateway(world: World) -> None:
    async def answer(check: Check) -> dict[str, Any]:
        return good_report(stream_url="rtsp://viewer:leak@192.0.2.10:554/Streaming/101", serial="SN-1")

    operator = world.client("operator")
    async with connected(world, answer=answer) as gateway:
        made = await operator.post("/api/v1/cameras", json=onvif(gateway))
        assert made.status_code == 201, made.text
        camera = made.json()
        assert {
            name: camera[name] for name in ("name", "type", "connection_mode", "status", "host", "port")
        } == {
            **{"name": "Front door", "type": "onvif", "connection_mode": "gateway", "status": "online"},
            **{"host": "192.0.2.10", "port": 80},
        }
        assert camera["gateway_id"] == str(gateway.id)
        assert camera["site_id"] == str(world.site)
        assert UUID(camera["id"]).version == 7
        assert camera["created_at"].endswith("Z")
        assert (camera["stream_transport"], camera["active_tier"]) == ("tcp", "main")
        assert camera["rtsp_url"] == "rtsp://192.0.2.10:554/Streaming/101"
        assert (camera["codec"], camera["width"], camera["height"], camera["fps"]) == (
            "h264",
            1920,
            1080,
            25.0,
        )
        assert (camera["manufacturer"], camera["model"], camera["firmware"]) == ("Acme", "Dome 4", "1.2.3")
        assert camera["profiles"][0]["token"] == "p0"
        assert camera["check"]["ok"] is True
        assert camera["last_seen_at"] is not None
        assert made.headers["etag"] == '"1-0"'
        [check] = gateway.checks
        assert (check.kind, check.host, check.port) == ("onvif", "192.0.2.10", 80)
        assert (check.username, check.password) == ("viewer", PASSWORD)

        await gateway.until(lambda: any(state.cameras for state in gateway.states))
        [config] = gateway.states[-1].cameras
        assert (str(config.camera_id), config.username, config.password) == (camera["id"], "viewer", PASSWORD)
        assert config.rtsp_url == camera["rtsp_url"]

        read = await operator.get(f"/api/v1/cameras/{camera['id']}")
        assert read.json() == camera
        listed = (await operator.get("/api/v1/cameras")).json()
        assert listed["total"] == 1
        assert listed["data"] == [
            {name: value for name, value in camera.items() if name in listed["data"][0]}
        ]
        assert set(camera) - set(listed["data"][0]) == {
            *("check", "moved_to", "tls_fingerprint", "stream_tls_fingerprint", "tls_pinned_at")
        }


async def test_userinfo_of_an_rtsp_address_becomes_credentials_and_is_never_seen_again(world: World) -> None:
    async with connected(world) as gateway:
        url = "rtsp://admin:s3cret-in-url@192.0.2.11:8554/live?ch=1"
        made = await world.client("operator").post("/api/v1/cameras", json=rtsp(gateway, rtsp_url=url))
        assert made.status_code == 201, made.text
        assert made.json()["rtsp_url"] == "rtsp://192.0.2.11:8554/live?ch=1"
        assert (made.json()["host"], made.json()["port"]) == ("192.0.2.11", 8554)
        [check] = gateway.checks
        assert (check.username, check.password) == ("admin", "s3cret-in-url")
        assert check.rtsp_url == "rtsp://192.0.2.11:8554/live?ch=1"
        explicit = rtsp(gateway, rtsp_url=url, rtsp_username="other", rtsp_password="explicit-wins")
        assert (await world.client("operator").post("/api/v1/cameras", json=explicit)).status_code == 201
        assert (gateway.checks[1].username, gateway.checks[1].password) == ("other", "explicit-wins")


async def test_passwords_are_sealed_and_nowhere_else(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with connected(world) as gateway:
        made = await world.client("operator").post(
            "/api/v1/cameras", json=onvif(gateway), headers={"Idempotency-Key": "sealed"}
        )
        assert made.status_code == 201
        patched = await world.client("operator").patch(
            f"/api/v1/cameras/{made.json()['id']}", json={"onvif_password": PASSWORD + "2"}
        )
        assert patched.status_code == 200, patched.text
        shown = made.text + patched.text
        assert "viewer" not in shown, "the user name does not come out either"
        for name in ("cameras", "audit_log", "camera_status_log", "idempotency_keys", "gateways"):
            for (row,) in await world.sql(f"SELECT t::text FROM {name} AS t"):
                shown += row
        assert PASSWORD not in shown
        assert PASSWORD.encode().hex() not in shown
        assert PASSWORD not in caplog.text
        [(sealed,)] = await world.sql("SELECT credentials FROM cameras")
        opened = world.server.sealer.open(bytes(sealed)).decode()
        assert PASSWORD + "2" in opened
        [(before, after)] = await world.sql(
            "SELECT before, after FROM audit_log WHERE action = 'camera.updated'"
        )
        assert after["credentials"] == "***"
        assert "credentials" not in before


@pytest.mark.parametrize("reason", ["auth_failed", "dns_failed", "no_media", "a_newer_gateways_reason"])
async def test_a_failed_check_is_a_400_with_its_report_and_not_a_trace(world: World, reason: str) -> None:
    async def answer(check: Check) -> dict[str, Any]:
        return bad_report(reason)

    async with connected(world, answer=answer) as gateway:
        before = await traces(world)
        failed = await world.client("operator").post("/api/v1/cameras", json=onvif(gateway))
        assert failed.status_code == 400
        body = failed.json()
        assert (body["error"], body["reason"]) == ("validation_error", reason)
        assert (body["message"], body["hint"]) == (f"It said {reason}.", "Do something.")
        assert body["check"]["stages"][0]["name"] == "login"
        assert body["request_id"] == failed.headers["x-request-id"]
        assert await traces(world) == before


async def test_a_gateway_that_is_away_is_said_at_once(world: World) -> None:
    gateway_id, token = await pair(world, world.site)
    gateway = ScriptedGateway(gateway_id, world.site, token, works)
    before = await traces(world)
    failed = await world.client("operator").post("/api/v1/cameras", json=onvif(gateway))
    assert (failed.status_code, failed.json()["reason"]) == (400, "gateway_offline")
    assert failed.json()["check"]["ok"] is False
    assert failed.elapsed.total_seconds() < 5
    assert await traces(world) == before


async def test_a_gateway_that_never_answers_or_breaks_off(database_url: str, tmp_path: Any) -> None:
    never = asyncio.Event()

    async def silent(check: Check) -> dict[str, Any]:
        await never.wait()
        return {}

    async with make_world(database_url, tmp_path) as world:
        world.server.services.cameras._checker._time_cap_sec = 0.3
        async with connected(world, answer=silent) as gateway:
            before = await traces(world)
            failed = await world.client("operator").post("/api/v1/cameras", json=onvif(gateway))
            assert (failed.status_code, failed.json()["reason"]) == (400, "gateway_timeout")
            world.server.services.cameras._checker._time_cap_sec = 15
            waiting = asyncio.create_task(
                world.client("operator").post("/api/v1/cameras", json=onvif(gateway))
            )
            await gateway.until(lambda: len(gateway.checks) == 2)
            assert gateway._socket is not None
            await gateway._socket.close()
            broken = await waiting
            assert (broken.status_code, broken.json()["reason"]) == (400, "gateway_offline")
            after = await traces(world)
            del before["audit_log"], after["audit_log"]  # the gateway's own going away is in there
            assert after == before


@pytest.mark.parametrize(
    "result", [None, {}, {"ok": "yes"}, {"ok": True, "facts": []}, {"ok": True, "facts": {"x": [[]] * 3}}]
)
async def test_a_report_that_is_none_is_no_camera_or_a_bare_one(world: World, result: Any) -> None:
    async def answer(check: Check) -> Any:
        return result

    async with connected(world, answer=answer) as gateway:
        got = await world.client("operator").post("/api/v1/cameras", json=rtsp(gateway))
        if isinstance(result, dict) and result.get("ok") is True and isinstance(result["facts"], dict):
            assert got.status_code == 201
        else:
            assert (got.status_code, got.json()["error"]) == (503, "unavailable")
            assert await world.sql("SELECT id FROM cameras") == []


async def test_hostile_facts_are_cut_down_to_what_fits(world: World) -> None:
    async def answer(check: Check) -> dict[str, Any]:
        return good_report(
            **{"model": "a\0b" * 500, "width": 10**12, "height": -1, "fps": "many", "firmware": {"a": 1}},
            **{
                "profiles": [{"token": "t", "rtsp_url": "rtsp://u:p4ss@192.0.2.1/x"}, {"no": "token"}, 3]
                * 100
            },
            **{"stream_url": "http://192.0.2.1/"},
        )

    async with connected(world, answer=answer) as gateway:
        made = await world.client("operator").post("/api/v1/cameras", json=onvif(gateway))
        assert made.status_code == 201, made.text
        camera = made.json()
        assert len(camera["model"]) == 200
        assert (camera["width"], camera["height"], camera["fps"], camera["firmware"]) == (None,) * 4
        assert len(camera["profiles"]) == 64
        assert camera["profiles"][0]["rtsp_url"] == "rtsp://192.0.2.1/x"
        assert camera["rtsp_url"] is None


async def test_one_idempotency_key_is_one_camera_and_one_check(world: World) -> None:
    async def slow(check: Check) -> dict[str, Any]:
        await asyncio.sleep(0.2)
        return good_report()

    async with connected(world, answer=slow) as gateway:
        operator = world.client("operator")
        headers = {"Idempotency-Key": "add-front-door"}
        answers = await asyncio.gather(
            *(operator.post("/api/v1/cameras", json=onvif(gateway), headers=headers) for _ in range(3))
        )
        assert [answer.status_code for answer in answers] == [201] * 3
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(gateway.checks) == 1
        assert (await world.sql("SELECT count(*) FROM cameras"))[0][0] == 1
        other = await operator.post("/api/v1/cameras", json=onvif(gateway, name="Else"), headers=headers)
        assert (other.status_code, other.json()["error"]) == (409, "conflict")


async def test_a_client_that_goes_away_leaves_a_whole_camera_or_none(world: World) -> None:
    answering = asyncio.Event()

    async def slow(check: Check) -> dict[str, Any]:
        await answering.wait()
        return good_report()

    async with connected(world, answer=slow) as gateway:
        asking = asyncio.create_task(world.client("operator").post("/api/v1/cameras", json=onvif(gateway)))
        await gateway.until(lambda: len(gateway.checks) == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await world.sql("SELECT id FROM cameras") == []
        answering.set()
        # the next request is answered after the abandoned one has gone through
        second = await world.client("operator").post("/api/v1/cameras", json=onvif(gateway, name="Second"))
        assert second.status_code == 201
        async with asyncio.timeout(10):
            while (await world.sql("SELECT count(*) FROM cameras"))[0][0] not in (1, 2):
                await asyncio.sleep(0.02)
        rows = await world.sql("SELECT credentials IS NOT NULL, last_check IS NOT NULL, status FROM cameras")
        assert set(rows) == {(True, True, "online")}
        audited = await world.sql("SELECT count(*) FROM audit_log WHERE action = 'camera.created'")
        assert audited[0][0] == len(rows)


async def test_a_site_or_gateway_deleted_during_the_check(world: World) -> None:
    answering = asyncio.Event()

    async def slow(check: Check) -> dict[str, Any]:
        await answering.wait()
        return good_report()

    async with connected(world, answer=slow) as gateway:
        asking = asyncio.create_task(world.client("operator").post("/api/v1/cameras", json=onvif(gateway)))
        await gateway.until(lambda: len(gateway.checks) == 1)
        await world.sql("UPDATE gateways SET deleted_at = now() WHERE id = %s", gateway.id)
        answering.set()
        answer = await asking
        assert answer.status_code == 404
        assert await world.sql("SELECT id FROM cameras") == []


async def test_the_same_device_twice_is_a_warning_or_a_conflict(world: World) -> None:
    async def same(check: Check) -> dict[str, Any]:
        path = "/ch2" if check.host == "192.0.2.22" else "/ch1"
        return good_report(serial="SN-7", stream_url=f"rtsp://{check.host}:554{path}")

    async with connected(world, answer=same) as gateway:
        operator = world.client("operator")
        first = await operator.post("/api/v1/cameras", json=onvif(gateway))
        assert first.json()["check"]["warnings"] == []
        again = await operator.post("/api/v1/cameras", json=onvif(gateway, host="192.0.2.33", name="Again"))
        assert again.status_code == 201
        [warning] = again.json()["check"]["warnings"]
        assert warning["code"] == "duplicate_device"
        assert first.json()["id"] in warning["message"]
        assert "Front door" in warning["message"]
        channel = await operator.post(
            "/api/v1/cameras", json=onvif(gateway, host="192.0.2.22", name="Channel 2")
        )
        assert channel.json()["check"]["warnings"] == [], "a recorder's next channel is no duplicate"
        before = await traces(world)
        rejected = await operator.post("/api/v1/cameras?on_duplicate=reject", json=onvif(gateway))
        assert (rejected.status_code, rejected.json()["error"]) == (409, "conflict")
        assert first.json()["id"] in rejected.json()["message"], "which one it is"
        assert await traces(world) == before
        assert (await operator.post("/api/v1/cameras?on_duplicate=x", json=onvif(gateway))).status_code == 400


async def test_the_check_alone_keeps_nothing(world: World) -> None:
    async def answer(check: Check) -> dict[str, Any]:
        return bad_report("auth_failed") if check.password == "wrong" else good_report()

    async with connected(world, answer=answer) as gateway:
        operator = world.client("operator")
        body = without(onvif(gateway), "site_id", "name")
        before = await traces(world)
        good = await operator.post("/api/v1/cameras/test", json=body)
        assert (good.status_code, good.json()["ok"]) == (200, True)
        whole = {**body, "site_id": str(world.site), "name": "As it is for adding it"}
        assert (await operator.post("/api/v1/cameras/test", json=whole)).status_code == 200
        bad = await operator.post("/api/v1/cameras/test", json={**body, "onvif_password": "wrong"})
        assert (bad.status_code, bad.json()["reason"]) == (200, "auth_failed")
        assert await traces(world) == before
        assert (await world.client("viewer").post("/api/v1/cameras/test", json=body)).status_code == 403


async def test_a_snapshot_comes_from_the_gateway(world: World) -> None:
    async with connected(world) as gateway:
        made = await world.client("operator").post("/api/v1/cameras", json=rtsp(gateway))
        url = f"/api/v1/cameras/{made.json()['id']}/snapshot"
        picture = await world.client("viewer").get(url, params={"width": 320})
        assert (picture.status_code, picture.content) == (200, b"\xff\xd8JPEG")
        assert picture.headers["content-type"] == "image/jpeg"
        assert [body.width for body in gateway.snapshots] == [320]
        assert (await world.client("viewer").get(url, params={"width": 3})).status_code == 400
        await gateway.say(made.json()["id"], "offline", reason="frozen")
        dark = await world.client("viewer").get(url)
        assert (dark.status_code, dark.json()["error"]) == (409, "conflict")
