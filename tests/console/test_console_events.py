"""The list of events, narrowed down, and the review of one after the other by keyboard and button."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from nova_browser import NEEDS_BROWSER, visiting
from nova_footage import add_camera
from nova_gateway import connected
from nova_people import PASSWORD, add_user
from nova_world import World
from playwright.async_api import Browser, expect

from novavms_server.kit.ids import new_id

pytestmark = NEEDS_BROWSER


async def happen(world: World, camera: UUID, minutes_ago: int, note: str, trigger: str = "motion") -> UUID:
    """An event without a clip."""
    event = new_id()
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at, note)"
        " VALUES (%s, %s, %s, %s, %s, now() - %s * interval '1 minute', %s)",
        *(world.org, event, camera, world.site, trigger, minutes_ago, note),
    )
    return event


@pytest.mark.parametrize("width", [1280, 360])
async def test_events_are_narrowed_down_and_reviewed_one_after_the_other(
    shared_world: World, browser: Browser, width: int
) -> None:
    _, email = await add_user(shared_world, "operator", email=f"review{width}@acme.example")
    async with (
        connected(shared_world) as gateway,
        visiting(browser, shared_world.base_url, width=width) as visitor,
    ):
        camera = await add_camera(shared_world, gateway)
        word, ago = f"parcel{width}", width  # apart from those of the other width
        oldest = await happen(shared_world, camera, ago + 30, f"{word} one", "manual")
        await happen(shared_world, camera, ago + 20, f"{word} two")
        newest = await happen(shared_world, camera, ago + 10, f"{word} three")
        page = visitor.page
        tiles = page.locator(".event-grid li")
        await visitor.sign_in(email, PASSWORD, f"/events?camera={camera}")
        await visitor.see("Events")
        await expect(tiles).to_have_count(3)
        await page.get_by_role("searchbox").fill(f"{word} t")
        await expect(tiles).to_have_count(2)
        await page.get_by_role("searchbox").fill("nothing like it")
        await expect(page.get_by_text("No event matches")).to_be_visible()
        await visitor.button("Clear filters")
        await visitor.go(f"/events?camera={camera}&trigger=manual", "Events")
        await expect(tiles).to_have_count(1)
        await visitor.go(f"/events?camera={camera}", "Events")

        note = page.get_by_label("Note")
        await tiles.first.get_by_role("link").click()
        await expect(note).to_have_value(f"{word} three")
        await expect(page.get_by_text("This event has no clip.")).to_be_visible()
        for key, shown in (("n", "two"), ("n", "one"), ("p", "two")):
            await page.keyboard.press(key)
            await expect(note).to_have_value(f"{word} {shown}")
        await page.keyboard.press("s")
        await page.keyboard.press("a")
        await expect(page.get_by_role("button", name="Mark as open")).to_be_visible()
        await expect(page.get_by_role("button", name="Take the star away")).to_be_visible()
        for name, event in (("Older event", oldest), ("Newer event", None), ("Newer event", newest)):
            await page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).click()
            if event is not None:
                await expect(page).to_have_url(re.compile(str(event)))
        assert await visitor.axe() == []
        assert await visitor.sideways() <= 0
        await visitor.go(f"/events?camera={camera}&starred=true", "Events")
        await expect(tiles).to_have_count(1)
        await visitor.go(f"/events?camera={camera}&open=true", "Events")
        await expect(tiles).to_have_count(2)
