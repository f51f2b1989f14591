"""Every operation of sdk/openapi.json has one method, in both halves; and each is called, against the real server.

The arguments are the document's own examples. What the server says no to must be a declared error, and only what needs a camera
or a gateway may be refused; what it says yes to is held to the types of its fields.
"""

from __future__ import annotations

import inspect
import json
import keyword
import re
import types
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import anyio.to_thread
import httpx
import pytest
import tomllib
from nova_people import PASSWORD, add_user
from nova_world import World

from novavms import APIError, AsyncClient, AsyncPage, Client, Page
from novavms._model import Model
from novavms_server.kit.ids import new_id

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SDK = Path(__file__).parents[1]
API = json.loads((SDK.parent / "openapi.json").read_text())
SURFACE = tomllib.loads((SDK / "surface.toml").read_text())
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in API["paths"].items()
    for method, operation in methods.items()
}
METHODS: dict[str, str] = SURFACE["hand"] | {
    operation: f"{resource}.{method}"
    for resource, methods in SURFACE["resources"].items()
    for method, operation in methods.items()
}
REFUSED = {
    **{"createCamera": 400, "getCameraSnapshot": 409, "triggerCamera": 400},
    **{"discoverCameras": 409, "getEventClip": 404, "getEventSnapshot": 404, "pairGateway": 404},
    **{"resetPassword": 400, "acceptCameraMove": 409, "downloadExport": 409, "getCheckStages": 404},
    **{"createCameraClip": 409, "getCameraPlayback": 404, "getCameraThumbnails": 404},
}
"""What needs a device, or a secret that is told elsewhere: the status of the refusal."""
TAIL = (
    *(
        "nominateOwner",
        "getOwnerNomination",
        "withdrawOwnerNomination",
        "nominateOwner",
        "acceptOwnerNomination",
    ),
    *("changePassword", "logout"),
)
"""What has an order of its own: these come last, so."""


def test_each_operation_has_a_method_of_its_own() -> None:
    assert set(METHODS) == set(OPERATIONS)
    assert len(set(METHODS.values())) == len(METHODS)
    for half in (Client, AsyncClient):
        client = half(api_key="sk_live_test")
        for dotted in METHODS.values():
            found = method(client, dotted)
            assert callable(found)
            assert inspect.getdoc(found)


def method(client: Any, dotted: str) -> Any:
    for word in dotted.split("."):
        client = getattr(client, word)
    return client


def order() -> list[str]:
    """Reads, then what makes things, then what changes them, then what ends them: the inner ones first."""
    verbs = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    free = sorted(set(OPERATIONS) - set(TAIL) - {"login"})
    return [
        *sorted(free, key=lambda one: (verbs.index(OPERATIONS[one][0]), -OPERATIONS[one][1].count("/"))),
        *TAIL,
    ]


class Caller:
    """Calls operations of a client, and looks at what went out."""

    def __init__(self, client: Client | AsyncClient, ids: dict[str, str], sent: list[httpx.Request]) -> None:
        self.client = client
        self.ids = ids
        self.sent = sent

    async def run(self, function: Any, *positional: Any, **named: Any) -> Any:
        if isinstance(self.client, Client):
            return await anyio.to_thread.run_sync(lambda: function(*positional, **named))
        return await function(*positional, **named)

    async def call(self, operation_id: str) -> Any:
        verb, path, operation = OPERATIONS[operation_id]
        ids = {
            **self.ids,
            **{k.split(" ")[1]: v for k, v in self.ids.items() if k.startswith(f"{operation_id} ")},
        }
        body = (
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example", {})
        )
        named = {python(name): ids.get(name, value) for name, value in body.items()}
        if "cameras" in named:
            named["cameras"] = [each and ids["camera_id"] for each in named["cameras"]]
        named |= {f"{one}_ids": [ids[f"{one}_id"]] for one in ("site", "camera") if f"{one}_ids" in named}
        positional = [ids[name] for name in re.findall(r"{(\w+)}", path)]
        self.sent.clear()
        try:
            function = method(self.client, METHODS[operation_id])
            if operation_id == "streamChanges":
                return await self.run(
                    open_stream if isinstance(self.client, Client) else open_stream_async, function
                )
            return await self.run(function, *positional, **named)
        finally:
            asked = self.sent[0]
            assert asked.method == verb
            assert re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), asked.url.path), (asked.url.path, path)


