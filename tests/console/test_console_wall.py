"""What one does on the wall besides watching: grids that are kept, sound, a picture to keep, the full screen, what the badge tells.
And a gateway's numbers."""

from __future__ import annotations

import asyncio
import io
import re
from contextlib import AsyncExitStack
from pathlib import Path

import av
import msgspec
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_people import PASSWORD, add_user
from nova_system import System
from nova_wire import greeted, pair, telemetry
from nova_world import World
from playwright.async_api import Browser, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = NEEDS_BROWSER


async def test_grids_are_kept_and_a_cell_has_sound_a_picture_and_the_whole_screen(
    system: System, browser: Browser, tmp_path: Path
) -> None:
    _, email = await add_user(system.world, "viewer", email="guard@acme.example")
    async with AsyncExitStack() as stack:
        for name in ("Gate", "Yard"):
            camera = await stack.enter_async_context(SimCam(SimCamConfig(name=name)))
            await system.wait_status(await system.add(camera, None), "online", within=40)
        visitor = await stack.enter_async_context(visiting(browser, system.world.base_url))
        await visitor.sign_in(email, PASSWORD)
        await visitor.see("Live")
        await keep_a_grid(visitor)
        await use_a_cell(visitor, tmp_path)


async def keep_a_grid(visitor: Visitor) -> None:
    page = visitor.page
    tiles = page.locator(".cell")
    await page.get_by_role("radio", name="1×1").click()
    await expect(tiles).to_have_count(1)
    only = await tiles.first.get_attribute("aria-label")
    await visitor.button("Grids")
    await page.get_by_role("menuitem", name="Save this grid").click()
    await page.get_by_label("Name of the grid").fill("At night")
    await visitor.button("Save")
    await expect(page.get_by_text("The grid “At night” is saved.")).to_be_visible()
    await page.get_by_role("radio", name="2×2").click()
    await expect(tiles).to_have_count(4)
    await page.reload()
    await expect(tiles).to_have_count(4)
    await visitor.button("Grids")
    await page.get_by_role("menuitem", name="At night", exact=True).click()
    await expect(tiles).to_have_count(1)
    await expect(tiles.first).to_have_attribute("aria-label", only or "")
    await visitor.button("Grids")
    await page.get_by_role("menuitem", name="Delete grids").click()
    await visitor.button("Delete “At night”")
    await visitor.button("Delete")
    await expect(page.get_by_text("The grid “At night” is gone.")).to_be_visible()
    await visitor.button("Grids")
    await expect(page.get_by_role("menuitem")).to_have_count(1)
    await page.keyboard.press("Escape")


async def use_a_cell(visitor: Visitor, folder: Path) -> None:
    page = visitor.page
    cell = page.locator(".cell").first
    shown = await visitor.watch(3, ".cell")
    await cell.hover()
    muted = "document.querySelector('.cell video').muted"
    assert await page.evaluate(muted)
    await cell.get_by_role("button", name="Sound on").click()
    assert not await page.evaluate(muted)
    await cell.get_by_role("button", name="Mute").click()
    assert await page.evaluate(muted)

    async with page.expect_download() as waiting:
        await cell.get_by_role("button", name="Save this picture").click()
    download = await waiting.value
    await download.save_as(folder / "kept.jpg")
    kept = await asyncio.to_thread((folder / "kept.jpg").read_bytes)
    assert re.fullmatch(r"(Gate|Yard).*\.jpe?g", download.suggested_filename)
    with av.open(io.BytesIO(kept)) as image:
        (frame,) = image.decode(video=0)
    assert frame.width == shown["width"]

    await cell.get_by_role("button", name="Full screen").click()
    await page.wait_for_function("document.fullscreenElement?.querySelector('video') != null")
    await cell.get_by_role("button", name="Full screen").click()
    await page.wait_for_function("document.fullscreenElement === null")

    badge = cell.locator(".live-badge")
    await expect(badge).to_have_text(re.compile(r"MSE\s*<?\d+\.\d s\s*Main"))
    await badge.hover()
    tip = page.get_by_role("tooltip")
    await expect(tip).to_contain_text("Live video over a WebSocket")
    await expect(tip).to_contain_text("Main stream")
    assert await visitor.axe() == []


async def test_a_gateways_numbers_are_drawn(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "operator", email="numbers@acme.example")
    gateway_id, token = await pair(shared_world.client("operator"), shared_world.site, name="Plotted")
    for minute, percent in ((1, 42.5), (11, 20.0), (21, 10.0)):
        said = telemetry(
            **{"cpu_percent": percent, "cameras_online": 3, "cameras_total": 4},
            **{"disk_free_bytes": 5 * 10**9, "disk_total_bytes": 10**10},
        )
        await shared_world.sql(
            "INSERT INTO gateway_telemetry (org_id, gateway_id, at, data) VALUES (%s, %s, now() - %s * interval '1 minute', %s)",
            *(shared_world.org, gateway_id, minute, msgspec.json.encode(said).decode()),
        )
    async with (
        greeted(shared_world, gateway_id, token),
        visiting(browser, shared_world.base_url) as visitor,
    ):
        await visitor.sign_in(email, PASSWORD, f"/gateways/{gateway_id}")
        await visitor.see("Plotted")
        plot = visitor.page.get_by_role("img", name=re.compile("Processor.*42.5"))
        await expect(plot).to_be_visible()
        dots = str(await plot.locator("polyline").get_attribute("points")).split()
        heights = [100 - float(dot.split(",")[1]) for dot in dots]
        assert [round(height / heights[0], 2) for height in heights] == [1, 2, 4.25]
        await expect(visitor.page.get_by_role("img", name=re.compile("Cameras online.*3"))).to_be_visible()
        await expect(visitor.page.get_by_role("img", name=re.compile("Disk free.*5"))).to_be_visible()
