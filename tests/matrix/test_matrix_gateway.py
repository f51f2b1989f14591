"""What a check says that no camera has done: the gateway is away, the camera is in the org already. By every way that there is."""

from __future__ import annotations

import pytest
from nova_matrix import Matrix, leftovers

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("matrix-gateway"),
]


@pytest.mark.parametrize("kind", ["rtsp", "onvif"])
async def test_the_same_stream_of_the_same_camera_is_named(matrix: Matrix, kind: str) -> None:
    config = SimCamConfig(name=f"Twin {kind}", onvif_port=0 if kind == "onvif" else None)
    async with SimCam(config) as cam:
        first = await matrix.system.add(cam, matrix.gateway)
        body = matrix.system.body(cam, matrix.gateway)

        said = (await matrix.client.post("/cameras", params={"on_duplicate": "reject"}, json=body)).json()
        assert (said["error"], len(said["check"]["warnings"])) == ("conflict", 1)
        assert await matrix.rows("name = %s", config.name) == 1
        asked = {name: value for name, value in body.items() if name not in {"name", "site_id"}}
        tested = (await matrix.client.post("/cameras/test", json=asked)).json()
        second = (await matrix.client.post("/cameras", json=body)).json()
        for report in (said["check"], tested, second["check"]):
            assert report["ok"]
            (warning,) = report["warnings"]
            assert warning["code"] == "duplicate_device"
            assert config.name in warning["message"]
            assert first in warning["message"]
        for camera_id in (first, second["id"]):
            assert (await matrix.client.delete(f"/cameras/{camera_id}")).status_code == 204
        assert await leftovers(cam) == {"sessions": 0, "connections": 0}


async def test_a_gateway_that_is_away(matrix: Matrix) -> None:
    """Create, test and PATCH say so at once, and the camera stays exactly as it was; a change of name needs no gateway."""
    gateway = await matrix.system.gateway()
    async with SimCam(SimCamConfig(name="Far away")) as cam:
        camera_id = await matrix.system.add(cam, gateway)
        await gateway.stop()
        await gateway.wait_for("offline", within=60)
        await matrix.system.wait_status(camera_id, "offline", within=10)
        before = (await matrix.client.get(f"/cameras/{camera_id}")).json()
        connections = cam.stats.connections_total

        body = matrix.system.body(cam, gateway, name="One more")
        asked = {name: value for name, value in body.items() if name not in {"name", "site_id"}}
        created = await matrix.client.post("/cameras", json=body)
        patched = await matrix.client.patch(f"/cameras/{camera_id}", json={"onvif_password": "another-one"})
        tested = await matrix.client.post("/cameras/test", json=asked)
        for answer, status in ((created, 400), (patched, 400), (tested, 200)):
            said = answer.json()
            assert (answer.status_code, said["reason"]) == (status, "gateway_offline"), said
            assert said["hint"] if status == 200 else said["check"]["hint"]
        assert await matrix.rows("name = 'One more'") == 0
        assert (await matrix.client.get(f"/cameras/{camera_id}")).json() == before
        assert cam.stats.connections_total == connections, "nobody dialled"

        renamed = await matrix.client.patch(f"/cameras/{camera_id}", json={"name": "Renamed meanwhile"})
        assert (renamed.status_code, renamed.json()["name"]) == (200, "Renamed meanwhile")
