"""Without a mouse: every action is reached, the focus is seen, and what closes gives it back; with what is open, axe finds nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_gateway import ScriptedGateway, connected
from nova_people import PASSWORD, add_user
from nova_world import World
from playwright.async_api import Browser, Locator, expect

pytestmark = NEEDS_BROWSER
MOST_STOPS = 120

FOCUS = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const probe = document.createElement('i');
  probe.style.color = 'var(--accent)';
  document.body.append(probe);
  const accent = getComputedStyle(probe).color;
  probe.remove();
  const around = element.closest('label');
  const rings = [element, ...(around === null ? [] : around.querySelectorAll('*'))];
  const isSeen = rings.some(each => getComputedStyle(each).boxShadow.includes(accent));
  const name = element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
  return {name, isSeen, html: element.outerHTML.slice(0, 160)};
}"""
"""What has the focus, and whether a ring around it says so."""

OUT_OF_REACH = """() => [...document.querySelectorAll('body *')].filter(element =>
  getComputedStyle(element).cursor === 'pointer' && element.checkVisibility() && element.tagName !== 'VIDEO' &&
  element.closest('a[href], button, input, select, textarea, label, option, [tabindex]') === null
).map(element => element.outerHTML.slice(0, 160))"""
"""What looks as if it could be pressed, and has no way to it but a mouse; a video has its buttons."""


async def tab_through(visitor: Visitor, stop_at: str | None = None) -> list[str]:
    """Presses Tab from the top of the page to its end, or to what is called so; each stop must be seen."""
    names: list[str] = []
    for _ in range(MOST_STOPS):
        await visitor.page.keyboard.press("Tab")
        found = await visitor.page.evaluate(FOCUS)
        if found is None or (names and found["name"] == names[0]):
            break  # round once
        assert found["isSeen"], found
        names.append(found["name"])
        if found["name"] == stop_at:
            break
    return names


async def add(world: World, gateway: ScriptedGateway, name: str) -> str:
    body = {"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": name, "type": "rtsp"}
    answer = await world.client("operator").post(
        "/api/v1/cameras", json={**body, "rtsp_url": f"rtsp://192.0.2.40:554/{name}"}
    )
    assert answer.status_code == 201, answer.text
    await gateway.say(answer.json()["id"], "online")
    return str(answer.json()["id"])


async def test_from_cameras_to_add_camera_and_back_by_keyboard(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "operator", email="tabs@acme.example")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        await add(shared_world, gateway, "Tabs")
        await visitor.sign_in(email, PASSWORD, "/cameras")
        await visitor.see("Cameras")
        link = page.get_by_role("link", name="Add camera")
        await expect(link).to_be_visible()
        assert (await tab_through(visitor, "Add camera"))[-1] == "Add camera"
        await page.keyboard.press("Enter")
        await visitor.see("Add camera")
        # the next stop is in the page, not at the top of the navigation again
        await expect(page.locator("#content")).to_be_focused()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.getElementById('content').contains(document.activeElement)")
        # what is open on it closes first
        await page.get_by_role("button", name=re.compile("Site$")).press("Enter")
        await expect(page.get_by_role("listbox")).to_be_visible()
        await page.keyboard.press("Escape")
        await visitor.see("Add camera")
        await page.keyboard.press("Escape")
        await visitor.see("Cameras")
        await expect(link).to_be_focused()
        # nothing that was typed is lost
        await page.keyboard.press("Enter")
        await page.get_by_label("Address", exact=True).fill("192.0.2.41")
        await page.keyboard.press("Escape")
        await expect(page.get_by_label("Address", exact=True)).to_have_value("192.0.2.41")


