"""WebRTC of a gateway's camera: who is offered it, the offer's way to the gateway and the answer's back, and what gateways may say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from nova_footage import add_camera
from nova_gateway import ScriptedGateway, connected, pair
from nova_live import ONVIF, until
from nova_world import World

from novavms_protocol.live import SDP_MAX, AnswerOffer
from novavms_server.live import answering

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
OFFER = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
ANSWER = OFFER.replace("o=-", "o=ü")
SDP = {"Content-Type": "application/sdp"}


@dataclass
class Box:
    """A gateway's end: `says` is its reply's result, or its error's word."""

    says: Any = field(default_factory=lambda: {"sdp": ANSWER})
    asked: list[AnswerOffer] = field(default_factory=list)
    holds: asyncio.Event | None = None

    async def serve(self, ask: Any) -> dict[str, Any] | str:
        assert isinstance(ask, AnswerOffer)
        self.asked.append(ask)
        if self.holds is not None:
            await self.holds.wait()
        said: dict[str, Any] | str = self.says
        return said


@dataclass
class Scene:
    world: World
    box: Box
    gateway: ScriptedGateway
    camera_id: UUID

    async def way(self, role: str = "operator", **query: Any) -> dict[str, Any]:
        """What is said of WebRTC, offered or not."""
        found = (await self.world.client(role).get(self._path, params=query)).json()
        offered = [each["type"] for each in found["protocols"]]
        if "webrtc" in offered:
            assert offered == ["mse", "webrtc", "hls"], "the viewer may not reach the gateway's network"
        return next(each for each in found["protocols"] + found["excluded"] if each["type"] == "webrtc")

    async def post(self, role: str = "operator", *, body: str = OFFER, tier: str = "main") -> Any:
        token = (await self.world.client(role).get(self._path)).json()["token"]
        url = f"/api/v1/live/{token}/whep" + ("" if tier == "main" else f"?tier={tier}")
        return await self.world.client(None).post(url, content=body, headers=SDP)

    async def reason(self, role: str = "operator") -> tuple[int, Any]:
        answer = await self.post(role)
        return answer.status_code, answer.json().get("reason")

    @property
    def _path(self) -> str:
        return f"/api/v1/cameras/{self.camera_id}/live"


@asynccontextmanager
async def scene(world: World, *, has_go2rtc: bool = True, **camera: Any) -> AsyncIterator[Scene]:
    box = Box()
    async with connected(world, serve=box.serve, has_go2rtc=has_go2rtc) as gateway:
        yield Scene(world, box, gateway, await add_camera(world, gateway, **camera))


async def test_an_offer_goes_to_the_cameras_gateway_and_its_answer_comes_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    elsewhere = Box()
    async with connected(world, serve=elsewhere.serve, has_go2rtc=True), scene(world) as it:
        way = await it.way()
        assert "gateway's own network" in way["reason"]
        assert way["url"].endswith("/whep")
        answer = await it.post()
        assert (answer.status_code, answer.content) == (201, ANSWER.encode())
        assert answer.headers["content-type"].startswith("application/sdp")
        assert it.box.asked == [AnswerOffer(camera_id=it.camera_id, tier="main", sdp=OFFER)]
        assert elsewhere.asked == []
        session = answer.headers["location"]
        assert (await world.client(None).delete(session)).status_code == 200
        assert (await it.post(body="v=0" + "x" * (SDP_MAX - 3))).status_code == 201
        assert (await it.post(body="v=0" + "x" * (SDP_MAX - 2))).status_code == 413
        assert (await it.post(body="hello")).status_code == 400
        assert (await it.post(tier="third")).status_code == 400
        assert len(it.box.asked) == 2, "none of these got there"
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("novavms"))
    assert "o=- 0 0" not in said


async def test_a_tier_is_asked_for_where_the_camera_may_have_it(world: World) -> None:
    async with scene(world, **ONVIF) as it:
        sub = await it.way(tier="sub")
        assert (sub["type"], sub.get("reason")) == ("webrtc", "codec"), "the check knows of none: no codec"
        await world.sql(
            "UPDATE cameras SET profiles = %s::jsonb WHERE id = %s",
            '[{"tier": "main", "codec": "h265"}, {"tier": "sub", "codec": "h264"}]',
            it.camera_id,
        )
        assert (await it.way(tier="sub"))["url"].endswith("/whep?tier=sub")
        assert (await it.way())["url"].endswith("/whep")
        await it.post(tier="sub")
        await world.sql("UPDATE cameras SET codec = 'h265' WHERE id = %s", it.camera_id)
        assert (await it.way())["url"].endswith("/whep?tier=sub"), "the one that WebRTC can carry"
        await it.post()
        assert [ask.tier for ask in it.box.asked] == ["sub", "sub"]


