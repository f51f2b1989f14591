"""What is asked again, how often and after how long; under one idempotency key. On real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nova_scripted import Reply, ScriptedServer

from novavms import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseError,
    ServiceUnavailableError,
)

SITE = {
    **{"id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e", "name": "Harbour", "timezone": "UTC", "address": None},
    **{"version": 1, "created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"},
}
DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
ANSWER = DOCUMENT["paths"]["/api/v1/cameras/{camera_id}"]["get"]["responses"]["200"]
CAMERA: dict[str, Any] = ANSWER["content"]["application/json"]["example"]


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"error": code, "message": f"about {code}", "request_id": "req_1", **more}


def get(client: Any) -> Any:
    return client.sites.get("x")


def create(client: Any) -> Any:
    return client.sites.create(name="Harbour")


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_passes_is_asked_again(
    ask: Any, server: ScriptedServer, pauses: list[float], status: int
) -> None:
    server.say(status, error("busy")).say(status, error("busy")).say(200, SITE)
    assert ask(get).name == "Harbour"
    assert len(server.requests) == 3
    assert 0.25 <= pauses[0] <= 0.5
    assert 0.5 <= pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("status", "cls"), [(400, None), (401, AuthenticationError), (404, NotFoundError), (500, None)]
)
def test_what_stays_is_not(
    ask: Any, server: ScriptedServer, status: int, cls: type[Exception] | None
) -> None:
    server.say(status, error("no"))
    with pytest.raises(cls or Exception, match="about no"):
        ask(get)
    assert len(server.requests) == 1


def test_three_retries_by_default_and_as_many_as_wished(ask: Any, server: ScriptedServer) -> None:
    server.handler = lambda _: Reply(503, b'{"error": "unavailable", "message": "m", "request_id": "r"}')
    with pytest.raises(ServiceUnavailableError):
        ask(get)
    assert len(server.requests) == 4
    with pytest.raises(ServiceUnavailableError):
        ask(get, max_retries=0)
    assert len(server.requests) == 5


def test_retry_after_is_kept_to_a_minute(ask: Any, server: ScriptedServer, pauses: list[float]) -> None:
    server.say(429, error("rate_limited"), retry_after="7").say(200, SITE)
    ask(get)
    assert 7 <= pauses[0] <= 7.25
    server.say(429, error("rate_limited"), retry_after="900")
    with pytest.raises(RateLimitError) as raised:
        ask(get)
    assert raised.value.retry_after == 900
    assert len(server.requests) == 3


def test_retry_after_as_a_date_counts_by_the_servers_clock(
    ask: Any, server: ScriptedServer, pauses: list[float]
) -> None:
    dates = {"date": "Sun, 01 Mar 2020 12:00:00 GMT", "retry_after": "Sun, 01 Mar 2020 12:00:09 GMT"}
    server.say(503, error("unavailable"), **dates).say(200, SITE)
    ask(get)
    assert 9 <= pauses[0] <= 9.25


def test_a_create_has_one_key_in_all_its_tries(ask: Any, server: ScriptedServer) -> None:
    server.then(Reply(hang_up=True)).say(503, error("unavailable")).say(201, SITE)
    ask(create)
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    server.say(201, SITE)
    ask(create)
    assert server.requests[-1].headers["idempotency-key"] != keys[0]
    server.say(201, SITE)
    ask(lambda client: client.sites.create(name="x", idempotency_key="mine"))
    assert server.requests[-1].headers["idempotency-key"] == "mine"


def test_a_create_that_is_still_running_is_waited_for(ask: Any, server: ScriptedServer) -> None:
    server.then(Reply(hang_up=True)).say(409, error("conflict"), retry_after="1").say(201, SITE)
    assert ask(create).name == "Harbour"
    server.say(409, error("conflict"))
    with pytest.raises(ConflictError):
        ask(create)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(hang_up=True),
        Reply(200, b'{"id": "0198f2a4"}', {"content-type": "application/json"}, cut=5),
        Reply(200, b'{"id": "0198', {"content-type": "application/json"}),
        Reply(200, b"<html>Log in to the hotel", {"content-type": "text/html"}),
        Reply(200, b'{"id": "0198"}', {"content-type": "application/json"}),
        Reply(200, b"\x1f\x8bgarbled", {"content-encoding": "gzip"}),
    ],
    ids=["hung up", "cut", "half of the JSON", "a page", "members missing", "garbled gzip"],
)
def test_a_broken_answer_is_a_lost_connection(ask: Any, server: ScriptedServer, reply: Reply) -> None:
    server.then(reply).say(200, SITE)
    assert ask(get).id == SITE["id"]
    server.then(reply)
    with pytest.raises((APIConnectionError, ResponseError)):
        ask(get, max_retries=0)


def test_a_public_post_is_not_repeated_once_it_may_have_been_heard(ask: Any, server: ScriptedServer) -> None:
    def pair(client: Any) -> Any:
        return client.gateways.pair(pairing_code="A7B3CX")

    server.then(Reply(hang_up=True))
    with pytest.raises(APIConnectionError):
        ask(pair)
    server.say(502, error("bad_gateway"))
    with pytest.raises(InternalServerError):
        ask(pair)
    assert len(server.requests) == 2
    paired = {"gateway_id": "g", "gateway_token": "t", "org_id": "o", "site_id": "s", "name": "n"}
    server.say(429, error("rate_limited"), retry_after="1").say(201, paired)
    assert ask(pair).gateway_id == "g"
    assert all("idempotency-key" not in request.headers for request in server.requests)


def test_a_delete_that_an_earlier_try_did_is_done(ask: Any, server: ScriptedServer) -> None:
    server.then(Reply(hang_up=True)).say(404, error("not_found"))
    ask(lambda client: client.sites.delete("x"))
    server.say(429, error("rate_limited"), retry_after="0").say(404, error("not_found"))
    with pytest.raises(NotFoundError):
        ask(lambda client: client.sites.delete("x"))


def test_a_conditional_change_is_not_blamed_for_itself(ask: Any, server: ScriptedServer) -> None:
    server.then(Reply(hang_up=True)).say(200, SITE)
    assert ask(lambda client: client.sites.update("x", name="Harbour")).name == "Harbour"
    server.then(Reply(hang_up=True))
    with pytest.raises(APIConnectionError):
        ask(lambda client: client.sites.update("x", name="Harbour", if_match='"1"'))
    assert server.requests[-1].headers["if-match"] == '"1"'


def test_silence_ends_after_the_timeout(ask: Any, server: ScriptedServer) -> None:
    server.then(Reply(silent=True)).then(Reply(silent=True))
    with pytest.raises(APITimeoutError, match="no answer in time"):
        ask(lambda client: client.sites.get("x", timeout=0.05), max_retries=1)
    assert len(server.requests) == 2


def test_nobody_there(ask: Any, server: ScriptedServer) -> None:
    with pytest.raises(APIConnectionError, match="could not connect"):
        ask(get, base_url="http://127.0.0.1:1", max_retries=1)


def test_each_further_try_is_logged_without_secrets(
    ask: Any, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.then(Reply(hang_up=True)).say(503, error("unavailable")).say(200, CAMERA)
    with caplog.at_level("INFO", "novavms"):
        ask(lambda client: client.cameras.update("c", onvif_password="hush-hush"))
    lines = [record.getMessage() for record in caplog.records if record.name == "novavms"]
    assert len(lines) == 2
    assert "the connection was lost" in lines[0]
    assert "try 3 of 4" in lines[1]
    assert "hush" not in caplog.text
    assert "sk_live" not in caplog.text
