"""Gateways' ledgers: taken in over a real socket, read over HTTP."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from nova_footage import Telling, add_camera, minutes, now, update
from nova_gateway import connected, pair
from nova_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def recordings(world: World, camera_id: UUID, **query: Any) -> dict[str, Any]:
    asked = {name.removesuffix("_"): _text(value) for name, value in query.items()}
    answer = await world.client("viewer").get(f"/api/v1/cameras/{camera_id}/recordings", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    edges = sorted((each["start"], each["end"]) for each in [*found["spans"], *found["gaps"]])
    times = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in edges]
    assert times[0][0] == datetime.fromisoformat(found["from"])
    assert times[-1][1] == datetime.fromisoformat(found["to"])
    assert all(a[1] == b[0] for a, b in itertools.pairwise(times)), "each moment once"
    return found


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def reasons(found: dict[str, Any]) -> list[str]:
    return [gap["reason"] for gap in found["gaps"]]


async def test_a_day_is_told_and_read_back(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        say = Telling(camera_id)
        rows = [
            say.row("gap", t - minutes(3000), t - minutes(300), reason="retention"),
            say.row("span", t - minutes(300), t - minutes(200)),
            say.row("gap", t - minutes(200), t - minutes(195), reason="frozen"),
            say.row("span", t - minutes(195), t - minutes(100)),
            say.row("span", t - minutes(100), t - minutes(99), lossy_sec=0.48),
            say.row("span", t - minutes(99), t - timedelta(seconds=5)),
        ]
        assert await gateway.report(update(epoch, rows, t)) is None
        found = await recordings(world, camera_id, from_=t - minutes(400))
        assert reasons(found) == ["retention", "frozen", "not_reported_yet"]
        (loss,) = found["losses"]
        assert (loss["duration_sec"], loss["lossy_sec"]) == (60, 0.48)
        assert datetime.fromisoformat(loss["start"]) == t - minutes(100)
        assert [span["duration_sec"] for span in found["spans"]] == [6000, 195 * 60 - 5]
        span = found["spans"][0]
        assert (span["size_bytes"], span["codec"], span["width"], span["has_audio"]) == (
            1000,
            "h264",
            1920,
            True,
        )
        assert found["percent_covered"] == pytest.approx(295 / 400 * 100, abs=0.05)
        assert found["stream"] == "main"
        assert datetime.fromisoformat(found["as_of"]) == t
        day = await recordings(world, camera_id)
        assert (datetime.fromisoformat(day["to"]) - datetime.fromisoformat(day["from"])).days == 1


async def test_what_was_not_told_is_named_by_the_gateways_state(world: World) -> None:
    epoch, t = uuid4(), now()
    identity = await pair(world, world.site)
    async with connected(world, identity=identity, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        assert reasons(await recordings(world, camera_id, from_=t - minutes(60))) == ["not_reported_yet"]
        rows = [Telling(camera_id).row("span", t - minutes(60), t - minutes(10))]
        await gateway.report(update(epoch, rows, t - minutes(10)))
        assert reasons(await recordings(world, camera_id, from_=t - minutes(60))) == ["unknown"], (
            "late, and online"
        )
    await world.sql("UPDATE gateways SET status = 'offline' WHERE id = %s", identity[0])
    found = await recordings(world, camera_id, from_=t - minutes(60))
    assert reasons(found) == ["gateway_offline"]
    assert found["percent_covered"] < 84
    await world.sql("UPDATE cameras SET created_at = %s WHERE id = %s", t - minutes(120), camera_id)
    found = await recordings(world, camera_id, from_=t - minutes(180))
    assert reasons(found) == ["no_camera", "unknown", "gateway_offline"], "before it was; a hole; the silence"
    just_before = t - minutes(60) - timedelta(seconds=20)
    await world.sql("UPDATE cameras SET created_at = %s WHERE id = %s", just_before, camera_id)
    found = await recordings(world, camera_id, from_=t - minutes(180))
    assert reasons(found) == ["no_camera", "gateway_offline"], "it takes a moment to its first picture"
    alone = await recordings(world, camera_id, from_=t - minutes(60))
    assert found["percent_covered"] == pytest.approx(alone["percent_covered"], abs=0.2), (
        "two hours without it"
    )
    site = (await world.client("viewer").get(f"/api/v1/sites/{world.site}/recordings")).json()
    (line,) = site["data"]
    assert line["longest_gap"]["reason"] == "gateway_offline", "a day without it is no gap of its own"


async def test_reports_come_twice_late_and_out_of_order(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        say = Telling(camera_id)
        first = say.row("span", t - minutes(60), t - minutes(50))
        gone = say.row("gap", t - minutes(50), t - minutes(40))
        grown = say.row("span", t - minutes(60), t - minutes(30), id=first.id)
        deleted = say.row("gap", t - minutes(50), t - minutes(40), id=gone.id, deleted=True)
        late = update(epoch, [first, gone])
        await gateway.report(update(epoch, [grown, deleted], t))
        for _ in range(2):
            assert await gateway.report(late) is None
        found = await recordings(world, camera_id, from_=t - minutes(60), to=t - minutes(30))
        assert (found["gaps"], found["percent_covered"]) == ([], 100)
        assert await gateway.report(update(epoch, [first, grown, first], t)) is None, (
            "one row twice in one report"
        )
        assert (await recordings(world, camera_id, from_=t - minutes(60), to=t - minutes(30)))["gaps"] == []


async def test_a_gateway_speaks_of_its_own_cameras_only(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway, connected(world) as stranger:
        camera_id = await add_camera(world, gateway)
        mine = await add_camera(world, stranger, rtsp_url="rtsp://192.0.2.12:554/s1")
        row = Telling(camera_id).row("span", t - minutes(60), t - minutes(30))
        own = Telling(mine, 7).row("span", t - minutes(60), t - minutes(30))
        assert await stranger.report(update(uuid4(), [row, own])) == "unknown_camera"
        assert (await recordings(world, camera_id))["spans"] == []
        assert len((await recordings(world, mine))["spans"]) == 1
        for wrong in (
            {"end": t - minutes(61)},
            {"size_bytes": -1},
            {"lossy_sec": -0.1},
            {"lossy_sec": 3602.0},
            {"width": 2**31},
            {"reason": "frozen"},
            {"codec": "h264\0"},
            {"codec": "x" * 100},
        ):
            broken = Telling(camera_id).row("span", t - minutes(60), **{"end": t, **wrong})  # type: ignore[arg-type]
            assert await gateway.report(update(epoch, [broken])) == "invalid", wrong
        good = Telling(mine, 8).row("span", t - minutes(20), t - minutes(10))
        assert await stranger.report(update(uuid4(), [broken, good])) == "invalid"
        assert len((await recordings(world, mine))["spans"]) == 1, "the good one is kept"
        many = [Telling(camera_id, number).row("span", t, t) for number in range(1, 502)]
        assert await gateway.report(update(epoch, many)) == "invalid"
        assert (await recordings(world, camera_id))["spans"] == []


async def test_another_epoch_replaces_all_and_the_old_one_is_refused(world: World) -> None:
    old, new, t = uuid4(), uuid4(), now()
    identity = await pair(world, world.site)
    async with connected(world, identity=identity, ledger_epoch=old) as gateway:
        assert gateway.states[0].ledger_seq is None
        camera_id = await add_camera(world, gateway)
        row = Telling(camera_id).row("span", t - minutes(60), t - minutes(30))
        await gateway.report(update(old, [row], through_seq=41))
    async with connected(world, identity=identity, ledger_epoch=old) as gateway:
        assert gateway.states[0].ledger_seq == 41, "how far the server knows"
        assert len((await recordings(world, camera_id))["spans"]) == 1
        other = Telling(camera_id).row("span", t - minutes(20), t - minutes(10))
        assert await gateway.report(update(new, [other])) is None
        found = await recordings(world, camera_id)
        assert [span["duration_sec"] for span in found["spans"]] == [600]
        assert await gateway.report(update(old, [row])) == "stale_epoch"
        assert len((await recordings(world, camera_id))["spans"]) == 1
    async with connected(world, identity=identity, ledger_epoch=old) as gateway:
        assert gateway.states[0].ledger_seq is None, "put back: nothing of it is known any more"
        assert (await recordings(world, camera_id))["spans"] == []
        assert await gateway.report(update(old, [row])) is None
    await world.server.recordings.ledgers.sweep()
    assert (await world.sql("SELECT count(*), min(life) FROM ledger_rows"))[0] == (1, 3), (
        "older lives are removed"
    )
    await world.sql("UPDATE gateways SET deleted_at = now() - interval '31 days'")
    await world.server.recordings.ledgers.sweep()
    assert await world.sql("SELECT 1 FROM ledger_rows") == []


async def test_main_and_sub_are_one_line(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        say = Telling(camera_id)
        rows = [
            say.row("span", t - minutes(60), t - minutes(40)),
            say.row("gap", t - minutes(40), t, reason="disabled"),
            say.row("gap", t - minutes(60), t - minutes(40), stream="sub", reason="disabled"),
            say.row("span", t - minutes(40), t, stream="sub", width=640, height=360),
        ]
        await gateway.report(update(epoch, rows))
        found = await recordings(world, camera_id, from_=t - minutes(60), to=t)
        assert [(span["stream"], span["width"]) for span in found["spans"]] == [("main", 1920), ("sub", 640)]
        assert found["percent_covered"] == 100


async def test_a_year_comes_in_answers_that_go_on(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        await world.sql(
            "INSERT INTO ledger_rows (org_id, gateway_id, life, id, seq, camera_id, stream, kind, start_at, end_at, reason, codec)"
            " SELECT %s, %s, 1, n, n, %s, 'main', CASE n %% 2 WHEN 0 THEN 'span' ELSE 'gap' END,"
            " %s::timestamptz + n * interval '1 hour', %s::timestamptz + (n + 1) * interval '1 hour',"
            " CASE n %% 2 WHEN 1 THEN 'frozen' END, 'h264' FROM generate_series(0, 8759) AS n",
            *(world.org, gateway.id, camera_id, t - timedelta(days=365), t - timedelta(days=365)),
        )
        await gateway.report(update(epoch, [], t))
        start: Any = t - timedelta(days=365)
        covered, answers = 0.0, 0
        while start is not None:
            found = await recordings(world, camera_id, from_=start)
            start, answers = found["next_from"], answers + 1
            covered += sum(span["duration_sec"] for span in found["spans"])
            assert len(found["spans"]) + len(found["gaps"]) <= 5001
        assert (answers, covered) == (2, 4380 * 3600)


async def test_ranges_that_make_no_sense_are_refused(world: World) -> None:
    async with connected(world) as gateway:
        camera_id = await add_camera(world, gateway)
        url = f"/api/v1/cameras/{camera_id}/recordings"
        t = now()
        for query, field in (
            ({"from": "yesterday"}, "from"),
            ({"to": "2026-13-01"}, "to"),
            ({"from": (t + minutes(5)).isoformat()}, "from"),
            ({"from": (t - timedelta(days=370)).isoformat()}, "from"),
            ({"from": t.isoformat(), "to": (t - minutes(1)).isoformat()}, "to"),
            ({"range_from": t.isoformat()}, "range_from"),
        ):
            answer = await world.client("viewer").get(url, params=query)
            assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field), query


async def test_days_are_the_sites_and_a_deleted_cameras_footage_stays_readable(world: World) -> None:
    epoch, t = uuid4(), now()
    await world.sql("UPDATE sites SET timezone = 'Asia/Tokyo' WHERE id = %s", world.site)
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        row = Telling(camera_id).row("span", t - minutes(60), t - minutes(30))
        await gateway.report(update(epoch, [row], t))
        found = await recordings(world, camera_id, from_="2026-03-01", to="2026-03-01")
        assert (found["from"], found["to"]) == ("2026-02-28T15:00:00Z", "2026-03-01T15:00:00Z")
        url = f"/api/v1/cameras/{camera_id}"
        assert (await world.client("operator").delete(url)).status_code == 204
        found = await recordings(world, camera_id, from_=t - minutes(60))
        assert len(found["spans"]) == 1
        assert reasons(found)[-1] == "no_camera"
        assert (await world.client("viewer").get(url)).status_code == 404


async def test_who_may_read(world: World) -> None:
    async with connected(world, site_id=world.ungranted_site) as gateway:
        camera_id = await add_camera(world, gateway)
        for url in (
            f"/api/v1/cameras/{camera_id}/recordings",
            f"/api/v1/sites/{world.ungranted_site}/recordings",
        ):
            for role, other, status in (
                (None, False, 401),
                ("viewer", False, 403),
                ("operator", False, 200),
                ("admin", True, 404),
            ):
                assert (await world.client(role, other=other).get(url)).status_code == status, (url, role)


async def test_a_site_in_one_look(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        broken = await add_camera(world, gateway)
        well = await add_camera(world, gateway, rtsp_url="rtsp://192.0.2.12:554/s1", name="Yard")
        rows = [
            Telling(broken).row("span", t - minutes(3000), t - minutes(60), size_bytes=5000),
            Telling(broken, 2).row("gap", t - minutes(60), t, reason="auth"),
            Telling(well, 3).row("span", t - minutes(3000), t),
        ]
        await gateway.report(update(epoch, rows, t))
        asked = {"from": (t - minutes(120)).isoformat(), "to": t.isoformat(), "limit": "1"}
        url = f"/api/v1/sites/{world.site}/recordings"
        first = (await world.client("viewer").get(url, params=asked)).json()
        assert (first["total"], [each["name"] for each in first["data"]]) == (2, ["Yard"])
        (yard,) = first["data"]
        assert (yard["percent_covered"], yard["is_recording"], yard["longest_gap"]) == (100, True, None)
        asked["cursor"] = first["next_cursor"]
        second = (await world.client("viewer").get(url, params=asked)).json()
        (door,) = second["data"]
        assert (door["percent_covered"], door["is_recording"], door["size_bytes"]) == (50, False, 5000)
        assert (door["longest_gap"]["reason"], door["longest_gap"]["duration_sec"]) == ("auth", 3600)
        assert datetime.fromisoformat(door["oldest_at"]) == t - minutes(3000)
        assert second["next_cursor"] is None
        too_long = await world.client("viewer").get(
            url, params={"from": (t - timedelta(days=40)).isoformat()}
        )
        assert too_long.status_code == 400


async def test_what_has_served_its_time_goes(world: World) -> None:
    epoch, t = uuid4(), now()
    async with connected(world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(world, gateway)
        say = Telling(camera_id)
        rows = [
            say.row("span", t - timedelta(days=500), t - timedelta(days=450)),
            say.row("gap", t - timedelta(days=450), t - timedelta(days=401)),
            say.row("gap", t - timedelta(days=401), t - timedelta(days=399)),
            say.row("gap", t - timedelta(days=399), t, deleted=True),
        ]
        await gateway.report(update(epoch, rows))
        await world.sql("UPDATE ledger_rows SET deleted_at = deleted_at - interval '3 days'")
        await world.server.recordings.ledgers.sweep()
        left = await world.sql("SELECT id FROM ledger_rows ORDER BY id")
        assert left == [(1,), (3,)], "footage stays for as long as the gateway has it"


async def test_of_a_direct_camera_the_footage_is_its_clips(world: World) -> None:
    t, camera, event, clip = now(), uuid4(), uuid4(), uuid4()
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, connection_mode, name, type, host, port, status, recording_mode, created_at)"
        " VALUES (%s, %s, %s, 'direct', 'Dock', 'rtsp', '192.0.2.1', 554, 'online', 'events', %s)",
        *(world.org, camera, world.site, t - minutes(600)),
    )
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at) VALUES (%s, %s, %s, %s, 'manual', %s)",
        *(world.org, event, camera, world.site, t - minutes(30)),
    )
    await world.sql(
        "INSERT INTO clips (org_id, id, event_id, camera_id, status, asked_sec, pre_roll_sec, deadline_at, started_at, duration_sec,"
        " store_key, size_bytes, codec, width, height) VALUES (%s, %s, %s, %s, 'ready', 30, 0, %s, %s, 30, 'k', 9000, 'h264', 64, 48)",
        *(world.org, clip, event, camera, t, t - minutes(30)),
    )
    found = await recordings(world, camera, from_=t - minutes(60), to=t)
    (span,) = found["spans"]
    assert (span["duration_sec"], span["size_bytes"], span["codec"], span["width"]) == (30, 9000, "h264", 64)
    assert (reasons(found), found["losses"]) == (["no_event", "no_event"], [])
    assert found["percent_covered"] == pytest.approx(100 / 120, abs=0.01)
