"""The whole way in a browser: a simulated camera with a wrong, then the right password, its picture, a clip that plays by itself,
recorded footage found on the timeline. Real server, real gateway, real frames."""

from __future__ import annotations

import re

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_people import PASSWORD, add_user
from nova_system import System, until
from playwright.async_api import Browser, Locator, Page, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = NEEDS_BROWSER


async def add_by_discovery(visitor: Visitor, camera: SimCam) -> None:
    page = visitor.page
    await page.get_by_label("Addresses to ask, too").fill(f"127.0.0.1:{camera.onvif_port}")
    await visitor.button("Find on the network")
    await page.get_by_role("button", name=re.compile("^Use ")).click()
    await page.get_by_label("User").fill(camera.config.username)
    await page.get_by_label("Password", exact=True).fill("Wrong-1")
    await visitor.button("Check and add")
    await expect(page.get_by_role("alert")).to_contain_text("password", ignore_case=True)
    await expect(page.locator(".stage.failed")).to_have_count(1)
    await visitor.button("Change and try again")
    await expect(page.get_by_label("Password", exact=True)).to_be_focused()
    await page.get_by_label("Password", exact=True).fill(camera.config.password)
    await visitor.button("Check and add")
    await expect(page.get_by_text("It works")).to_be_visible()
    assert (await visitor.watch(5))["width"] == 768
    await page.get_by_label("Name").fill("Yard")
    await visitor.button("Done")
    await visitor.see("Yard")


async def record_and_play(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.button("Record clip")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="5 s", exact=True).click()
    await dialog.get_by_label("Note").fill("A van at the gate")
    await dialog.get_by_role("button", name="Record now").click()
    await visitor.button("Open")
    await expect(page.get_by_text(re.compile("^Recording, "))).to_be_visible()
    await expect(page.locator("video")).to_be_visible(timeout=40_000)
    played = await visitor.watch(15)
    assert (played["frames"], played["width"]) == (15, 768)
    await page.keyboard.press("k")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    before = await page.evaluate("document.querySelector('video').currentTime")
    await visitor.button("Forward one frame")
    after = await page.evaluate("document.querySelector('video').currentTime")
    assert 0 < after - before < 0.2
    await expect(page.get_by_label("Note")).to_have_value("A van at the gate")


async def review(visitor: Visitor, system: System) -> None:
    page = visitor.page
    await page.keyboard.press("s")
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="Mark as open")).to_be_visible()
    await page.get_by_label("Note").fill("Two people, one van")
    await visitor.button("Save")
    await expect(page.get_by_text("The note is saved.")).to_be_visible()
    event = (await system.operator.get("/events")).json()["data"][0]
    kept = (await system.operator.get(f"/events/{event['id']}")).json()
    assert (kept["starred"], kept["acknowledged"], kept["note"]) == (True, True, "Two people, one van")
    await visitor.button("Share")
    await visitor.button("Make a link")
    link = await page.get_by_role("dialog").get_by_label("Link", exact=True).input_value()
    shared = await system.world.client(None).get(link, headers={"Accept": "text/html"})
    assert shared.status_code == 200
    assert await visitor.axe() == []
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    assert await visitor.axe() == []


async def find_on_the_timeline(visitor: Visitor) -> None:
    page = visitor.page
    await page.get_by_role("link", name="Recordings").first.click()
    await visitor.see("Recordings")
    await expect(page.locator(".track-bar .footage").first).to_be_attached(timeout=60_000)
    played = await visitor.watch(10)
    assert played["width"] == 768
    timeline = page.get_by_role("slider", name="Timeline of Yard")
    told = await timeline.get_attribute("aria-valuetext")
    assert re.fullmatch(r"\d\d:\d\d:\d\d", told or "")
    await page.locator(".track-bar .footage").first.hover(position={"x": 3, "y": 5}, force=True)
    glance = page.locator(".hover-picture img")
    await expect(glance).to_be_visible()
    await page.wait_for_function("document.querySelector('.hover-picture img')?.naturalWidth === 240")
    await page.mouse.move(0, 0)
    await expect(glance).to_have_count(0)
    await goes_back_beyond_where_it_began(page, timeline)
    assert await visitor.axe() == []


READY = "document.querySelector('video').readyState > 1"


async def playhead(timeline: Locator) -> float:
    """Seconds since 1970."""
    return int(await timeline.get_attribute("aria-valuenow") or 0) / 1000


async def has_recorded(system: System, sec: float) -> bool:
    camera = (await system.operator.get("/cameras")).json()["data"][0]
    found = (await system.operator.get(f"/cameras/{camera['id']}/recordings")).json()
    return sum(span["duration_sec"] for span in found["spans"]) > sec


async def _is_past(timeline: Locator, at: float) -> bool:
    return await playhead(timeline) > at


async def goes_back_beyond_where_it_began(page: Page, timeline: Locator) -> None:
    """Each press counts, also those that come before the picture of the one before; and what stands still stands."""
    await page.get_by_role("button", name="Pause").click()
    before = await playhead(timeline)
    for _ in range(3):
        await page.get_by_role("button", name="Back 10 s").click()
    await until(lambda: page.evaluate(READY), within=30, what="its picture")
    assert abs(before - 30 - await playhead(timeline)) < 2
    await timeline.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        await page.keyboard.press(key)
    await until(lambda: page.evaluate(READY), within=30, what="its picture")
    assert abs(before - 20 - await playhead(timeline)) < 2
    assert await page.evaluate("document.querySelector('video').paused")
    await page.get_by_role("button", name="Play").click()
    await until(lambda: _is_past(timeline, before - 18), within=30, what="it plays from there")


@pytest.mark.long
async def test_add_watch_record_play_review_and_look_back(system: System, browser: Browser) -> None:
    await system.gateway()
    _, email = await add_user(system.world, "operator", email="whole@acme.example")
    async with (
        SimCam(SimCamConfig(name="Sim")) as camera,
        visiting(browser, system.world.base_url) as visitor,
    ):
        await visitor.sign_in(email, PASSWORD, "/cameras/add")
        await visitor.see("Add camera")
        await add_by_discovery(visitor, camera)
        await record_and_play(visitor)
        await review(visitor, system)
        await until(lambda: has_recorded(system, 65), within=150, what="there is enough to go back in")
        await find_on_the_timeline(visitor)
