"""From one event to the next of the list that it was reached from, and back to where one was in it; and a clip as a file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_gateway import connected
from nova_mp4 import decode
from nova_people import PASSWORD, add_user
from nova_recorder import FOOTAGE, clip_id_of, event_when, recording
from nova_world import World
from playwright.async_api import Browser, expect

pytestmark = NEEDS_BROWSER
COUNT = 64


async def happen(world: World, camera: str) -> None:
    """Events a minute apart, the newest "event 1"; those with an even number have a star."""
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at, note, starred)"
        " SELECT %s, gen_random_uuid(), %s, %s, 'motion', now() - number * interval '1 minute', 'event ' || number,"
        " number %% 2 = 0 FROM generate_series(1, %s) AS number",
        *(world.org, camera, world.site, COUNT),
    )


async def walk(visitor: Visitor, *steps: tuple[str, int]) -> None:
    for key, number in steps:
        await visitor.page.keyboard.press(key)
        await expect(visitor.page.get_by_label("Note")).to_have_value(f"event {number}")


async def test_one_goes_on_within_the_list_that_one_came_from(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "operator", email="walk@acme.example")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        body = {
            "site_id": str(gateway.site_id),
            "gateway_id": str(gateway.id),
            "name": "Walk",
            "type": "rtsp",
        }
        made = await shared_world.client("operator").post(
            "/api/v1/cameras", json={**body, "rtsp_url": "rtsp://192.0.2.50:554/s1"}
        )
        camera = made.json()["id"]
        await happen(shared_world, camera)
        page = visitor.page
        tiles, note = page.locator(".event-grid li"), page.get_by_label("Note")
        older = page.get_by_role("button", name="Older event")
        await visitor.sign_in(email, PASSWORD, f"/events?camera={camera}&starred=true")
        await expect(tiles).to_have_count(24)
        await visitor.button("Show more")
        await expect(tiles).to_have_count(32)
        chosen = tiles.nth(27).get_by_role("link")  # number 56
        await chosen.scroll_into_view_if_needed()
        place = await page.evaluate("scrollY")
        assert place > 300
        listed = page.url
        await chosen.click()
        await expect(note).to_have_value("event 56")
        await walk(visitor, ("n", 58), ("p", 56), ("p", 54))
        # what leaves the list while it is looked at has neighbours in it still
        async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
            await page.keyboard.press("s")
        await walk(visitor, ("n", 56), ("p", 52))
        await page.get_by_role("link", name="The filtered list").click()
        await expect(page).to_have_url(listed)
        await expect(tiles).to_have_count(31)
        assert abs(await page.evaluate("scrollY") - place) < 300  # one tile less
        await expect(tiles.filter(has=page.locator("a:focus"))).to_have_count(1)

        # an address that somebody was given: the same list, to its end
        await tiles.nth(26).get_by_role("link").click()
        await expect(note).to_have_value("event 56")
        await page.reload()
        await expect(note).to_have_value("event 56")
        await walk(visitor, ("p", 52), ("n", 56), ("n", 58), ("n", 60), ("n", 62), ("n", 64))
        await expect(page.get_by_text("The oldest of the list")).to_be_visible()
        await expect(older).to_be_disabled()
        await walk(visitor, ("n", 64))
        assert await visitor.axe() == []
        await page.go_back()
        await expect(page).to_have_url(listed)

        # without filters: all there are
        event = (await shared_world.client("operator").get("/api/v1/events")).json()["data"][0]["id"]
        await visitor.go(f"/events/{event}", "Walk")
        await expect(page.get_by_text("The newest of the list")).to_be_visible()
        await walk(visitor, ("n", 2), ("n", 3))
        await page.get_by_role("link", name="All events").click()
        await expect(page).to_have_url(re.compile("/events$"))


async def test_a_clip_is_downloaded_under_its_camera_and_time(
    shared_world: World, browser: Browser, tmp_path: Path
) -> None:
    _, email = await add_user(shared_world, "viewer", email="takes@acme.example")
    data = FOOTAGE.read_bytes()
    async with recording(shared_world) as recorder, visiting(browser, shared_world.base_url) as visitor:
        name = "Gate 2/Süd: left"
        await shared_world.sql("UPDATE cameras SET name = %s WHERE id = %s", name, recorder.camera_id)
        event_id = (await recorder.trigger())["event_id"]
        clip_id = await clip_id_of(shared_world, event_id)
        await recorder.upload(clip_id, data)
        assert await recorder.report(recorder.ready(clip_id, data)) is None
        event = await event_when(shared_world, event_id, lambda event: event["clip"]["status"] == "ready")
        await visitor.sign_in(email, PASSWORD, f"/events/{event_id}")
        async with visitor.page.expect_download() as downloading:
            await visitor.page.get_by_role("link", name="Download").click()
        download = await downloading.value
        at = datetime.fromisoformat(event["triggered_at"])
        assert download.suggested_filename == f"Gate 2_Süd_ left {at:%Y-%m-%d %H%M%S}Z.mp4"
        file = tmp_path / "clip.mp4"
        await download.save_as(file)
        assert file.read_bytes() == data
        found = decode(file.read_bytes())
        assert (found.codec, found.width, found.height) == ("h264", 768, 576)
        assert found.video_frames > 30
