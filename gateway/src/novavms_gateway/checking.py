"""The connection check for a person at the box: an address in, the stages as they pass, then what to do."""

from __future__ import annotations

from typing import get_args
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.text import Text

from novavms_camera.check import AddressPolicy, CheckReport, Stage, check_camera
from novavms_camera.check.report import StageName
from novavms_camera.rtsp.url import DEFAULT_PORTS
from novavms_camera.secret import Secret
from novavms_camera.source import CameraSource, Transport

ONVIF_PORT = 80


class AddressError(Exception):
    """What was typed is no camera address; `str` is a sentence."""


def source_of(address: str, *, username: str | None, password: str | None, transport: str) -> CameraSource:
    """From rtsp://… or onvif://host[:port]. Raises AddressError; the check itself judges all the rest."""
    known: dict[str, Transport] = {name: name for name in get_args(Transport)}
    if transport not in known:
        raise AddressError(f"--transport is one of {', '.join(known)}.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressError("The address is not valid.") from None
    if parts.username is not None or parts.password is not None:
        raise AddressError(
            "User and password do not belong into the address: use --username, the password is asked."
        )
    if parts.scheme not in ("rtsp", "rtsps", "onvif") or not parts.hostname:
        raise AddressError("The address looks like rtsp://192.0.2.10:554/stream or onvif://192.0.2.10:80.")
    is_onvif = parts.scheme == "onvif"
    return CameraSource(
        kind="onvif" if is_onvif else "rtsp",
        host=parts.hostname,
        port=port or (ONVIF_PORT if is_onvif else DEFAULT_PORTS[parts.scheme]),
        rtsp_url=None if is_onvif else address,
        username=username,
        password=None if password is None else Secret(password),
        transport=known[transport],
    )


async def check_in_terminal(
    source: CameraSource, *, allow_loopback: bool, console: Console | None = None
) -> bool:
    """Runs the check, printing each stage as it passes, then the verdict. Gives whether the camera is fine.

    What the camera says of itself is printed as text: neither markup nor control characters of it reach the terminal.
    """
    console = console or Console(highlight=False)
    console.print(
        Text.assemble("Checking ", (_plain(source.rtsp_url or f"{source.host}:{source.port}"), "bold"))
    )
    with console.status("policy …") as status:

        def show(stage: Stage) -> None:
            console.print(_line(stage))
            status.update(f"{_following(stage.name)} …")

        report = await check_camera(
            source, policy=AddressPolicy(allow_loopback=allow_loopback), on_stage=show
        )
    for part in (*_facts(report), *_warnings(report), *_verdict(report)):
        console.print(part)
    return report.ok


async def check_as_json(source: CameraSource, *, allow_loopback: bool) -> tuple[bool, str]:
    """The report as one JSON object, as `POST /cameras/test` gives it; and whether the camera is fine."""
    report = await check_camera(source, policy=AddressPolicy(allow_loopback=allow_loopback))
    return report.ok, msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def _line(stage: Stage) -> Text:
    mark = ("✓", "green") if stage.ok else ("✗", "bold red")
    said = stage.detail or stage.reason or ""
    return Text.assemble("  ", mark, f" {stage.name:<9}", (f"{stage.ms:>7.0f} ms  ", "dim"), _plain(said))


def _following(name: str) -> str:
    """What runs when `name` has passed; only a guess for the eye."""
    order = get_args(StageName)
    at = order.index(name) + 1 if name in order else len(order)
    return str(order[at]) if at < len(order) else "done"


def _facts(report: CheckReport) -> list[Text]:
    facts = report.facts
    device = " ".join(filter(None, (facts.manufacturer, facts.model, facts.firmware)))
    identity = ", ".join(filter(None, (facts.serial, facts.mac)))
    picture = ", ".join(
        text
        for value, text in (
            (facts.codec, str(facts.codec).upper()),
            (facts.width, f"{facts.width}×{facts.height}"),
            (facts.fps, f"{facts.fps or 0:g} frames/s"),
            (facts.audio_codec, f"sound {facts.audio_codec}"),
            (facts.transport, f"over {str(facts.transport).upper()}"),
        )
        if value
    )
    known = {
        "camera": device,
        "identity": identity,
        "picture": picture,
        "main": facts.stream_url,
        "sub": facts.sub_stream_url,
        "certificate": facts.tls_fingerprint,
    }
    return [Text.assemble("  ", (f"{name:<12}", "dim"), _plain(text)) for name, text in known.items() if text]


def _warnings(report: CheckReport) -> list[Text]:
    return [
        Text.assemble("  ", ("!", "yellow"), f" {warning.code}: {_plain(warning.message)}")
        for warning in report.warnings
    ]


def _verdict(report: CheckReport) -> list[Text]:
    if report.ok:
        return [Text.assemble(("The camera is fine", "bold green"), f" ({report.elapsed_ms:.0f} ms).")]
    return [
        Text.assemble((str(report.reason), "bold red"), f": {_plain(report.message or '')}"),
        Text.assemble(("→ ", "bold"), _plain(report.hint or "")),
    ]


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
