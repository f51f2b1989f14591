"""Sign-in, roles, passwords, sites, people and keys, in a real browser against a real server."""

from __future__ import annotations

import re

import httpx
import pytest
from nova_browser import NEEDS_BROWSER, visiting
from nova_gateway import connected
from nova_people import PASSWORD, add_user
from nova_world import World
from playwright.async_api import Browser, expect

pytestmark = NEEDS_BROWSER
PLACES = ["Live", "Cameras", "Events", "Recordings", "Gateways", "Sites"]


@pytest.mark.parametrize(
    ("role", "places", "adds"),
    [
        ("viewer", PLACES, False),
        ("operator", PLACES, True),
        ("admin", [*PLACES, "Users and keys"], True),
    ],
)
async def test_each_role_sees_what_it_may(
    shared_world: World, browser: Browser, role: str, places: list[str], adds: bool
) -> None:
    _, email = await add_user(shared_world, role, email=f"{role}@roles.example")
    async with visiting(browser, shared_world.base_url) as visitor:
        await visitor.sign_in(email, PASSWORD)
        await visitor.see("Live")
        links = visitor.page.get_by_role("navigation", name="Main").get_by_role("link")
        assert [text.strip() for text in await links.all_inner_texts()] == places
        await visitor.go("/gateways", "Gateways")
        await expect(visitor.page.get_by_text("No gateways yet")).to_be_visible()
        assert await visitor.page.get_by_role("button", name="Pair a gateway").count() == int(adds)
        if role == "viewer":
            for path, title in (("/people", "Users and keys"), ("/cameras/add", "Add camera")):
                await visitor.go(path, title)
                await expect(visitor.page.get_by_text("Your role does not allow this page.")).to_be_visible()
                assert await visitor.page.get_by_role("textbox").count() == 0


async def test_a_wrong_password_says_the_apis_sentence_and_a_reload_stays_signed_in(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "operator", email="reload@acme.example")
    async with visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        await visitor.sign_in(email, "Wrong-Horse-1", "/events?starred=true")
        told = page.get_by_role("alert")
        answer = await shared_world.client(None).post(
            "/api/v1/auth/login", json={"email": "nobody@acme.example", "password": "Wrong-Horse-1"}
        )
        await expect(told).to_contain_text(answer.json()["message"])
        await expect(told).to_contain_text(re.compile(r"Request req_\w+"))
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.keyboard.press("Enter")
        await visitor.see("Events")
        await expect(page.get_by_role("checkbox", name="Starred")).to_be_checked()
        await page.reload()
        await visitor.see("Events")
        assert "novavms_refresh" not in await page.evaluate("document.cookie + JSON.stringify(localStorage)")
        await page.get_by_role("button", name="Your account").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await visitor.see("Sign in")
        await page.reload()
        await visitor.see("Sign in")


async def test_an_admin_adds_a_viewer_who_must_choose_a_password(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "admin", email="boss@acme.example")
    async with (
        visiting(browser, shared_world.base_url) as admin,
        visiting(browser, shared_world.base_url) as viewer,
    ):
        page = admin.page
        await admin.sign_in(email, PASSWORD, "/people")
        await admin.button("Add user")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Vera Viewer")
        await dialog.get_by_label("Email").fill("vera@acme.example")
        await dialog.get_by_text("Site 0").click()
        await dialog.get_by_role("button", name="Add user").click()
        password = await dialog.get_by_label("Temporary password").input_value()
        await dialog.get_by_role("button", name="Done").click()
        await expect(page.get_by_role("row", name=re.compile("Vera Viewer"))).to_contain_text("Site 0")

        page = viewer.page
        await viewer.sign_in("vera@acme.example", password, "/sites")
        await viewer.see("Choose your password")
        await page.get_by_label("Temporary password").fill(password)
        await page.get_by_label("New password", exact=True).fill("short")
        await page.get_by_label("New password, once more").fill("short")
        await viewer.button("Set password")
        await expect(page.get_by_role("alert")).to_contain_text("8")
        await page.get_by_label("New password", exact=True).fill(PASSWORD)
        await page.get_by_label("New password, once more").fill(PASSWORD)
        await viewer.button("Set password")
        await viewer.see("Sites")
        await expect(page.get_by_role("cell", name="Site 0")).to_be_visible()
        assert await page.get_by_role("cell", name="Site 1").count() == 0


