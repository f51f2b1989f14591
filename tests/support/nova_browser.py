"""A person in front of the console: Debian's Chromium, signed in, whose page must run without an error of its own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

import novavms_server

CONSOLE = Path(novavms_server.__file__).parent / "console"
ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")
TIMEOUT_MS = 20_000
"""For each step of a person and each thing that is to be seen: what is before it may be a real check of a camera."""
expect.set_options(timeout=TIMEOUT_MS)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--allow-loopback-in-peer-connection"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

NEEDS_BROWSER = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
    pytest.mark.skipif(
        not (CONSOLE / "index.html").is_file(), reason="the console is not built (make console)"
    ),
]
EXPECTED = re.compile(
    r"Failed to load resource: the server responded with a status of (400|401|403|404|409|503)"
)
"""Chromium logs every answer that is an error; the page shows those by itself."""

FRAMES = """(video, wanted) => new Promise(done => {
  let frames = 0, last = -1;
  const look = (_, {mediaTime}) => {
    if (mediaTime !== last) frames += 1;
    last = mediaTime;
    if (frames < wanted) video.requestVideoFrameCallback(look);
    else done({frames, width: video.videoWidth, at: video.currentTime});
  };
  video.requestVideoFrameCallback(look);
})"""

PIXELS = """shown => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 48];
  const context = canvas.getContext('2d');
  context.drawImage(shown, 0, 0, 64, 48);
  return Array.from(context.getImageData(0, 0, 64, 48).data).join();
}"""
"""What a video or an image shows, small."""

NO_WEBSOCKETS = """
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 3;
    constructor() { setTimeout(() => this.onerror?.(new Event('error'))); }
    send() {}
    close() {}
  };
"""
"""Before a page's own scripts: none gets through."""
DEAF_WEBSOCKETS = NO_WEBSOCKETS.replace("setTimeout(() => this.onerror?.(new Event('error')));", "").replace(
    "readyState = 3", "readyState = 0"
)
"""None is ever answered."""


class Visitor:
    """A page, and what it complained about."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.complaints.append(message.text)

    async def sign_in(self, email: str, password: str, path: str = "/") -> None:
        await self.page.goto(self.base_url + path)
        await self.page.get_by_label("Email").fill(email)
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def go(self, path: str, title: str) -> None:
        """By address, which loads the page anew and goes on by the cookie."""
        await self.page.goto(self.base_url + path)
        await self.see(title)

    async def see(self, title: str) -> None:
        await expect(self.page.get_by_role("heading", level=1, name=title)).to_be_visible()

    async def button(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def watch(self, frames: int, within: str = "body") -> dict[str, Any]:
        """Waits for so many different pictures of the video, decoded and shown; `within`: a selector, of what it is in."""
        video = self.page.locator(f"{within} video").first
        await expect(video).to_be_visible()
        found: dict[str, Any] = await video.evaluate(FRAMES, frames, timeout=30_000)
        return found

    async def axe(self) -> list[str]:
        """What axe finds: rule, and the elements. WCAG 2.2 A and AA. Not in what was announced a moment ago: it may name a button
        that is gone."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = await self.page.evaluate(
            "() => axe.run({exclude: '[data-live-announcer]'}, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
        )
        return [
            f"{violation['id']}: {json.dumps([node['html'][:160] for node in violation['nodes'][:3]])}"
            for violation in found["violations"]
        ]

    async def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return width


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    base_url: str,
    *,
    width: int = 1280,
    height: int = 860,
    theme: str = "dark",
    quiet: bool = True,
    permissions: Sequence[str] = (),
) -> AsyncIterator[Visitor]:
    """A browser of their own: no cookies yet. At the end the page has complained of nothing, unless `quiet` is off."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="light" if theme == "light" else "dark",
        reduced_motion="reduce",
        permissions=list(permissions),
    )
    context.set_default_timeout(TIMEOUT_MS)
    visitor = Visitor(await context.new_page(), base_url)
    yield visitor
    await context.close()
    if quiet:
        assert not visitor.complaints, visitor.complaints
