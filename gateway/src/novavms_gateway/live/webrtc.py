"""WebRTC through the go2rtc beside this gateway: it is told of a camera when somebody offers, and made to forget it with the camera.

A name at go2rtc is `novagw_<gateway>_<camera>_<tier>`. It is registered by the first offer, with the address that a session of ours
was judged for; removed when the camera is deleted, disabled or changed; and what an earlier run left is removed at the start, for
its addresses hold passwords. `_streams` is what go2rtc should have: whatever else of ours it has goes, as soon as it can be reached.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from uuid import UUID

from novavms_camera.faults import CameraFault
from novavms_camera.go2rtc import Go2rtc, Go2rtcAway, Go2rtcRefused, Go2rtcUnknown, is_plain_far, source_url
from novavms_camera.secret import Secret
from novavms_gateway.cameras.fleet import Fleet, needs_restart
from novavms_gateway.cameras.watch import Watch
from novavms_gateway.kit.clock import Clock
from novavms_gateway.link.requests import RequestRefusedError
from novavms_protocol import AnswerOffer, CameraConfig

log = logging.getLogger(__name__)

SETTING: Final = "NOVAVMS_GATEWAY_GO2RTC_URL"
OFFERS_MAX: Final = 16
"""A wall of cameras. What comes beyond is refused: other requests need room beside them (link.requests.RUNNING_MAX)."""
AT_ONCE: Final = 6
"""Worked on; each may wait for go2rtc to reach the camera."""
ANSWER_SEC: Final = 12.0
KNOWN_WITHIN_SEC: Final = 2.0
STATE_WITHIN_SEC: Final = 5.0
"""Of a camera that was just added, or whose session is just made anew."""
AGAIN_SEC: Final = 10.0
"""Between tries to remove from a go2rtc that is away."""


def open_go2rtc(url: Secret, gateway_id: UUID) -> Go2rtc:
    """To be closed. Nothing is sent yet. Raises ValueError for an address that is none."""
    if is_plain_far(url.reveal()):
        log.warning("cameras' passwords go to go2rtc unencrypted", extra={"facts": {"setting": SETTING}})
    return Go2rtc(url.reveal(), prefix=_prefix(gateway_id), setting=SETTING)


def _prefix(gateway_id: UUID) -> str:
    """Of this gateway alone: a go2rtc may be shared with other gateways, and with a server, whose names begin with nova_."""
    return f"novagw_{gateway_id.hex}_"


@dataclass(frozen=True, slots=True)
class _Stream:
    """What go2rtc was told of one, and of which config of its camera that came."""

    config: CameraConfig
    source: Secret


class WebRtc:
    """Answers AnswerOffer. `run` removes what is not to be there."""

    def __init__(self, *, go2rtc: Go2rtc | None, gateway_id: UUID, fleet: Fleet, clock: Clock) -> None:
        self._go2rtc = go2rtc
        self._prefix = _prefix(gateway_id)
        self._fleet = fleet
        self._clock = clock
        self._streams: dict[str, _Stream] = {}
        self._stale = asyncio.Event()
        self._stale.set()
        self._asked = 0
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def has_go2rtc(self) -> bool:
        return self._go2rtc is not None

    async def answer(self, ask: AnswerOffer) -> dict[str, Any]:
        """The reply of AnswerOffer. Raises RequestRefusedError."""
        if self._go2rtc is None:
            raise RequestRefusedError("unsupported", f"No go2rtc is set ({SETTING}).")
        if self._asked >= OFFERS_MAX:
            raise RequestRefusedError("busy", "The gateway already works on as many offers as it can.")
        self._asked += 1
        try:
            async with asyncio.timeout(ANSWER_SEC), self._slots:
                return {"sdp": await self._exchange(self._go2rtc, ask)}
        except (Go2rtcAway, Go2rtcUnknown, TimeoutError) as trouble:
            log.warning("go2rtc is away", extra={"facts": {"camera": ask.camera_id, "error": trouble}})
            raise RequestRefusedError("go2rtc_away", "The gateway's go2rtc can't be reached.") from None
        except Go2rtcRefused as trouble:
            log.info("offer refused", extra={"facts": {"camera": ask.camera_id, "error": trouble}})
            raise RequestRefusedError("refused", "The gateway's go2rtc did not take the offer.") from None
        finally:
            self._asked -= 1

    def cameras_changed(self) -> None:
        """The fleet is as the server desires it: what is known of cameras that are gone, disabled or changed is to be forgotten."""
        desired = {camera.camera_id: camera for camera in self._fleet.cameras if camera.enabled}
        for name, stream in list(self._streams.items()):
            now = desired.get(stream.config.camera_id)
            if now is None or needs_restart(stream.config, now):
                del self._streams[name]
                self._stale.set()

    async def run(self) -> NoReturn:
        """Until cancelled."""
        is_told = False
        while True:
            await self._stale.wait()
            self._stale.clear()
            if self._go2rtc is None:
                continue
            try:
                await self._clean(self._go2rtc)
                is_told = False
            except (Go2rtcAway, Go2rtcRefused) as trouble:
                if not is_told:
                    log.warning("go2rtc: nothing removed", extra={"facts": {"error": trouble}})
                is_told = True
                await self._later()
            except Exception:
                # What somebody looks at must not take the recordings with it.
                log.exception("go2rtc: nothing removed")
                await self._later()

    async def _later(self) -> None:
        self._stale.set()
        await self._clock.sleep(AGAIN_SEC)

    async def _clean(self, go2rtc: Go2rtc) -> None:
        for name in sorted(await go2rtc.names()):
            if go2rtc.owns(name) and name not in self._streams:
                await go2rtc.delete(name)
                log.info("go2rtc: removed", extra={"facts": {"name": name}})

    async def _exchange(self, go2rtc: Go2rtc, ask: AnswerOffer) -> str:
        watch = await self._fleet.find_soon(ask.camera_id, within_sec=KNOWN_WITHIN_SEC)
        if watch is None:
            raise RequestRefusedError("unknown_camera", "This gateway does not run the camera.")
        name = f"{self._prefix}{ask.camera_id.hex}_{ask.tier}"
        source = await self._source(watch, ask)
        known = self._streams.get(name)
        if known is None or known.source != source:
            await self._register(go2rtc, name, watch, source)
        offer = ask.sdp.encode()
        try:
            return (await go2rtc.webrtc(name, offer)).decode()
        except Go2rtcUnknown:  # it was started anew, and forgot
            await self._register(go2rtc, name, watch, source)
            return (await go2rtc.webrtc(name, offer)).decode()

    async def _source(self, watch: Watch, ask: AnswerOffer) -> Secret:
        """Of what go2rtc is to open: the address that was judged, not a name that could mean another one by then."""
        await watch.known(within_sec=STATE_WITHIN_SEC)
        try:
            source = await watch.source(ask.tier)
        except CameraFault as fault:
            raise RequestRefusedError("not_online", fault.message) from None
        if source is None:
            raise RequestRefusedError("not_online", "The camera shows no pictures now.")
        return source_url(source.url, source.username, source.password, address=source.address)

    async def _register(self, go2rtc: Go2rtc, name: str, watch: Watch, source: Secret) -> None:
        """Unless the camera has gone meanwhile; where it goes while this is on its way, it is removed again."""
        if self._fleet.find(watch.config.camera_id) is not watch:
            raise RequestRefusedError("unknown_camera", "The camera was changed; ask again.")
        stream = self._streams[name] = _Stream(watch.config, source)
        try:
            await go2rtc.put(name, source)
        finally:
            if self._streams.get(name) is not stream:
                self._stale.set()