async def test_a_key_is_shown_once_works_and_is_revoked(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "admin", email="keys@acme.example")
    async with visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        await visitor.sign_in(email, PASSWORD, "/people?tab=%22accounts%22")
        await visitor.button("Add service account")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Door system")
        await dialog.get_by_text("Site 1").click()
        await dialog.get_by_role("button", name="Add service account").click()
        await dialog.get_by_label("What is it for?").fill("front door")
        await dialog.get_by_role("button", name="Make a key").click()
        key = await dialog.get_by_label("Key", exact=True).input_value()
        async with httpx.AsyncClient(
            base_url=f"{shared_world.base_url}/api/v1", headers={"Authorization": f"Bearer {key}"}
        ) as program:
            assert [site["name"] for site in (await program.get("/sites")).json()["data"]] == ["Site 1"]
            await dialog.get_by_role("button", name="Revoke").click()
            await expect(dialog.get_by_text("Revoked")).to_be_visible()
            assert (await program.get("/sites")).status_code == 401
        await dialog.get_by_role("button", name="Close").click()
        assert key not in await page.content()


async def test_a_site_is_added_and_a_gateway_turns_green_when_it_arrives(
    shared_world: World, browser: Browser
) -> None:
    _, email = await add_user(shared_world, "admin", email="pairing@acme.example")
    async with visiting(browser, shared_world.base_url) as visitor:
        page = visitor.page
        await visitor.sign_in(email, PASSWORD, "/sites")
        await visitor.button("Add site")
        await page.get_by_label("Name").fill("Harbour")
        await page.get_by_label("Time zone").select_option("Europe/Berlin")
        await visitor.button("Save")
        await expect(page.get_by_role("row", name=re.compile("Harbour"))).to_contain_text("Europe/Berlin")
        await page.get_by_role("link", name="Gateways").first.click()
        await visitor.button("Pair a gateway")
        await page.get_by_label("Name").fill("Harbour box")
        await visitor.button("Make a code")
        code = (await page.locator("output").inner_text()).strip()
        await expect(page.get_by_text(re.compile(r"Good for \d+:\d\d"))).to_be_visible()
        paired = await shared_world.client(None).post("/api/v1/gateways/pair", json={"pairing_code": code})
        identity = (paired.json()["gateway_id"], paired.json()["gateway_token"])
        await expect(page.get_by_text("Paired. Waiting until it is online")).to_be_visible()
        async with connected(shared_world, identity=identity):
            await expect(page.get_by_text("The gateway is here")).to_be_visible()
            await visitor.button("Done")
            await expect(page.get_by_role("row", name=re.compile("Harbour box"))).to_contain_text("Online")
        await expect(page.get_by_role("row", name=re.compile("Harbour box"))).to_contain_text(
            "Offline", timeout=30_000
        )


async def test_a_first_visit_is_three_steps(shared_world: World, browser: Browser) -> None:
    _, email = await add_user(shared_world, "admin", email="first@globex.example", other=True)
    async with visiting(browser, shared_world.base_url, width=360) as visitor:
        page = visitor.page
        await visitor.sign_in(email, PASSWORD)
        await expect(
            page.get_by_role("heading", name="Three steps to the first live picture")
        ).to_be_visible()
        assert await visitor.axe() == []
        assert await visitor.sideways() <= 0
        await visitor.button("Pair a gateway")
        await visitor.button("Make a code")
        code = (await page.locator("output").inner_text()).strip()
        paired = await shared_world.client(None).post("/api/v1/gateways/pair", json={"pairing_code": code})
        identity = (paired.json()["gateway_id"], paired.json()["gateway_token"])
        async with connected(shared_world, identity=identity):
            await visitor.button("Done")
            await expect(page.get_by_text("Gateway is here.")).to_be_visible()
            await page.get_by_role("link", name="Add a camera").click()
            await visitor.see("Add camera")
