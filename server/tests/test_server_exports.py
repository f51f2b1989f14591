"""Exports: ordered over HTTP, made of real segments, and believed only by the verifier that shares no code with us."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from nova_exports import add_camera, ask, at, download, filmed, maker, play, read
from nova_mp4 import decode
from nova_segments import Film
from nova_world import World
from psycopg.types.json import Jsonb

from novavms_protocol import SegmentInfo
from novavms_server.kit.ids import new_id
from novavms_server.kit.jobs import GiveUp
from novavms_server.recordings.errors import FootageAway
from novavms_verify import verify_file

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # as a whole, for the everyday loop to stay short


@pytest.fixture(autouse=True)
async def by_hand(world: World) -> None:
    """Exports are made when the test says so, from the test's own footage."""
    await world.server.jobs.stop()


async def test_an_export_is_genuine_by_a_verifier_of_its_own_and_plays(world: World, tmp_path: Path) -> None:
    camera_id, footage = await filmed(world, tmp_path, name='Tor "Süd"/1')
    footage.holes = [(at(3), at(3.5), "frozen")]
    asked = await ask(world, camera_id, case_reference="4711/26")
    assert (asked["status"], asked["url"]) == ("pending", None)
    early = await world.client("operator").get(f"/api/v1/exports/{asked['id']}/download")
    assert (early.status_code, early.headers["retry-after"]) == (409, "5")
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})

    export = await read(world, asked["id"])
    assert (export["status"], export["progress"], export["case_reference"]) == ("ready", 1, "4711/26")
    assert export["gaps"] == [
        {
            "camera_id": str(camera_id),
            "start": "2026-03-01T12:00:03Z",
            "end": "2026-03-01T12:00:03.500000Z",
            "reason": "frozen",
        }
    ]
    path = await download(world, tmp_path, export)
    key = (await world.client("viewer").get("/api/v1/orgs/current/signing-key")).json()
    assert key["fingerprint"] == export["key_fingerprint"]
    verdict = verify_file(path, expected_fingerprint=key["fingerprint"])
    assert verdict.is_genuine, verdict.findings
    manifest = verdict.manifest
    assert (manifest["camera"]["name"], manifest["camera"]["serial"]) == ('Tor "Süd"/1', "SN-1")
    assert manifest["made_by"]["name"]
    assert manifest["gaps"][0]["reason"] == "frozen"
    assert [piece["segment_sha256"] for piece in manifest["pieces"]] == [
        each.sha256 for each in footage.listed[camera_id][:3]
    ]
    assert decode(path.read_bytes()).video_frames == 125
    assert not (tmp_path / "work" / asked["id"]).exists()

    spoilt = bytearray(path.read_bytes())
    spoilt[manifest["pieces"][1]["offset_bytes"] + 5] ^= 1
    path.write_bytes(spoilt)
    assert [finding.start for finding in verify_file(path).findings] == [manifest["pieces"][1]["start"]]


async def test_several_cameras_make_a_zip(world: World, tmp_path: Path) -> None:
    first, footage = await filmed(world, tmp_path)
    second = await add_camera(world)
    footage.paths[second], footage.listed[second] = footage.paths[first], footage.listed[first]
    asked = await ask(world, first, second)
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
    verdict = verify_file(await download(world, tmp_path, await read(world, asked["id"])))
    assert verdict.is_genuine, verdict
    assert len(verdict.files) == 2
    assert verdict.files[0].name != verdict.files[1].name


async def test_it_waits_for_a_gateway_that_is_away_and_goes_on_where_it_was(
    world: World, tmp_path: Path
) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    asked = await ask(world, camera_id)
    making = maker(world, footage, tmp_path / "work")
    footage.away = "gateway_offline"
    with pytest.raises(FootageAway):
        await making.make(world.org, {"export_id": asked["id"]})
    waiting = await read(world, asked["id"])
    assert (waiting["status"], waiting["status_reason"]) == ("pending", "gateway_offline")

    footage.away = None
    good = footage.paths[camera_id][2].read_bytes()
    footage.paths[camera_id][2].write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(FootageAway):
        await making.make(world.org, {"export_id": asked["id"]})
    assert (await read(world, asked["id"]))["status_reason"] == "corrupt_footage"
    footage.paths[camera_id][2].write_bytes(good)
    footage.reads.clear()
    await making.make(world.org, {"export_id": asked["id"]})
    assert footage.reads == [2], "what was fetched and right is not fetched again"
    assert (await read(world, asked["id"]))["status"] == "ready"


