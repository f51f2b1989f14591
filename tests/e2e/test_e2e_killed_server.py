"""The server is killed, as the power does it: in the middle of a check, and while a clip is recorded. Then it is started again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from nova_mp4 import decode
from nova_programs import GatewayProgram, ServerProgram, first_org
from nova_system import until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.long
async def test_a_killed_server_leaves_no_half_camera_and_loses_no_clip(tmp_path: Path) -> None:
    server = ServerProgram(tmp_path / "server")
    with server:
        key, site = await first_org(server)
        async with server.client(key) as client, SimCam(SimCamConfig(name="Dock", onvif_port=None)) as camera:
            made = (
                await client.post(
                    "/gateways/generate-pairing-code", json={"name": "Box", "site_id": site["id"]}
                )
            ).json()
            gateway = GatewayProgram(server, tmp_path / "gateway")
            gateway.pair(made["pairing_code"])
            with gateway:
                await until(
                    lambda: _online(client, f"/gateways/{made['id']}"),
                    within=30,
                    what="the gateway is online",
                )
                body = _body(camera, site["id"], made["id"])
                await _killed_in_the_middle_of_a_check(server, client, camera, body)
                await until(lambda: _is_back(server), within=60, what="the gateway is back")
                camera_id = await _same_request_again(client, body)
                await until(
                    lambda: _online(client, f"/cameras/{camera_id}"), within=30, what="the camera is online"
                )
                await _killed_while_recording(server, client, camera_id)


async def _online(client: httpx.AsyncClient, path: str) -> bool:
    return bool((await client.get(path)).json()["status"] == "online")


async def _is_back(server: ServerProgram) -> bool:
    """Its socket is at the server that runs now; `online` is at first what the killed one left."""
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        return "novavms_gateways_connected 1.0" in (await client.get("/metrics")).text


def _body(camera: SimCam, site_id: str, gateway_id: str) -> dict[str, Any]:
    return {
        **{
            "site_id": site_id,
            "gateway_id": gateway_id,
            "name": "Dock",
            "type": "rtsp",
            "rtsp_url": camera.rtsp_url,
        },
        **{"rtsp_username": camera.config.username, "rtsp_password": camera.config.password},
    }


async def _killed_in_the_middle_of_a_check(
    server: ServerProgram, client: httpx.AsyncClient, camera: SimCam, body: dict[str, Any]
) -> None:
    camera.set_fault("slow_answer_sec", 2)
    asking = asyncio.create_task(client.post("/cameras", json=body, headers={"Idempotency-Key": "once"}))
    await until(lambda: camera.sessions > 0 or camera.stats.connections > 0, within=10, what="the check runs")
    server.kill()
    with pytest.raises(httpx.TransportError):
        await asking
    camera.clear_faults()
    await asyncio.to_thread(server.start)
    listed = (await client.get("/cameras")).json()
    assert (listed["data"], listed["total"]) == ([], 0)


async def _same_request_again(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    """With its old Idempotency-Key: the dead server's reservation runs out, and one camera is made."""

    async def made() -> httpx.Response | None:
        answer = await client.post("/cameras", json=body, headers={"Idempotency-Key": "once"}, timeout=60)
        return answer if answer.status_code == 201 else None

    answer: httpx.Response = await until(made, within=90, what="the camera is made")
    assert (await client.get("/cameras")).json()["total"] == 1
    return str(answer.json()["id"])


async def _killed_while_recording(server: ServerProgram, client: httpx.AsyncClient, camera_id: str) -> None:
    pressed = await client.post(f"/cameras/{camera_id}/trigger", json={"duration_sec": 8})
    assert pressed.status_code == 202, pressed.text
    event = f"/events/{pressed.json()['event_id']}"
    await asyncio.sleep(2)
    server.kill()
    await asyncio.to_thread(server.start)  # the camera sends on meanwhile: it runs on this loop

    async def ended() -> dict[str, Any] | None:
        clip: dict[str, Any] = (await client.get(event)).json()["clip"]
        return clip if clip["status"] in {"ready", "failed"} else None

    clip = await until(ended, within=90, what="the clip has ended")
    assert clip["status"] == "ready", clip
    data = (await client.get(event + "/clip", follow_redirects=True)).content
    seen = await asyncio.to_thread(decode, data)
    assert seen.first_is_key
    assert seen.duration_sec > 8
