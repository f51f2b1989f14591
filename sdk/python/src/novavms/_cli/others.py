"""`novavms events …`, `gateways …`, `sites …`, `exports …`"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from novavms._cli import names
from novavms._cli.cameras import terminal_of
from novavms._cli.output import failures

events = typer.Typer(no_args_is_help=True, help="What happened, and its clips.")
gateways = typer.Typer(no_args_is_help=True, help="Our boxes on site.")
sites = typer.Typer(no_args_is_help=True, help="Places.")
exports = typer.Typer(no_args_is_help=True, help="Footage as evidence.")
EVENT = ("triggered_at", "camera_name", "trigger_type", "summary", "acknowledged", "starred", "id")
GATEWAY = ("name", "status", "version", "local_ip", "last_heartbeat_at", "id")
SITE = ("name", "timezone", "address", "id")
EXPORT = (
    "status",
    "status_message",
    "case_reference",
    "file_name",
    "size_bytes",
    "sha256",
    "key_fingerprint",
    "id",
)


@events.command("list")
def list_events(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(help="Only of this camera.")] = None,
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339, or a day (YYYY-MM-DD) of the site.")] = None,
    until: Annotated[str | None, typer.Option(help="The same.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-s", help="In note, summary or camera's name.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 50,
) -> None:
    """List events, newest first."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        page = client.events.list(
            camera_id=names.camera_id(client, camera) if camera else None,
            site_id=names.site_id(client, site) if site else None,
            date_from=since,
            date_to=until,
            q=search,
            limit=min(limit, 100),
        )
        terminal.rows([event for event, _ in zip(page, range(limit))], EVENT)  # noqa: B905


@events.command("get")
def get_event(context: typer.Context, event: str) -> None:
    """Show one event."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        found = client.events.get(event)
        terminal.one(found, (*EVENT, "note", "narrative"))
        if found.clip is not None and not terminal.as_json:
            terminal.one(found.clip, ("status", "duration_sec", "gap_sec", "size_bytes", "failure_message"))


@events.command("download")
def download_clip(
    context: typer.Context,
    event: str,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="[default: <event>.mp4]")] = None,
) -> None:
    """Save an event's clip; waits while it is being made."""
    terminal = terminal_of(context)
    path = output or Path(f"{event}.mp4")
    with failures(terminal), terminal.client() as client:
        with terminal.err.status("Waiting for the clip …"):
            clip = client.events.wait_for_clip(event)
        with terminal.download(path) as progress:
            clip.download(path, progress=progress)
        terminal.say(f"Saved {path}.", "green")


@gateways.command("list")
def list_gateways(context: typer.Context) -> None:
    """List gateways."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        terminal.rows(client.gateways.list(limit=100), GATEWAY)


@gateways.command("pair-code")
def pair_code(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the new gateway is called.")],
    site: Annotated[str, typer.Option(help="Its site, by name or id.")],
) -> None:
    """Make a pairing code for a new gateway: good once, for ten minutes."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        code = client.gateways.generate_pairing_code(name=name, site_id=names.site_id(client, site))
        if terminal.as_json:
            terminal.json(code.to_dict())
            return
        terminal.out.print(code.pairing_code, style="bold")
        terminal.say(
            f"On the gateway, before {code.expires_at.astimezone():%H:%M}: "
            f"novavms-gateway pair --server {client.base_url} --code {code.pairing_code}"
        )


@gateways.command("discover")
def discover(
    context: typer.Context,
    gateway: Annotated[str, typer.Argument(help="Its name or id.")],
    host: Annotated[list[str] | None, typer.Option(help="Ask this address, too.")] = None,
) -> None:
    """Find ONVIF cameras on a gateway's network."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        more: dict[str, Any] = {"hosts": host} if host else {}
        with terminal.err.status("Searching …"):
            found = client.gateways.discover(names.gateway_id(client, gateway), **more)
        terminal.rows(found.devices, ("host", "port", "name", "manufacturer", "model"))


@sites.command("list")
def list_sites(context: typer.Context) -> None:
    """List sites."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        terminal.rows(client.sites.list(limit=100), SITE)


@sites.command("create")
def create_site(
    context: typer.Context,
    name: str,
    timezone: Annotated[str, typer.Option(help="IANA name, such as Europe/Berlin.")] = "UTC",
    address: Annotated[str | None, typer.Option(help="Where it is.")] = None,
) -> None:
    """Create a site."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        more: dict[str, Any] = {} if address is None else {"address": address}
        terminal.one(client.sites.create(name=name, timezone=timezone, **more), SITE)


@exports.command("list")
def list_exports(context: typer.Context) -> None:
    """List exports."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        terminal.rows(client.exports.list(limit=100), ("created_at", *EXPORT[:4], "id"))


@exports.command("create")
def create_export(
    context: typer.Context,
    camera: Annotated[list[str], typer.Argument(help="Cameras, by name or id.")],
    start: Annotated[str, typer.Option("--from", help="RFC 3339, such as 2026-03-01T12:00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="The same; at most an hour later.")],
    case: Annotated[str | None, typer.Option(help="Your reference.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Wait for it and save it here.")
    ] = None,
) -> None:
    """Export footage as signed evidence. `novavms-verify` checks it, offline."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        which = [names.camera_id(client, each) for each in camera]
        more: dict[str, Any] = {} if case is None else {"case_reference": case}
        made = client.exports.create(camera_ids=which, from_=_time(start), to=_time(end), **more)
        if output is not None:
            with terminal.err.status("Collecting footage …"):
                made = client.exports.wait_until_ready(made.id)
            with terminal.download(output) as progress:
                client.exports.download(made.id, output, progress=progress)
            terminal.say(f"Saved {output}.", "green")
        terminal.one(made, EXPORT)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise typer.BadParameter(f"{text} is no time; write 2026-03-01T12:00:00Z") from None
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text} lacks its zone; write 2026-03-01T12:00:00Z or …+01:00")
    return found
