"""WebRTC in a real browser, from go2rtc's stand-in with real media: it is taken where the server puts it first, left where it shows nothing, and
taken up again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from go2rtc_standin import Go2rtcStandin
from nova_browser import NEEDS_BROWSER, NO_WEBSOCKETS, PIXELS, Visitor, visiting
from nova_people import PASSWORD, add_user
from nova_system import make_system, until
from nova_webrtc import WebRtcPeer, webrtc_peer
from playwright.async_api import Browser, Locator, Page, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [*NEEDS_BROWSER, pytest.mark.timeout(240)]

SHOWN = ["microphone", "camera"]
"""With these rights of a page Chromium tells its addresses and not names, which it would announce on the network (mDNS)."""
TRIED_AGAIN_MS = 90_000
"""A way that a slow machine left is taken up again after a minute."""


@dataclass
class Scene:
    visitor: Visitor
    peer: WebRtcPeer
    go2rtc: Go2rtcStandin

    @property
    def page(self) -> Page:
        return self.visitor.page

    def by(self, way: str) -> Locator:
        return self.page.locator(f".live[data-way='{way}'][data-phase='playing']")

    async def plays(self, way: str) -> None:
        """Pictures come by this way that were decoded, and differ."""
        await expect(self.by(way)).to_be_visible(timeout=TRIED_AGAIN_MS)
        assert (await self.visitor.watch(10, ".live"))["width"] == 768
        video = self.by(way).locator("video")
        before = await video.evaluate(PIXELS)

        async def another() -> bool:
            return bool(await video.evaluate(PIXELS) != before)

        await until(another, within=15, what="another picture")

    async def why(self) -> Locator:
        await self.page.locator(".live-badge").focus()
        return self.page.get_by_role("tooltip")


@asynccontextmanager
async def watching(
    database_url: str, folder: Path, browser: Browser, *, silent: bool = False, script: str | None = None
) -> AsyncIterator[Scene]:
    """An operator before a direct camera, beside a go2rtc. `silent`: of WebRTC connections come about, and nothing comes by them."""
    async with (
        webrtc_peer() as peer,
        Go2rtcStandin(peer=peer) as go2rtc,
        make_system(database_url, folder, go2rtc_url=go2rtc.url) as system,
        SimCam(SimCamConfig(name="Roof", audio="pcma")) as camera,
        visiting(browser, system.world.base_url, quiet=False, permissions=SHOWN) as visitor,
    ):
        peer.silence(silent)
        _, email = await add_user(system.world, "operator", email="near@acme.example")
        camera_id = await system.add(camera, None)
        await system.wait_status(camera_id, "online", within=40)
        await until(lambda: go2rtc.streams, within=20, what="go2rtc knows the camera")
        if script is not None:
            await visitor.page.add_init_script(script)
        await visitor.sign_in(email, PASSWORD, f"/cameras/{camera_id}")
        yield Scene(visitor, peer, go2rtc)


@pytest.mark.long
async def test_webrtc_is_first_is_left_where_it_stands_and_is_come_back_to(
    database_url: str, tmp_path: Path, browser: Browser
) -> None:
    async with watching(database_url, tmp_path, browser) as it:
        page = it.page
        await it.plays("webrtc")
        await expect(page.locator(".live-badge")).to_have_text(re.compile(r"^WebRTC<?[0-9.]+ sMain$"))
        told = await it.why()
        await expect(told).to_contain_text("Straight from the camera's own packets")
        await expect(told).to_contain_text("no sound of this camera")
        assert ".local" not in it.go2rtc.offers[0][1].decode(), "names would be asked for on the network"

        it.peer.silence(True)
        await it.plays("mse")
        await expect(await it.why()).to_contain_text("WebRTC showed no picture in time")

        it.peer.silence(False)
        await page.evaluate("dispatchEvent(new Event('online'))")
        await it.plays("webrtc")

        async with page.expect_response(
            lambda answer: answer.request.method == "DELETE" and "/whep/" in answer.url
        ) as forgotten:
            await page.get_by_role("link", name="Events").first.click()
        assert (await forgotten.value).status == 200


async def test_where_webrtc_shows_nothing_and_no_websocket_opens_hls_does(
    database_url: str, tmp_path: Path, browser: Browser
) -> None:
    async with watching(database_url, tmp_path, browser, silent=True, script=NO_WEBSOCKETS) as it:
        await it.plays("hls")
        told = await it.why()
        await expect(told).to_contain_text("WebRTC showed no picture in time. No WebSocket gets through")
        it.peer.silence(False)
        await it.page.evaluate("dispatchEvent(new Event('online'))")
        await it.plays("webrtc")


async def test_a_person_chooses_the_way(database_url: str, tmp_path: Path, browser: Browser) -> None:
    async with watching(database_url, tmp_path, browser) as it:
        page = it.page
        await it.plays("webrtc")
        for choice, way in (("WebSocket (MSE)", "mse"), ("HLS", "hls")):
            await page.locator(".live-badge").click()
            menu = page.get_by_role("menu")
            await expect(menu).to_be_visible()
            assert await it.visitor.axe() == []
            await menu.get_by_role("menuitemradio", name=choice).click()
            await it.plays(way)
        await page.reload()
        await it.plays("hls")
        await expect(await it.why()).to_contain_text("You chose this way")
        await page.locator(".live-badge").click()
        await page.get_by_role("menuitemradio", name="Best one first").click()
        await it.plays("webrtc")
