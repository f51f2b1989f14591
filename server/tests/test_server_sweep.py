"""The third lock, tried on every route there is × every role × (own org, ungranted site, other org).

Routes are taken from the app itself. A new one fails here by its name until `SAMPLES` says how to make an object that its path
names, or `BODIES` what to send; there is no way to forget it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from nova_people import add_user, client_of
from nova_world import World

from novavms_server.feed.log import NewItem, tell
from novavms_server.kit.caller import Role
from novavms_server.kit.ids import new_id
from novavms_server.platform import render_document

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FREE = {"/healthz", "/readyz", "/metrics", "/docs", "/api/v1/openapi.json"}
SIGNED = (
    "/api/v1/store/",
    "/api/v1/play/",
    "/api/v1/relay/",
    "/api/v1/uploads/",
    "/api/v1/shared/",
    "/api/v1/live/",
    "/api/v1/live-in/",
)
"""Routes whose path itself is the credential: their own tests hold them."""


class Route(NamedTuple):
    method: str
    path: str
    public: bool
    role: Role | None
    documented: bool

    @property
    def names(self) -> list[str]:
        return re.findall(r"{(\w+):?\w*}", self.path)

    def url(self, ids: dict[str, UUID]) -> str:
        return re.sub(r"{(\w+):?\w*}", lambda found: str(ids[found[1]]), self.path)


def routes(world: World) -> Iterator[Route]:
    app: Any = world.server.app
    while not isinstance(app, Litestar):  # what stands before it
        app = app._app
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if not isinstance(handler, HTTPRouteHandler) or handler.fn.__module__.startswith("litestar."):
                continue
            if route.path in FREE or route.path.startswith(SIGNED):
                continue
            for method in handler.http_methods:
                yield Route(
                    str(method),
                    route.path,
                    bool(handler.opt.get("public")),
                    handler.opt.get("role"),
                    handler.resolve_include_in_schema(),
                )


SITE_SCOPED = {"site_id", "camera_id", "gateway_id", "event_id"}
"""Objects that stand on a site: a viewer without a grant for it gets 403."""

STREAM = "/api/v1/stream"
BEGINNING: dict[str, str] = {}
"""An id from before the first thing that is told."""

BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/users/{user_id}": {"display_name": "x"},
    "POST /api/v1/cameras/{camera_id}/clips": {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:01:00Z"},
    "POST /api/v1/auth/change-password": {"current_password": "x", "new_password": "Brand-New-99"},
}
"""Where `{}` would be refused before the object is looked for."""


async def make_objects(world: World, org: UUID, site: UUID, tag: str) -> dict[str, UUID]:
    """One object of each kind in the org, on the site."""
    ids = {
        name: new_id()
        for name in (
            "user_id",
            "session_id",
            "account_id",
            "key_id",
            "gateway_id",
            "camera_id",
            "event_id",
            "clip_id",
            "share_id",
            "export_id",
            "check_id",
            "grid_id",
        )
    }
    ids["site_id"] = site
    for statement in (
        "INSERT INTO users (org_id, id, email, display_name, role, password_hash)"
        " VALUES (%(org)s, %(user_id)s, %(tag)s || '@swept.example', 'Swept', 'operator', 'x')",
        "INSERT INTO sessions (org_id, id, user_id, client_type, expires_at)"
        " VALUES (%(org)s, %(session_id)s, %(user_id)s, 'api', now() + interval '1 day')",
        "INSERT INTO service_accounts (org_id, id, name, role) VALUES (%(org)s, %(account_id)s, %(tag)s, 'operator')",
        "INSERT INTO api_keys (org_id, id, service_account_id, prefix, hash)"
        " VALUES (%(org)s, %(key_id)s, %(account_id)s, 'sk_live_swep', %(tag)s::bytea)",
        "INSERT INTO gateways (org_id, id, site_id, name) VALUES (%(org)s, %(gateway_id)s, %(site_id)s, %(tag)s)",
        "INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, status)"
        " VALUES (%(org)s, %(camera_id)s, %(site_id)s, %(gateway_id)s, 'gateway', %(tag)s, 'rtsp', '192.0.2.1', 554, 'offline')",
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at)"
        " VALUES (%(org)s, %(event_id)s, %(camera_id)s, %(site_id)s, 'manual', now())",
        "INSERT INTO event_shares (org_id, id, event_id, token_hash, created_by, created_at, expires_at)"
        " VALUES (%(org)s, %(share_id)s, %(event_id)s, %(tag)s::bytea, 'system', now(), now() + interval '1 day')",
        "INSERT INTO exports (org_id, id, camera_ids, from_at, to_at, case_reference, created_by, status, deadline_at, created_at, updated_at)"
        " VALUES (%(org)s, %(export_id)s, ARRAY[%(camera_id)s]::uuid[], now() - interval '1 hour', now(), %(tag)s, 'system', 'pending',"
        " now() + interval '1 day', now(), now())",
        "INSERT INTO grids (org_id, id, user_id, name, columns, is_shared, created_at, updated_at)"
        " VALUES (%(org)s, %(grid_id)s, %(user_id)s, %(tag)s, 1, true, now(), now())",
        "INSERT INTO grid_cameras (org_id, grid_id, place, camera_id) VALUES (%(org)s, %(grid_id)s, 0, %(camera_id)s)",
    ):
        async with world.server.database.everywhere() as connection:
            await connection.execute(statement, {**ids, "org": org, "tag": tag})
    return ids


async def tell_of(world: World, org: UUID, ids: dict[str, UUID], tag: str) -> None:
    """What is told of such objects."""
    async with world.server.database.org(org) as connection:
        item = NewItem("camera", ids["site_id"], {**ids, "name": tag}, ids["camera_id"])
        await tell(connection, org, world.server.clock.now(), item)


async def call(client: httpx.AsyncClient, route: Route, ids: dict[str, UUID]) -> httpx.Response:
    if route.path == STREAM:
        return await read_along(client)
    key = f"{route.method} {re.sub(r':[a-z]+', '', route.path)}"
    body = BODIES.get(key, {}) if route.method in ("POST", "PATCH", "PUT") else None
    return await client.request(route.method, route.url(ids), json=body)


async def read_along(client: httpx.AsyncClient) -> httpx.Response:
    """An answer without an end: all that was told to the caller from the beginning on, up to the last thing told."""
    async with client.stream("GET", STREAM, params={"last_event_id": BEGINNING.get("id", "")}) as response:
        if response.status_code != 200:
            await response.aread()
            return response
        lines = []
        async for line in response.aiter_lines():
            lines.append(line)
            if "told last" in line:
                break
    return httpx.Response(200, text="\n".join(lines))


def unknown(route: Route, ids: dict[str, UUID]) -> list[str]:
    return [name for name in route.names if name not in ids]


@pytest.fixture
async def swept(world: World) -> tuple[dict[str, UUID], dict[str, UUID], dict[str, UUID]]:
    """Ids of objects on the granted site, on the ungranted one, and in the other org."""
    BEGINNING["id"] = world.server.services.streams.place(world.org, 0, world.server.clock.now())
    made = []
    for org, site, tag in (
        (world.org, world.site, "granted"),
        (world.org, world.ungranted_site, "ungranted"),
        (world.other_org, world.other_site, "foreign"),
    ):
        made.append(await make_objects(world, org, site, tag))
        await tell_of(world, org, made[-1], tag)
    await tell_of(world, world.org, made[0], "told last")
    return made[0], made[1], made[2]


Swept = tuple[dict[str, UUID], dict[str, UUID], dict[str, UUID]]


async def test_every_path_names_objects_that_this_sweep_can_make(world: World, swept: Swept) -> None:
    found = list(routes(world))
    assert len(found) > 40
    missing = {route.path: unknown(route, swept[0]) for route in found if unknown(route, swept[0])}
    assert missing == {}, "say in make_objects how to make these"


async def test_nobody_is_refused_everywhere(world: World, swept: Swept) -> None:
    """No credential: 401 on every route that is not public."""
    client = world.client(None)
    for route in routes(world):
        if not route.public:
            answer = await call(client, route, swept[0])
            assert (answer.status_code, answer.json()["error"]) == (401, "auth_required"), route


@pytest.mark.parametrize("role", ["viewer", "operator", "admin", "owner"])
async def test_another_orgs_objects_are_404_and_stay(world: World, swept: Swept, role: str) -> None:
    """404 and never 403, unless the role may not call the route at all; and nothing of the other org changes."""
    if role == "owner":
        client = await client_of(world, (await add_user(world, "owner"))[1])
    else:
        client = world.client(role)
    foreign = swept[2]
    before = await everything(world)
    for route in routes(world):
        if route.public or not route.names or unknown(route, foreign):
            continue
        assert route.role is not None
        answer = await call(client, route, foreign)
        wanted = 403 if Role[role] < route.role else 404
        if answer.status_code == 400 and wanted == 404:  # a body that this sweep does not know how to fill
            pytest.fail(f"{route.method} {route.path}: add a valid body to BODIES: {answer.text}")
        assert answer.status_code == wanted, (route, answer.text)
        assert str(foreign["site_id"]) not in answer.text
        assert "foreign" not in answer.text
    assert await everything(world) == before


async def test_every_list_of_another_org_is_closed(world: World, swept: Swept) -> None:
    """Lists show nothing of another org, and naming its objects as a filter finds nothing."""
    admin = world.client("admin")
    for route in routes(world):
        if route.method != "GET" or route.names or route.public:
            continue
        answer = await call(admin, route, {})
        assert answer.status_code in (200, 404), (route, answer.text)
        for value in swept[2].values():
            assert str(value) not in answer.text, route
        if route.path == STREAM:
            assert str(swept[1]["camera_id"]) in answer.text, "what is the org's own is told"
            continue
        for name in ("site_id", "gateway_id", "camera_id"):
            filtered = await admin.get(route.path, params={name: str(swept[2][name])})
            if filtered.status_code == 200 and "total" in filtered.json():
                assert filtered.json()["total"] == 0, (route, name)
            else:
                assert filtered.status_code in (200, 400, 404), (route, name, filtered.text)


async def test_a_viewer_gets_403_for_objects_of_an_ungranted_site_and_sees_none_in_lists(
    world: World, swept: Swept
) -> None:
    viewer = world.client("viewer")
    granted, ungranted, _ = swept
    for route in routes(world):
        if route.public or route.role != Role.viewer:
            continue
        if not route.names:
            if route.method == "GET":
                listed = await call(viewer, route, {})
                for name in SITE_SCOPED:
                    assert str(ungranted[name]) not in listed.text, (route, name)
        elif set(route.names) & SITE_SCOPED and not unknown(route, ungranted):
            refused = await call(viewer, route, ungranted)
            assert (refused.status_code, refused.json()["error"]) == (403, "forbidden"), (route, refused.text)
            allowed = await call(viewer, route, granted)
            assert allowed.status_code not in (401, 403), (route, allowed.text)


async def test_too_low_a_role_is_403_whatever_is_asked(world: World, swept: Swept) -> None:
    for role in ("viewer", "operator", "admin"):
        client = world.client(role)
        for route in routes(world):
            if route.public or route.role is None or Role[role] >= route.role:
                continue
            for ids in (swept[0], {name: uuid4() for name in swept[0]}):
                if unknown(route, ids):
                    continue
                answer = await call(client, route, ids)
                assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), (role, route)


async def test_the_document_has_every_route(world: World) -> None:
    """All that people's programs call; what only gateways call is in `protocol/`."""
    text = render_document()
    for route in routes(world):
        assert not route.documented or f'"{re.sub(r":[a-z]+", "", route.path)}": {{' in text, route


async def everything(world: World) -> list[Any]:
    """All rows of the other org, but for what asking itself leaves."""
    found = []
    for table in (
        "sites",
        "users",
        "sessions",
        "service_accounts",
        "api_keys",
        "gateways",
        "cameras",
        "events",
        "grids",
        "grid_cameras",
        "feed_items",
        "audit_log",
    ):
        found += await world.sql(
            f"SELECT '{table}', t::text FROM {table} t WHERE org_id = %s ORDER BY 2", world.other_org
        )
    return found
