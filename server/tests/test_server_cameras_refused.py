"""What POST /cameras refuses without a check: bodies, addresses, sites and gateways that do not fit."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from nova_adding import onvif, rtsp, traces, without
from nova_gateway import connected, pair
from nova_world import World, make_world

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("rtsp", {"rtsp_url": None}, "rtsp_url"),
    ("rtsp", {"rtsp_url": ""}, "rtsp_url"),
    ("rtsp", {"rtsp_url": 7}, "rtsp_url"),
    ("rtsp", {"name": ""}, "name"),
    ("rtsp", {"name": "   "}, "name"),
    ("rtsp", {"name": "n" * 101}, "name"),
    ("rtsp", {"name": "a\u0000b"}, "name"),
    ("rtsp", {"name": "a\nb"}, "name"),
    ("rtsp", {"type": "hls"}, "type"),
    ("rtsp", {"connection_mode": "p2p"}, "connection_mode"),
    ("rtsp", {"site_id": "x"}, "site_id"),
    ("rtsp", {"gateway_id": None}, "gateway_id"),
    ("rtsp", {"gateway_id": 3}, "gateway_id"),
    ("rtsp", {"colour": "red"}, "colour"),
    ("rtsp", {"host": "192.0.2.1"}, "host"),
    ("rtsp", {"onvif_username": "x"}, "onvif_username"),
    ("rtsp", {"port": 554}, "port"),
    ("rtsp", {"rtsp_password": "p" * 257}, "rtsp_password"),
    ("rtsp", {"rtsp_password": "a\u0000"}, "rtsp_password"),
    ("onvif", {"host": None}, "host"),
    ("onvif", {"host": ""}, "host"),
    ("onvif", {"onvif_username": None}, "onvif_username"),
    ("onvif", {"onvif_password": None}, "onvif_password"),
    ("onvif", {"port": 0}, "port"),
    ("onvif", {"port": 65536}, "port"),
    ("onvif", {"port": "80"}, "port"),
    ("onvif", {"port": 80.5}, "port"),
    ("onvif", {"rtsp_url": "rtsp://192.0.2.1/x"}, "rtsp_url"),
]
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("rtsp", {"rtsp_url": "file:///etc/passwd"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "exec:reboot"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "ffmpeg:rtsp://192.0.2.1/x"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "http://192.0.2.1/x"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "rtsp://192.0.2.1:0/x"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "rtsp://192.0.2.1:65536/x"}, "rtsp_url", "invalid_url"),
    ("rtsp", {"rtsp_url": "rtsp://169.254.169.254/"}, "rtsp_url", "address_forbidden"),
    ("rtsp", {"rtsp_url": "rtsp://user:pw-in-a-refused-url@0xa9fea9fe/"}, "rtsp_url", "address_forbidden"),
    ("rtsp", {"rtsp_url": "rtsp://[::]/"}, "rtsp_url", "address_forbidden"),
    ("onvif", {"host": "224.0.0.1"}, "host", "address_forbidden"),
    ("onvif", {"host": "metadata.google.internal"}, "host", "address_forbidden"),
    ("onvif", {"host": "a b"}, "host", "invalid_url"),
    ("onvif", {"onvif_password": "a\u2028b"}, "onvif_password", "invalid_url"),
]


async def test_every_bad_body_is_a_400_that_names_its_field(world: World) -> None:
    async with connected(world) as gateway:
        operator = world.client("operator")
        makers = {"rtsp": rtsp, "onvif": onvif}
        before = await traces(world)
        for kind, change, field in BAD:
            answer = await operator.post("/api/v1/cameras", json=makers[kind](gateway, **change))
            assert answer.status_code == 400, (change, answer.text)
            assert answer.json()["error"] == "validation_error"
            assert [item["field"] for item in answer.json()["details"]] == [field], (change, answer.text)
            assert answer.json()["message"] == answer.json()["details"][0]["message"]
        for kind, change, field, reason in REFUSED:
            for path in ("/api/v1/cameras", "/api/v1/cameras/test"):
                body = makers[kind](gateway, **change)
                answer = await operator.post(
                    path, json=body if path.endswith("s") else without(body, "site_id", "name")
                )
                report = answer.json()
                if path.endswith("s"):
                    assert answer.status_code == 400, (change, answer.text)
                    assert [item["field"] for item in report["details"]] == [field], (change, answer.text)
                    report = report["check"]
                assert (report["ok"], report["reason"]) == (False, reason), (change, answer.text)
                assert report["hint"]
                assert "pw-in-a-refused-url" not in answer.text
        missing = await operator.post("/api/v1/cameras", json=without(rtsp(gateway), "rtsp_url"))
        assert missing.json()["message"] == "rtsp_url is required for type=rtsp"
        no_gateway = await operator.post("/api/v1/cameras", json=without(rtsp(gateway), "gateway_id"))
        assert no_gateway.json()["message"] == "gateway_id is required for connection_mode=gateway"
        many = await operator.post("/api/v1/cameras", json={"name": 1, "type": "onvif", "port": 0, "x": 1})
        assert [item["field"] for item in many.json()["details"]] == [
            "type",
            "port",
            "site_id",
            "name",
            "x",
        ] or {item["field"] for item in many.json()["details"]} == {"port", "site_id", "name", "x"}
        assert gateway.checks == [], "nothing of this reached the gateway"
        assert await traces(world) == before


async def test_malformed_and_oversized_bodies(world: World) -> None:
    operator = world.client("operator")
    headers = {"content-type": "application/json"}
    for content in (b"{", b"[]", b"null", b'"x"', b"\xff", b"{" * 5000):
        answer = await operator.post("/api/v1/cameras", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error"), content[:10]
    big = await operator.post("/api/v1/cameras", content=b" " * (10 << 20), headers=headers)
    assert (big.status_code, big.json()["error"]) == (413, "payload_too_large")


async def test_loopback_is_refused_unless_the_server_allows_it(database_url: str, tmp_path: Any) -> None:
    async with make_world(database_url, tmp_path, allow_loopback_cameras=False) as world:  # noqa: SIM117
        async with connected(world) as gateway:
            for url in ("rtsp://127.0.0.1/x", "rtsp://localhost/x", "rtsp://[::1]/x", "rtsp://2130706433/x"):
                answer = await world.client("operator").post(
                    "/api/v1/cameras", json=rtsp(gateway, rtsp_url=url)
                )
                assert (answer.status_code, answer.json()["reason"]) == (400, "address_forbidden"), url
            assert gateway.checks == []


async def test_site_and_gateway_have_to_be_the_orgs_own_and_fit(world: World) -> None:
    operator = world.client("operator")
    foreign_id, _ = await pair(world, world.other_site, other=True)
    async with connected(world) as gateway:
        for change, status in (
            ({"site_id": str(world.other_site)}, 404),
            ({"site_id": str(uuid4())}, 404),
            ({"gateway_id": str(foreign_id)}, 404),
            ({"gateway_id": str(uuid4())}, 404),
            ({"site_id": str(world.ungranted_site)}, 400),
        ):
            answer = await operator.post("/api/v1/cameras", json=rtsp(gateway, **change))
            assert answer.status_code == status, (change, answer.text)
            if status == 400:
                assert answer.json()["details"][0]["field"] == "gateway_id"
        assert gateway.checks == []
        # bad input is told before anything is looked up
        both = await operator.post(
            "/api/v1/cameras", json=rtsp(gateway, site_id=str(uuid4()), rtsp_url="exec:x")
        )
        assert both.status_code == 400


async def test_a_direct_camera_is_pending_at_once_and_keeps_to_its_networks(
    database_url: str, tmp_path: Any
) -> None:
    async with make_world(
        database_url, tmp_path, allow_loopback_cameras=False, direct_networks="10.1.0.0/16"
    ) as world:
        operator = world.client("operator")
        body = {
            **{"site_id": str(world.site), "name": "Far", "type": "rtsp", "connection_mode": "direct"},
            "rtsp_url": "rtsp://u:p@198.18.0.1/x",
        }
        for url, status in (
            ("rtsp://10.1.2.3/x", 201),
            ("rtsp://10.2.0.1/x", 400),
            ("rtsp://192.168.1.10/x", 400),
            ("rtsp://127.0.0.1/x", 400),
            ("rtsp://93.184.216.34/x", 201),
        ):
            made = await operator.post("/api/v1/cameras", json={**body, "rtsp_url": url})
            assert made.status_code == status, (url, made.text)
            if status == 201:
                assert (made.json()["status"], made.json()["gateway_id"]) == ("pending", None)
            else:
                assert made.json()["reason"] == "address_forbidden"
        with_gateway = await operator.post("/api/v1/cameras", json={**body, "gateway_id": str(uuid4())})
        assert with_gateway.json()["details"][0]["field"] == "gateway_id"


@pytest.fixture(scope="module")
def texts() -> Any:
    """Any text at all: the policy stage answers with a source or a refusal, and never lets a forbidden host through."""
    from hypothesis import strategies as st

    hosts = st.sampled_from(
        ["127.0.0.1", "0x7f000001", "[::1]", "169.254.169.254", "2852039166", "localhost", "192.0.2.1"]
    )
    pieces = st.one_of(
        st.text(max_size=12),
        hosts,
        st.sampled_from(["rtsp://", "rtsps://", "exec:", "@", ":", "/", "#", "%41", "\\"]),
    )
    return st.lists(pieces, max_size=8).map("".join)


def test_no_spelling_of_an_address_gets_past_the_policy(texts: Any) -> None:
    from hypothesis import given, settings

    from novavms_camera.rtsp.url import RtspUrl
    from novavms_server.cameras.errors import CheckFailed
    from novavms_server.cameras.models import CameraTest
    from novavms_server.cameras.sources import AddressRules, source_of

    rules = AddressRules()
    reasons: set[str] = set()

    @settings(max_examples=300, deadline=None)
    @given(text=texts, prefix=...)
    def try_it(text: str, prefix: bool) -> None:
        url = ("rtsp://" if prefix else "") + text
        asked = CameraTest(type="rtsp", gateway_id=uuid4(), rtsp_url=url or "x")
        try:
            source = source_of(asked, rules)
        except CheckFailed as refused:
            reasons.add(refused.extra["reason"])
            return
        assert source.rtsp_url is not None
        parsed = RtspUrl.parse(source.rtsp_url)
        assert rules.policy("gateway").refuse_host(parsed.host) is None
        assert (parsed.host, parsed.port) == (source.host, source.port)
        assert parsed.scheme in ("rtsp", "rtsps")

    try_it()
    assert reasons == {"invalid_url", "address_forbidden"}
