"""Live view, all the way: camera, real gateway, server, and who watches; one of them a real browser."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest
from nova_live import Watcher, watch
from nova_mp4 import decode
from nova_system import System, until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]

SHOW = """async url => {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const media = new MediaSource();
  video.src = URL.createObjectURL(media);
  await new Promise(done => { media.onsourceopen = done; });
  const socket = new WebSocket(url), waiting = [];
  socket.binaryType = 'arraybuffer';
  let buffer, frames = 0;
  const feed = () => { if (buffer && !buffer.updating && waiting.length) buffer.appendBuffer(waiting.shift()); };
  const failed = new Promise((_, no) => {
    video.onerror = () => no(video.error.message);
    socket.onclose = event => no(`closed: ${event.code}`);
  });
  socket.onmessage = ({data}) => {
    if (typeof data === 'string') {
      const said = JSON.parse(data);
      if (said.type === 'init' && !buffer) {
        buffer = media.addSourceBuffer(said.mime);
        buffer.mode = 'segments';
        buffer.onupdateend = () => {
          if (video.buffered.length && video.currentTime < video.buffered.start(0))
            video.currentTime = video.buffered.start(0);
          feed();
        };
      }
    } else { waiting.push(data); feed(); }
  };
  const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  video.play();
  const played = (async () => { while (frames < 30) await new Promise(done => setTimeout(done, 50)); })();
  await Promise.race([played, failed]);
  return {frames, width: video.videoWidth};
}"""


async def address(system: System, camera_id: str, **query: Any) -> str:
    found = (await system.viewer.get(f"/cameras/{camera_id}/live", params=query)).json()
    url: str = next(each["url"] for each in found["protocols"] if each["type"] == "mse")
    return url


async def seconds(watcher: Watcher, least: float) -> Any:
    """What an independent decoder makes of all that came since `init`, once it is so long."""
    while True:
        await watcher.see(5)
        seen = decode(watcher.movie)
        if seen.duration_sec >= least:
            return seen


async def test_a_gateways_camera_is_watched_by_many_over_one_session_of_each_stream(system: System) -> None:
    gateway = await system.gateway()
    async with SimCam(SimCamConfig(name="Yard")) as camera:
        camera_id = await system.add(camera, gateway, type="onvif")
        await system.wait_status(camera_id, "online", within=15)
        main = await address(system, camera_id)
        async with (
            watch(system.world, main) as first,
            watch(system.world, main) as second,
            watch(system.world, await address(system, camera_id, tier="sub") + "?tier=sub") as small,
        ):
            said = await first.hear("init")
            assert (said["tier"], said["tier_reason"], said["codec"]) == ("main", None, "h264")
            seen = await seconds(first, 2)
            assert (seen.width, seen.first_is_key, seen.monotonic) == (said["width"], True, True)
            await second.hear("init")
            assert (await seconds(second, 2)).width == seen.width
            said = await small.hear("init")
            assert said["tier"] == "sub", said
            assert (await seconds(small, 1)).width == said["width"] < seen.width
            assert len(system.world.server.live.upstreams) == 2
            await small.ask("main")
            assert (await small.hear("init"))["tier"] == "main"
            await seconds(small, 1)

            await gateway.kill()
            assert (await first.hear("waiting"))["reason"] in ("gateway_offline", "broken")
            await gateway.start()
            await first.hear("init")
            await seconds(first, 1)
        await until(
            lambda: len(system.world.server.live.upstreams) == 0,
            within=20,
            what="nothing flows when nobody looks",
        )


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
async def test_a_browser_shows_it(system: System) -> None:
    from playwright.async_api import async_playwright

    gateway = await system.gateway()
    async with SimCam(SimCamConfig(name="Yard")) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=15)
        url = f"ws{system.world.base_url.removeprefix('http')}{await address(system, camera_id)}"
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=ARGUMENTS
            )
            page = await browser.new_page()
            await page.goto(f"{system.world.base_url}/healthz")
            async with asyncio.timeout(60):
                seen = await page.evaluate(SHOW, url)
            await browser.close()
        assert seen["frames"] >= 30
        assert seen["width"] == 768
