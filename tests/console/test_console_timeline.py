"""What the timeline says of a camera's ledger: gaps with their reason, and footage of which pictures are missing."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from nova_browser import NEEDS_BROWSER, visiting
from nova_footage import Telling, add_camera, now, update
from nova_gateway import connected
from nova_people import PASSWORD, add_user
from nova_world import World
from playwright.async_api import Browser, expect

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_gaps_and_missing_pictures_are_shown_and_said(
    shared_world: World, browser: Browser, theme: str
) -> None:
    _, email = await add_user(shared_world, "operator", email=f"ledger-{theme}@acme.example")
    epoch, t = uuid4(), now()

    def ago(minutes: float) -> object:
        return t - timedelta(minutes=minutes)

    async with connected(shared_world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(shared_world, gateway, name=f"Ledger {theme}")
        say = Telling(camera_id)
        rows = [
            say.row("span", ago(50), ago(40)),
            say.row("gap", ago(40), ago(38), reason="frozen"),
            say.row("span", ago(38), ago(30)),
            say.row("span", ago(30), ago(27), lossy_sec=1.3),
            say.row("span", ago(27), ago(0.1)),
        ]
        assert await gateway.report(update(epoch, rows, t)) is None
        async with visiting(browser, shared_world.base_url, theme=theme, quiet=False) as visitor:
            page = visitor.page
            await visitor.sign_in(email, PASSWORD, f"/recordings?camera={camera_id}")
            await visitor.see("Recordings")
            mark = page.locator(".track-bar .loss")
            await expect(mark).to_have_count(1)
            await expect(mark).to_have_attribute(
                "title", "Pictures missing: 1.3 s, lost on their way from the camera"
            )
            await expect(page.locator(".track-bar .footage")).to_have_count(2)
            await expect(page.locator(".track-bar .gap.frozen")).to_have_count(1)
            await expect(page.get_by_role("button", name="No new picture from the camera")).to_be_visible()
            await expect(page.get_by_role("button", name="Pictures missing: 1.3 s")).to_be_visible()
            times = page.locator(".gap-list li", has_text="No new picture").locator(".number")
            await expect(times).to_have_text(re.compile(r", \d\d:\d\d:\d\d – \d\d:\d\d:\d\d · 2 min$"))
            assert await visitor.axe() == []
            await page.locator(".track-bar .gap.frozen").click(force=True)
            said = re.compile(r"Nothing is recorded at \d\d:\d\d:\d\d\. It plays from \d\d:\d\d:\d\d\.")
            await expect(page.get_by_text(said).first).to_be_visible()


async def test_what_is_told_after_the_page_was_opened_appears_and_the_window_goes_with_the_time_until_then(
    shared_world: World, browser: Browser
) -> None:
    """As for a camera that was added a moment ago: its first footage is told some fifteen seconds after it began."""
    _, email = await add_user(shared_world, "operator", email="fresh@acme.example")
    epoch = uuid4()
    async with connected(shared_world, ledger_epoch=epoch) as gateway:
        camera_id = await add_camera(shared_world, gateway, name="Fresh")
        async with visiting(browser, shared_world.base_url, quiet=False) as visitor:
            page = visitor.page
            await page.clock.install()
            await visitor.sign_in(email, PASSWORD, f"/recordings?camera={camera_id}")
            await visitor.see("Recordings")
            timeline = page.get_by_role("slider", name="Timeline of Fresh")
            await expect(page.get_by_text("None yet.")).to_be_visible()
            opened = int(await timeline.get_attribute("aria-valuemax") or 0)
            await page.clock.fast_forward(16_000)
            await expect(timeline).not_to_have_attribute("aria-valuemax", str(opened))
            slid = int(await timeline.get_attribute("aria-valuemax") or 0)
            assert opened < slid <= opened + 30_000
            await expect(page.locator(".track-bar .footage")).to_have_count(0)

            t = now()
            row = Telling(camera_id).row("span", t - timedelta(seconds=20), t)
            assert await gateway.report(update(epoch, [row], t)) is None
            await page.clock.fast_forward(16_000)
            await expect(page.locator(".track-bar .footage")).to_have_count(1)
