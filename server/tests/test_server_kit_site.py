"""The web console's files in front of the API."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar.types import Receive, Scope, Send

from novavms_server.kit.site import FOR_EVER, NOT_BUILT, Site, security_policy

pytestmark = pytest.mark.anyio
PAGE = {"Accept": "text/html,application/xhtml+xml"}


async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for the application behind: says that it was reached."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-api", b"yes")]})
    await send({"type": "http.response.body", "body": b"{}", "more_body": False})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "console"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>NovaVMS</title>")
    (built / "assets" / "index-1a2b3c.js").write_text("run()")
    (built / "assets" / "index-1a2b3c.js.gz").write_bytes(gzip.compress(b"run()"))
    (built / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not for anybody")
    return built


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Site(api, folder, reserved=frozenset({"api", "docs", "healthz"}))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
        yield client


async def test_a_page_is_never_kept_and_its_assets_are_kept_for_ever(site: httpx.AsyncClient) -> None:
    page = await site.get("/", headers=PAGE)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    script = await site.get("/assets/index-1a2b3c.js", headers={"Accept-Encoding": "gzip"})
    assert script.text == "run()"
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"].encode() == FOR_EVER
    plain = await site.get("/assets/index-1a2b3c.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == ("run()", False)
    icon = await site.get("/icon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = await site.get("/icon.svg", headers={"If-None-Match": icon.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/cameras", "/cameras/0199a1f2", "/events?starred=true", "/index.html"])
async def test_addresses_of_the_pages_router_are_the_page(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path, headers=PAGE)
    assert answer.text == "<!doctype html><title>NovaVMS</title>"


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/api/v1/nothing", "text/html"),
        ("GET", "/docs", "text/html"),
        ("GET", "/docs/deeper", "text/html"),
        ("GET", "/healthz", "text/html"),
        ("GET", "/nothing", "application/json"),
        ("GET", "/assets/index-gone.js", "text/html"),
        ("GET", "/../secret.txt", "*/*"),
        ("GET", "/%2e%2e/secret.txt", "*/*"),
        ("POST", "/", "text/html"),
    ],
)
async def test_everything_else_is_the_apis(
    site: httpx.AsyncClient, method: str, path: str, accept: str
) -> None:
    answer = await site.request(method, path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers.get("x-api")) == (404, "yes")


async def test_a_missing_page_says_how_to_build_it_and_a_new_one_is_taken(
    site: httpx.AsyncClient, folder: Path
) -> None:
    index = folder / "index.html"
    index.rename(folder / "kept")
    assert (await site.get("/", headers=PAGE)).content == NOT_BUILT
    (folder / "kept").rename(index)
    assert "NovaVMS" in (await site.get("/", headers=PAGE)).text
    index.write_text("newer")
    os.utime(index, ns=(1, 1))
    assert (await site.get("/", headers=PAGE)).text == "newer"


def test_a_store_of_ones_own_may_show_pictures_and_video_and_run_nothing() -> None:
    policy = dict(part.split(" ", 1) for part in security_policy(["https:"]).decode().split("; "))
    assert policy["media-src"] == "'self' blob: https:"
    assert policy["script-src"] == "'self'"
