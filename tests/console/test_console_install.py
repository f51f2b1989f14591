"""The console as an app of its own: what Chromium asks of a page before it offers to install it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from nova_browser import ARGUMENTS, CHROMIUM, NEEDS_BROWSER
from nova_system import until
from nova_world import World
from playwright.async_api import Page, async_playwright, expect

pytestmark = NEEDS_BROWSER
MOST_BYTES = 20_000
SPOILT = '{"name": "NovaVMS", "start_url": "/live", "display": "standalone", "icons": []}'


async def installability(page: Page) -> list[str]:
    devtools = await page.context.new_cdp_session(page)
    found = await devtools.send("Page.getInstallabilityErrors")
    return [error["errorId"] for error in found["installabilityErrors"]]


async def test_chromium_finds_nothing_that_keeps_it_from_being_installed(
    shared_world: World, tmp_path: Path
) -> None:
    # a profile of its own, not a context: that is a private window to Chromium, from which nothing is installed
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=ARGUMENTS
        )
        page = await context.new_page()
        await page.goto(shared_world.base_url)
        await expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
        told = await (await context.new_cdp_session(page)).send("Page.getAppManifest")
        assert told["url"] == f"{shared_world.base_url}/site.webmanifest"
        assert told["errors"] == []
        manifest = json.loads(told["data"])
        assert (manifest["start_url"], manifest["display"]) == ("/live", "standalone")
        assert await installability(page) == []
        # and it would say so
        await page.route("**/site.webmanifest?other", lambda route: route.fulfill(body=SPOILT))
        await page.evaluate("document.querySelector('link[rel=manifest]').href = '/site.webmanifest?other'")
        await until(lambda: installability(page), within=20, what="the other manifest refused")
        await context.close()


@pytest.mark.parametrize("kind", ["any", "maskable"])
async def test_the_icons_are_what_the_manifest_says(shared_world: World, kind: str) -> None:
    http = shared_world.client(None)
    answer = await http.get("/site.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    icons = [icon for icon in answer.json()["icons"] if icon["purpose"] == kind]
    assert any(icon["sizes"] == "512x512" for icon in icons)
    for icon in icons:
        served = await http.get(icon["src"])
        assert (served.status_code, served.headers["content-type"]) == (200, icon["type"]), icon
        if icon["type"] == "image/png":
            assert served.content[:8] == b"\x89PNG\r\n\x1a\n"
            width, height = struct.unpack(">II", served.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
            assert len(served.content) < MOST_BYTES
