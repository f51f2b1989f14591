"""Which addresses may be dialled: every spelling that a socket, a resolver or a browser would take for a forbidden one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from novavms_camera.address import AddressPolicy, canonical_host, resolve_address
from novavms_camera.check import validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.source import CameraSource

pytestmark = pytest.mark.anyio

ALWAYS_REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "169.254.169.254",
    "169.254.1.1",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::ffff:224.0.0.1",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "2002:e000:1::",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "2001:db8::5efe:a9fe:a9fe",
    "::ffff:255.255.255.255",
]
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]
ORDINARY = ["192.168.1.64", "10.0.0.5", "172.16.3.4", "100.64.0.9", "8.8.8.8", "fd12:3456::1", "2a00:1450::1"]

LOOPBACK_SPELLINGS = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "cam.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0x0.0x0.0x1",
    "0177.0.0.1",
    "00000177.1",
    "017700000001",
    "[::1]",
    "::1",
    "[::1%lo]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "１２７.0.0.1",
    "127。0。0。1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "①②⑦.⓪.⓪.①",
]
FORBIDDEN_SPELLINGS = [
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.254.0xa9.254",
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1%eth0]",
    "[fe80::1%25eth0]",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "0",
    "0.0.0.0",
    "0x0",
    "255.255.255.255",
    "4294967295",
    "[ff02::1]",
]


def source_or_fault(**fields: Any) -> CameraSource | CameraFault:
    try:
        return validate_source(**fields)
    except CameraFault as fault:
        return fault


@pytest.mark.parametrize("text", ALWAYS_REFUSED)
def test_no_policy_opens_what_no_camera_can_have(text: str) -> None:
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    for policy in (
        AddressPolicy(),
        AddressPolicy(allow_loopback=True),
        AddressPolicy(public_only=True, allowed_networks=everything),
    ):
        why = policy.refuse(ip_address(text))
        assert why is not None, policy
        assert text in why or str(ip_address(text)) in why


@pytest.mark.parametrize("text", LOOPBACK)
def test_loopback_is_opened_by_its_own_switch_only(text: str) -> None:
    address = ip_address(text)
    assert AddressPolicy().refuse(address) is not None
    assert AddressPolicy(allowed_networks=(ip_network("127.0.0.0/8"),)).refuse(address) is not None
    assert AddressPolicy(allow_loopback=True).refuse(address) is None


@pytest.mark.parametrize("text", ORDINARY)
def test_a_gateway_dials_any_ordinary_address(text: str) -> None:
    assert AddressPolicy().refuse(ip_address(text)) is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("8.8.8.8", False),
        ("2a00:1450::1", False),
        ("192.168.1.64", True),
        ("10.1.2.3", True),
        ("100.64.0.9", True),
        ("fd12:3456::1", True),
        ("64:ff9b::10.0.0.1", True),
        ("2002:c0a8:101::", True),
        ("10.20.0.9", False),
        ("fd99::7", False),
    ],
)
def test_direct_mode_takes_public_addresses_and_the_organisations_own(text: str, refused: bool) -> None:
    policy = AddressPolicy(
        public_only=True, allowed_networks=(ip_network("10.20.0.0/16"), ip_network("fd99::/16"))
    )
    assert (policy.refuse(ip_address(text)) is not None) == refused


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS + FORBIDDEN_SPELLINGS)
@pytest.mark.parametrize("kind", ["onvif", "rtsp"])
def test_a_forbidden_address_is_refused_in_every_spelling(spelling: str, kind: str) -> None:
    bracketed = f"[{spelling}]" if ":" in spelling and not spelling.startswith("[") else spelling
    where = {"host": spelling} if kind == "onvif" else {"rtsp_url": f"rtsp://{bracketed}/live"}
    with pytest.raises(CameraFault) as caught:
        validate_source(kind=kind, policy=AddressPolicy(), **where)  # type: ignore[arg-type]
    # a URL with characters that no host name has is no URL; a bare host is always judged by what it means
    assert caught.value.reason in (
        {"address_forbidden"} if kind == "onvif" else {"address_forbidden", "invalid_url"}
    )
    if spelling.isascii() and "%" not in spelling:
        assert caught.value.reason == "address_forbidden"


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS)
async def test_what_the_switch_opens_is_dialled_in_one_spelling(spelling: str) -> None:
    """With loopback open, every spelling either becomes what it means or is refused; none is handed on as it came."""
    policy = AddressPolicy(allow_loopback=True)
    source = source_or_fault(kind="onvif", host=spelling, policy=policy)
    if isinstance(source, CameraFault):
        assert source.reason == "invalid_url"
        return
    assert source.host == canonical_host(source.host)
    if "localhost" not in source.host:
        assert ip_address(source.host)
        assert str(await resolve_address(source.host, policy)) == source.host


def test_an_address_that_systems_read_differently_is_refused() -> None:
    with pytest.raises(CameraFault) as caught:
        validate_source(kind="onvif", host="010.0.0.1", policy=AddressPolicy())
    assert caught.value.reason == "invalid_url"


async def test_a_name_is_judged_by_every_address_it_has() -> None:
    async def resolver(host: str) -> list[str]:
        return {"good.example": ["192.168.1.9"], "trap.example": ["192.168.1.9", "169.254.169.254"]}[host]

    assert str(await resolve_address("good.example", AddressPolicy(), resolver=resolver)) == "192.168.1.9"
    with pytest.raises(CameraFault) as caught:
        await resolve_address("trap.example", AddressPolicy(), resolver=resolver)
    assert caught.value.reason == "address_forbidden"
    assert "trap.example" in caught.value.message


async def test_a_name_prefers_ipv4_and_survives_a_scope() -> None:
    async def resolver(host: str) -> list[str]:
        return ["fd12::1", "192.168.1.9"]

    assert str(await resolve_address("both.example", AddressPolicy(), resolver=resolver)) == "192.168.1.9"


async def test_a_name_without_address_is_a_dns_fault() -> None:
    async def resolver(host: str) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(CameraFault) as caught:
        await resolve_address("nowhere.example", AddressPolicy(), resolver=resolver)
    assert caught.value.reason == "dns_failed"
    assert "nowhere.example" in caught.value.message
