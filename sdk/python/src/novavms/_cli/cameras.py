"""`novavms cameras …`"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

import typer

from novavms import CameraCheckError, Client
from novavms._cli import names
from novavms._cli.checks import stages_shown, tell_report, tell_warnings
from novavms._cli.importing import import_file
from novavms._cli.output import CHECK_FAILED, PARTLY, Terminal, failures
from novavms.types import CameraItem, CameraStatusItem, ResetItem

app = typer.Typer(no_args_is_help=True, help="Add, watch and record cameras.")
LISTED = ("name", "status", "status_reason", "type", "host", "codec", "id")
SHOWN = (
    *LISTED,
    "site_id",
    "gateway_id",
    "connection_mode",
    "recording_mode",
    "status_message",
    "last_seen_at",
)

Camera = Annotated[str, typer.Argument(help="Its name or id.", metavar="CAMERA")]
Address = Annotated[
    str,
    typer.Argument(help="rtsp://host/path, rtsps://host/path, onvif://host[:port], or an ONVIF host alone."),
]
Gateway = Annotated[
    str | None, typer.Option(help="The gateway that reaches it, by name or id; without: direct mode.")
]
Username = Annotated[str | None, typer.Option("--username", "-u", help="The camera's user.")]


def terminal_of(context: typer.Context) -> Terminal:
    return cast("Terminal", context.obj)


@app.command("list")
def list_cameras(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Only on this site.")] = None,
    status: Annotated[str | None, typer.Option(help="online, offline, pending, error or disabled.")] = None,
    search: Annotated[str | None, typer.Option("--search", "-s", help="Part of the name.")] = None,
) -> None:
    """List cameras."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        where = names.site_id(client, site) if site else None
        found = client.cameras.list(
            site_id=where, status=cast("Any", status), q=search, limit=100, sort="name"
        )
        terminal.rows(found, LISTED)


@app.command("get")
def get_camera(context: typer.Context, camera: Camera) -> None:
    """Show one camera."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        terminal.one(client.cameras.get(names.camera_id(client, camera)), SHOWN)


@app.command("add")
def add_camera(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    address: Address,
    site: Annotated[str, typer.Option(help="Its site, by name or id.")],
    gateway: Gateway = None,
    username: Username = None,
    reject_duplicate: Annotated[bool, typer.Option(help="Refuse a stream that is added already.")] = False,
) -> None:
    """Add a camera: it is checked for real first, and the stages of that are shown.

    The camera's password comes from NOVAVMS_CAMERA_PASSWORD, else it is asked for when a user is given.
    """
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        body = camera_body(client, address, gateway, username, ask_password(username))
        where = names.site_id(client, site)
        made = client.cameras.create(
            name=name,
            site_id=where,
            on_duplicate="reject" if reject_duplicate else None,
            on_stage=stages_shown(terminal),
            **body,
        )
        if not terminal.as_json:
            terminal.say(f"Added “{made.name}”.", "green")
            tell_warnings(terminal, made.check.warnings if made.check else [])
        terminal.one(made, SHOWN)


@app.command("test")
def check_camera(
    context: typer.Context, address: Address, gateway: Gateway = None, username: Username = None
) -> None:
    """Check a camera without adding it. Ends with 3 where it does not work."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        body = camera_body(client, address, gateway, username, ask_password(username))
        report = client.cameras.test(on_stage=stages_shown(terminal), **body)
        tell_report(terminal, report)
        if not report.ok:
            raise typer.Exit(CHECK_FAILED)


@app.command("update")
def update_camera(
    context: typer.Context,
    camera: Camera,
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    site: Annotated[str | None, typer.Option(help="Its new site, by name or id.")] = None,
    address: Annotated[str | None, typer.Option(help="Its new address, as with `add`.")] = None,
    username: Username = None,
    password: Annotated[
        bool, typer.Option("--password", help="Its password is another: see `add`, where it comes from.")
    ] = False,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Switch it on, or off.", show_default=False)
    ] = None,
    recording_mode: Annotated[str | None, typer.Option(help="continuous, events or off.")] = None,
    retention_days: Annotated[int | None, typer.Option(help="How long its footage is kept.")] = None,
) -> None:
    """Change a camera. A new address or login is checked for real first, and nothing is changed where that fails."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        found = client.cameras.get(names.camera_id(client, camera))
        asked: dict[str, Any] = {
            "name": name,
            "site_id": names.site_id(client, site) if site else None,
            "enabled": enabled,
            "recording_mode": recording_mode,
            "retention_days": retention_days,
            f"{found.type}_username": username,
            f"{found.type}_password": ask_password(username or "") if password else None,
            **_moved(found.type, address),
        }
        changes = {member: value for member, value in asked.items() if value is not None}
        if not changes:
            raise typer.BadParameter("Say what is to change; --help tells what can.")
        changed = client.cameras.update(found.id, on_stage=stages_shown(terminal), **changes)
        terminal.say(f"Changed “{changed.name}”.", "green")
        terminal.one(changed, SHOWN)


def _moved(kind: str, address: str | None) -> dict[str, Any]:
    if address is None:
        return {}
    new, where = parse_address(address)
    if new != kind:
        raise typer.BadParameter(f"It is an {kind.upper()} camera; add it anew as {new.upper()}.")
    return where


@app.command("delete")
def delete_camera(
    context: typer.Context,
    camera: Camera,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a camera; its events and recordings stay readable."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        found = client.cameras.get(names.camera_id(client, camera))
        if not yes:
            typer.confirm(f"Delete “{found.name}” ({found.host})?", abort=True, err=True)
        client.cameras.delete(found.id)
        terminal.say(f"Deleted “{found.name}”.")


@app.command("record")
def record_clip(
    context: typer.Context,
    camera: Camera,
    seconds: Annotated[int, typer.Option("--seconds", "-t", help="5 to 60.")] = 15,
    note: Annotated[str | None, typer.Option(help="Kept with the event.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Save the clip here.")] = None,
) -> None:
    """Record a clip now, and wait for it."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        more: dict[str, Any] = {} if note is None else {"note": note}
        begun = client.cameras.trigger_recording(
            names.camera_id(client, camera), duration_sec=seconds, **more
        )
        with terminal.err.status(f"Recording {seconds} s …"):
            clip = client.events.wait_for_clip(begun.event_id, timeout=seconds + 120)
        if output is not None:
            with terminal.download(output) as progress:
                clip.download(output, progress=progress)
            terminal.say(f"Saved {output} ({clip.duration_sec:.1f} s).", "green")
        terminal.one(client.events.get(begun.event_id), ("id", "camera_name", "triggered_at", "note"))


