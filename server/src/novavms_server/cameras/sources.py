"""From what a caller wrote to the one form in which a camera is checked, stored and dialled: the check's policy stage.

Nothing connects here. Credentials are in a `CameraSource` and nowhere else; `seal` and `unseal` are the only way to and
from the table.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import UNSET

from novavms_camera.address import network
from novavms_camera.check import AddressPolicy, CheckReport, Facts, Stage, validate_source
from novavms_camera.faults import CameraFault
from novavms_camera.rtsp.url import RtspUrl
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource
from novavms_protocol import CameraConfig, CameraIdentity, Check, RecordingPlan, ScheduleWindow
from novavms_server.cameras.errors import CheckFailed
from novavms_server.cameras.models import (
    DEFAULT_ONVIF_PORT,
    Camera,
    CameraDescription,
    CameraDetail,
    CameraUpdate,
    ConnectionMode,
)
from novavms_server.cameras.queries import CameraRow
from novavms_server.kit.errors import ValidationError
from novavms_server.kit.seal import SealBroken, Sealer

log = logging.getLogger("novavms.cameras")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which addresses cameras may have, by the way they are connected."""

    allow_loopback: bool = False
    direct_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, *, allow_loopback: bool, direct_networks: str) -> AddressRules:
        """`direct_networks`: CIDR, separated by commas. Raises ValueError."""
        texts = [text.strip() for text in direct_networks.split(",") if text.strip()]
        return cls(allow_loopback, tuple(network(text) for text in texts))

    def policy(self, mode: ConnectionMode) -> AddressPolicy:
        if mode == "gateway":
            return AddressPolicy(allow_loopback=self.allow_loopback)
        return AddressPolicy(
            allow_loopback=self.allow_loopback, public_only=True, allowed_networks=self.direct_networks
        )


def source_of(asked: CameraDescription, rules: AddressRules) -> CameraSource:
    """The camera as described, its transport still open: TCP, and UDP where that is refused or silent. Raises CheckFailed
    (invalid_url, address_forbidden)."""
    policy = rules.policy(asked.connection_mode)
    try:
        if asked.type == "rtsp":
            return validate_source(
                kind="rtsp",
                policy=policy,
                rtsp_url=asked.rtsp_url,
                username=asked.rtsp_username,
                password=asked.rtsp_password,
                transport="auto",
            )
        return validate_source(
            kind="onvif",
            policy=policy,
            host=asked.host,
            port=asked.port or DEFAULT_ONVIF_PORT,
            username=asked.onvif_username,
            password=asked.onvif_password,
            transport="auto",
        )
    except CameraFault as fault:
        raise refusal(fault, asked.type) from None


def changed_source(
    row: CameraRow, asked: CameraUpdate, rules: AddressRules, sealer: Sealer
) -> CameraSource | None:
    """The camera as it will be dialled after the change; None where nothing of that was asked for.

    What is not mentioned stays, the stored password too; userinfo in a new address replaces both its parts. Raises
    CheckFailed, and ValidationError for a certificate where there can be none.
    """
    camera = row.camera
    user_field, password_field = f"{camera.type}_username", f"{camera.type}_password"
    touched = ("host", "port", "stream_transport", "rtsp_url", "tls_fingerprint", user_field, password_field)
    if all(getattr(asked, name) is UNSET for name in touched):
        return None
    stored_user, stored_password = unseal(row, sealer)
    username, password = getattr(asked, user_field), getattr(asked, password_field)
    address: dict[str, Any] = {}
    try:
        if camera.type == "rtsp":
            url = asked.rtsp_url if asked.rtsp_url is not UNSET else _moved(camera.rtsp_url or "", asked)
            # An empty word is "none" to validate_source, and wins over userinfo; None lets userinfo speak.
            address = {"rtsp_url": url}
            bare = validate_source(kind="rtsp", policy=rules.policy(camera.connection_mode), rtsp_url=url)
            if bare.username is not None or bare.password is not None:
                stored_user, stored_password = bare.username, bare.password
        else:
            address = {"host": _given(asked.host, camera.host), "port": _given(asked.port, camera.port)}
        username = stored_user if username is UNSET else username
        password = stored_password if password is UNSET else password
        source = validate_source(
            kind=camera.type,
            policy=rules.policy(camera.connection_mode),
            username=username or "",
            password=password if isinstance(password, Secret) else Secret(password or ""),
            transport=_given(asked.stream_transport, camera.stream_transport),
            **address,
        )
    except CameraFault as fault:
        raise refusal(fault, camera.type) from None
    return replace(source, **_pins(camera, asked, source))


def _pins(camera: CameraDetail, asked: CameraUpdate, source: CameraSource) -> dict[str, Any]:
    """The certificates that the camera is held to from now on. They are the camera's: another host changes nothing about
    them; but another ONVIF port is another service, perhaps without TLS."""
    given = asked.tls_fingerprint
    if isinstance(given, str):
        if source.kind == "rtsp" and not (source.rtsp_url or "").startswith("rtsps:"):
            raise ValidationError.of(
                "tls_fingerprint", "tls_fingerprint is only for rtsps and for ONVIF over https"
            )
        return {"tls_fingerprint": given.replace(":", "").lower()}
    if given is None or (source.kind == "onvif" and source.port != camera.port):
        return {}
    return _pinned(camera)


