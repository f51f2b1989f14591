"""Recordings of two cameras side by side, judged by pictures that were decoded: the same moment in both, a gap in one of them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_people import PASSWORD, add_user
from nova_system import System, until
from playwright.async_api import Browser, Page, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [*NEEDS_BROWSER, pytest.mark.timeout(240)]

APART = """() => {
  const [one, other] = [...document.querySelectorAll('.together video')].map(video => Number(video.dataset.at));
  return Math.abs(one - other);
}"""
"""Milliseconds between what the two videos show at this instant, by the clock of the recordings."""

RATES = "[...document.querySelectorAll('.together video')].map(video => video.playbackRate)"

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


async def stands(page: Page, name: str) -> float:
    """By the clock of the recordings: what the camera's tile shows, once it shows it and stands."""

    async def there() -> float | None:
        video = page.locator(f"[aria-label='{name}'] video")
        still = (
            "video => video.paused && !video.seeking && video.readyState > 1 && Number(video.dataset.at ?? 0)"
        )
        found: float = await video.evaluate(still)
        return found or None

    found: float = await until(there, within=20, what=f"{name} stands")
    return found


async def playhead(page: Page) -> int:
    return int(await page.get_by_role("slider").get_attribute("aria-valuenow") or 0)


async def show(page: Page, at: float, most_ms: float = 2) -> None:
    """Both tiles stand at that moment."""

    async def there() -> bool:
        return all([abs(await stands(page, name) - at) <= most_ms for name in ("Dock", "Gate")])

    await until(there, within=20, what="both show the moment")


async def review_as_with_one(visitor: Visitor) -> None:
    """Speed, frame by frame, ten seconds either way; by keyboard and by button."""
    page = visitor.page
    await page.keyboard.press("k")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    await show(page, await playhead(page))
    for press, least, most in (
        (".", 30, 150),
        (",", -150, -30),
        ("l", 9_950, 10_050),
        ("j", -10_050, -9_950),
    ):
        start = await stands(page, "Dock")
        await page.keyboard.press(press)

        async def moved(start: float = start, least: int = least, most: int = most) -> bool:
            return all([least <= await stands(page, name) - start <= most for name in ("Dock", "Gate")])

        await until(moved, within=20, what=f"both moved by {press}")
    await visitor.button("Forward one frame")
    await page.keyboard.press("f")
    await expect(page.locator(".together-frame:fullscreen")).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.locator(".together-frame:fullscreen")).to_have_count(0)
    await page.keyboard.press("i")
    await page.keyboard.press("l")
    await page.keyboard.press("o")
    await expect(page.get_by_role("region", name="Selection")).to_contain_text("· 10 s")
    await visitor.button("Clear")
    await visitor.button("Play")
    await page.get_by_role("button", name=re.compile("Speed")).click()
    await page.get_by_role("option", name="4×").click()

    async def fast() -> bool:
        return bool(await page.evaluate(RATES) == [4, 4])

    await until(fast, within=20, what="both play four times as fast")
    await page.get_by_role("button", name=re.compile("Speed")).click()
    await page.get_by_role("option", name="1×").click()
    await visitor.button("Pause")


async def come_back_to_the_same_picture(visitor: Visitor, browser: Browser, email: str) -> None:
    """By a reload, by a link that was passed on (to a viewer, who may keep nothing), and with a camera less."""
    page = visitor.page
    before = await playhead(page)

    async def written() -> bool:
        search = parse_qs(urlsplit(page.url).query)
        return (
            abs(datetime.fromisoformat(search["at"][0]).timestamp() * 1000 - before) <= 2
            and "still" in search
        )

    await until(written, within=10, what="the moment stands in the address")
    await page.reload()
    await show(page, before)
    shown = await page.get_by_role("slider").get_attribute("aria-valuemin")
    async with visiting(browser, visitor.base_url) as other:
        await other.sign_in(email, PASSWORD, page.url.removeprefix(visitor.base_url))
        await show(other.page, before)
        assert await other.page.get_by_role("slider").get_attribute("aria-valuemin") == shown
        await expect(other.page.get_by_role("region", name="Selection")).to_have_count(0)
    # one of them alone, and both again: the playhead stays where it is
    await visitor.button("Take Gate away")
    alone = page.get_by_role("slider", name="Timeline of Dock", exact=True)
    await expect(alone).to_be_visible()
    assert page.url.count("camera=") == 1
    assert abs(await playhead(page) - before) < 100
    assert await alone.get_attribute("aria-valuemin") == shown
    await visitor.button("Add a camera beside it")
    await page.get_by_role("menuitem", name="Gate").click()
    await show(page, before, 100)


async def keep_of_all(visitor: Visitor, system: System, first: str, second: str) -> None:
    """Of a stretch in which the second has nothing: its clip is refused, the first's is made, and one export of both."""
    page = visitor.page
    await drag_over_the_beginning(page, first)
    await page.get_by_label("Note").fill("Both gates")
    await visitor.button("Save a clip of each")
    ordered = page.get_by_role("list", name="Clips that were ordered")
    await expect(ordered).to_contain_text("Dock: the clip is being made")
    (event,) = (await system.operator.get("/events")).json()["data"]
    kept = (await system.operator.get(f"/events/{event['id']}")).json()
    assert (kept["camera_id"], kept["note"]) == (first, "Both gates")
    begin = datetime.fromisoformat(kept["triggered_at"])
    body = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=2)).isoformat()}
    told = (await system.operator.post(f"/cameras/{second}/clips", json=body)).json()
    refused = ordered.get_by_role("alert")
    await expect(refused).to_contain_text(told["message"])
    await expect(refused).to_contain_text(re.compile("Request .+"))
    await visitor.button("Order the missing one again")
    await expect(page.get_by_role("button", name="Order the missing one again")).to_be_enabled()
    await expect(ordered.get_by_role("listitem")).to_have_count(2)
    assert await visitor.axe() == []
    await visitor.button("Export all as evidence")
    await expect(page.get_by_text("The export of 2 cameras is being made")).to_be_visible()
    (made,) = (await system.operator.get("/exports")).json()["data"]
    assert sorted(made["camera_ids"]) == sorted([first, second])
    await expect(page.get_by_role("region", name="Exports")).to_contain_text("2 cameras")
    await ordered.get_by_role("link", name="Open").click()
    await expect(page).to_have_url(re.compile(f"/events/{event['id']}"))


async def drag_over_the_beginning(page: Page, camera_id: str) -> None:
    """Over a part of what was first recorded, as it is drawn."""
    await page.get_by_role("radio", name="10 min").click()
    box = await page.locator(f"[data-row='{camera_id}'] .footage").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + 2, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 14, y, steps=4)
    await page.mouse.up()
    await expect(page.get_by_role("button", name="Save a clip of each")).to_be_visible()


@pytest.mark.long
async def test_two_cameras_show_the_same_moment_and_one_joins_when_its_footage_begins(
    system: System, browser: Browser
) -> None:
    gateway = await system.gateway()
    _, email = await add_user(system.world, "operator", email="together@acme.example")
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
        _, viewer = await add_user(
            system.world, "viewer", email="passed-on@acme.example", sites=[system.world.site]
        )
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
        await review_as_with_one(visitor)
        await come_back_to_the_same_picture(visitor, browser, viewer)
        await keep_of_all(visitor, system, first, second)