async def test_footage_of_this_moment_is_exported_once_its_ledger_is_told(
    world: World, tmp_path: Path
) -> None:
    """What the gateway is about to tell, losses among it, belongs into the evidence; that there was nothing does not."""
    camera_id, footage = await filmed(world, tmp_path)
    asked, making = await ask(world, camera_id), maker(world, footage, tmp_path / "work")
    footage.holes = [(at(1), at(6), "not_reported_yet")]
    with pytest.raises(FootageAway):
        await making.make(world.org, {"export_id": asked["id"]})
    waiting = await read(world, asked["id"])
    assert (waiting["status"], waiting["status_reason"]) == ("pending", "not_reported_yet")
    assert footage.reads == []

    footage.holes = [(at(2), at(2.8), "network"), (at(4), at(6), "unknown")]  # and the last word never came
    await making.make(world.org, {"export_id": asked["id"]})
    export = await read(world, asked["id"])
    assert [gap["reason"] for gap in export["gaps"]] == ["network"], "what is in the file is no gap"
    manifest = verify_file(await download(world, tmp_path, export)).manifest
    assert [gap["reason"] for gap in manifest["gaps"]] == ["network"]


@pytest.mark.parametrize(
    ("told", "checked", "offset_ms", "by"),
    [(-0.12, 7.0, -120, "rtcp"), (10_800.0, None, 10_800_000, "rtcp"), (None, 7.5, 7500, "onvif"), (None, None, None, None)],
)  # fmt: skip
async def test_how_the_cameras_clock_stood_is_in_the_evidence(
    world: World,
    tmp_path: Path,
    told: float | None,
    checked: float | None,
    offset_ms: int | None,
    by: str | None,
) -> None:
    def script(camera: Film) -> None:
        camera.off_sec = told
        play(camera)

    camera_id, footage = await filmed(world, tmp_path, script=script)
    report = Jsonb({"facts": {"clock_offset_sec": checked}})
    await world.sql("UPDATE cameras SET last_check = %s WHERE id = %s", report, camera_id)
    asked = await ask(world, camera_id)
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
    clock = verify_file(await download(world, tmp_path, await read(world, asked["id"]))).manifest["clock"]
    assert (clock["source"], clock["offset_ms"], clock["offset_by"]) == ("rtcp", offset_ms, by)


async def test_what_did_not_come_into_the_file_is_told(world: World, tmp_path: Path) -> None:
    """One file has one format: where the camera's changes, it ends, and says so."""

    def script(camera: Film) -> None:
        camera.begin()
        camera.play(4)
        camera.begin(96)
        camera.play(4, 96)

    camera_id, footage = await filmed(world, tmp_path, script=script)
    asked = await ask(world, camera_id)
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
    export = await read(world, asked["id"])
    (gap,) = export["gaps"]
    assert (gap["start"], gap["end"], gap["reason"]) == (
        "2026-03-01T12:00:04Z",
        "2026-03-01T12:00:06Z",
        "format_changed",
    )
    manifest = verify_file(await download(world, tmp_path, export)).manifest
    assert (manifest["gaps"][0]["reason"], manifest["ended_early"]) == ("format_changed", "format_changed")


