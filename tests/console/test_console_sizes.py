"""From a phone to a wall: what the console fills, and what it leaves readable. The gateway is a script; nothing plays."""

from __future__ import annotations

from typing import Any

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_gateway import ScriptedGateway, connected
from nova_people import PASSWORD, add_user
from nova_world import World
from playwright.async_api import Browser, expect

pytestmark = NEEDS_BROWSER

SCROLLS = """() => {
  const {scrollWidth, scrollHeight} = document.documentElement;
  return [Math.max(0, scrollWidth - innerWidth), Math.max(0, scrollHeight - innerHeight)];
}"""
BOXES = """() => [...document.querySelectorAll('.cell')].map(cell => {
  const {left, top, right, bottom} = cell.getBoundingClientRect();
  return [left, top, right, bottom];
})"""
SIZE_OF = "element => parseFloat(getComputedStyle(element).fontSize)"


async def add_wall(world: World, gateway: ScriptedGateway) -> None:
    """Sixteen cameras, if the world does not have them yet."""
    if (await world.client("operator").get("/api/v1/cameras")).json()["total"] >= 16:
        return
    body = {"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "type": "rtsp"}
    for number in range(16):
        answer = await world.client("operator").post(
            "/api/v1/cameras",
            json={**body, "name": f"Wall {number:02}", "rtsp_url": f"rtsp://192.0.2.30:554/wall{number}"},
        )
        assert answer.status_code == 201, answer.text


async def cells(visitor: Visitor) -> list[list[float]]:
    await expect(visitor.page.locator(".cell")).to_have_count(16)
    found: list[list[float]] = await visitor.page.evaluate(BOXES)
    return found


def covered(boxes: list[list[float]], left: float, top: float, right: float, bottom: float) -> float:
    """The share of that part of the screen that the cells take."""
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in boxes)
    assert all(
        left <= box[0] and top <= box[1] and box[2] <= right + 1 and box[3] <= bottom + 1 for box in boxes
    )
    return area / ((right - left) * (bottom - top))


@pytest.mark.parametrize(
    ("width", "height", "text", "control", "cell", "whole"),
    [(3840, 2160, 19, 42, 840, 950), (2560, 1440, 14, 32, 540, 630)],
)
async def test_sixteen_cells_fill_a_wall_and_are_read_from_afar(
    shared_world: World,
    browser: Browser,
    width: int,
    height: int,
    text: int,
    control: int,
    cell: int,
    whole: int,
) -> None:
    _, email = await add_user(shared_world, "admin", email=f"wall{width}@acme.example")
    async with connected(shared_world) as gateway:
        await add_wall(shared_world, gateway)
        async with visiting(browser, shared_world.base_url, width=width, height=height) as visitor:
            page = visitor.page
            await visitor.sign_in(email, PASSWORD)
            boxes = await cells(visitor)
            assert await page.evaluate(SCROLLS) == [0, 0]
            assert all(box[2] - box[0] >= cell for box in boxes)
            main = await page.locator("main").bounding_box()
            wall = await page.locator(".wall").bounding_box()
            assert main is not None
            assert wall is not None
            below_head = (main["x"], wall["y"], width, height)
            assert covered(boxes, *below_head) > 0.93
            assert wall["y"] < height * 0.07
            name = page.locator(".live-name").first
            assert await name.evaluate(SIZE_OF) >= text
            action = await page.locator(".live-actions .button").first.bounding_box()
            assert action is not None
            assert min(action["width"], action["height"]) >= control
            # over the whole screen: nothing but the pictures
            await page.keyboard.press("f")
            await expect(page.locator(".wall:fullscreen")).to_have_count(1)
            boxes = await cells(visitor)
            assert all(box[2] - box[0] >= whole for box in boxes)
            assert covered(boxes, 0, 0, width, height) > 0.98
            await page.keyboard.press("f")
            await expect(page.locator(".wall:fullscreen")).to_have_count(0)
            # a dialog stays one, and a table is not drawn apart
            await page.get_by_role("link", name="Sites").first.click()
            await visitor.button("Add site")
            dialog = await page.get_by_role("dialog").bounding_box()
            assert dialog is not None
            assert dialog["width"] <= width / 3
            await page.keyboard.press("Escape")
            table: dict[str, Any] | None = await page.locator(".table").bounding_box()
            assert table is not None
            size = await page.locator(".table td").first.evaluate(SIZE_OF)
            assert table["width"] / size <= 125, "more than about 250 letters beside one another"


async def test_what_is_deeper_in_fits_a_phone_too(shared_world: World, browser: Browser) -> None:
    """The pages that the sweep with axe does not come to: an event, several recordings, keys."""
    _, email = await add_user(shared_world, "admin", email="narrow@acme.example")
    operator = shared_world.client("operator")
    async with connected(shared_world) as gateway:
        await add_wall(shared_world, gateway)
        ids = [camera["id"] for camera in (await operator.get("/api/v1/cameras")).json()["data"][:4]]
        name = "A camera with a name that is as long as a name may well be, and then some"
        assert (await operator.patch(f"/api/v1/cameras/{ids[0]}", json={"name": name})).status_code == 200
        await gateway.say(ids[0], "online")
        note = {"note": "WithoutAnySpaceInIt" * 12}
        event = (await operator.post(f"/api/v1/cameras/{ids[0]}/trigger", json=note)).json()["event_id"]
        async with visiting(browser, shared_world.base_url, width=360, height=780) as visitor:
            await visitor.sign_in(email, PASSWORD)
            await visitor.see("Live")
            for path, title in {
                f"/events/{event}": name,
                "/events": "Events",
                f"/cameras/{ids[0]}": name,
                f"/recordings?camera={ids[0]}": "Recordings",
                "/recordings?" + "&".join(f"camera={each}" for each in ids): "Recordings",
                "/people?tab=accounts": "Users and keys",
            }.items():
                await visitor.go(path, title)
                await expect(visitor.page.get_by_role("status", name="Loading")).to_have_count(0)
                assert await visitor.sideways() <= 0, path
                assert await visitor.axe() == [], path