@app.command("watch")
def watch_cameras(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Only on this site.")] = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
) -> None:
    """Show each change of a camera's state as it happens, until interrupted. With --json: one object a line."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        which = names.camera_id(client, camera) if camera else None
        where = names.site_id(client, site) if site else None
        kinds = ["camera_status", "camera"]
        known: dict[str, str] = {}
        with client.stream.events(types=kinds, camera_id=which, site_id=where) as stream:
            for each in client.cameras.list(site_id=where, limit=100):
                if which in (None, each.id):
                    known[each.id] = each.name
                    _show_state(
                        terminal, each.name, each.status, each.status_reason, each.status_at, each.to_dict()
                    )
            for item in stream:
                if isinstance(item, ResetItem):
                    terminal.say("Some changes were missed; these are the latest.", "yellow")
                elif isinstance(item, CameraItem) and item.data.camera is not None:
                    known[item.data.camera.id] = item.data.camera.name
                elif isinstance(item, CameraStatusItem):
                    data = item.data
                    name = known.get(data.camera_id, data.camera_id)
                    _show_state(terminal, name, data.status, data.reason, item.at, item.to_dict())


def _show_state(
    terminal: Terminal, name: str, status: str, reason: str | None, at: Any, whole: dict[str, Any]
) -> None:
    from novavms._cli.output import cell

    if terminal.as_json:
        terminal.line(whole)
        return
    terminal.out.print(cell(at), cell(name), cell(status), cell(reason or ""), sep="  ")


@app.command("import")
def import_cameras(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line names the columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every camera and add none.")] = False,
    at_once: Annotated[int, typer.Option(help="Cameras checked at the same time.", min=1, max=20)] = 8,
    results: Annotated[
        Path | None, typer.Option(help="Where to write what became of each [default: FILE.results.csv]")
    ] = None,
) -> None:
    """Add hundreds of cameras from a CSV file.

    Columns: name, site, address (rtsp://… or onvif://host[:port]); and as you like: gateway, username, password,
    recording_mode, retention_days. Run it again after mending what failed: what was added is not added twice. Ends with 4
    where some failed.
    """
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        failed = import_file(terminal, client, file, results, at_once=at_once, dry_run=dry_run)
        if failed:
            raise typer.Exit(PARTLY)


def ask_password(username: str | None) -> str | None:
    """Never an option: other users of the machine see those."""
    given = os.environ.get("NOVAVMS_CAMERA_PASSWORD")
    if given is not None or username is None:
        return given
    return str(
        typer.prompt("Password of the camera", hide_input=True, default="", show_default=False, err=True)
    )


def camera_body(
    client: Client, address: str, gateway: str | None, username: str | None, password: str | None
) -> dict[str, Any]:
    """What create and test take, of an address as people write it. Raises BadParameter."""
    body: dict[str, Any] = {"connection_mode": "direct"}
    if gateway:
        body = {"connection_mode": "gateway", "gateway_id": names.gateway_id(client, gateway)}
    kind, where = parse_address(address)
    given = {f"{kind}_username": username, f"{kind}_password": password}
    return {
        "type": kind,
        **body,
        **where,
        **{name: value for name, value in given.items() if value is not None},
    }


def parse_address(address: str) -> tuple[Literal["rtsp", "onvif"], dict[str, Any]]:
    """(type, the members that say where). Raises BadParameter."""
    if address.startswith(("rtsp://", "rtsps://")):
        return "rtsp", {"rtsp_url": address}
    bare = address if "://" in address else f"onvif://{address}"
    try:
        parts = urlsplit(bare)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts_wrong(bare) or not host:
        raise typer.BadParameter("An address is rtsp://…, rtsps://…, onvif://host[:port], or a host.")
    return "onvif", {"host": host, **({"port": port} if port else {})}


def parts_wrong(address: str) -> bool:
    return re.fullmatch(r"onvif://[^/@\s]+/?", address) is None


__all__ = ["CameraCheckError", "app", "camera_body", "parse_address"]
