"""The main job by the Python library: a real server, a real gateway, a simulated camera."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nova_mp4 import decode
from nova_system import System, make_system

from novavms import AsyncClient, CameraCheckError, Client
from novavms.types import CameraItem, ClipItem, EventItem
from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def system(database_url: str, tmp_path: Path) -> AsyncIterator[System]:
    async with make_system(database_url, tmp_path) as made:
        yield made


async def test_add_watch_record_save(system: System, tmp_path: Path) -> None:
    gateway = await system.gateway()
    key, url = system.world.keys["operator"], system.world.base_url
    async with SimCam(SimCamConfig(name="Dock")) as dock, AsyncClient(api_key=key, base_url=url) as client:
        body = system.body(dock, gateway)
        async with client.stream.events(types=["camera", "event", "clip"]) as stream:
            with pytest.raises(CameraCheckError) as refused:
                await client.cameras.create(**{**body, "onvif_password": "wrong"})
            assert refused.value.reason == "auth_failed"
            camera = await client.cameras.create(**body)
            assert (await client.cameras.wait_until(camera.id, timeout=30)).status == "online"
            triggered = await client.cameras.trigger_recording(
                camera.id, duration_sec=5, note="by the library"
            )
            clip = await client.events.wait_for_clip(triggered.event_id, timeout=60)
            told: list[tuple[int, int | None]] = []
            saved = await clip.download(tmp_path / "clip.mp4", progress=lambda *now: told.append(now))
            seen = []
            async for item in stream:
                seen.append(type(item))
                if isinstance(item, ClipItem) and item.data.clip.status == "ready":
                    break
        assert {CameraItem, EventItem, ClipItem} <= set(seen)
        assert told[-1] == (clip.size_bytes, clip.size_bytes)
        assert hashlib.sha256(saved.read_bytes()).hexdigest() == clip.sha256
        film = decode(saved.read_bytes())
        assert film.duration_sec >= 5
        assert film.first_is_key
        await asyncio.to_thread(by_threads, key, url, triggered.event_id, tmp_path / "again.mp4")
        assert (tmp_path / "again.mp4").read_bytes() == saved.read_bytes()


def by_threads(key: str, url: str, event_id: str, path: Path) -> None:
    """The same, by the other half: what is there is found, fetched and taken away."""
    with Client(api_key=key, base_url=url) as client:
        assert client.cameras.snapshot(next(iter(client.cameras.list())).id).startswith(b"\xff\xd8")
        assert [event.id for event in client.events.list(trigger_type="manual")] == [event_id]
        assert client.events.get(event_id).note == "by the library"
        client.events.download_clip(event_id, path)
        client.cameras.delete(client.events.get(event_id).camera_id)
        assert client.cameras.list().total == 0