async def test_who_is_offered_it(world: World) -> None:
    async with scene(world) as it:
        for role in ("operator", "admin"):
            assert "url" in await it.way(role)
        assert (await it.way("viewer"))["reason"] == "rights_not_enforceable"
        assert await it.reason("viewer") == (403, "rights_not_enforceable")
        assert it.box.asked == []
    assert (await it.way())["reason"] == "gateway_offline"
    assert await it.reason() == (503, "gateway_offline")
    assert await it.reason("viewer") == (403, "rights_not_enforceable"), "what stays comes before what passes"
    async with scene(world, has_go2rtc=False) as it:
        way = await it.way()
        assert way["reason"] == "no_go2rtc"
        assert "NOVAVMS_GATEWAY_GO2RTC_URL" in way["message"]
        assert await it.reason() == (409, "no_go2rtc")
        assert it.box.asked == []


async def test_a_gateway_that_comes_back_with_a_go2rtc_is_known_by_its_hello(world: World) -> None:
    box, identity = Box(), await pair(world, world.site)
    async with connected(world, identity=identity, serve=box.serve) as gateway:
        it = Scene(world, box, gateway, await add_camera(world, gateway))
        assert (await it.way())["reason"] == "no_go2rtc"
    async with connected(world, identity=identity, serve=box.serve, has_go2rtc=True):
        assert "url" in await it.way()
        assert (await it.post()).status_code == 201


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("go2rtc_away", 503, "go2rtc_away"),
        ("unknown_camera", 503, "unknown_camera"),
        ("not_online", 503, "offline"),
        ("busy", 503, "busy"),
        ("unsupported", 503, "unsupported"),
        ("something of a newer version", 503, "internal"),
        ("refused", 400, None),
    ],
)
async def test_each_refusal_of_the_gateway_has_its_word(
    world: World, word: str, status: int, reason: str | None
) -> None:
    async with scene(world) as it:
        it.box.says = word
        answer = await it.post()
        assert (answer.status_code, answer.json().get("reason")) == (status, reason)
        assert word == reason or word not in answer.text
        if status == 503:
            assert answer.headers["retry-after"] == "5"
        else:
            assert answer.json()["details"][0]["field"] == "sdp"


LIES: dict[str, Any] = {
    "nothing": {},
    "null": {"sdp": None},
    "a number": {"sdp": 7},
    "a list": {"sdp": ["v=0"]},
    "a page": {"sdp": "<script>alert(1)</script>"},
    "too much": {"sdp": "v=0" + "x" * (SDP_MAX - 2)},
    "too much in few letters": {"sdp": "v=0" + "ü" * (SDP_MAX // 2)},
    "very much": {"sdp": "v=0" + "x" * 900_000},
}


async def test_lies_of_a_gateway_reach_nobody(world: World) -> None:
    async with scene(world) as it:
        for lie, said in LIES.items():
            it.box.says = said
            assert await it.reason() == (503, "bad_data"), lie
        it.box.says = {"sdp": ANSWER}
        assert (await it.post()).status_code == 201, "the next is believed again"


async def test_one_that_does_not_answer_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "ASK_SEC", 0.1)
    async with scene(world) as it:
        it.box.holds = asyncio.Event()
        assert await it.reason() == (503, "gateway_timeout")
        it.box.holds.set()


async def test_one_that_goes_in_between_is_offline(world: World) -> None:
    async with scene(world) as it:
        it.box.holds = asyncio.Event()
        asking = asyncio.create_task(it.reason())
        await until(lambda: it.box.asked)
    assert await asking == (503, "gateway_offline")


async def test_an_address_is_worth_no_more_than_its_holder(world: World) -> None:
    """Also one that was made when it was worth more; and another org's opens nothing here."""
    async with scene(world) as it:
        token = (await world.client("operator").get(it._path)).json()["token"]
        url = f"/api/v1/live/{token}/whep"
        post: Callable[[], Any] = lambda: world.client(None).post(url, content=OFFER, headers=SDP)  # noqa: E731
        assert (await world.client("admin", other=True).get(it._path)).status_code == 404
        await world.sql("UPDATE api_keys SET revoked_at = now()")
        assert (await post()).status_code == 403
        await world.sql("UPDATE api_keys SET revoked_at = NULL")
        await world.sql("UPDATE cameras SET deleted_at = now() WHERE id = %s", it.camera_id)
        assert (await post()).status_code == 404
        assert it.box.asked == []
