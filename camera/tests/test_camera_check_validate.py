"""Stage 0 without a network: addresses as people paste them, and what must never come out of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novavms_camera.address import AddressPolicy
from novavms_camera.check import validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource

POLICY = AddressPolicy()


def source_or_fault(**fields: Any) -> CameraSource | CameraFault:
    try:
        return validate_source(**fields)
    except CameraFault as fault:
        return fault


def test_userinfo_moves_into_its_own_fields() -> None:
    source = validate_source(
        kind="rtsp", rtsp_url="rtsp://admin:s%40fe@192.168.1.64:8554/live?ch=1", policy=POLICY
    )
    assert source.rtsp_url == "rtsp://192.168.1.64:8554/live?ch=1"
    assert (source.host, source.port, source.username) == ("192.168.1.64", 8554, "admin")
    assert source.password == Secret("s@fe")
    assert "s@fe" not in repr(source)


def test_explicit_fields_win_over_userinfo() -> None:
    source = validate_source(
        kind="rtsp", rtsp_url="rtsp://a:old@10.0.0.5/x", username="b", password="new", policy=POLICY
    )
    assert (source.username, source.password) == ("b", Secret("new"))


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("rtsp://10.0.0.5/x", "10.0.0.5", 554),
        ("RTSP://Cam.Example./x", "cam.example", 554),
        ("rtsps://10.0.0.5/x", "10.0.0.5", 322),
        ("rtsp://[fd12::7]:554/x", "fd12::7", 554),
        (" rtsp://10.0.0.5 ", "10.0.0.5", 554),
    ],
)
def test_good_addresses(url: str, host: str, port: int) -> None:
    source = validate_source(kind="rtsp", rtsp_url=url, policy=POLICY)
    assert (source.host, source.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        " ",
        "10.0.0.5/x",
        "http://10.0.0.5/x",
        "file:///etc/passwd",
        "exec:ffmpeg -i x",
        "ffmpeg:rtsp://10.0.0.5/x",
        "echo:rtsp://10.0.0.5/x",
        "rtsp:10.0.0.5/x",
        "rtsp://",
        "rtsp:///x",
        "rtsp://:554/x",
        "rtsp://10.0.0.5:0/x",
        "rtsp://10.0.0.5:65536/x",
        "rtsp://10.0.0.5:99999999999/x",
        "rtsp://10.0.0.5:port/x",
        "rtsp://10.0.0.5/x#backchannel=0",
        "rtsp://10.0.0.5/x\r\nTEARDOWN",
        "rtsp://10.0.0.5/x\n",
        "rtsp://10.0.0.5/\x00",
        "rtsp://10.0.0.5/a b",
        "rtsp://10.0.0.5\\@example.com/x",
        "rtsp://a..b/x",
        "rtsp://-cam/x",
        "rtsp://1.2.3.4.5/x",
        "rtsp://%31%30.0.0.5/x",
        "rtsp://[fd12::7/x",
        "rtsp://" + "a" * 3000 + "/x",
        "rtsp://" + "a" * 64 + ".example/x",
    ],
)
def test_bad_addresses(url: str | None) -> None:
    with pytest.raises(CameraFault) as caught:
        validate_source(kind="rtsp", rtsp_url=url, policy=POLICY)
    assert caught.value.reason == "invalid_url"
    assert caught.value.message.startswith(("rtsp_url:", "port:"))


@pytest.mark.parametrize("port", [0, -1, 65536, True])
def test_bad_ports(port: int) -> None:
    with pytest.raises(CameraFault) as caught:
        validate_source(kind="onvif", host="10.0.0.5", port=port, policy=POLICY)
    assert caught.value.reason == "invalid_url"


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", ["a\r\nX: y", "a\x00", "a\u2028", "x" * 257])
def test_credentials_cannot_forge_a_header(field: str, value: str) -> None:
    with pytest.raises(CameraFault) as caught:
        validate_source(kind="onvif", host="10.0.0.5", policy=POLICY, **{field: value})  # type: ignore[arg-type]
    assert caught.value.message.startswith(field)
    assert value not in caught.value.message


def test_onvif_needs_a_host_and_has_port_80() -> None:
    assert validate_source(kind="onvif", host="10.0.0.5", policy=POLICY).port == 80
    with pytest.raises(CameraFault):
        validate_source(kind="onvif", policy=POLICY)


passwords = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), max_codepoint=0x2FFF), min_size=1, max_size=40
)


@given(password=passwords, username=passwords)
def test_encoded_credentials_come_out_as_they_went_in(username: str, password: str) -> None:
    url = f"rtsp://{quote(username, safe='')}:{quote(password, safe='')}@192.168.1.64:8554/live"
    source = validate_source(kind="rtsp", rtsp_url=url, policy=POLICY)
    assert source.rtsp_url == "rtsp://192.168.1.64:8554/live"
    assert (source.username, source.password) == (username, Secret(password))


@given(password=st.text("abcXYZ019@:/#?%&!$ü漢", min_size=1, max_size=20))
def test_pasted_passwords_never_change_the_host(password: str) -> None:
    """Unencoded passwords are understood where they can be; where not, refused. The host is never taken from inside one."""
    marker = f"q{password}q"
    source = source_or_fault(
        kind="rtsp", rtsp_url=f"rtsp://admin:{marker}@192.168.1.64:8554/live", policy=POLICY
    )
    if isinstance(source, CameraFault):
        assert source.reason == "invalid_url"
        assert marker not in f"{source}{source.hint}"
        return
    assert source.host == "192.168.1.64"
    assert source.rtsp_url == "rtsp://192.168.1.64:8554/live"


@given(text=st.text(max_size=200))
def test_any_text_is_a_source_or_a_fault(text: str) -> None:
    for url in (text, f"rtsp://{text}", f"rtsp://10.0.0.5/{text}", f"rtsps://u:p@{text}/"):
        source = source_or_fault(kind="rtsp", rtsp_url=url, policy=POLICY)
        if isinstance(source, CameraFault):
            assert source.reason in {"invalid_url", "address_forbidden"}
            continue
        assert source.rtsp_url is not None
        parsed = RtspUrl.parse(source.rtsp_url)
        assert (parsed.host, parsed.port) == (source.host, source.port)
        assert POLICY.refuse_host(parsed.host) is None
        assert source.rtsp_url.isprintable()
    source = source_or_fault(kind="onvif", host=text, policy=POLICY)
    if isinstance(source, CameraFault):
        assert source.reason in {"invalid_url", "address_forbidden"}
    else:
        assert POLICY.refuse_host(source.host) is None
