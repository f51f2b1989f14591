"""Live pictures in a real browser, each test on frames that were decoded and shown: a wall of nine, a right that is withdrawn, a
server that starts anew, a network without WebSockets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from nova_browser import DEAF_WEBSOCKETS, NEEDS_BROWSER, NO_WEBSOCKETS, PIXELS, Visitor, visiting
from nova_people import PASSWORD, add_user
from nova_programs import ServerProgram
from nova_system import System, until
from playwright.async_api import Browser, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [*NEEDS_BROWSER, pytest.mark.timeout(240)]

NO_VIDEO = """
  delete globalThis.MediaSource;
  delete globalThis.ManagedMediaSource;
  delete globalThis.RTCPeerConnection;
"""


async def direct_camera(system: System, camera: SimCam) -> str:
    camera_id = await system.add(camera, None)
    await system.wait_status(camera_id, "online", within=40)
    return camera_id


@pytest.mark.long
async def test_nine_at_once_arranged_enlarged_and_recorded(system: System, browser: Browser) -> None:
    gateway = await system.gateway()
    _, email = await add_user(system.world, "operator", email="wall@acme.example")
    async with AsyncExitStack() as stack:
        for number in range(1, 10):
            camera = await stack.enter_async_context(SimCam(SimCamConfig(name=f"Camera {number}")))
            await system.wait_status(await system.add(camera, gateway), "online", within=40)
        visitor = await stack.enter_async_context(visiting(browser, system.world.base_url, width=1440))
        page = visitor.page
        await visitor.sign_in(email, PASSWORD)
        await visitor.see("Live")
        tiles = page.locator(".cell")
        await expect(tiles).to_have_count(9)
        for number in range(1, 10):
            shown = await visitor.watch(5, f".cell[aria-label='Camera {number}']")
            assert (shown["frames"], shown["width"]) == (5, 384)
        assert await visitor.axe() == []

        first, third = (page.locator(f".cell[aria-label='Camera {number}']") for number in (1, 3))
        await first.get_by_role("button", name=re.compile("^Move Camera 1")).focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await expect(tiles.nth(2)).to_have_attribute("aria-label", "Camera 1")
        await third.get_by_role("button", name=re.compile("^Move")).drag_to(first)
        await expect(tiles.nth(2)).to_have_attribute("aria-label", "Camera 3")
        await page.reload()
        await expect(tiles.nth(1)).to_have_attribute("aria-label", "Camera 1")

        await first.get_by_role("button", name="Expand").click()
        await expect(first.locator(".live-badge")).to_contain_text("Main")
        await expect(tiles.nth(0)).to_be_hidden()
        assert (await visitor.watch(5, ".cell.large"))["width"] == 768
        await record(visitor)


async def record(visitor: Visitor) -> None:
    page = visitor.page
    large = page.locator(".cell.large")
    await large.get_by_role("button", name="Record clip").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="5 s", exact=True).click()
    await dialog.get_by_label("Note").fill("From the wall")
    await dialog.get_by_role("button", name="Record now").click()
    await expect(large.get_by_text("Recording,")).to_be_visible()
    await expect(large.get_by_text("The clip is ready")).to_be_visible(timeout=60_000)
    await large.get_by_role("link", name="Open").click()
    await expect(page.get_by_label("Note")).to_have_value("From the wall")
    await visitor.watch(5, ".player")


async def test_who_loses_the_right_loses_the_picture(system: System, browser: Browser) -> None:
    viewer, email = await add_user(system.world, "viewer", email="leaving@acme.example")
    async with (
        SimCam(SimCamConfig(name="Vault")) as camera,
        visiting(browser, system.world.base_url, width=360, theme="light", quiet=False) as visitor,
    ):
        camera_id = await direct_camera(system, camera)
        page = visitor.page
        await visitor.sign_in(email, PASSWORD, f"/cameras/{camera_id}")
        await visitor.watch(10, ".live")
        assert await page.get_by_role("button", name="Record clip").count() == 0
        assert await visitor.axe() == []
        assert await visitor.sideways() <= 0
        changed = await system.admin.patch(
            f"/users/{viewer}", json={"site_ids": [str(system.world.ungranted_site)]}
        )
        assert changed.status_code == 200, changed.text
        await expect(page.get_by_text("You may not see this camera any more.")).to_be_visible(timeout=15_000)
        await expect(page.locator(".live")).to_have_attribute("data-phase", "ended")


async def owner_of(server: ServerProgram) -> httpx.AsyncClient:
    """A new organization's owner, who has chosen PASSWORD."""
    said = server.command("org", "create", "Acme", "--owner-email", "ada@example.com")
    login = {"email": "ada@example.com", "password": said.rsplit(": ", 1)[1].strip()}
    async with httpx.AsyncClient(base_url=f"{server.base_url}/api/v1") as api:
        first = (await api.post("/auth/login", json=login)).json()["access_token"]
        chosen = {"current_password": login["password"], "new_password": PASSWORD}
        changed = await api.post(
            "/auth/change-password", json=chosen, headers={"Authorization": f"Bearer {first}"}
        )
        assert changed.is_success, changed.text
        again = (await api.post("/auth/login", json={**login, "password": PASSWORD})).json()
    return server.client(again["access_token"])


