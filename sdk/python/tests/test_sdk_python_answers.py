"""Answers and errors, read: unknown members, missing ones, times, secrets that do not print; and what goes out."""

from __future__ import annotations

import pickle
import sys
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from nova_scripted import Reply, ScriptedServer

import novavms
from novavms import (
    APIError,
    BadRequestError,
    CameraCheckError,
    InternalServerError,
    NovaVMSError,
    PermissionDeniedError,
    ResponseError,
)
from novavms._model import Unreadable, format_time, parse_time, read
from novavms.types import ApiKeyCreated, CheckReport, LoginAnswer, Site

SITE = {
    **{"id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e", "name": "Harbour", "timezone": "UTC", "address": None},
    **{"version": 1, "created_at": "2026-03-01T12:00:00.5Z", "updated_at": "2026-03-01T13:00:00+01:00"},
}


def test_a_newer_server_says_more_and_an_older_one_less() -> None:
    site = read(Site, {**SITE, "colour": "green"})
    assert site.created_at == datetime(2026, 3, 1, 12, 0, 0, 500_000, timezone.utc)
    assert site.updated_at == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    assert site.colour == "green"  # type: ignore[attr-defined]
    assert "green" not in repr(site)  # who knows what it is
    assert site == read(Site, SITE)
    without = {name: value for name, value in SITE.items() if name != "address"}
    assert read(Site, without).address is None
    few = {name: SITE[name] for name in ("id", "name", "address")}
    with pytest.raises(Unreadable, match="no Site"):
        read(Site, few)
    assert read(CheckReport, {"ok": True}).stages == []
    with pytest.raises(Unreadable):
        read(Site, ["not", "a", "site"])


def test_objects_are_values() -> None:
    site = read(Site, SITE)
    assert site == read(Site, SITE)
    with pytest.raises(AttributeError):
        site.name = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(site)) == site
    assert read(Site, site.to_dict()) == site
    assert site.to_dict()["updated_at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "microseconds"), [("", 0), (".1", 100_000), (".123456", 123_456), (".123456789", 123_456)]
)
@pytest.mark.parametrize(
    "reads_z", [sys.version_info >= (3, 11), False], ids=["as it is", "as Python 3.10 does"]
)
def test_times_have_a_zone_and_any_number_of_digits(
    text: str, microseconds: int, reads_z: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novavms._model._READS_Z", reads_z)
    for zone in ("Z", "+00:00"):
        found = parse_time(f"2026-03-01T12:00:00{text}{zone}")
        assert found == datetime(2026, 3, 1, 12, 0, 0, microseconds, timezone.utc)
    for bad in ("", "yesterday", "2026-03-01T12:00:00", None, 5):
        with pytest.raises(Unreadable):
            parse_time(bad)
    with pytest.raises(ValueError, match="time zone"):
        format_time(datetime(2026, 3, 1))  # noqa: DTZ001


def test_secrets_do_not_print() -> None:
    user = {
        "id": "u",
        "email": "e",
        "display_name": "d",
        "role": "admin",
        "org_id": "o",
        "must_change_password": False,
    }
    answer = read(
        LoginAnswer,
        {
            **{"access_token": "eyJ-hush", "refresh_token": "rt_hush", "user": user},
            "expires_at": "2026-03-01T12:00:00Z",
        },
    )
    key = read(
        ApiKeyCreated,
        {
            **{"id": "k", "name": None, "prefix": "sk_live_abcd", "key": "sk_live_abcd_hush"},
            **{"created_at": "2026-03-01T12:00:00Z", "expires_at": None},
        },
    )
    tokens = novavms.Tokens("eyJ-hush", "rt_hush")
    client = novavms.Client(api_key="sk_live_hush")
    for shown in (repr(answer), repr(key), repr(tokens), repr(client), str(answer), f"{key}"):
        assert "hush" not in shown
    assert "key=***" in repr(key)
    assert answer.access_token == "eyJ-hush"
    client.close()


def test_a_key_that_no_header_can_carry_is_refused_without_being_said() -> None:
    for key in ("sk_live_hush\nX-Evil: 1", "sk_live_höush", "", "   "):
        with pytest.raises(ValueError, match="api_key") as raised:
            novavms.Client(api_key=key)
        assert "sk_live" not in str(raised.value)


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"error": code, "message": f"about {code}", "request_id": "req_1", **more}


def test_errors_say_what_the_server_said(ask: Any, server: ScriptedServer) -> None:
    details = [{"field": "name", "message": "is needed"}]
    server.say(400, error("validation_error", details=details))
    with pytest.raises(BadRequestError) as raised:
        ask(lambda client: client.sites.get("x"))
    failure = raised.value
    assert (failure.status, failure.code, failure.request_id) == (400, "validation_error", "req_1")
    assert failure.details == [("name", "is needed")]
    assert str(failure) == "about validation_error (400, validation_error, req_1)"
    assert not isinstance(failure, CameraCheckError)
    copy = pickle.loads(pickle.dumps(failure))
    assert (type(copy), copy.details, str(copy)) == (BadRequestError, failure.details, str(failure))


def test_a_failed_check_brings_its_report(ask: Any, server: ScriptedServer) -> None:
    stage = {"name": "login", "ok": False, "reason": "auth_failed"}
    check = {
        "ok": False,
        "reason": "auth_failed",
        "message": "m",
        "hint": "h",
        "elapsed_ms": 9,
        "stages": [stage],
    }
    server.say(400, error("validation_error", reason="auth_failed", hint="Look at the password", check=check))
    with pytest.raises(CameraCheckError, match="auth_failed") as raised:
        ask(lambda client: client.cameras.create(name="x", site_id="s", type="onvif"))
    assert raised.value.reason == "auth_failed"
    assert raised.value.hint == "Look at the password"
    assert raised.value.check is not None
    assert raised.value.check.stages[0].name == "login"


