"""The connection check for a person at the box: an address in, a table of stages out."""

from __future__ import annotations

from typing import get_args
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from novavms_camera.check import AddressPolicy, CheckReport, Stage, check_camera
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
        port=port or (ONVIF_PORT if is_onvif else 554),
        rtsp_url=None if is_onvif else address,
        username=username,
        password=None if password is None else Secret(password),
        transport=known[transport],
    )


async def check_in_terminal(
    source: CameraSource, *, allow_loopback: bool, console: Console | None = None
) -> bool:
    """Runs the check, showing each stage as it ends, then what was found. Gives whether the camera is fine."""
    console = console or Console()
    with console.status("checking …") as status:

        def show(stage: Stage) -> None:
            status.update(f"{stage.name} done, going on …")

        report = await check_camera(
            source, policy=AddressPolicy(allow_loopback=allow_loopback), on_stage=show
        )
    console.print(_stages(report))
    facts = report.facts
    if report.ok:
        size = f"{facts.width}×{facts.height}" if facts.width else "size unknown"
        console.print(
            f"[green]The camera is fine[/]: {facts.codec}, {size}, over {facts.transport}, "
            f"{report.elapsed_ms:.0f} ms."
        )
    else:
        console.print(f"[red]{report.reason}[/]: {report.message}", highlight=False)
        console.print(report.hint or "", highlight=False)
    for warning in report.warnings:
        console.print(f"[yellow]{warning.code}[/]: {warning.message}", highlight=False)
    return report.ok


def _stages(report: CheckReport) -> Table:
    table = Table("stage", "", "ms", "detail")
    for stage in report.stages:
        mark = "[green]ok[/]" if stage.ok else "[red]failed[/]"
        table.add_row(stage.name, mark, f"{stage.ms:.0f}", stage.detail or stage.reason or "")
    return table
