"""Saved grids: wherever the person signs in, shared or not; and those that an older console kept in its browser."""

from __future__ import annotations

from uuid import UUID, uuid4

from nova_browser import NEEDS_BROWSER, Visitor, visiting
from nova_people import PASSWORD, add_user, client_of
from nova_world import World
from playwright.async_api import Browser, Locator, expect

from novavms_server.kit.ids import new_id

pytestmark = NEEDS_BROWSER


async def add_camera(world: World, name: str, site: UUID) -> str:
    camera_id = new_id()
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, connection_mode, name, type, host, port, status, enabled)"
        " VALUES (%s, %s, %s, 'direct', %s, 'rtsp', '192.0.2.1', 554, 'disabled', false)",
        *(world.org, camera_id, site, name),
    )
    return str(camera_id)


def entry(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("menuitem", name=name, exact=True)


async def entries(visitor: Visitor, *names: str) -> None:
    """The menu of grids, opened: these and what else it offers. It stays open."""
    await visitor.button("Grids")
    for name in names:
        await expect(entry(visitor, name)).to_be_visible()


async def shown(visitor: Visitor, *cells: str) -> None:
    found = visitor.page.locator(".cell")
    await expect(found).to_have_count(len(cells))
    assert [await cell.get_attribute("aria-label") for cell in await found.all()] == list(cells)


async def test_a_grid_is_there_in_another_browser_and_shared_with_what_one_may_see(
    world: World, browser: Browser
) -> None:
    await add_camera(world, "Gate", world.site)
    await add_camera(world, "Vault", world.ungranted_site)
    for role in ("operator", "viewer"):
        await add_user(world, role)
    async with (
        visiting(browser, world.base_url) as first,
        visiting(browser, world.base_url) as second,
        visiting(browser, world.base_url) as viewer,
    ):
        await first.sign_in("operator@acme.example", PASSWORD)
        await first.see("Live")
        await first.page.get_by_role("radio", name="2×2").click()
        await shown(first, "Gate", "Vault", "Empty place", "Empty place")
        await entries(first)
        await entry(first, "Save this grid").click()
        await first.page.get_by_label("Name of the grid").fill("Night shift")
        await first.page.get_by_text("Everyone in the organization may use it").click()
        assert await first.axe() == []
        await first.button("Save")
        await expect(first.page.get_by_text("The grid “Night shift” is saved.")).to_be_visible()

        await second.sign_in("operator@acme.example", PASSWORD)
        await second.page.get_by_role("radio", name="1×1").click()
        await entries(second, "Night shift · shared")
        assert await second.axe() == []
        await entry(second, "Night shift · shared").click()
        await shown(second, "Gate", "Vault", "Empty place", "Empty place")

        await viewer.sign_in("viewer@acme.example", PASSWORD)
        await entries(viewer, "Night shift · shared")
        await expect(viewer.page.get_by_role("menuitem")).to_have_count(
            2
        )  # nothing of it is theirs to change
        await entry(viewer, "Night shift · shared").click()
        await shown(viewer, "Gate", "Empty place", "Empty place", "Empty place")
        await entries(viewer)
        await entry(viewer, "Save this grid").click()
        await expect(viewer.page.get_by_label("Name of the grid")).to_be_visible()
        await expect(viewer.page.get_by_role("switch")).to_have_count(0)
        await viewer.page.keyboard.press("Escape")

        await stop_sharing(first)
        await viewer.page.reload()
        await entries(viewer)
        await expect(viewer.page.get_by_role("menuitem")).to_have_count(1)
        await delete_one_that_is_gone(world, second)


async def stop_sharing(visitor: Visitor) -> None:
    await entries(visitor)
    await entry(visitor, "Share or delete grids").click()
    switch = visitor.page.get_by_role("switch", name="Share “Night shift”")
    await expect(switch).to_be_checked()
    assert await visitor.axe() == []
    await visitor.page.get_by_role("dialog").get_by_text("Share", exact=True).click()
    await expect(switch).not_to_be_checked()
    await visitor.page.keyboard.press("Escape")
    await entries(visitor, "Night shift")
    await visitor.page.keyboard.press("Escape")


async def delete_one_that_is_gone(world: World, visitor: Visitor) -> None:
    """What the API says of it, and how to find the request."""
    client = await client_of(world, "operator@acme.example")
    (grid,) = (await client.get("/api/v1/grids")).json()["data"]
    assert grid["is_shared"] is False
    await visitor.page.reload()
    await entries(visitor, "Night shift")
    await entry(visitor, "Share or delete grids").click()
    await visitor.button("Delete “Night shift”")
    assert (await client.delete(f"/api/v1/grids/{grid['id']}")).status_code == 204
    await visitor.button("Delete")
    alert = visitor.page.get_by_role("alert")
    await expect(alert).to_contain_text("There is no such grid of yours")
    await expect(alert).to_contain_text("req_")


async def test_grids_that_an_older_console_kept_here_move_once(world: World, browser: Browser) -> None:
    camera = await add_camera(world, "Gate", world.site)
    person, email = await add_user(world, "operator")
    client = await client_of(world, email)
    taken = {"name": "Taken", "columns": 1, "cameras": [None]}
    assert (await client.post("/api/v1/grids", json=taken)).status_code == 201
    kept = {
        "now": {"layout": "2", "cells": [None, None, None, camera]},
        "saved": [
            {"name": "Taken", "layout": "2", "cells": [camera, str(uuid4()), camera, None]},
            {"name": "Old", "layout": "1", "cells": [camera]},
        ],
    }
    async with visiting(browser, world.base_url) as visitor:
        await visitor.page.goto(world.base_url)
        key = f"novavms.live.{person}"
        await visitor.page.evaluate(
            "([key, kept]) => localStorage.setItem(key, JSON.stringify(kept))", [key, kept]
        )
        await visitor.sign_in(email, PASSWORD)
        await shown(visitor, "Empty place", "Empty place", "Empty place", "Gate")
        await entries(visitor, "Old", "Taken", "Taken (2)")
        moved = {each["name"]: each["cameras"] for each in (await client.get("/api/v1/grids")).json()["data"]}
        assert moved == {"Old": [camera], "Taken": [None], "Taken (2)": [camera, None, None, None]}
        left = await visitor.page.evaluate("key => JSON.parse(localStorage.getItem(key))", key)
        assert left == {**kept, "saved": []}
        await visitor.page.reload()
        await shown(visitor, "Empty place", "Empty place", "Empty place", "Gate")
        await entries(visitor, "Old", "Taken", "Taken (2)")
        assert (await client.get("/api/v1/grids")).json()["total"] == 3
