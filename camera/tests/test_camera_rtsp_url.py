"""Addresses as people paste them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.url import RtspUrl, split_credentials

PRINTABLE = "".join(c for c in string.printable if c.isprintable())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://10.0.0.5/live", ("rtsp://10.0.0.5/live", None, None)),
        ("RTSP://10.0.0.5:8554/live?a=b", ("rtsp://10.0.0.5:8554/live?a=b", None, None)),
        ("rtsp://admin:pw@10.0.0.5:554/a", ("rtsp://10.0.0.5:554/a", "admin", "pw")),
        ("rtsp://admin@cam/a", ("rtsp://cam/a", "admin", None)),
        ("rtsp://admin:@cam/a", ("rtsp://cam/a", "admin", "")),
        ("rtsp://admin:p%40ss@cam.lan/a", ("rtsp://cam.lan/a", "admin", "p@ss")),
        ("rtsp://admin:p@ss@cam.lan/a", ("rtsp://cam.lan/a", "admin", "p@ss")),
        ("rtsp://admin:p/s#s?1@10.0.0.5/a", ("rtsp://10.0.0.5/a", "admin", "p/s#s?1")),
        ("rtsp://admin:12/34@10.0.0.5/a", ("rtsp://10.0.0.5/a", "admin", "12/34")),
        ("rtsp://10.0.0.5/live/user@example.com", ("rtsp://10.0.0.5/live/user@example.com", None, None)),
        ("rtsp://user:pw@10.0.0.5/live/a@b.c", ("rtsp://10.0.0.5/live/a@b.c", "user", "pw")),
        ("rtsps://u:p@[fe80::1]:322/x", ("rtsps://[fe80::1]:322/x", "u", "p")),
        ("rtsp://cam/Straße", ("rtsp://cam/Stra%C3%9Fe", None, None)),
        ("rtsp://cam/a%20b", ("rtsp://cam/a%20b", None, None)),
    ],
)
def test_credentials_are_split_out(url: str, expected: tuple[str, str | None, str | None]) -> None:
    assert split_credentials(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rtsp://",
        "http://10.0.0.5/a",
        "exec:rm",
        "rtsp:///path",
        "rtsp://cam:0/a",
        "rtsp://cam:65536/a",
        "rtsp://cam:port/a",
        "rtsp://cam/a\r\nX: y",
        "rtsp://u:secret@/a",
        "rtsp://[::1/a",
        "rtsp://cam/" + "a" * 5000,
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(CameraFault) as caught:
        split_credentials(url)
    assert caught.value.reason == "invalid_url"
    assert "secret" not in str(caught.value)


@given(st.text(min_size=1), st.text())
def test_what_is_formatted_is_parsed_back(username: str, password: str) -> None:
    url = RtspUrl.parse("rtsp://10.0.0.5:8554/live/ch1?x=1").with_credentials(username, password)
    assert url.isascii()
    assert split_credentials(url) == ("rtsp://10.0.0.5:8554/live/ch1?x=1", username, password)


@given(st.text(alphabet=PRINTABLE.replace("%", ""), min_size=1))
def test_an_unencoded_password_of_any_printable_characters_is_found(password: str) -> None:
    # What begins with digits up to a slash reads as a port; what looks like another address does not occur.
    url = f"rtsp://admin:{password}@192.168.1.64:554/Streaming/Channels/101"
    clean = ("rtsp://192.168.1.64:554/Streaming/Channels/101", "admin", password)
    if password.strip() == password and "@" not in password:
        assert split_credentials(url) == clean


@given(st.text())
def test_any_text_is_an_address_or_a_fault(text: str) -> None:
    for candidate in (text, "rtsp://" + text):
        try:
            clean, _, _ = split_credentials(candidate)
        except CameraFault as fault:
            if fault.reason != "invalid_url":
                raise
        else:
            assert split_credentials(clean)[0] == clean
