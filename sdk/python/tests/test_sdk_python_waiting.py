"""Waiting for a camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nova_scripted import Asked, Reply, ScriptedServer

from novavms import CameraStateError, WaitTimeoutError

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
ANSWER = DOCUMENT["paths"]["/api/v1/cameras/{camera_id}"]["get"]["responses"]["200"]
CAMERA: dict[str, Any] = ANSWER["content"]["application/json"]["example"]


@pytest.fixture
def states(server: ScriptedServer) -> list[str]:
    """The camera's, one after another; the last one stays."""
    found: list[str] = []
    told = [""]

    def answer(_: Asked) -> Reply:
        state = found.pop(0) if len(found) > 1 else found[0]
        if state != told[-1]:
            told.append(state)
        at = f"2026-03-01T12:{len(told):02}:00Z"
        return Reply(
            200, json.dumps({**CAMERA, "status": state, "status_at": at, "status_message": "Why."}).encode()
        )

    server.handler = answer
    return found


def test_until_it_is_online(ask: Any, states: list[str], pauses: list[float]) -> None:
    states += ["pending", "pending", "offline", "online"]
    assert ask(lambda client: client.cameras.wait_until("c")).status == "online"
    assert pauses == [0.25, 0.375, 0.5625]


def test_another_state_can_be_waited_for(ask: Any, states: list[str]) -> None:
    states += ["online", "disabled"]
    assert ask(lambda client: client.cameras.wait_until("c", "disabled")).status == "disabled"


def test_one_that_needs_a_person_is_not_waited_for(ask: Any, states: list[str]) -> None:
    states += ["pending", "error"]
    with pytest.raises(CameraStateError, match=r"is error: Why\.") as raised:
        ask(lambda client: client.cameras.wait_until("c"))
    assert raised.value.camera.status == "error"


def test_one_that_was_in_error_may_be_leaving_it(ask: Any, states: list[str]) -> None:
    states += ["error", "error", "pending", "online"]
    assert ask(lambda client: client.cameras.wait_until("c")).status == "online"


def test_not_for_ever(ask: Any, states: list[str]) -> None:
    states += ["offline"]
    with pytest.raises(WaitTimeoutError, match="offline") as raised:
        ask(lambda client: client.cameras.wait_until("c", timeout=0))
    assert isinstance(raised.value, TimeoutError)