@pytest.mark.long
async def test_a_server_that_starts_anew_is_found_again(tmp_path: Path, browser: Browser) -> None:
    with ServerProgram(tmp_path / "server") as server:
        async with await owner_of(server) as api, SimCam(SimCamConfig(name="Dock")) as camera:
            site = (await api.post("/sites", json={"name": "Harbour"})).json()
            body = {
                **{"site_id": site["id"], "name": "Dock", "type": "rtsp", "connection_mode": "direct"},
                **{"rtsp_url": camera.rtsp_url, "rtsp_username": camera.config.username},
                **{"rtsp_password": camera.config.password},
            }
            made = await api.post("/cameras", json=body)
            assert made.status_code == 201, made.text
            path = f"/cameras/{made.json()['id']}"

            async def online() -> bool:
                return bool((await api.get(path)).json()["status"] == "online")

            await until(online, within=40, what="the camera is online")
            async with visiting(browser, server.base_url, quiet=False) as visitor:
                await visitor.sign_in("ada@example.com", PASSWORD, path)
                before = await visitor.watch(10, ".live")
                server.stop()
                await expect(visitor.page.locator(".live-word")).to_be_visible(timeout=20_000)
                server.start()
                await expect(visitor.page.locator(".live[data-phase='playing']")).to_be_visible(
                    timeout=60_000
                )
                after = await visitor.watch(10, ".live")
                assert (before["width"], after["width"]) == (768, 768)
                await expect(visitor.page.get_by_text("No connection to the server")).to_have_count(0)


@asynccontextmanager
async def in_a_browser_with(
    system: System, browser: Browser, email: str, script: str
) -> AsyncIterator[Visitor]:
    """An operator before a direct camera, in a browser that lacks what `script` takes away."""
    await add_user(system.world, "operator", email=email)
    async with (
        SimCam(SimCamConfig(name="Roof")) as camera,
        visiting(browser, system.world.base_url, quiet=False) as visitor,
    ):
        camera_id = await direct_camera(system, camera)
        await visitor.page.add_init_script(script)
        await visitor.sign_in(email, PASSWORD, f"/cameras/{camera_id}")
        yield visitor


@pytest.mark.parametrize("sockets", [NO_WEBSOCKETS, DEAF_WEBSOCKETS], ids=["refused", "unanswered"])
async def test_without_a_websocket_it_steps_down_and_says_so(
    system: System, browser: Browser, sockets: str
) -> None:
    async with in_a_browser_with(system, browser, "proxy@acme.example", sockets) as visitor:
        page = visitor.page
        view = page.locator(".live[data-way='hls'][data-phase='playing']")
        await expect(view).to_be_visible(timeout=60_000)
        assert (await visitor.watch(10, ".live"))["width"] == 768
        await view.locator(".live-badge").focus()
        await expect(page.get_by_role("tooltip")).to_contain_text("No WebSocket gets through")


async def test_without_any_way_to_video_there_is_a_picture_each_second(
    system: System, browser: Browser
) -> None:
    async with in_a_browser_with(system, browser, "old@acme.example", NO_VIDEO) as visitor:
        page = visitor.page
        view = page.locator(".live[data-way='pictures']")
        picture = view.locator("img")
        await expect(picture).to_be_visible(timeout=30_000)
        seen: set[str] = set()

        async def another() -> bool:
            seen.add(await picture.evaluate(PIXELS))
            return len(seen) >= 3

        await until(another, within=30, what="three different pictures")
        await view.locator(".live-badge").focus()
        await expect(page.get_by_role("tooltip")).to_contain_text("This browser has no MediaSource.")
