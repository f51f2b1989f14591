"""A page whose main read takes its time, then fails: its shape, the API's own sentence, the request's id, and a button that heals it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_gateway import ScriptedGateway, connected
from nova_people import PASSWORD, add_user
from nova_recorder import add_camera
from nova_world import World
from playwright.async_api import Browser, Route, expect

from novavms_server.kit.ids import new_id

pytestmark = NEEDS_BROWSER

SENTENCE = "The disk of the database is full."
REQUEST = "req_3f2a9c51"
ERROR = json.dumps({"error": "internal_error", "message": SENTENCE, "request_id": REQUEST})


@pytest.fixture(scope="module")
async def gateway(shared_world: World) -> AsyncIterator[ScriptedGateway]:
    async with connected(shared_world) as made:
        yield made


@pytest.fixture(scope="module")
async def visitor(shared_world: World, browser: Browser, gateway: ScriptedGateway) -> AsyncIterator[Visitor]:
    """Signed in once, as an admin, of an organization with one of each."""
    camera = await add_camera(shared_world, gateway.id, status="offline", name="Ramp")
    await shared_world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at)"
        " VALUES (%s, %s, %s, %s, 'motion', now())",
        *(shared_world.org, new_id(), camera, shared_world.site),
    )
    _, email = await add_user(shared_world, "admin", email="patient@acme.example")
    # Chromium complains of each answer with 500: that is what is asked for here
    async with visiting(browser, shared_world.base_url, quiet=False) as made:
        await made.sign_in(email, PASSWORD, "/sites")
        await made.see("Sites")
        yield made
    assert {text for text in made.complaints if "status of 500" not in text} == set()


@pytest.mark.parametrize(
    ("path", "title", "read", "content"),
    [
        ("/cameras", "Cameras", r"cameras\?limit=48", ".tile"),
        ("/events", "Events", r"events\?", ".event-card"),
        ("/recordings", "Recordings", r"cameras\?limit=100", ".track-bar"),
        ("/gateways", "Gateways", r"gateways\?", "tbody tr"),
        ("/sites", "Sites", r"sites\?", "tbody tr"),
        ("/people", "Users and keys", r"users\?", "tbody tr"),
        ("/people?tab=accounts", "Users and keys", r"service-accounts\?", "tbody tr"),
        ("/live", "Live", r"cameras\?limit=100", ".cell"),
    ],
)
async def test_a_page_says_the_sentence_and_the_request_and_is_healed(
    visitor: Visitor, path: str, title: str, read: str, content: str
) -> None:
    page, address = visitor.page, re.compile("/api/v1/" + read)
    seen = asyncio.Event()

    async def refuse(route: Route) -> None:
        await seen.wait()
        await route.fulfill(status=500, content_type="application/json", body=ERROR)

    await page.route(address, refuse)
    await visitor.go(path, title)
    shape = await page.get_by_role("status", name="Loading").locator("span").first.bounding_box()
    assert shape is not None
    assert shape["width"] > 150
    assert shape["height"] > 40
    seen.set()
    alert = page.locator("main").get_by_role("alert")
    await expect(alert).to_have_count(1)
    await expect(alert).to_contain_text(SENTENCE)
    await expect(alert.locator("code")).to_have_text(REQUEST)
    await expect(page.locator(content)).to_have_count(0)
    await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    assert await visitor.axe() == []
    await page.unroute(address, refuse)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(content).first).to_be_visible()
    await expect(alert).to_have_count(0)
