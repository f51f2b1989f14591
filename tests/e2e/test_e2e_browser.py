"""A clip plays in a real browser: Debian's Chromium decodes its frames and its sound, and seeks by byte ranges."""

from __future__ import annotations

import shutil

import pytest
from nova_system import System

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="chromium is not installed (apt-get install chromium)"
    ),
]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
ARGUMENTS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]

PLAY = """async url => {
  const video = document.createElement('video');
  video.src = url;
  document.body.append(video);
  await new Promise((done, failed) => { video.oncanplay = done; video.onerror = () => failed(video.error.message); });
  let frames = 0;
  const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  await video.play();
  await new Promise(done => { video.ontimeupdate = () => video.currentTime > 1.5 && done(); });
  const first = frames;
  await new Promise(done => { video.onseeked = done; video.currentTime = video.duration - 2; });
  const at = video.currentTime;
  await new Promise(done => { video.onended = done; });
  return {duration: video.duration, frames: first, total: frames, at, width: video.videoWidth, sound: video.webkitAudioDecodedByteCount};
}"""


async def test_a_clip_plays_with_sound_and_seeks(system: System) -> None:
    from playwright.async_api import async_playwright

    gateway = await system.gateway()
    async with SimCam(SimCamConfig(name="Screen")) as camera:
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=15)
        event_id = await system.record(camera_id, 6)
        event = await system.wait_clip(event_id, "ready", "failed")
        assert event["clip"]["status"] == "ready"
        redirect = await system.operator.get(f"/events/{event_id}/clip")
        assert redirect.status_code == 302
        url = str(redirect.url.join(redirect.headers["location"]))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=ARGUMENTS
            )
            page = await browser.new_page()
            await page.goto(f"{system.world.base_url}/healthz")
            seen = await page.evaluate(PLAY, url)
            await browser.close()
    assert abs(seen["duration"] - event["clip"]["duration_sec"]) < 0.5
    assert seen["width"] == 768
    assert seen["frames"] > 5
    assert seen["total"] > seen["frames"]
    assert abs(seen["at"] - (seen["duration"] - 2)) < 0.1
    assert seen["sound"] > 0
