"""Answers whose bytes were changed on the way: a typed error or an object, never anything else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from novavms import Client, NovaVMSError

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
CALLS: dict[str, Callable[[Client], Any]] = {
    "getCamera": lambda client: client.cameras.get("x"),
    "listCameras": lambda client: client.cameras.list(),
    "getEvent": lambda client: client.events.get("x"),
    "testCamera": lambda client: client.cameras.test(type="rtsp"),
    "getCameraRecordings": lambda client: client.cameras.recordings("x"),
    "login": lambda client: client.auth.login("ada@example.com", "x"),
}
ROUNDS = 100


def example(operation_id: str) -> bytes:
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            if operation["operationId"] == operation_id:
                good = next(answer for status, answer in operation["responses"].items() if status[0] == "2")
                return json.dumps(good["content"]["application/json"]["example"]).encode()
    raise AssertionError(operation_id)


def damaged(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def without_one(chance: random.Random, body: bytes) -> bytes:
    """Valid JSON, with a member gone or of another kind."""
    found = json.loads(body)
    name = chance.choice(list(found))
    found[name] = chance.choice([None, 5, "x", [], {}, [5], {"a": None}])
    if chance.random() < 0.5:
        del found[name]
    return json.dumps(found).encode()


@pytest.mark.parametrize("harm", [damaged, without_one])
@pytest.mark.parametrize("operation_id", CALLS)
def test_any_damage_is_a_typed_error_or_an_object(operation_id: str, harm: Callable[..., bytes]) -> None:
    chance = random.Random(operation_id)
    body = example(operation_id)

    def answer(_: httpx.Request) -> httpx.Response:
        status = chance.choice([200, 200, 200, 400, 500])
        return httpx.Response(status, content=harm(chance, body), headers={"retry-after": "garbage"})

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
        Client(api_key="sk_live_x", base_url="http://x", max_retries=0, http_client=http) as client,
    ):
        for _ in range(ROUNDS):
            try:
                repr(CALLS[operation_id](client))
            except NovaVMSError as error:
                str(error)
