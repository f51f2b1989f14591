"""Live pictures that stand still, and pictures that the browser cannot decode: in a real browser, on frames that are shown."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from nova_browser import NEEDS_BROWSER, visiting
from nova_people import PASSWORD, add_user
from nova_system import System
from playwright.async_api import Browser, WebSocketRoute, expect

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [*NEEDS_BROWSER, pytest.mark.timeout(180)]


class Cable:
    """Between page and server: passes on all that comes, until it is cut; then nothing is heard of it any more."""

    def __init__(self) -> None:
        self.is_cut = False
        self.connections = 0

    def plug(self, page: WebSocketRoute) -> None:
        self.connections += 1
        server = page.connect_to_server()
        mine = self.connections

        def to_page(message: str | bytes) -> None:
            if not (self.is_cut and mine == 1):
                page.send(message)

        server.on_message(to_page)


async def test_a_picture_that_stands_still_is_noticed_and_healed(system: System, browser: Browser) -> None:
    _, email = await add_user(system.world, "viewer", email="patient@acme.example")
    cable = Cable()
    async with AsyncExitStack() as stack:
        camera = await stack.enter_async_context(SimCam(SimCamConfig(name="Pier")))
        camera_id = await system.add(camera, None)
        await system.wait_status(camera_id, "online", within=40)
        visitor = await stack.enter_async_context(visiting(browser, system.world.base_url))
        await visitor.page.route_web_socket("**/mse*", cable.plug)
        await visitor.sign_in(email, PASSWORD, f"/cameras/{camera_id}")
        await visitor.watch(10, ".live")
        assert cable.connections == 1
        cable.is_cut = True
        async with asyncio.timeout(60):
            while cable.connections < 2:
                await asyncio.sleep(0.05)
        healed = await visitor.watch(10, ".live")
        assert (healed["frames"], healed["width"]) == (10, 768)
        await expect(visitor.page.locator(".live[data-way='mse'][data-phase='playing']")).to_be_visible()


async def test_what_the_browser_cannot_decode_is_said_in_a_plain_sentence(
    system: System, browser: Browser
) -> None:
    _, email = await add_user(system.world, "viewer", email="codec@acme.example")
    async with AsyncExitStack() as stack:
        camera = await stack.enter_async_context(SimCam(SimCamConfig(name="Crane", media="h265")))
        camera_id = await system.add(camera, None)
        await system.wait_status(camera_id, "online", within=40)
        visitor = await stack.enter_async_context(visiting(browser, system.world.base_url))
        await visitor.sign_in(email, PASSWORD, f"/cameras/{camera_id}")
        await visitor.see("Crane")
        can = await visitor.page.evaluate(
            "['hvc1.1.6.L120.90', 'hev1.1.6.L120.90'].some((codec) => MediaSource.isTypeSupported(`video/mp4; codecs=\"${codec}\"`))"
        )
        if can:
            assert (await visitor.watch(10, ".live"))["frames"] == 10
        else:
            said = visitor.page.get_by_text("The camera sends H.265, which this viewer can't decode")
            await expect(said).to_be_visible()
            await expect(visitor.page.locator(".live")).to_have_attribute("data-phase", "ended")
            assert await visitor.axe() == []