async def test_pictures_that_were_lost_on_their_way_are_told_however_few(
    world: World, tmp_path: Path
) -> None:
    def script(camera: Film) -> None:
        camera.begin()
        camera.play(2.6)
        camera.lose()
        camera.play(3)

    camera_id, footage = await filmed(world, tmp_path, script=script)
    asked = await ask(world, camera_id)
    await maker(world, footage, tmp_path / "work").make(world.org, {"export_id": asked["id"]})
    manifest = verify_file(await download(world, tmp_path, await read(world, asked["id"]))).manifest
    (loss,) = manifest["losses"]
    assert (loss["start"], loss["end"], loss["pictures"]) == (
        "2026-03-01T12:00:02.600000Z",
        "2026-03-01T12:00:03Z",
        10,
    )
    assert manifest["gaps"] == []


async def test_an_export_ends_where_it_can_not_be_made(world: World, tmp_path: Path) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    making = maker(world, footage, tmp_path / "work")
    nothing = await ask(world, camera_id, start=60, end=70)
    await making.make(world.org, {"export_id": nothing["id"]})
    shown = await read(world, nothing["id"])
    assert (shown["status"], shown["status_reason"]) == ("failed", "no_footage")
    answer = await world.client("operator").get(f"/api/v1/exports/{nothing['id']}/download")
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_footage")

    late = await ask(world, camera_id)
    await world.sql(
        "UPDATE exports SET deadline_at = now() - interval '1 second' WHERE id = %s", UUID(late["id"])
    )
    footage.away = "gateway_offline"
    await making.make(world.org, {"export_id": late["id"]})
    shown = await read(world, late["id"])
    assert (shown["status"], shown["status_reason"]) == ("failed", "gateway_offline")


async def test_a_deleted_export_is_gone_with_its_file(world: World, tmp_path: Path) -> None:
    camera_id, footage = await filmed(world, tmp_path)
    asked = await ask(world, camera_id)
    making = maker(world, footage, tmp_path / "work")
    await making.make(world.org, {"export_id": asked["id"]})
    url = (await read(world, asked["id"]))["url"]
    link = (await world.client("operator").get(url)).headers["location"]
    gone = await world.client("operator").delete(f"/api/v1/exports/{asked['id']}")
    assert gone.status_code == 204
    await making.purge(world.org, {"export_id": asked["id"]})
    assert (await world.client(None).get(link)).status_code == 404
    assert (await world.client("operator").get(url)).status_code == 404

    other = await ask(world, camera_id)
    read_on = footage.segments

    async def delete_meanwhile(*where: Any) -> list[SegmentInfo]:
        await world.sql("UPDATE exports SET deleted_at = now() WHERE id = %s", UUID(other["id"]))
        return await read_on(*where)

    footage.segments = delete_meanwhile  # type: ignore[method-assign]
    with pytest.raises(GiveUp):
        await making.make(world.org, {"export_id": other["id"]})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "camera_id"),
        ({"camera_ids": []}, "camera_ids"),
        ({"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:00:00Z"}, "to"),
        ({"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T13:00:01Z"}, "to"),
        ({"from": "2026-03-01T12:00:00", "to": "2026-03-01T12:01:00Z"}, "from"),
        ({"to": "2999-01-01T00:30:00Z", "from": "2999-01-01T00:00:00Z"}, "to"),
    ],
)
async def test_bad_asks_are_named(world: World, body: dict[str, Any], field: str) -> None:
    good = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:10:00Z"}
    whole = {**good, **({} if body in ({}, {"camera_ids": []}) else {"camera_id": str(new_id())}), **body}
    answer = await world.client("operator").post("/api/v1/exports", json=whole)
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field), answer.text


async def test_who_may_export_and_what(world: World) -> None:
    camera_id = await add_camera(world)
    body = {"camera_id": str(camera_id), "from": at(0).isoformat(), "to": at(5).isoformat()}
    assert (await world.client("viewer").post("/api/v1/exports", json=body)).status_code == 403
    stranger = await world.client("operator").post(
        "/api/v1/exports", json={**body, "camera_id": str(new_id())}
    )
    assert stranger.status_code == 404
    asked = await ask(world, camera_id)
    listed = (await world.client("operator").get("/api/v1/exports")).json()
    assert [each["id"] for each in listed["data"]] == [asked["id"]]
