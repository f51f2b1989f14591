"""WebRTC through go2rtc's stand-in: the offer goes there and its answer back, who may, and each way it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from go2rtc_standin import ANSWER, Go2rtcStandin
from nova_world import World, make_world

from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused, Go2rtcUnknown
from novavms_server.kit.caller import Caller, Role
from novavms_server.live.answering import Readiness
from novavms_server.live.models import LiveCamera
from novavms_server.live.whep import SESSIONS_MAX, why_not_webrtc
from novavms_simcam import SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
OFFER = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
SDP = {"Content-Type": "application/sdp"}
PASSWORD = "s3cret-of-the-camera"


async def test_the_standin_answers_as_the_table_says() -> None:
    async with Go2rtcStandin() as go2rtc, httpx.AsyncClient(base_url=go2rtc.url) as http:
        go2rtc.streams["nova_1"] = ["rtsp://192.0.2.1/"]
        good = await http.post("/api/webrtc", params={"src": "nova_1"}, content=OFFER, headers=SDP)
        assert (good.status_code, good.headers["content-type"]) == (201, "application/sdp")
        assert "location" not in good.headers
        assert good.content == ANSWER
        for name, body, status in (("nova_1", b"hello", 500), ("nova_2", OFFER, 404)):
            answer = await http.post("/api/webrtc", params={"src": name}, content=body, headers=SDP)
            assert answer.status_code == status


async def test_the_client_tells_its_answers_apart() -> None:
    async with Go2rtcStandin() as standin:
        standin.streams["nova_1"] = ["rtsp://192.0.2.1/"]
        go2rtc = Go2rtc(standin.url, prefix="nova_", setting="NOVAVMS_GO2RTC_URL")
        assert await go2rtc.webrtc("nova_1", OFFER) == ANSWER
        assert standin.offers == [("nova_1", OFFER)]
        with pytest.raises(Go2rtcUnknown):
            await go2rtc.webrtc("nova_2", OFFER)
        with pytest.raises(Go2rtcRefused):
            await go2rtc.webrtc("nova_1", b"x")
        with pytest.raises(ValueError, match="ours"):
            await go2rtc.webrtc("theirs", OFFER)
        await standin.stop()
        with pytest.raises(Go2rtcAway):
            await go2rtc.webrtc("nova_1", OFFER)
        await go2rtc.close()


async def test_why_not() -> None:
    near = LiveCamera(
        **{"id": uuid4(), "org_id": uuid4(), "site_id": uuid4(), "gateway_id": None, "type": "rtsp"},
        **{"codec": "h264", "sub_codec": None, "stream_name": "nova_1"},
    )
    far = LiveCamera(
        **{name: getattr(near, name) for name in near.__struct_fields__} | {"gateway_id": uuid4()}
    )
    operator = Caller(near.org_id, "user", uuid4(), Role.operator, None, 1)
    viewer = replace(operator, role=Role.viewer, site_ids=frozenset({near.site_id}))
    cases: list[tuple[Caller, LiveCamera, str | None, Readiness, str | None]] = [
        (operator, near, "h264", "ready", None),
        (replace(operator, role=Role.owner), near, "h264", "ready", None),
        (operator, far, "h264", "ready", None),
        (operator, near, "h264", "no_go2rtc", "no_go2rtc"),
        (operator, far, "h264", "no_go2rtc", "no_go2rtc"),
        (operator, far, "h264", "gateway_offline", "gateway_offline"),
        (operator, near, "h265", "ready", "codec"),
        (operator, far, None, "gateway_offline", "codec"),
        (viewer, near, "h264", "ready", "rights_not_enforceable"),
        (viewer, far, "h264", "gateway_offline", "rights_not_enforceable"),
    ]
    for caller, camera, codec, readiness, reason in cases:
        without = why_not_webrtc(caller, camera, codec, readiness)
        assert (without.reason if without else None) == reason
        assert without is None or without.message.endswith(".")


@dataclass
class Scene:
    world: World
    go2rtc: Go2rtcStandin
    camera_id: str

    async def live(self, role: str = "operator") -> dict[str, Any]:
        answer = await self.world.client(role).get(f"/api/v1/cameras/{self.camera_id}/live")
        found: dict[str, Any] = answer.json()
        return found

    async def url(self, role: str = "operator") -> str:
        return f"/api/v1/live/{(await self.live(role))['token']}/whep"


@asynccontextmanager
async def beside_go2rtc(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Scene]:
    """A server with a go2rtc and a direct camera."""
    async with (
        SimCam(SimCamConfig(password=PASSWORD)) as cam,
        Go2rtcStandin(config_file=False) as go2rtc,
        make_world(database_url, folder, go2rtc_url=go2rtc.url, **settings) as world,
    ):
        body = {
            **{"site_id": str(world.site), "connection_mode": "direct", "name": "Gate", "type": "rtsp"},
            **{"rtsp_url": cam.rtsp_url, "rtsp_username": "admin", "rtsp_password": PASSWORD},
        }
        operator = world.client("operator")
        made = await operator.post("/api/v1/cameras", json=body)
        assert made.status_code == 201, made.text
        camera_id = made.json()["id"]
        async with asyncio.timeout(30):
            while (
                not go2rtc.streams
                or (await operator.get(f"/api/v1/cameras/{camera_id}")).json()["codec"] is None
            ):
                await asyncio.sleep(0.05)
        yield Scene(world, go2rtc, camera_id)


@pytest.mark.slow
async def test_an_offer_is_answered_and_a_session_named(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with beside_go2rtc(database_url, tmp_path) as it:
        found = await it.live()
        (url,) = (each["url"] for each in found["protocols"] if each["type"] == "webrtc")
        player = it.world.client(None)
        assert url.endswith("/whep")
        (name,) = it.go2rtc.streams
        answer = await player.post(url, content=OFFER, headers=SDP)
        assert (answer.status_code, answer.content) == (201, ANSWER)
        assert answer.headers["content-type"].startswith("application/sdp")
        session = answer.headers["location"]
        assert session.startswith(url + "/")
        assert it.go2rtc.offers == [(name, OFFER)]
        assert name not in str(answer.headers) + answer.text + str(found)
        assert (await player.patch(session, content=b"a=x", headers=SDP)).status_code == 405
        assert (await player.get(url)).status_code == 405
        told = await player.request("OPTIONS", url)
        assert (told.status_code, told.headers["allow"]) == (204, "OPTIONS, POST")
        other = session.replace(url, await it.url("admin"))
        assert (await player.delete(other)).status_code == 404, "another's"
        assert (await player.delete(session)).status_code == 200
        assert (await player.delete(session)).status_code == 404
        for secret in (PASSWORD, name, found["token"]):
            ours = [r.getMessage() for r in caplog.records if r.name.startswith("novavms")]
            assert secret not in "\n".join(ours)
        whep = it.world.server.live.whep
        whep._sessions.update({str(i): "x" for i in range(SESSIONS_MAX)})
        assert (await player.post(url, content=OFFER, headers=SDP)).status_code == 201
        assert len(whep._sessions) == SESSIONS_MAX, "bounded"


@pytest.mark.slow
async def test_each_way_it_can_fail_has_its_word(database_url: str, tmp_path: Path) -> None:
    async with beside_go2rtc(database_url, tmp_path) as it:
        url, player = await it.url(), it.world.client(None)

        async def error(
            address: str, body: bytes = OFFER, headers: dict[str, str] = SDP
        ) -> tuple[int, str, Any]:
            answer = await player.post(address, content=body, headers=headers)
            said = answer.json()
            return answer.status_code, said["error"], said.get("reason")

        for body in (b"", b"hello", b"v=0\xff"):
            answer = await player.post(url, content=body, headers=SDP)
            assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "sdp")
        assert await error(url, headers={"Content-Type": "application/json"}) == (
            *(415, "unsupported_media_type"),
            None,
        )
        assert await error(url, body=OFFER + b"a" * 65_536) == (413, "payload_too_large", None)
        assert await error("/api/v1/live/x/whep") == (401, "invalid_token", None)
        assert it.go2rtc.offers == [], "none of these got there"

        refused = [each for each in (await it.live("viewer"))["excluded"] if each["type"] == "webrtc"]
        assert refused[0]["reason"] == "rights_not_enforceable"
        assert await error(await it.url("viewer")) == (403, "forbidden", "rights_not_enforceable")

        it.go2rtc.streams.clear()  # it was started anew, without a configuration file
        assert (await player.post(url, content=OFFER, headers=SDP)).status_code == 201, "put back at once"

        async def refuse(*_: Any) -> tuple[int, str, bytes]:
            return 500, "text/plain", b"codecs not matched: rtsp://u:hunter2@h"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(it.go2rtc, "_answer", refuse)
            answer = await player.post(url, content=OFFER, headers=SDP)
            assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "sdp")
            assert "hunter2" not in answer.text
        await it.go2rtc.stop()
        assert await error(url) == (503, "unavailable", "go2rtc_away")
        await it.world.sql("UPDATE cameras SET codec = 'h265' WHERE id = %s", UUID(it.camera_id))
        assert await error(url) == (409, "conflict", "codec")
        await it.world.sql("UPDATE api_keys SET revoked_at = now()")
        assert await error(url) == (403, "forbidden", None)
