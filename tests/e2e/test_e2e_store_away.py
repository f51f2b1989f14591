"""The store is away when a clip is done: the clip waits on the gateway's disk, and arrives once the store is back."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from nova_system import System, until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_a_clip_outlives_its_store(system: System) -> None:
    gateway = await system.gateway()
    async with SimCam(SimCamConfig(name="Away", onvif_port=None)) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=15)
        store = system.world.server.settings.data_dir / "clips"
        hidden = store.with_name("clips-hidden")
        store.rename(hidden)
        store.write_text("a file where the folder was: every write fails, for root too")
        event_id = await system.record(camera_id, 5)
        await until(
            lambda: "upload interrupted" in gateway.log.read_text(), within=30, what="an upload failed"
        )
        event = (await system.operator.get(f"/events/{event_id}")).json()
        assert event["clip"]["status"] in {"recording", "uploading"}
        assert (await system.operator.get("/cameras")).status_code == 200
        store.unlink()
        hidden.rename(store)
        event = await system.wait_clip(event_id, "ready", "failed", within=60)
        assert event["clip"]["status"] == "ready", event["clip"]
        data = await system.fetch_clip(event_id)
        assert hashlib.sha256(data).hexdigest() == event["clip"]["sha256"]
        await until(
            lambda: not list((gateway.folder / "clips").glob("*.mp4")),
            within=10,
            what="the gateway keeps no copy",
        )
        await asyncio.sleep(0)
