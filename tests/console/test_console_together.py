"""Recordings of two cameras side by side, judged by pictures that were decoded: the same moment in both, a gap in one of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from nova_browser import NEEDS_BROWSER, visiting
from nova_people import PASSWORD, add_user
from nova_system import System, until
from playwright.async_api import Browser, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [*NEEDS_BROWSER, pytest.mark.timeout(240)]

APART = """() => {
  const [one, other] = [...document.querySelectorAll('.together video')].map(video => Number(video.dataset.at));
  return Math.abs(one - other);
}"""
"""Milliseconds between what the two videos show at this instant, by the clock of the recordings."""

ASTRAY = """video => new Promise(done => {
  let seeks = 0;
  video.addEventListener('seeking', () => (seeks += 1) === 2 && done());
  video.currentTime += 4;
})"""
"""Ends when somebody else sought, too."""


async def recorded(system: System, camera_id: str, sec: float) -> datetime:
    """Waits until so much of it is known to the server; answers when it begins."""

    async def enough() -> datetime | None:
        end = datetime.now().astimezone() + timedelta(seconds=10)
        query = {"from": (end - timedelta(hours=1)).isoformat(), "to": end.isoformat()}
        spans: list[dict[str, Any]] = (
            await system.operator.get(f"/cameras/{camera_id}/recordings", params=query)
        ).json()["spans"]
        if sum(span["duration_sec"] for span in spans) < sec:
            return None
        return datetime.fromisoformat(spans[0]["start"])

    found: datetime = await until(enough, within=90, what=f"{sec} s recorded")
    return found


async def test_two_cameras_show_the_same_moment_and_one_joins_when_its_footage_begins(
    system: System, browser: Browser
) -> None:
    gateway = await system.gateway()
    _, email = await add_user(
        system.world, "viewer", email="together@acme.example", sites=[system.world.site]
    )
    async with (
        SimCam(SimCamConfig(name="Dock")) as dock,
        SimCam(SimCamConfig(name="Gate")) as gate,
        visiting(browser, system.world.base_url) as visitor,
    ):
        page = visitor.page
        first = await system.add(dock, gateway, recording_mode="continuous")
        begin = await recorded(system, first, 12)
        second = await system.add(gate, gateway, recording_mode="continuous")
        both = await recorded(system, second, 20)
        start = (begin + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        await visitor.sign_in(email, PASSWORD, f"/recordings?camera={first}&camera={second}&at={start}")
        await visitor.see("Recordings")
        tiles = {name: page.locator(f".together-tile[aria-label='{name}']") for name in ("Dock", "Gate")}
        # in a gap of one of them
        await expect(tiles["Gate"]).to_contain_text("There is no recording of this moment.")
        assert (await visitor.watch(5, ".together-tile[aria-label='Dock']"))["frames"] == 5
        await expect(tiles["Gate"]).to_contain_text("There is no recording of this moment.")
        for camera in (first, second):
            await expect(page.locator(f"[data-row='{camera}'] .footage").first).to_be_attached()
        assert await visitor.axe() == []
        await page.set_viewport_size({"width": 360, "height": 780})
        assert await visitor.sideways() <= 0
        await page.set_viewport_size({"width": 1280, "height": 860})

        async def same() -> bool:
            return bool(await page.evaluate(APART) < 1000)

        # on, by the keyboard, towards the time of which both have footage
        slider = page.get_by_role("slider", name="Timeline of Dock, Gate")
        await slider.focus()
        for _ in range(int((both - begin).total_seconds() / 10) + 1):
            await page.keyboard.press("ArrowRight")
        for name, tile in tiles.items():
            assert (await visitor.watch(10, f".together-tile[aria-label='{name}']"))["frames"] == 10
            await expect(tile.locator(".together-word")).to_have_count(0)
        await until(same, within=20, what="both show the same moment")
        for _ in range(3):
            await visitor.watch(5, ".together-tile[aria-label='Gate']")
            assert await page.evaluate(APART) < 1000
        # one that has gone astray is put right
        await page.locator("[aria-label='Dock'] video").evaluate(ASTRAY)
        await until(same, within=20, what="both show the same moment")
        # one of them alone again
        await visitor.button("Take Gate away")
        await expect(page.get_by_role("slider", name="Timeline of Dock", exact=True)).to_be_visible()
        assert page.url.count("camera=") == 1
