"""Adding cameras and seeing them change, in a real browser; the gateway is a script, so that its check can stand still."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_gateway import ScriptedGateway, bad_report, connected, works
from nova_people import PASSWORD, add_user
from nova_system import until
from nova_world import World
from playwright.async_api import Browser, Route, expect

from novavms_protocol import Check

pytestmark = NEEDS_BROWSER


async def fill(visitor: Visitor, password: str) -> None:
    page = visitor.page
    await page.get_by_label("Address", exact=True).fill("192.0.2.10")
    await page.get_by_label("User").fill("admin")
    await page.get_by_label("Password", exact=True).fill(password)
    await visitor.button("Check and add")


async def test_stages_appear_one_by_one_a_failure_has_its_hint_and_the_next_is_two_clicks_away(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "operator", email="adding@acme.example")

    async def answer(check: Check) -> dict[str, Any]:
        return await works(check) if check.password == "right" else bad_report("auth_failed")

    async with (
        connected(shared_world, answer=answer) as gateway,
        visiting(browser, shared_world.base_url) as visitor,
    ):
        gateway.tells_stages = True
        page = visitor.page
        await visitor.sign_in(email, PASSWORD, "/cameras/add")
        gateway.passing.set()
        await fill(visitor, "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("It said auth_failed.")
        await expect(page.get_by_role("alert")).to_contain_text("Do something.")
        await visitor.button("Change and try again")
        gateway.passing.clear()
        await fill(visitor, "right")
        stages = page.get_by_role("list").filter(has_text="First picture")
        await expect(stages).to_contain_text("Address")
        await expect(stages.locator(".running")).to_have_count(1)
        gateway.passing.set()
        await expect(page.get_by_text("It works")).to_be_visible()
        await page.get_by_label("Name").fill("Front door")
        await visitor.button("Add the next")
        await expect(page.get_by_label("User")).to_have_value("admin")
        await page.get_by_label("Address", exact=True).fill("192.0.2.11")
        await visitor.button("Check and add")
        await expect(page.get_by_text("It works")).to_be_visible()
        await visitor.button("Done")
        await visitor.see("Camera 192.0.2.11")
        names = [
            each["name"]
            for each in (await shared_world.client("operator").get("/api/v1/cameras")).json()["data"]
        ]
        assert sorted(names) == ["Camera 192.0.2.11", "Front door"]


async def add(world: World, gateway: ScriptedGateway, name: str) -> str:
    body = {"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": name, "type": "rtsp"}
    answer = await world.client("operator").post(
        "/api/v1/cameras", json={**body, "rtsp_url": f"rtsp://192.0.2.20:554/{name.replace(' ', '-')}"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_status_changes_without_a_reload_and_filters_are_the_apis(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "operator", email="watching@acme.example")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        yard = await add(shared_world, gateway, "Yard")
        await add(shared_world, gateway, "Gate")
        await visitor.sign_in(email, PASSWORD, "/cameras?view=%22list%22")
        row = page.locator(f"[data-camera='{yard}']")
        await expect(row).to_be_visible()
        await gateway.say(yard, "online")
        await expect(row).to_contain_text("Online")
        await gateway.say(yard, "offline", reason="frozen")
        await expect(row).to_contain_text("Offline")
        await expect(row.locator(".row-reason")).not_to_be_empty()
        await expect(row).to_contain_text(re.compile(r"for \d+ s"))
        await page.get_by_label("Search by name").fill("gat")
        await expect(row).to_have_count(0)
        await expect(page.get_by_role("link", name="Gate", exact=True)).to_be_visible()
        assert "q=gat" in page.url
        await page.get_by_label("Search by name").fill("")
        await page.get_by_role("button", name=re.compile("Any status")).click()
        await page.get_by_role("option", name="Offline").click()
        await expect(row).to_be_visible()
        await expect(page.get_by_role("link", name="Gate", exact=True)).to_have_count(0)
        # a camera that is added elsewhere is here without a reload, too
        await page.goto(f"{shared_world.base_url}/cameras")
        await visitor.see("Cameras")
        await expect(page.get_by_role("link", name="Gate", exact=True).last).to_be_visible()
        await add(shared_world, gateway, "Roof")
        await expect(page.get_by_role("link", name="Roof", exact=True).last).to_be_visible()


async def test_delete_can_be_undone_and_edit_and_disable_hold(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "operator", email="editing@acme.example")
    api = shared_world.client("operator")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        camera = await add(shared_world, gateway, "Stairs")
        await visitor.sign_in(email, PASSWORD, "/cameras")
        tile = page.locator(f"[data-camera='{camera}']")
        menu = page.get_by_role("button", name="Actions for Stairs")
        await menu.click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(tile).to_have_count(0)
        await visitor.button("Undo")
        await expect(tile).to_be_visible()
        await menu.click()
        await page.get_by_role("menuitem", name="Disable").click()
        await expect(tile).to_contain_text("Disabled")
        await menu.click()
        await page.get_by_role("menuitem", name="Edit").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Back stairs")
        await dialog.get_by_role("button", name="Save").click()
        await expect(tile).to_contain_text("Back stairs")
        found = (await api.get(f"/api/v1/cameras/{camera}")).json()
        assert (found["name"], found["status"]) == ("Back stairs", "disabled")
        await page.get_by_role("button", name="Actions for Back stairs").click()
        await page.get_by_role("menuitem", name="Delete").click()
        async with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
            await expect(tile).to_have_count(0)
        assert (await deleted.value).status == 204


async def test_a_deletion_holds_in_every_list_comes_back_when_refused_and_is_done_when_the_page_is_left(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "operator", email="deleting@acme.example")
    api = shared_world.client("operator")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        camera = await add(shared_world, gateway, "Attic")
        await visitor.sign_in(email, PASSWORD)
        await expect(page.locator(".cell[aria-label='Attic']")).to_be_visible()
        await page.get_by_role("link", name="Cameras").first.click()
        tile = page.locator(f"[data-camera='{camera}']")

        async def delete() -> None:
            await page.get_by_role("button", name="Actions for Attic").click()
            await page.get_by_role("menuitem", name="Delete").click()
            await expect(tile).to_have_count(0)

        # refused: it comes back, with the server's sentence
        refusal = {"error": "forbidden", "message": "Ask an operator.", "request_id": "r"}
        seen = asyncio.Event()

        async def refuse(route: Route) -> None:
            if route.request.method == "DELETE":
                await seen.wait()
                await route.fulfill(status=403, json=refusal)
            else:
                await route.continue_()

        await page.route(f"**/api/v1/cameras/{camera}", refuse)
        await delete()
        # what is read meanwhile does not have it, nor has the wall
        await add(shared_world, gateway, "Cellar")
        await expect(page.get_by_role("link", name="Cellar", exact=True).last).to_be_visible()
        await expect(tile).to_have_count(0)
        await page.get_by_role("link", name="Live").first.click()
        await expect(page.locator(".cell[aria-label='Cellar']")).to_be_visible()
        await expect(page.locator(".cell[aria-label='Attic']")).to_have_count(0)
        seen.set()
        await expect(page.get_by_text("Ask an operator.")).to_be_visible()
        await page.unroute_all()
        await page.get_by_role("link", name="Cameras").first.click()
        await expect(tile).to_be_visible()
        # left: it is done
        await delete()
        assert (await api.get(f"/api/v1/cameras/{camera}")).status_code == 200
        await page.goto("about:blank")

        async def gone() -> bool:
            return (await api.get(f"/api/v1/cameras/{camera}")).status_code == 404

        await until(gone, within=20, what="the camera is deleted")


async def test_a_wall_that_nobody_arranged_takes_in_what_is_added(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "operator", email="growing@acme.example")
    async with connected(shared_world) as gateway, visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        await add(shared_world, gateway, "Ground floor")
        await visitor.sign_in(email, PASSWORD)
        cells = page.locator(".cell:not([aria-label='Empty place'])")
        await expect(page.locator(".cell[aria-label='Ground floor']")).to_be_visible()
        before = [await cell.get_attribute("aria-label") for cell in await cells.all()]
        for name in (
            "First floor",
            "Second floor",
        ):  # the second one needs another layout, or the first one did
            await add(shared_world, gateway, name)
            await expect(page.locator(f".cell[aria-label='{name}']")).to_be_visible()
        after = [await cell.get_attribute("aria-label") for cell in await cells.all()]
        assert after == [*before, "First floor", "Second floor"]


async def test_a_lost_connection_is_said_and_heals_by_itself(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "viewer", email="offline@acme.example")
    async with (
        connected(shared_world) as gateway,
        visiting(browser, shared_world.base_url, quiet=False) as visitor,
    ):
        page = visitor.page
        await visitor.sign_in(email, PASSWORD, "/cameras")
        await visitor.see("Cameras")
        sent, told = asyncio.Event(), asyncio.Event()

        async def late(route: Route) -> None:
            sent.set()
            await told.wait()
            await route.fulfill(json={"data": [], "next_cursor": None, "total": 0})

        await page.route("**/api/v1/events?*", late)
        await page.get_by_role("link", name="Events").first.click()
        await sent.wait()
        await page.context.set_offline(True)
        bar = page.get_by_text("No connection to the server")
        await expect(bar).to_be_visible()
        async with page.expect_event("requestfinished", lambda request: "/events?" in request.url):
            told.set()  # an answer that was on its way says nothing of now
        await page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done)))")
        assert await bar.count() == 1
        await page.get_by_role("link", name="Cameras").first.click()
        await add(shared_world, gateway, "Meanwhile")
        await page.context.set_offline(False)
        await expect(bar).to_have_count(0, timeout=20_000)
        await expect(page.get_by_role("link", name="Meanwhile", exact=True).last).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 360)])
async def test_axe_finds_nothing_and_nothing_is_too_wide(
    shared_world: World, browser: Browser, theme: str, width: int
) -> None:
    _, email = await add_user(shared_world, "admin", email=f"axe{width}@acme.example")
    async with connected(shared_world) as gateway:
        camera = await add(shared_world, gateway, f"Camera at {width}")
        await gateway.say(camera, "offline", reason="frozen")
        async with visiting(browser, shared_world.base_url, theme=theme, width=width) as visitor:
            await visitor.page.goto(shared_world.base_url)
            await visitor.see("Sign in")
            found = {"sign in": await visitor.axe()}
            await visitor.sign_in(email, PASSWORD)
            await visitor.see("Live")
            for path, title in {
                "/live": "Live",
                "/cameras": "Cameras",
                "/cameras?view=%22list%22": "Cameras",
                f"/cameras/{camera}": f"Camera at {width}",
                "/cameras/add": "Add camera",
                "/events": "Events",
                "/recordings": "Recordings",
                "/gateways": "Gateways",
                f"/gateways/{gateway.id}": "Box",
                "/sites": "Sites",
                "/people": "Users and keys",
                "/nowhere": "",
            }.items():
                await visitor.page.goto(shared_world.base_url + path)
                if title:
                    await expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(title)
                await expect(visitor.page.get_by_role("status", name="Loading")).to_have_count(0)
                found[path] = await visitor.axe()
                assert await visitor.sideways() <= 0, path
    assert {path: told for path, told in found.items() if told} == {}
