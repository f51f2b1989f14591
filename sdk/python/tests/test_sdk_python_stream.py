"""The live stream: decoded from any cut of its bytes, made anew where it breaks, each item once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nova_scripted import Reply, ScriptedServer

from novavms import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ResponseError,
    ServiceUnavailableError,
)
from novavms._model import Unreadable
from novavms._sse import Decoder, ServerSentEvent
from novavms.types import GatewayItem, OtherItem, ResetItem

SSE = {"content-type": "text/event-stream; charset=utf-8", "connection": "close"}
AT = "2026-03-01T12:00:00Z"


def told(number: int, kind: str = "gateway", **data: Any) -> bytes:
    body = {"at": AT, "change": "created", "gateway_id": f"g{number}", "site_id": "s", "name": "ü", **data}
    return f"id: i{number}\nevent: {kind}\ndata: {json.dumps(body)}\n\n".encode()


HELLO = f'id: i0\nevent: hello\ndata: {{"at": "{AT}", "ping_sec": 15, "kept_hours": 24}}\n\n'.encode()


def endless(*parts: bytes, cut: int | None = None) -> Reply:
    """An answer that goes on until the connection ends."""
    body = b"".join(parts)
    return Reply(
        200, body if cut is None else body[:cut], {**SSE, "content-length": str(1 << 30)}, cut=len(body)
    )


def take(count: int, **asked: Any) -> Any:
    """The question that takes so many items: (their ids, the stream's last position)."""

    def question(client: Any) -> Any:
        stream = client.stream.events(**asked)
        if hasattr(client, "aclose"):
            return take_async(stream)
        with stream:
            return [next(stream) for _ in range(count)], stream.last_event_id

    async def take_async(stream: Any) -> Any:
        async with stream:
            return [await anext(stream) for _ in range(count)], stream.last_event_id

    return question


def test_items_are_typed(ask: Any, server: ScriptedServer) -> None:
    server.then(endless(HELLO, told(1), told(2, "comet", tail=3)))
    (first, second), last = ask(take(2, types=["gateway", "comet"], site_id="s"))
    assert isinstance(first, GatewayItem)
    assert (first.type, first.id, first.data.gateway_id, first.data.name) == ("gateway", "i1", "g1", "ü")
    assert isinstance(second, OtherItem)
    assert (second.type, second.name, second.data["tail"], last) == ("other", "comet", 3, "i2")
    asked = server.requests[0]
    assert asked.target == "/api/v1/stream?types=gateway%2Ccomet&site_id=s"
    assert asked.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in asked.headers


def test_a_broken_one_goes_on_after_its_last_item(
    ask: Any, server: ScriptedServer, pauses: list[float]
) -> None:
    whole = HELLO + told(1) + told(2)
    server.then(endless(whole, cut=len(whole) - 5))  # i2 was cut off: it is not there yet
    server.then(Reply(hang_up=True)).say(503, b"").then(endless(told(2), b": ping\nid: i7\n\n"))
    server.then(endless(told(8)))
    items, last = ask(take(3))
    assert [item.id for item in items] == ["i1", "i2", "i8"]
    assert last == "i8"
    positions = [request.headers.get("last-event-id") for request in server.requests]
    assert positions == [None, "i1", "i1", "i1", "i7"]
    assert len(pauses) == 4
    assert pauses[0] <= 0.5 <= pauses[2] * 2


def test_what_comes_twice_is_told_once(ask: Any, server: ScriptedServer) -> None:
    server.then(endless(told(1), told(1), told(2))).then(endless(told(1), told(2), told(3)))
    items, _ = ask(take(3))
    assert [item.id for item in items] == ["i1", "i2", "i3"]


def test_a_position_that_is_too_old_is_said(ask: Any, server: ScriptedServer) -> None:
    reset = f'id: i9\nevent: reset\ndata: {{"at": "{AT}", "reason": "too_old"}}\n\n'.encode()
    server.then(endless(HELLO, reset))
    (item,), last = ask(take(1, last_event_id="ancient"))
    assert isinstance(item, ResetItem)
    assert (item.data.reason, last) == ("too_old", "i9")
    assert server.requests[0].headers["last-event-id"] == "ancient"


@pytest.mark.parametrize(
    "garbage", [b"data: {not json\n\n", b"event: gateway\ndata: [1]\n\n", b"event: event\ndata: {}\n\n"]
)
def test_a_garbled_one_is_a_lost_one(ask: Any, server: ScriptedServer, garbage: bytes) -> None:
    server.then(endless(told(1), garbage)).then(endless(told(2)))
    items, _ = ask(take(2))
    assert [item.id for item in items] == ["i1", "i2"]


@pytest.mark.parametrize(
    ("reply", "cls"),
    [
        (
            Reply(400, b'{"error": "validation_error", "message": "types", "request_id": "r"}'),
            BadRequestError,
        ),
        (
            Reply(401, b'{"error": "invalid_token", "message": "gone", "request_id": "r"}'),
            AuthenticationError,
        ),
        (Reply(200, b"<html>", {"content-type": "text/html"}), ResponseError),
    ],
)
def test_a_refusal_is_raised(ask: Any, server: ScriptedServer, reply: Reply, cls: type[Exception]) -> None:
    server.then(endless(told(1))).then(reply)
    with pytest.raises(cls):
        ask(take(2))


def test_one_that_never_connected_gives_up(ask: Any, server: ScriptedServer) -> None:
    server.handler = lambda _: Reply(503, b'{"error": "unavailable", "message": "m", "request_id": "r"}')
    with pytest.raises(ServiceUnavailableError):
        ask(take(1), max_retries=2)
    assert len(server.requests) == 3
    server.then(endless(told(1)))
    with pytest.raises(ServiceUnavailableError):
        ask(take(2, max_reconnects=4))
    assert len(server.requests) == 3 + 5


def test_the_servers_wish_for_a_pause_is_kept(ask: Any, server: ScriptedServer, pauses: list[float]) -> None:
    server.then(endless(told(1), b"event: end\ndata: {}\n\nretry: 4200\n\n")).then(endless(told(2)))
    ask(take(2))
    assert pauses == [4.2]


def test_silence_is_a_lost_connection(
    ask: Any, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for half in ("_sync", "_async"):
        monkeypatch.setattr(f"novavms.{half}.stream.SILENCE_SEC", 0.05)
    server.then(Reply(silent=True)).then(Reply(silent=True))
    with pytest.raises(APIConnectionError, match="no answer in time"):
        ask(take(1, max_reconnects=1))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_any_cut_of_the_bytes_is_read_alike(end: str, size: int) -> None:
    text = '\ufeff: comment\nid: a\nevent: one\ndata: {"x":\ndata: "ü🙂"}\nother: y\n\nid\ndata:1\n\nid: b\n\ndata: half\n'
    data = text.replace("\n", end).encode()
    decoder = Decoder()
    found: list[ServerSentEvent] = []
    for start in range(0, len(data), size):
        found += decoder.feed(data[start : start + size])
    assert found == [("one", "a", '{"x":\n"ü🙂"}'), ("message", None, "1")]
    assert decoder.last_id == "b"


def test_an_event_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novavms._sse.MOST_CHARACTERS", 4000)
    decoder = Decoder()
    for _ in range(4):
        decoder.feed(b"data: " + b"x" * 1000 + b"\n")
    with pytest.raises(Unreadable):
        decoder.feed(b"data: x")
    with pytest.raises(Unreadable):
        Decoder().feed(b"x" * 4001)


def test_a_reset_that_was_cut_off_is_said_again(ask: Any, server: ScriptedServer) -> None:
    """`hello` has the new place already; going on from there would pass the loss over in silence."""
    hello = HELLO.replace(b"i0", b"i9")
    reset = f'id: i9\nevent: reset\ndata: {{"at": "{AT}", "reason": "too_old"}}\n\n'.encode()
    server.then(endless(hello)).then(endless(hello, reset)).then(endless(told(10)))
    items, _ = ask(take(2, last_event_id="ancient"))
    assert [item.type for item in items] == ["reset", "gateway"]
    assert [request.headers["last-event-id"] for request in server.requests] == ["ancient", "ancient", "i9"]


def test_its_place_is_known_before_anything_else_is_done(ask: Any, server: ScriptedServer) -> None:
    """Cut off before `hello`: nobody knows where it stood, so it begins anew. Cut off after: it goes on from there."""
    server.then(endless(b": ")).then(endless(HELLO)).then(endless(told(1)))
    items, _ = ask(take(1))
    assert [item.id for item in items] == ["i1"]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, None, "i0"]
