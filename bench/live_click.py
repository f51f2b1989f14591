"""From the click to the moving picture: the console in Chromium over loopback, a camera whose stream runs already, by MSE.

Server, gateway and camera are programs of their own, as people start them. A person goes from the list of cameras to one of them: the
clock, the browser's own, begins with the click (before any handler of ours) and ends when the first decoded frame of the new video is
handed to be shown (`requestVideoFrameCallback`). Another viewer keeps the stream running. Needs Debian's chromium and the built
console; without them this says so and measures nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import novavms_server
from bench import Result
from bench._site import Site, make_site
from bench.live import addresses
from bench.record import make_footage

CLICKS, QUICK_CLICKS = 30, 8
WANTED_MS = 500.0
EMAIL = "ada@acme.example"
PASSWORD = "Better-Horse-2-Battery"
CLOCK = """
addEventListener('click', (event) => { window.clicked = performance.now(); window.shown = null; }, true);
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    const videos = node instanceof Element ? [...(node.matches('video') ? [node] : []), ...node.querySelectorAll('video')] : [];
    for (const video of videos) video.requestVideoFrameCallback(() => { window.shown ??= performance.now() - window.clicked; });
  }
}).observe(document, { childList: true, subtree: true });
"""


async def clicks(page: Page, count: int) -> list[float]:
    """Milliseconds of each."""
    took: list[float] = []
    for _ in range(count):
        await page.get_by_role("link", name="Cameras", exact=True).click()
        link = page.get_by_role("link", name="Simulated camera").first
        await link.wait_for()
        await page.wait_for_timeout(300)
        await link.click()
        took.append(await _shown(page))
    return took


async def _shown(page: Page) -> float:
    """Asked from outside: the page's own policy allows no made-up code."""
    for _ in range(200):
        shown = await page.evaluate("window.shown")
        if shown is not None:
            return float(shown)
        await page.wait_for_timeout(100)
    raise RuntimeError("no picture within 20 s")


async def visit(browser: Browser, site: Site, count: int) -> list[float]:
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    await context.add_init_script(CLOCK)
    page = await context.new_page()
    await page.goto(site.server.base_url + "/cameras")
    await page.get_by_label("Email").fill(EMAIL)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", level=1, name="Cameras").wait_for()
    found = await clicks(page, count + 2)
    await context.close()
    return found[2:]


async def make_person(site: Site) -> None:
    """An operator with a password of their own."""
    asked = ("key", "create", "--org", "Acme", "--role", "admin", "--name", "Bench")
    key = (await asyncio.to_thread(site.server.command, *asked)).strip()
    async with site.server.client(key) as admin:
        body = {"email": EMAIL, "display_name": "Ada", "role": "operator"}
        made = (await admin.post("/users", json=body)).raise_for_status().json()
    login = {"email": EMAIL, "password": made["temporary_password"]}
    token = (await site.client.post("/auth/login", json=login)).raise_for_status().json()["access_token"]
    change = {"current_password": made["temporary_password"], "new_password": PASSWORD}
    headers = {"Authorization": f"Bearer {token}"}
    (await site.client.post("/auth/change-password", json=change, headers=headers)).raise_for_status()


async def measure(folder: Path, chromium: str, count: int) -> list[Result]:
    media = str(await asyncio.to_thread(make_footage, folder))
    settings = {"NOVAVMS_GATEWAY_RECORDINGS_RESERVE_BYTES": "0"}
    async with make_site(folder, 1, media=media, audio="none", settings=settings) as site:
        await site.add(1)
        await make_person(site)
        (url,) = await addresses(site, site.cameras[0], 1)
        async with (
            connect(url, compression=None, max_size=None, ping_interval=None) as other,
            async_playwright() as playwright,
        ):
            reading = asyncio.create_task(_read(other))
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
            )
            took = await visit(browser, site, count)
            await browser.close()
            reading.cancel()
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    what = f"click to the first decoded frame, MSE, p50 of {count}"
    return [Result(what, f"{p50:.0f} ms (p95 {p95:.0f})", f"{WANTED_MS:.0f} ms asked", p50 / WANTED_MS, 1)]


async def _read(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass


def run(*, quick: bool = False) -> list[Result]:
    chromium = shutil.which("chromium")
    if chromium is None or not (Path(novavms_server.__file__).parent / "console" / "index.html").is_file():
        print(
            "live_click: no chromium, or the console is not built (make console): left out", file=sys.stderr
        )
        return []
    with tempfile.TemporaryDirectory(prefix="novavms-bench-") as folder:
        return asyncio.run(measure(Path(folder), chromium, QUICK_CLICKS if quick else CLICKS))
