"""Has the connection check run, and turns its report into what the API shows and the table keeps.

A report comes from a gateway, and its texts from a camera: neither is trusted to be well-formed, short or free of
what PostgreSQL can't hold.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from novavms_camera.check import check_camera
from novavms_camera.faults import HINTS, CameraFault, Reason
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.source import CameraSource
from novavms_protocol import Reply
from novavms_protocol.messages import RequestBody
from novavms_server.cameras.device_text import storable
from novavms_server.cameras.errors import CheckFailed
from novavms_server.cameras.models import CameraDetail, CheckReport, Profile, StreamTransport
from novavms_server.cameras.sources import AddressRules, check_request, ended_early
from novavms_server.cameras.watching import OnStage
from novavms_server.gateways.errors import GatewayOffline, GatewayRefused, GatewayTimeout

log = logging.getLogger("novavms.cameras")
CHECK_SEC = 15.0
"""The whole check, its way to the gateway and back included."""
_TEXT_MAX = 200
_PROFILES_MAX = 64
_DEPTH_MAX = 12
_PINS = ("tls_fingerprint", "stream_tls_fingerprint")
_SHA256 = re.compile("[0-9a-f]{64}")


class Asks(Protocol):
    """What of the gateways' hub is needed here."""

    async def request(
        self,
        gateway_id: UUID,
        body: RequestBody,
        *,
        timeout_sec: float,
        on_progress: OnStage | None = None,
    ) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check that ended. `report` is what the API shows."""

    report: dict[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.report["ok"])

    def facts(self) -> dict[str, Any]:
        """The camera's columns that a check fills, those it learnt nothing of left out."""
        given = self.report["facts"]
        found: dict[str, Any] = {
            name: _text(given.get(name))
            for name in ("codec", "manufacturer", "model", "firmware", "serial", "mac", "endpoint_reference")
        }
        found |= {name: _number(given.get(name), 1, 65535, whole=True) for name in ("width", "height")}
        found["fps"] = _number(given.get("fps"), 0, 1000)
        found["has_audio"] = given.get("has_audio") if isinstance(given.get("has_audio"), bool) else None
        return {name: value for name, value in found.items() if value is not None}

    def transport(self) -> StreamTransport:
        """How the media came."""
        return "udp" if self.report["facts"].get("transport") == "udp" else "tcp"

    def pins(self, camera: CameraDetail, now: datetime) -> dict[str, Any]:
        """The camera's columns about the certificates that it showed: believed at first sight, and held to from then on."""
        tls, stream = (_fingerprint(self.report["facts"].get(name)) for name in _PINS)
        known = (tls, stream) == (camera.tls_fingerprint, camera.stream_tls_fingerprint)
        since = None if tls is None and stream is None else camera.tls_pinned_at if known else None
        if since is None and (tls or stream):
            since = now
        return {"tls_fingerprint": tls, "stream_tls_fingerprint": stream, "tls_pinned_at": since}

    def stream_url(self) -> str | None:
        """None, too, for one with a secret of the camera's own in it, which is masked: it is asked for anew each time."""
        url = _clean_url(self.report["facts"].get("stream_url"))
        return None if url is None or "***" in url else url

    def profiles(self) -> list[Profile]:
        found = []
        for item in self.report["facts"].get("profiles") or []:
            try:
                profile = msgspec.convert(item, Profile)
            except msgspec.ValidationError:
                continue
            found.append(msgspec.structs.replace(profile, rtsp_url=_clean_url(profile.rtsp_url)))
        return found[:_PROFILES_MAX]

    def identity(self, source: CameraSource, gateway_id: UUID | None) -> str | None:
        """Device and stream in one word. Without an ONVIF identity, an address on one gateway's network has to do."""
        facts = self.facts()
        url = self.stream_url() or source.rtsp_url
        if url is None:
            return None
        device = next(
            (facts[name] for name in ("mac", "serial", "endpoint_reference") if name in facts), None
        )
        parts = [facts.get("manufacturer", ""), device, RtspUrl.parse(url).path]
        if device is None:
            parts = [str(gateway_id), url]
        return hashlib.sha256("\0".join(str(part) for part in parts).lower().encode()).hexdigest()

    def name_twins(self, twins: Sequence[tuple[UUID, str]]) -> list[str]:
        """Cameras (id, name) that are the same stream of the same device become warnings; their sentences."""
        said = [
            f"The same stream of this camera is added already: {name} ({twin_id})." for twin_id, name in twins
        ]
        self.report["warnings"] += [{"code": "duplicate_device", "message": message} for message in said]
        return said