async def test_every_page_by_tab_with_a_focus_that_is_seen(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "admin", email="all-tabs@acme.example")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        one, two = await add(shared_world, gateway, "First"), await add(shared_world, gateway, "Second")
        await visitor.sign_in(email, PASSWORD)
        await visitor.see("Live")
        for path, title, least in (
            ("/live", "Live", {"Grids", "Save this picture", "Record clip", "Expand"}),
            ("/cameras", "Cameras", {"Add camera", "Actions for First"}),
            (f"/cameras/{one}", "First", {"Recordings", "Record clip"}),
            ("/cameras/add", "Add camera", {"Find on the network", "Show password"}),
            ("/events?starred=true", "Events", {"From day", "Clear filters"}),
            (f"/recordings?camera={one}", "Recordings", {"Play", "Forward one frame", "Timeline of First"}),
            (
                f"/recordings?camera={one}&camera={two}",
                "Recordings",
                {
                    "Forward one frame",
                    "Take First away",
                    "Timeline of First, Second",
                    "Full screen",
                },
            ),
            ("/gateways", "Gateways", {"Pair a gateway"}),
            (f"/gateways/{gateway.id}", "Box", {"Add camera"}),
            ("/sites", "Sites", {"Add site"}),
            ("/people", "Users and keys", {"Add user"}),
        ):
            await visitor.go(path, title)
            await expect(visitor.page.get_by_role("status", name="Loading")).to_have_count(0)
            names = await tab_through(visitor)
            assert names[0] == "Skip to content", path
            assert least <= set(names), f"{path}: {names}"
            assert await visitor.page.evaluate(OUT_OF_REACH) == [], path


@dataclass(frozen=True)
class Opened:
    """`opener`: what is pressed; then `item` of the menu, where there is one."""

    path: str
    opener: str
    kind: str
    item: str | None = None


OPENED = (
    Opened("/cameras", "Actions for Held", "menu"),
    Opened("/cameras", "Actions for Held", "dialog", "Edit"),
    Opened("/cameras", "Actions for Held", "dialog", "Record clip"),
    Opened("/cameras", "Any status", "listbox"),
    Opened("/live", "Grids", "menu"),
    Opened("/live", "Grids", "dialog", "Save this grid"),
    Opened("/recordings", "Add a camera beside it", "menu"),
    Opened("/recordings", "Speed", "listbox"),
    Opened("/gateways", "Pair a gateway", "dialog"),
    Opened("/sites", "Add site", "dialog"),
    Opened("/people", "Add user", "dialog"),
    Opened("/people?tab=accounts", "Add service account", "dialog"),
    Opened("/cameras", "Your account", "menu"),
    Opened("/cameras", "Your account", "dialog", "Theme"),
    Opened("/cameras", "Your account", "dialog", "Change password"),
    Opened("/cameras", "More", "dialog"),
)


async def open_by_keyboard(visitor: Visitor, opened: Opened, opener: Locator) -> None:
    page = visitor.page
    await opener.focus()
    await page.keyboard.press("Enter")
    if opened.item is not None:
        await page.get_by_role("menuitem", name=opened.item, exact=True).press("Enter")
    await expect(page.get_by_role(opened.kind)).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 360)])
async def test_what_is_open_has_no_violation_and_gives_the_focus_back(
    shared_world: World, browser: Browser, theme: str, width: int
) -> None:
    _, email = await add_user(shared_world, "admin", email=f"open{width}@acme.example")
    async with connected(shared_world) as gateway:
        await add(shared_world, gateway, "Beside")
        held = await add(shared_world, gateway, "Held")
        async with visiting(browser, shared_world.base_url, theme=theme, width=width) as visitor:
            await visitor.sign_in(email, PASSWORD)
            await visitor.see("Live")
            tried = 0
            for opened in OPENED:
                path = f"/recordings?camera={held}" if opened.path == "/recordings" else opened.path
                await visitor.page.goto(shared_world.base_url + path)
                await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
                opener = visitor.page.get_by_role("button", name=re.compile(rf"\b{opened.opener}")).first
                await expect(visitor.page.get_by_role("status", name="Loading")).to_have_count(0)
                if opened.opener in ("Your account", "More") and not await opener.is_visible():
                    continue  # the one is the desk's, the other the phone's
                await open_by_keyboard(visitor, opened, opener)
                assert await visitor.axe() == [], opened
                assert await visitor.sideways() <= 0, opened
                assert not await opener.evaluate("element => element === document.activeElement")
                await visitor.page.keyboard.press("Escape")
                await expect(visitor.page.get_by_role(opened.kind)).to_have_count(0)
                await expect(opener).to_be_focused()
                tried += 1
            assert tried >= len(OPENED) - 3
