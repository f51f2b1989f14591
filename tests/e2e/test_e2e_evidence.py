"""Footage from a camera to a court: recorded by a real gateway, exported by the library, judged by the verifier alone."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nova_mp4 import decode
from nova_system import System, make_system, until

from novavms import AsyncClient
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]
VERIFY = Path(sys.executable).with_name("novavms-verify")


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


async def verify(path: Path, *more: str) -> tuple[int, str]:
    run = await asyncio.create_subprocess_exec(
        *(str(VERIFY), str(path), *more), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await run.communicate()
    assert run.returncode is not None
    return run.returncode, output.decode()


async def test_footage_becomes_evidence_that_anybody_can_verify(system: System, tmp_path: Path) -> None:
    gateway = await system.gateway()
    async with (
        SimCam(SimCamConfig(name="Dock")) as dock,
        SimCam(SimCamConfig(name="Gate", audio="pcma")) as gate,
        AsyncClient(api_key=system.world.keys["operator"], base_url=system.world.base_url) as client,
    ):
        cameras = [await system.add(each, gateway, recording_mode="continuous") for each in (dock, gate)]
        for camera in cameras:
            await system.wait_status(camera, "online", within=30)

        async def recorded() -> datetime | None:
            """When both have at least eight seconds on the disk, up to when."""
            reach = []
            for camera in cameras:
                spans = (await client.cameras.recordings(camera)).spans
                if not spans or spans[-1].duration_sec < 8:
                    return None
                reach.append(spans[-1].end)
            return min(reach)

        end = await until(recorded, within=60, what="footage of both in the ledger")
        start = end - timedelta(seconds=6)
        made = await client.exports.create(
            camera_ids=cameras, from_=start, to=end, case_reference="4711/26", note="dock and gate"
        )
        export = await client.exports.wait_until_ready(made.id, timeout=60)
        archive = await client.exports.download(export.id, tmp_path / "case.zip")
        alone = await client.exports.create(camera_id=cameras[0], from_=start, to=end)
        await client.exports.wait_until_ready(alone.id, timeout=60)
        video = await client.exports.download(alone.id, tmp_path / "dock.mp4")
        key = (await client.org.signing_key()).fingerprint
        held = await system.world.sql("SELECT count(*) FROM footage_holds WHERE is_held")
        assert held[0][0] == 3

    film = decode(video.read_bytes())
    assert film.duration_sec == pytest.approx(6, abs=0.3)
    assert film.first_is_key or film.video_frames > 50
    code, said = await verify(archive, "--fingerprint", key)
    assert (code, "GENUINE" in said, "4711/26" in said, "Gate" in said) == (0, True, True, True), said
    code, said = await verify(video, "--json")
    claims = json.loads(said)["manifest"]
    assert code == 0, said
    assert claims["camera"]["serial"]
    assert abs(claims["clock"]["offset_ms"]) < 2000
    assert claims["gaps"] == []
    assert datetime.fromisoformat(claims["made_at"]) <= datetime.now(UTC)
    data = bytearray(video.read_bytes())
    piece = claims["pieces"][-1]
    data[piece["offset_bytes"] + piece["size_bytes"] // 2] ^= 1
    video.write_bytes(data)
    code, said = await verify(video)
    assert (code, "NOT GENUINE" in said, piece["start"] in said) == (1, True, True), said