class CameraChecker:
    """Runs checks: on a gateway, or (`POST /cameras/test` of a direct camera) right here."""

    def __init__(self, hub: Asks, rules: AddressRules, *, time_cap_sec: float = CHECK_SEC) -> None:
        self._hub = hub
        self._rules = rules
        self._time_cap_sec = time_cap_sec

    async def on_gateway(
        self,
        gateway_id: UUID,
        source: CameraSource,
        on_stage: OnStage | None = None,
        *,
        camera_id: UUID | None = None,
    ) -> Outcome:
        """Waits for the gateway; hold no connection meanwhile. gateway_offline and gateway_timeout are outcomes, too.

        Raises GatewayRefused when the gateway could not run the check at all.
        """
        body = check_request(source, allow_loopback=self._rules.allow_loopback, camera_id=camera_id)
        try:
            reply = await self._hub.request(
                gateway_id, body, timeout_sec=self._time_cap_sec, on_progress=on_stage
            )
        except GatewayOffline as offline:
            return _ended("policy", "gateway_offline", offline.message)
        except GatewayTimeout:
            return _ended("gateway", "gateway_timeout", "The gateway did not finish the check in time.")
        if not reply.ok:
            raise GatewayRefused(f"The gateway could not run the check: {reply.error or 'no reason given'}.")
        return Outcome(read_report(reply.result))

    async def here(self, source: CameraSource, on_stage: OnStage | None = None) -> Outcome:
        """From this server, under the rules of direct mode."""
        policy = self._rules.policy("direct")
        tell = None if on_stage is None else lambda stage: on_stage(msgspec.to_builtins(stage))
        report = await check_camera(source, policy=policy, on_stage=tell, time_cap_sec=self._time_cap_sec)
        return Outcome(report.to_dict())

    async def require(
        self,
        gateway_id: UUID,
        source: CameraSource,
        on_stage: OnStage | None = None,
        *,
        camera_id: UUID | None = None,
    ) -> Outcome:
        """As `on_gateway`; raises CheckFailed unless the camera works. `camera_id`: of one that is there already."""
        outcome = await self.on_gateway(gateway_id, source, on_stage, camera_id=camera_id)
        if not outcome.ok:
            raise CheckFailed(outcome.report)
        return outcome

    async def require_here(
        self, source: CameraSource, camera: CameraDetail, on_stage: OnStage | None = None
    ) -> None:
        """The same from this server, for a direct camera that is there already; raises CheckFailed."""
        if camera.last_seen_at is None:  # nothing is known of its transport yet
            source = replace(source, transport="auto")
        outcome = await self.here(source, on_stage)
        # One that serves a single session may have given it to us; the job that follows lets go of that first.
        is_ours = camera.status == "online" and outcome.report["reason"] == "too_many_connections"
        if not outcome.ok and not is_ours:
            raise CheckFailed(outcome.report)


def _ended(stage: str, reason: Reason, message: str) -> Outcome:
    return Outcome(ended_early(stage, reason, message, HINTS[reason]))


def read_report(result: dict[str, Any] | None) -> dict[str, Any]:
    """The gateway's report in the one shape. Raises GatewayRefused for what is none."""
    try:
        report = msgspec.convert(_storable(result), CheckReport)
    except (msgspec.ValidationError, ValueError):
        log.warning("a gateway's check report is not understood")
        raise GatewayRefused("The gateway's report was not understood; update its software.") from None
    if not report.ok and not report.reason:
        report.reason = "camera_error"
    plain: dict[str, Any] = msgspec.to_builtins(report)
    return plain


def _storable(value: Any, depth: int = 0) -> Any:
    """With texts that PostgreSQL's JSON can hold. Raises ValueError if nested too deep."""
    if depth > _DEPTH_MAX:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable(key, depth + 1): _storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    return value


def _text(value: Any) -> str | None:
    return value.strip()[:_TEXT_MAX] or None if isinstance(value, str) else None


def _fingerprint(value: Any) -> str | None:
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else None


def _number(value: Any, low: float, high: float, *, whole: bool = False) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if not low <= value <= high:
        return None
    return int(value) if whole else float(value)


def _clean_url(value: Any) -> str | None:
    """An RTSP address without credentials; None for what is none."""
    if not isinstance(value, str) or len(value) > 2048:
        return None
    try:
        return str(RtspUrl.parse(value))
    except CameraFault:
        return None