def _pinned(camera: CameraDetail) -> dict[str, Any]:
    return {
        "tls_fingerprint": camera.tls_fingerprint,
        "stream_tls_fingerprint": camera.stream_tls_fingerprint,
        "tls_pinned_at": camera.tls_pinned_at,
    }


def moved_source(row: CameraRow, host: str, port: int, rules: AddressRules, sealer: Sealer) -> CameraSource:
    """The camera at another address, held to the certificates it has whatever the port: who is there is not known yet.
    Raises CheckFailed, SealBroken."""
    source = changed_source(row, CameraUpdate(host=host, port=port), rules, sealer)
    assert source is not None
    return replace(source, **_pinned(row.camera))


def _given(value: Any, otherwise: Any) -> Any:
    return otherwise if value is UNSET else value


def _moved(url: str, asked: CameraUpdate) -> str:
    """The camera's address with another host or port."""
    old = RtspUrl.parse(url)
    host, port = _given(asked.host, old.host), _given(asked.port, old.port)
    return str(RtspUrl(old.scheme, host.strip("[]"), port, old.path))


def refusal(fault: CameraFault, kind: str) -> CheckFailed:
    """What the policy stage said, as the report of a check that ended there, with the request's field to blame."""
    field, colon, text = fault.message.partition(": ")
    known = {"username": f"{kind}_username", "password": f"{kind}_password"}
    name = known.get(field, field)
    message = f"{name} {text}" if colon and name in known.values() else fault.message
    report = ended_early("policy", fault.reason, message, fault.hint)
    return CheckFailed(report, name if name in CameraDescription.__struct_fields__ else None)


def ended_early(stage: str, reason: str, message: str, hint: str) -> dict[str, Any]:
    """The report of a check that no gateway ran (or none finished)."""
    failed = Stage(stage, ok=False, ms=0.0, reason=cast("Any", reason), detail=message)
    report = CheckReport(
        ok=False,
        reason=cast("Any", reason),
        message=message,
        hint=hint,
        elapsed_ms=0.0,
        stages=[failed],
        warnings=[],
        facts=Facts(),
    )
    return report.to_dict()


# ---- to the table, to the gateway -------------------------------------------------------------------------


def seal(source: CameraSource, sealer: Sealer) -> bytes | None:
    """Sealed JSON {"username", "password"}, or None without either."""
    if source.username is None and source.password is None:
        return None
    password = None if source.password is None else source.password.reveal()
    return sealer.seal(msgspec.json.encode({"username": source.username, "password": password}))


def unseal(row: CameraRow, sealer: Sealer) -> tuple[str | None, Secret | None]:
    """Raises SealBroken when no key of ours opens it."""
    if row.credentials is None:
        return None, None
    opened = msgspec.json.decode(sealer.open(bytes(row.credentials)))
    password = opened["password"]
    return opened["username"], None if password is None else Secret(password)


def source_of_row(row: CameraRow, sealer: Sealer) -> CameraSource:
    """A stored camera as it is dialled. Raises SealBroken."""
    username, password = unseal(row, sealer)
    camera = row.camera
    return CameraSource(
        kind=camera.type,
        host=camera.host,
        port=camera.port,
        rtsp_url=camera.rtsp_url,
        username=username,
        password=password,
        transport=camera.stream_transport,
        **_pinned(camera),
    )


def check_request(source: CameraSource, *, allow_loopback: bool, camera_id: UUID | None = None) -> Check:
    """`camera_id`: of the camera of which this is a change."""
    return Check(
        kind=source.kind,
        host=source.host,
        port=source.port,
        rtsp_url=source.rtsp_url,
        username=source.username,
        password=None if source.password is None else source.password.reveal(),
        stream_transport=source.transport,
        tls_fingerprint=source.tls_fingerprint,
        stream_tls_fingerprint=source.stream_tls_fingerprint,
        tls_pinned_at=source.tls_pinned_at,
        allow_loopback=allow_loopback,
        camera_id=camera_id,
    )


def config_of(row: CameraRow, sealer: Sealer, *, timezone: str, allow_loopback: bool) -> CameraConfig:
    """The camera in its gateway's desired state. One whose credentials no key opens goes without them: it will say
    auth_failed, and the gateway's other cameras run."""
    camera = row.camera
    try:
        username, password = unseal(row, sealer)
    except SealBroken as broken:
        log.error("camera %s: its credentials can't be opened: %s", camera.id, broken)
        username, password = None, None
    return CameraConfig(
        camera_id=camera.id,
        revision=row.revision,
        name=camera.name,
        kind=camera.type,
        host=camera.host,
        port=camera.port,
        rtsp_url=camera.rtsp_url,
        username=username,
        password=None if password is None else password.reveal(),
        enabled=camera.enabled,
        stream_transport=camera.stream_transport,
        **_pinned(camera),
        recording_stream=camera.recording_stream,
        detection_stream=camera.detection_stream,
        recording=plan_of(camera, timezone),
        allow_loopback=allow_loopback,
        identity=None
        if camera.type == "rtsp"
        else CameraIdentity(serial=row.serial, mac=row.mac, endpoint_reference=row.endpoint_reference),
    )


def plan_of(camera: Camera, timezone: str) -> RecordingPlan:
    """How its gateway is to record it, on the site's clock."""
    return RecordingPlan(
        mode=camera.recording_mode,
        schedule=msgspec.convert(msgspec.to_builtins(camera.recording_schedule), list[ScheduleWindow] | None),
        timezone=timezone,
        retention_days=camera.retention_days,
        retention_bytes=camera.retention_bytes,
    )
