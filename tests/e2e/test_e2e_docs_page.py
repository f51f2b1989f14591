"""The API's page in a real browser: a tab for each language, chosen by mouse or keys, kept; nothing that the policy refuses."""

from __future__ import annotations

import shutil

import pytest
from nova_world import World

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="chromium is not installed (apt-get install chromium)"
    ),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SHOWN = "#listSites [role=tabpanel]:not([hidden]) pre"


async def test_samples_are_chosen_by_mouse_and_keys_and_copied(world: World) -> None:
    from playwright.async_api import async_playwright

    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{world.base_url}/docs")
        assert (await page.text_content(SHOWN) or "").startswith("curl ")
        await page.focus("#getCamera [role=tab][aria-selected=true]")
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("document.activeElement.id") == "getCamera-python-tab"
        assert "client.sites.list()" in (await page.text_content(SHOWN) or ""), "chosen for all operations"
        await page.keyboard.press("End")
        assert "novavms.sites.list()" in (await page.text_content(SHOWN) or "")
        await page.keyboard.press("ArrowRight")
        assert (await page.text_content(SHOWN) or "").startswith("curl "), "round and round"
        await page.click("#listSites-python-tab")
        await page.reload()
        text = await page.text_content(SHOWN)
        assert text is not None
        assert "client.sites.list()" in text, "kept"
        await page.click("#listSites [role=tabpanel]:not([hidden]) .copy")
        assert await page.evaluate("navigator.clipboard.readText()") == text
        for width in (1400, 420):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await browser.close()
    assert said == []
    assert {url.partition("#")[0] for url in asked} == {f"{world.base_url}/docs"}


async def test_without_scripts_every_language_is_shown(world: World) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = await (await browser.new_context(java_script_enabled=False)).new_page()
        await page.goto(f"{world.base_url}/docs")
        assert await page.locator("#listSites [role=tabpanel]").count() == 3
        for number in range(3):
            assert await page.locator("#listSites [role=tabpanel]").nth(number).is_visible()
        assert not await page.locator("#listSites [role=tablist]").is_visible()
        await browser.close()
