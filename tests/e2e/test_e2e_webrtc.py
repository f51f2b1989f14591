"""WebRTC of a gateway's camera through the whole system: server, real gateway, camera, and go2rtc's stand-in beside the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from go2rtc_standin import ANSWER, Go2rtcStandin
from nova_system import System, until

from novavms_simcam import SimCam, SimCamConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
OFFER = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
LOGIN = ("nova", "l0gin-of-go2rtc")
PASSWORD = "pw of the:c@mera"


async def way(system: System, camera_id: str) -> dict[str, Any]:
    """What is said of WebRTC, offered or not."""
    found = (await system.operator.get(f"/cameras/{camera_id}/live")).json()
    return next(each for each in found["protocols"] + found["excluded"] if each["type"] == "webrtc")


async def test_an_offer_goes_all_the_way_and_what_fails_is_said(system: System) -> None:
    system.keeps_secret(LOGIN[1])
    async with (
        Go2rtcStandin(config_file=False, login=LOGIN) as go2rtc,
        SimCam(SimCamConfig(name="Yard", password=PASSWORD)) as camera,
    ):
        url = go2rtc.url.replace("http://", f"http://{':'.join(LOGIN)}@")
        gateway = await system.gateway(NOVAVMS_GATEWAY_GO2RTC_URL=url)
        camera_id = await system.add(camera, gateway)
        await system.wait_status(camera_id, "online", within=15)
        address, player = (await way(system, camera_id))["url"], system.world.client(None)

        async def offer() -> httpx.Response:
            return await player.post(address, content=OFFER, headers={"Content-Type": "application/sdp"})

        async def refused(status: int, reason: str) -> None:
            answer = await offer()
            assert (answer.status_code, answer.json().get("reason")) == (status, reason), answer.text

        assert go2rtc.streams == {}, "only when an offer comes"
        answer = await offer()
        assert (answer.status_code, answer.content) == (201, ANSWER), answer.text
        ((name, (source,)),) = go2rtc.streams.items()
        assert name == f"novagw_{gateway.id.hex}_{camera_id.replace('-', '')}_main"
        assert f"admin:pw%20of%20the%3Ac%40mera@127.0.0.1:{camera.rtsp_port}/" in source
        assert go2rtc.offers == [(name, OFFER)]

        await go2rtc.restart()
        assert (await offer()).status_code == 201, "it forgot, and was told again"
        await go2rtc.stop()
        await refused(503, "go2rtc_away")
        await go2rtc.start()
        assert (await offer()).status_code == 201

        assert gateway.process is not None
        arguments = Path(f"/proc/{gateway.process.pid}/cmdline").read_text(encoding="utf-8")
        assert not any(secret in arguments for secret in (PASSWORD, LOGIN[1]))
        await gateway.kill()
        await until(lambda: _says(system, camera_id, "gateway_offline"), within=10, what="it is away")
        await refused(503, "gateway_offline")
        assert name in go2rtc.streams
        await gateway.start()
        await until(lambda: name not in go2rtc.streams, within=10, what="what an earlier run left is gone")
        await until(lambda: _is_answered(offer), within=15, what="an answer again")
        assert name in go2rtc.streams

        assert (await system.operator.delete(f"/cameras/{camera_id}")).status_code in (200, 204)
        await until(lambda: name not in go2rtc.streams, within=10, what="go2rtc forgets the camera")
        assert (await offer()).status_code == 404


async def _says(system: System, camera_id: str, reason: str) -> bool:
    return (await way(system, camera_id)).get("reason") == reason


async def _is_answered(offer: Any) -> bool:
    return bool((await offer()).status_code == 201)
