"""Live HLS in a browser's player (hls.js): it plays low latency, by parts and requests that are held, and over a discontinuity."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from nova_browser import CHROMIUM, ROOT, chromium
from nova_live import Scene, scene
from nova_world import World

HLS_JS = ROOT / "node_modules" / "hls.js" / "dist" / "hls.light.min.js"
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
    pytest.mark.skipif(not HLS_JS.is_file(), reason="npm's packages are not installed (make console)"),
]
PLAY = """
(address) => {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const hls = new Hls({ lowLatencyMode: true });
  window.hls = hls;
  window.video = video;
  window.errors = [];
  hls.on(Hls.Events.ERROR, (_, told) => { if (told.fatal) window.errors.push(told.details); });
  hls.loadSource(address);
  hls.attachMedia(video);
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
}
"""


async def film_goes_on(it: Scene) -> None:
    """As a camera does: a fifth of a second every fifth of a second."""
    body = await it.sender.body()
    due = time.monotonic()
    while True:
        await body.send(it.sender.film.play(0.2))
        due += 0.2
        await asyncio.sleep(due - time.monotonic())


async def test_hls_js_plays_it_with_low_latency(world: World) -> None:
    asked: list[str] = []
    async with scene(world) as it, chromium() as browser:
        ways = (await it.live())["protocols"]
        page = await browser.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(world.base_url + "/healthz")
        await page.add_script_tag(path=str(HLS_JS))
        going: asyncio.Task[Any] = asyncio.create_task(film_goes_on(it))
        try:
            await page.evaluate(PLAY, next(way["url"] for way in ways if way["type"] == "hls"))
            await page.wait_for_function("video.getVideoPlaybackQuality().totalVideoFrames > 50")
            assert await page.evaluate("video.videoWidth") == 64
            assert await page.evaluate("hls.lowLatencyMode && hls.levels[0].details.canBlockReload")
            hold_back = await page.evaluate("hls.levels[0].details.partHoldBack")
            assert 0 < hold_back < 3, "three parts, not three segments"
            it.sender.film.at_90k += 90_000 * 60
            it.sender.film.size = 96
            it.sender.film.number = 0
            body = await it.sender.body()
            await body.send(it.sender.film.beginning())
            await page.wait_for_function("video.videoWidth === 96")
            assert await page.evaluate("errors") == []
        finally:
            going.cancel()
            with suppress(asyncio.CancelledError):
                await going
        await page.close()
    assert any("_HLS_msn=" in url and "_HLS_part=" in url for url in asked), "held requests"
    assert sum("/part-" in url for url in asked) > 5
