"""`on_stage`: the stages of a check, told while the call that began it waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from nova_scripted import Asked, Reply, ScriptedServer

from novavms import CameraCheckError, PermissionDeniedError

STAGES: list[dict[str, Any]] = [
    {"name": "policy", "ok": True, "ms": 1.0, "reason": None, "detail": None},
    {"name": "login", "ok": False, "ms": 2.0, "reason": "auth_failed", "detail": None},
]
REPORT = {
    **{"ok": True, "reason": None, "message": None, "hint": None, "elapsed_ms": 3.0},
    **{"stages": STAGES, "warnings": [], "facts": {}},
}
REFUSED = {
    **{"error": "validation_error", "message": "No.", "request_id": "r", "reason": "auth_failed"},
    **{"hint": "Do.", "check": {**REPORT, "ok": False}},
}


def reply(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


def check(client: Any, on_stage: Callable[[Any], object]) -> Any:
    return client.cameras.test(
        type="onvif", host="192.0.2.10", gateway_id="g", onvif_username="u", on_stage=on_stage
    )


@pytest.fixture
def answers(server: ScriptedServer) -> dict[str, Reply]:
    """What the check is answered: not before its first stage was asked for, which is not before it began."""
    begun, asked = threading.Event(), threading.Event()
    answers = {"POST": reply(200, REPORT)}

    def handle(request: Asked) -> Reply:
        if request.method == "POST":
            begun.set()
            assert asked.wait(10)
            return answers["POST"]
        if not begun.is_set():
            return reply(404, {"error": "not_found", "message": "Not yet.", "request_id": "r"})
        after = int(parse_qs(urlsplit(request.target).query).get("after", ["0"])[0])
        asked.set()
        shown = STAGES[after : after + 1]
        return reply(200, {"stages": shown, "next": after + len(shown), "ended": after + 1 == len(STAGES)})

    server.handler = handle
    return answers


def test_each_stage_is_told_once_before_the_answer(
    ask: Any, server: ScriptedServer, answers: dict[str, Reply]
) -> None:
    told: list[str] = []
    assert ask(lambda client: check(client, lambda stage: told.append(stage.name))).ok
    assert told == ["policy", "login"]
    (began,) = [one for one in server.requests if one.method == "POST"]
    (check_id,) = parse_qs(urlsplit(began.target).query)["check_id"]
    assert all(one.path.endswith(check_id) for one in server.requests if one.method == "GET")


def test_those_of_a_check_that_fails_too(ask: Any, answers: dict[str, Reply]) -> None:
    told: list[Any] = []
    answers["POST"] = reply(400, REFUSED)
    with pytest.raises(CameraCheckError, match="No"):
        ask(lambda client: check(client, told.append))
    assert [stage.reason for stage in told] == [None, "auth_failed"]


def test_what_the_callback_raises_is_logged_and_the_answer_given(
    ask: Any, answers: dict[str, Reply], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise ValueError("of the callback")

    assert ask(lambda client: check(client, fail)).ok
    assert "on_stage raised" in caplog.text


def test_a_check_that_was_refused_before_it_began_has_none(ask: Any, server: ScriptedServer) -> None:
    def handle(request: Asked) -> Reply:
        status, word = (403, "forbidden") if request.method == "POST" else (404, "not_found")
        return reply(status, {"error": word, "message": "No.", "request_id": "r"})

    server.handler = handle
    told: list[Any] = []
    with pytest.raises(PermissionDeniedError):
        ask(lambda client: check(client, told.append))
    assert told == []