def python(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def open_stream(function: Any) -> None:
    with function():
        pass


async def open_stream_async(function: Any) -> None:
    async with function():
        pass


async def make_ids(world: World, client: httpx.AsyncClient) -> dict[str, str]:
    """One object of each kind that a path or a body names."""

    async def made(path: str, body: dict[str, Any]) -> str:
        answer = await client.post(f"/api/v1{path}", json=body)
        assert answer.status_code in (200, 201, 202), answer.text
        return str(answer.json()["id"])

    ids = {"site_id": str(world.site), "check_id": str(new_id())}
    ids["gateway_id"] = await made(
        "/gateways/generate-pairing-code", {"site_id": ids["site_id"], "name": "Box"}
    )
    ids["account_id"] = await made("/service-accounts", {"name": "Alarm", "role": "operator"})
    ids["key_id"] = await made(f"/service-accounts/{ids['account_id']}/keys", {"name": "first"})
    ids["user_id"] = str((await add_user(world, "operator"))[0])
    ids["session_id"] = str(new_id())
    await world.sql(
        "INSERT INTO sessions (org_id, id, user_id, client_type, expires_at) VALUES (%s, %s, %s, 'api', now() + interval '1 day')",
        *(world.org, ids["session_id"], ids["user_id"]),
    )
    ids["nominateOwner user_id"] = str((await add_user(world, "admin", email="nominee@acme.example"))[0])
    ids["deleteSite site_id"] = str(world.ungranted_site)
    camera, event = ids["camera_id"], ids["event_id"] = str(UUID(int=1)), str(UUID(int=2))
    await world.sql(
        "INSERT INTO cameras (org_id, id, site_id, gateway_id, connection_mode, name, type, host, port, status)"
        " VALUES (%s, %s, %s, %s, 'gateway', 'Dock', 'rtsp', '192.0.2.1', 554, 'offline')",
        *(world.org, camera, world.site, ids["gateway_id"]),
    )
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at) VALUES (%s, %s, %s, %s, 'manual', now())",
        *(world.org, event, camera, world.site),
    )
    hour = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:05:00Z"}
    ids["grid_id"] = await made(
        "/grids", {"name": "Day", "columns": 1, "cameras": [camera], "is_shared": True}
    )
    ids["export_id"] = await made("/exports", {**hour, "camera_id": camera})
    ids["share_id"] = await made(f"/events/{event}/share", {"expires_in": "24h"})
    return ids


def conforms(value: Any, hint: Any) -> bool:
    """Is the value of this type, all through?"""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(conforms(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list) and all(conforms(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict)
    if isinstance(hint, type) and issubclass(hint, Model):
        hints = get_type_hints(hint)
        hints.pop("_secret", None)
        return type(value) is hint and all(
            conforms(getattr(value, name), kind) for name, kind in hints.items()
        )
    if hint is float:
        return isinstance(value, int | float)
    if hint is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, hint or type(None))


def check_result(result: Any) -> None:
    if isinstance(result, Page | AsyncPage):
        assert isinstance(result.total, int)
        assert all(conforms(item, type(item)) for item in result.data)
    elif isinstance(result, Model):
        assert conforms(result, type(result)), result
    else:
        assert result is None or isinstance(result, str | bytes)


@pytest.mark.parametrize("half", [Client, AsyncClient])
async def test_each_operation_works(world: World, half: type[Client] | type[AsyncClient]) -> None:
    await add_user(world, "owner", email="ada@example.com")
    ids = await make_ids(world, world.client("admin"))
    sent: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        sent.append(request)

    refused: dict[str, int] = {}
    worked: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        http: Any
        if half is Client:
            http = stack.enter_context(httpx.Client(verify=False, event_hooks={"request": [sent.append]}))
        else:
            asynchronous = httpx.AsyncClient(verify=False, event_hooks={"request": [note]})
            http = await stack.enter_async_context(asynchronous)
        owner = Caller(half(base_url=world.base_url, http_client=http), ids, sent)
        nominee = Caller(half(base_url=world.base_url, http_client=http), ids, sent)
        await nominee.run(nominee.client.auth.login, "nominee@acme.example", PASSWORD)
        worked["login"] = await owner.call("login")
        ids["refresh_token"] = worked["login"].refresh_token
        for operation_id in order():
            caller = nominee if operation_id == "acceptOwnerNomination" else owner
            try:
                worked[operation_id] = await caller.call(operation_id)
            except APIError as error:
                refused[operation_id] = error.status
    assert refused == REFUSED
    for result in worked.values():
        check_result(result)
    assert owner.client.tokens is None  # logged out