@pytest.mark.parametrize(
    ("reply", "cls"),
    [
        (Reply(500, b"<h1>nginx</h1>", {"content-type": "text/html"}), InternalServerError),
        (Reply(404, b"<h1>nginx</h1>", {"content-type": "text/html"}), ResponseError),
        (Reply(403, b'{"message": "of another API"}', {"content-type": "application/json"}), ResponseError),
        (Reply(301, b"", {"location": "https://elsewhere.example/"}), ResponseError),
        (Reply(418, b'{"error": "teapot", "message": "m", "request_id": "r"}'), APIError),
        (
            Reply(403, b'{"error": "account_disabled", "message": "m", "request_id": "r"}'),
            PermissionDeniedError,
        ),
        (
            Reply(400, b'{"error": "e", "message": "m", "details": [5], "check": 5, "reason": 5}'),
            BadRequestError,
        ),
        (Reply(404, b"[" * 100_000), ResponseError),
    ],
)
def test_strange_answers_are_typed_errors(
    ask: Any, server: ScriptedServer, reply: Reply, cls: type[NovaVMSError]
) -> None:
    server.then(reply)
    with pytest.raises(cls) as raised:
        ask(lambda client: client.sites.get("x"))
    assert type(raised.value) is cls
    assert "nginx" not in str(raised.value)


def test_a_picture_comes_with_its_headers(ask: Any, server: ScriptedServer) -> None:
    server.say(200, b"\xff\xd8picture", content_type="image/jpeg", x_thumbnail_times="a,,b")
    picture = ask(lambda client: client.cameras.thumbnails("c", count=3))
    assert (picture, picture.media_type) == (b"\xff\xd8picture", "image/jpeg")
    assert picture.headers["X-Thumbnail-Times"] == "a,,b"
    assert server.requests[0].headers["accept"] == "image/jpeg"
    server.say(200, b"<html>", content_type="text/html")
    with pytest.raises(ResponseError):
        ask(lambda client: client.cameras.snapshot("c"), max_retries=0)


def test_not_given_is_left_out_and_none_is_null(ask: Any, server: ScriptedServer) -> None:
    server.say(200, SITE).say(200, SITE).say(200, SITE)
    ask(lambda client: client.sites.update("x", address=None))
    ask(lambda client: client.sites.update("x", name="Harbour"))
    ask(lambda client: client.sites.update("x"))
    assert [request.json for request in server.requests] == [{"address": None}, {"name": "Harbour"}, {}]


def test_what_goes_out(ask: Any, server: ScriptedServer) -> None:
    page = {"data": [], "next_cursor": None, "total": 0}
    server.handler = lambda _: Reply(200, b'{"data": [], "next_cursor": null, "total": 0}')
    site = UUID(SITE["id"])
    ask(
        lambda client: client.events.list(
            site_id=site,
            starred=True,
            date_from=date(2026, 3, 1),
            date_to=datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1))),
            q="a&b=ü",
            limit=None,
        )
    )
    asked = server.requests[-1]
    assert asked.path == "/api/v1/events"
    assert set(asked.target.partition("?")[2].split("&")) == {
        *(f"site_id={site}", "starred=true", "date_from=2026-03-01", "date_to=2026-03-02T00%3A00%3A00Z"),
        "q=a%26b%3D%C3%BC",
    }
    assert asked.headers["authorization"] == "Bearer sk_live_test"
    assert asked.headers["user-agent"] == f"novavms-python/{novavms.__version__}"
    assert page["total"] == 0


@pytest.mark.parametrize(
    ("given", "path"), [("../users", "..%2Fusers"), ("a/b?c#d", "a%2Fb%3Fc%23d"), (UUID(int=1), None)]
)
def test_an_id_stays_one_part_of_the_path(
    ask: Any, server: ScriptedServer, given: Any, path: str | None
) -> None:
    server.say(200, SITE)
    ask(lambda client: client.sites.get(given))
    assert server.requests[-1].target == f"/api/v1/sites/{path or given}"


@pytest.mark.parametrize("key", ["", "a\r\nX-Evil: 1", "ü"])
def test_a_header_is_what_headers_can_carry(ask: Any, server: ScriptedServer, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency_key"):
        ask(lambda client: client.sites.create(name="x", idempotency_key=key))
    with pytest.raises(ValueError, match="if_match"):
        ask(lambda client: client.sites.update("x", if_match=key))
    assert server.requests == []


@pytest.mark.parametrize("given", ["", " ", ".", ".."])
def test_an_empty_id_is_refused(ask: Any, server: ScriptedServer, given: str) -> None:
    with pytest.raises(ValueError, match="id is empty"):
        ask(lambda client: client.cameras.delete(given))
    assert server.requests == []


def test_the_version_read_goes_with_the_change(ask: Any, server: ScriptedServer) -> None:
    server.say(200, SITE, etag='"7"')
    site = ask(lambda client: client.sites.get("x"))
    assert site.etag == '"7"'
    server.say(200, SITE)
    ask(lambda client: client.sites.update("x", name="y", if_match=site.etag))
    assert server.requests[-1].headers["if-match"] == '"7"'
