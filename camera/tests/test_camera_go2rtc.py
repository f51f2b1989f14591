"""The go2rtc client against the stand-in, and the stand-in against what go2rtc was seen to answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from go2rtc_standin import JPEG, Go2rtcStandin

from novavms_camera.go2rtc import SDP_MAX, Go2rtc, Go2rtcAway, Go2rtcRefused, is_plain_far, source_url
from novavms_camera.secret import Secret

pytestmark = pytest.mark.anyio
PASSWORD = "pä:ss@w/o#r?d%1"


def _client(url: str) -> Go2rtc:
    return Go2rtc(url, prefix="nova_", setting="NOVAVMS_GO2RTC_URL")


@pytest.fixture
async def standin() -> AsyncIterator[Go2rtcStandin]:
    async with Go2rtcStandin() as it:
        yield it


@pytest.fixture
async def go2rtc(standin: Go2rtcStandin) -> AsyncIterator[Go2rtc]:
    client = _client(standin.url)
    yield client
    await client.close()


async def test_the_standin_answers_as_the_table_says(standin: Go2rtcStandin) -> None:
    """Row by row, by plain HTTP."""
    url = "rtsp://u:p@127.0.0.1:1/a"
    async with httpx.AsyncClient(base_url=standin.url) as http:
        info = (await http.get("/api")).json()
        assert info.keys() == {"config_path", "host", "revision", "rtsp", "version"}
        put = await http.put("/api/streams", params={"name": "n", "src": url})
        assert (put.status_code, put.content) == (200, b"")
        assert (await http.get("/api/streams")).json() == {
            "n": {"producers": [{"url": url}], "consumers": None}
        }
        assert (await http.get("/api/streams", params={"src": "n"})).json()["producers"] == [{"url": url}]
        unknown = await http.get("/api/streams", params={"src": "x"})
        assert (unknown.status_code, unknown.content) == (404, b"\n")
        opened = await http.get("/api/streams", params={"src": "n", "video": "all"})
        assert opened.status_code == 500
        assert opened.text.startswith("streams: dial tcp 127.0.0.1:1: connect: connection refused")
        await http.put("/api/streams", params={"src": "rtsp://h/b"})
        assert standin.streams["rtsp://h/b"] == ["rtsp://h/b"]
        assert "n" in (await http.put("/api/streams", params={"name": "m"})).json()
        assert "m" not in standin.streams
        for source, words in (
            ("nope:x", "streams: source not supported"),
            ("exec:id", "streams: source from insecure producer"),
            ("echo:id", "streams: source from insecure producer"),
        ):
            refused = await http.put("/api/streams", params={"name": "bad", "src": source})
            assert (refused.status_code, refused.text.strip()) == (400, words)
        assert (await http.delete("/api/streams", params={"name": "n"})).status_code == 200
        assert "n" in standin.streams, "?name= does nothing"
        dead = await http.get("/api/frame.jpeg", params={"src": "n"})
        assert (dead.status_code, dead.content) == (200, b"")
        assert (await http.get("/api/frame.jpeg", params={"src": "x"})).status_code == 404
        assert (await http.delete("/api/streams", params={"src": "n"})).status_code == 200
        assert (await http.delete("/api/streams", params={"src": "n"})).status_code == 200
        assert "n" not in standin.streams
        standin.config_file = False
        odd = await http.put("/api/streams", params={"name": "n", "src": url})
        assert (odd.status_code, odd.text.strip()) == (400, "config file disabled")
        assert "n" in standin.streams
        await standin.restart()
        assert standin.streams == {}


async def test_put_counts_by_the_list_not_by_the_answer(standin: Go2rtcStandin, go2rtc: Go2rtc) -> None:
    source = source_url("rtsp://127.0.0.1:8554/stream/main?a=1&b=2", "ad min", Secret(PASSWORD))
    for config_file in (True, False):
        standin.config_file = config_file
        await go2rtc.put("nova_1", source)
        assert await go2rtc.sources() == {"nova_1": [source]}
        assert await go2rtc.names() == {"nova_1"}
        await go2rtc.delete("nova_1")
        await go2rtc.delete("nova_1")
        assert await go2rtc.names() == set()
    assert (await go2rtc.info()).version == "1.9.14"


async def test_the_password_arrives_whole_and_is_told_nobody(
    standin: Go2rtcStandin, go2rtc: Go2rtc, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = source_url("rtsp://192.0.2.1/live#x", "admin", Secret(PASSWORD))
    await go2rtc.put("nova_1", source)
    sent = standin.streams["nova_1"][0]
    parsed = httpx.URL(sent)
    assert (parsed.username, parsed.password, parsed.host) == ("admin", PASSWORD, "192.0.2.1")
    assert "#" not in sent, "what follows a # would be go2rtc's options"
    said = caplog.text + repr(source) + repr(go2rtc)
    for secret in (PASSWORD, "ss%40w", "p%C3%A4"):
        assert secret not in said


async def test_nothing_but_rtsp_of_ours_ever_gets_there(standin: Go2rtcStandin, go2rtc: Go2rtc) -> None:
    for name, source in (
        ("nova_1", "exec:id"),
        ("nova_1", "echo:id"),
        ("nova_1", "ffmpeg:rtsp://192.0.2.1/"),
        ("nova_1", "http://192.0.2.1/"),
        ("nova_1", "rtsp://192.0.2.1/#input=exec"),
        ("theirs", "rtsp://192.0.2.1/"),
    ):
        with pytest.raises(ValueError, match=r"ours|only rtsp"):
            await go2rtc.put(name, Secret(source))
    standin.streams["theirs"] = ["rtsp://h/"]
    with pytest.raises(ValueError, match="ours"):
        await go2rtc.delete("theirs")
    assert standin.calls == []


async def test_a_refusal_and_an_absence_are_told_apart(standin: Go2rtcStandin, go2rtc: Go2rtc) -> None:
    async def refuse(method: str, query: object, given: object) -> tuple[int, str, bytes]:
        return (
            (200, "application/json", b"{}")
            if method == "GET"
            else (400, "text/plain", b"rtsp://u:hunter2@h")
        )

    standin._streams = refuse  # type: ignore[method-assign]
    with pytest.raises(Go2rtcRefused) as refused:
        await go2rtc.put("nova_1", Secret("rtsp://192.0.2.1/"))
    assert "hunter2" not in str(refused.value)
    await standin.stop()
    with pytest.raises(Go2rtcAway):
        await go2rtc.names()


async def test_its_login(standin: Go2rtcStandin) -> None:
    standin.login = ("nova", "se:c/ret")
    without = _client(standin.url)
    with pytest.raises(Go2rtcAway, match="NOVAVMS_GO2RTC_URL"):
        await without.names()
    await without.close()
    with_login = _client(standin.url.replace("http://", "http://nova:se%3Ac%2Fret@"))
    assert await with_login.names() == set()
    await with_login.close()


async def test_an_answer_is_a_session_description_of_bounded_size_or_none(
    standin: Go2rtcStandin, go2rtc: Go2rtc, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.streams["nova_1"] = ["rtsp://192.0.2.1/"]
    largest = b"v=0" + b"x" * (SDP_MAX - 3)
    answers = [largest, largest + b"x", b"v=0\xff", b"<html>", b""]

    async def answer(*_: object) -> tuple[int, str, bytes]:
        return 201, "application/sdp", answers.pop()

    monkeypatch.setattr(standin, "_answer", answer)
    for _ in range(4):
        with pytest.raises(Go2rtcAway, match="no session description"):
            await go2rtc.webrtc("nova_1", b"v=0")
    assert await go2rtc.webrtc("nova_1", b"v=0") == largest


def test_the_judged_address_takes_the_place_of_the_name() -> None:
    for url, address, made in (
        ("rtsp://camera.test/live", "192.0.2.7", "rtsp://u:p%40@192.0.2.7/live"),
        ("rtsps://camera.test:322/a?b", "2001:db8::7", "rtsps://u:p%40@[2001:db8::7]:322/a?b"),
        ("rtsp://camera.test/live", None, "rtsp://u:p%40@camera.test/live"),
    ):
        assert source_url(url, "u", Secret("p@"), address=address).reveal() == made


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:1984", "ftp://127.0.0.1", "http://", "http://u:hunter2/x@127.0.0.1:1984", "http://[::1"],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^NOVAVMS_GO2RTC_URL must look like http://127\.0\.0\.1:1984$"):
        _client(url)


def test_which_way_to_it_is_unencrypted() -> None:
    near = ("http://127.0.0.1:1984", "http://u:p@localhost:1984", "http://[::1]:1984")
    assert not any(is_plain_far(url) for url in (*near, "https://go2rtc.test"))
    assert all(is_plain_far(url) for url in ("http://192.168.1.5:1984", "http://u:p@go2rtc:1984"))


async def test_a_picture(standin: Go2rtcStandin, go2rtc: Go2rtc) -> None:
    standin.streams["nova_1"] = [f"rtsp://127.0.0.1:{standin.port}/"]
    standin.streams["nova_2"] = ["rtsp://127.0.0.1:1/"]
    assert await go2rtc.jpeg("nova_1") == JPEG
    assert await go2rtc.jpeg("nova_2") is None
    assert await go2rtc.jpeg("nova_3") is None
