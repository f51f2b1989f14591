"""`make screenshots`: every page of the console as a person sees it, dark, light and on a phone, of the running demo; and what stands
on a wall on a 4K screen, with sixteen cameras.

    python -m tools.screenshots [FOLDER] [--only WORD] [--look WORD]

Needs Chromium (apt-get install chromium). FOLDER is `.cache/screenshots` unless named.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

from novavms_simcam import SimCam, SimCamConfig

BIN = Path(sys.executable).parent
SETTLED_MS = 5_000
"""Pictures have come by then, and the words on them."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
]


@dataclass(frozen=True)
class Look:
    name: str
    width: int
    height: int
    theme: str


LOOKS = (Look("dark", 1440, 900, "dark"), Look("light", 1440, 900, "light"), Look("phone", 360, 760, "dark"))
WALL = Look("wall", 3840, 2160, "dark")
ON_THE_WALL = ("live", "cameras", "cameras-list", "recordings", "recordings-together", "add-camera", "people")
NAMES = ("Car park", "Gate")
MORE_NAMES = (
    *("Ramp", "Quay 1", "Quay 2", "Quay 3", "Cold store", "Workshop", "Canteen"),
    *("Fence north", "Fence south", "Fuel station", "Weighbridge", "Office"),
)


async def add_cameras(api: httpx.AsyncClient, facts: dict[str, Any], more: list[SimCam]) -> None:
    """So that the wall is full."""
    gateway = (await api.get(f"/gateways/{facts['gateway_id']}")).json()
    for camera in more:
        config = camera.config
        place = {"site_id": gateway["site_id"], "gateway_id": gateway["id"], "name": config.name}
        login = {"onvif_username": config.username, "onvif_password": config.password}
        where = {"type": "onvif", "host": config.host, "port": camera.onvif_port}
        answer = await api.post("/cameras", json={**place, **login, **where})
        if answer.is_error:
            sys.exit(f"screenshots: {answer.json()['message']}")


async def pages(api: httpx.AsyncClient, facts: dict[str, Any]) -> dict[str, str]:
    """Name and address of every page; what they show is made first."""
    cameras = (await api.get("/cameras")).json()["data"]
    events = [
        (
            await api.post(
                f"/cameras/{camera['id']}/trigger", json={"duration_sec": 6, "note": "Delivery at the gate"}
            )
        ).json()
        for camera in cameras
    ]
    deadline = time.monotonic() + 60
    for event in events:
        while (await api.get(f"/events/{event['event_id']}")).json()["clip"]["status"] != "ready":
            if time.monotonic() > deadline:
                sys.exit("screenshots: the demo's clips did not get ready within a minute")
            await asyncio.sleep(0.5)
    await api.patch(f"/events/{events[0]['event_id']}", json={"starred": True})
    return {
        "live": "/live",
        "cameras": "/cameras",
        "cameras-list": "/cameras?view=%22list%22",
        "camera": f"/cameras/{cameras[0]['id']}",
        "add-camera": "/cameras/add",
        "events": "/events",
        "event": f"/events/{events[0]['event_id']}",
        "recordings": f"/recordings?camera={cameras[0]['id']}",
        "recordings-together": "/recordings?" + "&".join(f"camera={camera['id']}" for camera in cameras[:4]),
        "gateways": "/gateways",
        "gateway": f"/gateways/{facts['gateway_id']}",
        "sites": "/sites",
        "people": "/people",
    }


async def sign_in(page: Page, base_url: str, login: dict[str, str]) -> None:
    await page.goto(base_url)
    await page.get_by_label("Email").fill(login["email"])
    await page.get_by_label("Password", exact=True).fill(login["password"])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", level=1, name="Live").wait_for()


async def shoot(
    browser: Browser, facts: dict[str, Any], found: dict[str, str], look: Look, folder: Path
) -> None:
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.theme == "dark" else "light",
        device_scale_factor=1,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(facts["base_url"])
    await page.get_by_label("Email").wait_for()
    await page.screenshot(path=folder / f"sign-in-{look.name}.png")
    await sign_in(page, facts["base_url"], facts["logins"]["owner"])
    for name, path in found.items():
        await page.goto(facts["base_url"] + path)
        await page.get_by_role("heading", level=1).wait_for()
        await page.wait_for_timeout(SETTLED_MS)
        if look.name == "phone":  # all of the page, its bar where it ends
            tall = await page.evaluate("document.documentElement.scrollHeight")
            await page.set_viewport_size({"width": look.width, "height": max(look.height, tall)})
            await page.wait_for_timeout(500)
        await page.screenshot(path=folder / f"{name}-{look.name}.png")
        await page.set_viewport_size({"width": look.width, "height": look.height})
    await context.close()


async def make(given: argparse.Namespace) -> None:
    given.folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        few, many = [
            [await stack.enter_async_context(SimCam(SimCamConfig(name=name))) for name in names]
            for names in (NAMES, MORE_NAMES)
        ]
        await shoot_all(given, few, many)
    print(f"screenshots: {len(list(given.folder.glob('*.png')))} pictures in {given.folder}")


async def shoot_all(given: argparse.Namespace, few: list[SimCam], many: list[SimCam]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        ready = Path(temporary) / "ready.json"
        demo = await asyncio.create_subprocess_exec(
            *(str(BIN / "novavms-server"), "demo", "--port", "0", "--ready-file", str(ready)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 120
            while not ready.exists():
                if demo.returncode is not None or time.monotonic() > deadline:
                    sys.exit("screenshots: the demo did not start; make demo says why")
                await asyncio.sleep(0.2)
            facts = json.loads(ready.read_text())
            headers = {"Authorization": f"Bearer {facts['keys']['admin']}"}
            async with httpx.AsyncClient(
                base_url=facts["base_url"] + "/api/v1", headers=headers, timeout=30
            ) as api:
                await add_cameras(api, facts, few)
                found = {name: path for name, path in (await pages(api, facts)).items() if given.only in name}
                async with async_playwright() as playwright:
                    browser = await playwright.chromium.launch(
                        executable_path=shutil.which("chromium"), args=ARGUMENTS
                    )
                    for look in LOOKS:
                        if given.look in look.name:
                            await shoot(browser, facts, found, look, given.folder)
                    if given.look in WALL.name:
                        await add_cameras(api, facts, many)
                        hung = {name: path for name, path in found.items() if name in ON_THE_WALL}
                        await shoot(browser, facts, hung, WALL, given.folder)
                    await browser.close()
        finally:
            if demo.returncode is None:
                demo.terminate()
                await demo.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".cache/screenshots"))
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    parser.add_argument(
        "--look", default="", help="looks whose name has this in it: dark, light, phone, wall"
    )
    given = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("screenshots: chromium is missing (apt-get install chromium)")
    asyncio.run(make(given))


if __name__ == "__main__":
    main()
