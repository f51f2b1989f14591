"""How a camera becomes another: pure steps, each from the camera before to the camera after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from novavms_camera.source import CameraSource
from novavms_server.cameras.checking import Outcome
from novavms_server.cameras.models import Camera, CameraCreate, CameraDetail, RecordingMode
from novavms_server.cameras.status import GATEWAY_OFFLINE_MESSAGE
from novavms_server.gateways.models import GatewayRow
from novavms_server.kit.ids import new_id


class Moment(Protocol):
    """When: a request's Work, or a job's time."""

    @property
    def now(self) -> datetime: ...


def new_camera(work: Moment, asked: CameraCreate, source: CameraSource) -> CameraDetail:
    nothing: dict[str, Any] = dict.fromkeys(CameraDetail.__struct_fields__)
    return CameraDetail(
        **{
            **nothing,
            "id": new_id(),
            "name": asked.name,
            "site_id": asked.site_id,
            "gateway_id": asked.gateway_id,
            "connection_mode": asked.connection_mode,
            "type": asked.type,
            "status": "pending",
            "status_at": work.now,
            "active_tier": "main",
            "stream_transport": "tcp",  # until the check knows better
            "recording_stream": "main",
            "detection_stream": "sub",
            "recording_mode": _mode(asked),
            "recording_schedule": msgspec.to_builtins(asked.recording_schedule),
            "retention_days": asked.retention_days,
            "retention_bytes": asked.retention_bytes,
            "enabled": True,
            "host": source.host,
            "port": source.port,
            "rtsp_url": source.rtsp_url,
            "profiles": [],
            "created_at": work.now,
            "updated_at": work.now,
            "version": 1,
        }
    )


def _mode(asked: CameraCreate) -> RecordingMode:
    if asked.recording_mode is not msgspec.UNSET:
        return asked.recording_mode
    return "continuous" if asked.connection_mode == "gateway" else "events"


def addressed(camera: CameraDetail, source: CameraSource) -> CameraDetail:
    return msgspec.structs.replace(
        camera,
        host=source.host,
        port=source.port,
        rtsp_url=source.rtsp_url or camera.rtsp_url,
        stream_transport=source.transport,
        tls_fingerprint=source.tls_fingerprint,
        stream_tls_fingerprint=source.stream_tls_fingerprint,
        tls_pinned_at=source.tls_pinned_at,
    )


def checked(
    camera: CameraDetail, source: CameraSource, outcome: Outcome, gateway: GatewayRow, work: Moment
) -> CameraDetail:
    """With what the check learnt. It has just seen a frame: the camera is online, unless switched off."""
    facts = {name: value for name, value in outcome.facts().items() if name in Camera.__struct_fields__}
    if camera.stream_transport == "tcp" and source.transport == "auto":
        facts["stream_transport"] = outcome.transport()
    camera = msgspec.structs.replace(
        camera,
        **facts,
        **outcome.pins(camera, work.now),
        rtsp_url=source.rtsp_url or outcome.stream_url(),
        profiles=outcome.profiles(),
        check=outcome.report,
        last_seen_at=work.now,
    )
    if not camera.enabled:
        return camera
    if gateway.status != "online":  # it went away between the check and this transaction
        return turn(camera, work, "offline", "gateway_offline", GATEWAY_OFFLINE_MESSAGE)
    return turn(camera, work, "online")


def switched(camera: CameraDetail, gateway: GatewayRow | None, work: Moment) -> CameraDetail:
    """On or off, as `enabled` says now; what comes after "on" is for the frames to tell."""
    if not camera.enabled:
        return turn(camera, work, "disabled", "disabled_by_user", "Switched off by a person.")
    if gateway is not None and gateway.status != "online":
        return turn(camera, work, "offline", "gateway_offline", GATEWAY_OFFLINE_MESSAGE)
    return turn(camera, work, "pending")


def turn(
    camera: CameraDetail, work: Moment, status: str, reason: str | None = None, message: str | None = None
) -> CameraDetail:
    same = (camera.status, camera.status_reason) == (status, reason)
    return msgspec.structs.replace(
        camera,
        status=status,
        status_reason=reason,
        status_message=message,
        status_at=camera.status_at if same else work.now,
    )


def hidden_facts(outcome: Outcome, *, of_another: bool = False) -> dict[str, Any]:
    """The columns of who the camera is. What this check did not hear stays as it was, unless it may be `of_another` camera."""
    found, names = outcome.facts(), ("serial", "mac", "endpoint_reference")
    return {name: found.get(name) for name in names if of_another or name in found}


def audited(camera: CameraDetail) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(camera)
    del plain["check"]
    return plain
