"""HTTP answers as cameras send them: whole, in pieces, chunked, without an end, and not HTTP at all."""

from __future__ import annotations

import random

import pytest

from novavms_camera.faults import CameraFault
from novavms_camera.onvif.http_answer import MAX_BODY_BYTES, MAX_HEAD_BYTES, AnswerReader, NotHttp, Response

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n0003\r\nllo\r\n0\r\n\r\n"
ENDLESS = b"HTTP/1.0 200 OK\r\n\r\nhello"


def read(data: bytes, *, size: int = 1 << 20, ends: bool = False) -> tuple[Response | None, AnswerReader]:
    reader = AnswerReader()
    for at in range(0, len(data), size):
        answer = reader.feed(data[at : at + size])
        if answer is not None:
            return answer, reader
    return (reader.end() if ends else None), reader


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("data", "keeps_alive"),
    [
        (PLAIN, True),
        (PLAIN.replace(b"\r\n", b"\n"), True),
        (b"\r\n" + PLAIN, True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, True),
        (PLAIN.replace(b"1.1", b"1.0"), False),
        (PLAIN.replace(b"Server: x", b"Connection: Keep-Alive").replace(b"1.1", b"1.0"), True),
        (PLAIN.replace(b"Server: x", b"Connection: Close"), False),
        (PLAIN.replace(b"Server: x", b"no colon here\r\n folded"), True),
        (PLAIN.replace(b": 5", b": 5, 5"), True),
        (ENDLESS, False),
        (ENDLESS.replace(b"\r\n\r\n", b"\r\nContent-Length: many\r\n\r\n"), False),
    ],
)
def test_a_body_in_any_frame_and_in_any_pieces(data: bytes, keeps_alive: bool, size: int) -> None:
    answer, reader = read(data, size=size, ends=True)
    assert answer is not None
    assert (answer.status, answer.body, reader.keeps_alive) == (200, b"hello", keeps_alive)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_in_any_pieces(size: int) -> None:
    answer, _ = read(CHUNKED, size=size)
    assert answer is not None
    assert answer.body == b"hello"
    assert read(CHUNKED)[1].keeps_alive
    trailed, reader = read(CHUNKED[:-2] + b"X-Trailer: 1\r\n\r\n")
    assert (trailed is not None, reader.keeps_alive) == (True, False)


def test_what_was_not_asked_for_ends_the_connection() -> None:
    answer, reader = read(PLAIN + b"HTTP/1.1 200 OK\r\n")
    assert (answer is not None, reader.keeps_alive) == (True, False)


def test_headers_are_kept_apart_and_in_the_charset_they_came_in() -> None:
    head = 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="Tür"\r\nwww-authenticate:Basic\r\n'
    answer, _ = read(head.encode() + b"X: \xfcber\r\nContent-Length: 0\r\n\r\n")
    assert answer is not None
    assert answer.all("www-authenticate") == ['Digest realm="Tür"', "Basic"]
    assert (answer.first("x"), answer.first("y"), answer.body) == ("über", None, b"")


@pytest.mark.parametrize("data", [PLAIN, CHUNKED])
def test_an_end_in_the_middle_is_no_answer(data: bytes) -> None:
    for cut in range(len(data) - 4):
        answer, _ = read(data[:cut], ends=True)
        assert answer is None, cut


@pytest.mark.parametrize(
    ("data", "is_tls"),
    [
        (b"SSH-2.0-dropbear\r\n", False),
        (b"RTSP/1.0 400 Bad Request\r\n\r\n", False),
        (b"HTTP/2 200\r\n\r\n", False),
        (b"HTTP/1.1 ok\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", False),
        (b"\x15\x03\x03\x00\x02\x02\x28", True),
    ],
)
def test_what_is_not_http_is_said_at_once(data: bytes, is_tls: bool) -> None:
    with pytest.raises(NotHttp) as caught:
        read(data, size=64)
    assert caught.value.is_tls is is_tls


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b": 5", b": 5000000"),
        ENDLESS + b"x" * MAX_BODY_BYTES,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"8000\r\n" + b"x" * 32768 + b"\r\n") * 33,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    ],
)
def test_no_answer_is_read_beyond_its_bound(data: bytes) -> None:
    with pytest.raises(CameraFault, match="answer of over"):
        read(data, size=65536)


def test_garbage_raises_nothing_else() -> None:
    dice = random.Random(7)
    for _ in range(3000):
        data = bytearray(dice.choice((PLAIN, CHUNKED, ENDLESS)))
        for _ in range(dice.randrange(1, 5)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            read(bytes(data), size=dice.randrange(1, 40), ends=True)
        except (NotHttp, CameraFault):
            pass
