"""Recorded footage, all the way: camera, real gateway, server, an independent player; and a real browser."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from nova_footage import Shelf, Telling, add_camera, cut_files, now, update
from nova_gateway import connected, pair
from nova_mp4 import decode
from nova_recorder import FOOTAGE
from nova_system import System, until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]

PLAY = """async url => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = url;
  document.body.append(video);
  await new Promise((done, failed) => { video.oncanplay = done; video.onerror = () => failed(video.error.message); });
  let frames = 0;
  const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  await video.play();
  await new Promise(done => { video.ontimeupdate = () => frames > 10 && done(); });
  const first = frames;
  await new Promise(done => { video.onseeked = done; video.currentTime = video.duration - 3; });
  await new Promise(done => { video.ontimeupdate = () => frames > first + 5 && done(); });
  return {duration: video.duration, frames, width: video.videoWidth};
}"""

TO_THE_END = """async url => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = url;
  document.body.append(video);
  const widths = [];
  const look = () => {
    if (widths.at(-1) !== video.videoWidth) widths.push(video.videoWidth);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await new Promise((done, failed) => { video.oncanplay = done; video.onerror = () => failed(video.error.message); });
  video.playbackRate = 4;
  await video.play();
  await new Promise((done, failed) => { video.onended = done; video.onerror = () => failed(video.error.message); });
  return {duration: video.duration, widths};
}"""


async def recorded(system: System, camera_id: str, least_sec: float) -> dict[str, Any]:
    """The camera's recordings, once its newest span is so long."""

    async def reached() -> dict[str, Any] | None:
        found: dict[str, Any] = (await system.viewer.get(f"/cameras/{camera_id}/recordings")).json()
        return found if found["spans"] and found["spans"][-1]["duration_sec"] >= least_sec else None

    found: dict[str, Any] = await until(reached, within=90, what=f"{least_sec} s of footage; {system.logs()}")
    return found


def pictures(url: str) -> int:
    with av.open(url) as container:
        return sum(1 for _ in container.decode(container.streams.video[0]))


async def in_browser(system: System, script: str, url: str) -> dict[str, Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = await browser.new_page()
        await page.goto(f"{system.world.base_url}/healthz")
        async with asyncio.timeout(60):
            seen: dict[str, Any] = await page.evaluate(script, url)
        await browser.close()
    return seen


@pytest.mark.long
async def test_what_a_real_gateway_recorded_is_listed_played_cut_and_held(system: System) -> None:
    gateway = await system.gateway()
    async with SimCam(SimCamConfig(name="Yard")) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=15)
        found = await recorded(system, camera_id, 15)
        span = found["spans"][-1]
        assert (span["codec"], span["width"], span["stream"]) == ("h264", 768, "main")
        assert span["size_bytes"] > 100_000

        start = datetime.fromisoformat(span["start"])
        asked = {"from": span["start"], "to": (start + timedelta(seconds=14)).isoformat()}
        redirect = await system.viewer.get(f"/cameras/{camera_id}/playback", params=asked)
        assert redirect.status_code == 302, redirect.text
        address = str(redirect.url.join(redirect.headers["location"]))
        assert await asyncio.to_thread(pictures, address) > 12 * 12

        edges = {
            "from": (start + timedelta(seconds=3)).isoformat(),
            "to": (start + timedelta(seconds=9)).isoformat(),
        }
        made = await system.operator.post(f"/cameras/{camera_id}/clips", json=edges)
        assert made.status_code == 202, made.text
        event = await system.wait_clip(made.json()["event_id"], "ready", "failed")
        assert event["clip"]["status"] == "ready", event["clip"]
        assert 5 < event["clip"]["duration_sec"] < 9
        cut = decode(await system.fetch_clip(event["id"]))
        assert cut.first_is_key
        assert cut.video_frames > 50

        await system.operator.patch(f"/events/{event['id']}", json={"starred": True})

        async def held() -> bool:
            rows = await system.world.sql("SELECT told = changed FROM footage_holds")
            return rows == [(True,)]

        await until(held, within=15, what="the gateway took the hold")
        if shutil.which("chromium") is not None:
            seen = await in_browser(system, PLAY, address)
            assert seen["width"] == 768
            assert 14 <= seen["duration"] < 26, "whole segments"
    await gateway.kill()

    async def offline() -> bool:
        return bool((await system.viewer.get(f"/gateways/{gateway.id}")).json()["status"] == "offline")

    await until(offline, within=60, what="the gateway is noticed to be gone")
    found = (await system.viewer.get(f"/cameras/{camera_id}/recordings")).json()
    assert found["spans"]
    assert found["gaps"][-1]["reason"] == "gateway_offline"
    away = await system.viewer.get(address)
    assert (away.status_code, away.json()["reason"]) == (503, "gateway_offline")


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not installed (apt-get install chromium)"
)
async def test_a_browser_plays_over_gaps_and_changes_of_format(system: System, tmp_path: Path) -> None:
    """Three sessions of 8 s, a minute between them, the last in another format, from a gateway that only has files."""
    world, start = system.world, now() - timedelta(minutes=10)
    files = [
        *cut_files(tmp_path / "a", FOOTAGE, start),
        *cut_files(tmp_path / "b", FOOTAGE, start + timedelta(seconds=68), first_id=101),
        *cut_files(tmp_path / "c", FOOTAGE, start + timedelta(seconds=136), width=320, first_id=201),
    ]
    identity, epoch, shelf = await pair(world, world.site), uuid4(), Shelf(world, files)
    shelf.token = identity[1]
    async with connected(world, identity=identity, ledger_epoch=epoch, serve=shelf.serve) as gateway:
        camera_id = await add_camera(world, gateway)
        say = Telling(camera_id)
        await gateway.report(
            update(epoch, [say.row("span", each.info.start, each.info.end) for each in files])
        )
        redirect = await system.viewer.get(
            f"/cameras/{camera_id}/playback", params={"from": start.isoformat()}
        )
        address = str(redirect.url.join(redirect.headers["location"]))
        seen = await in_browser(system, TO_THE_END, address)
        await shelf.end()
    assert seen["widths"] == [768, 320]
    assert seen["duration"] == pytest.approx(sum(each.info.duration_sec for each in files), abs=0.5)
