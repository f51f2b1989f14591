"""The command line of novavms-gateway."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer

from novavms_gateway import settings as settings_module
from novavms_gateway.settings import Settings, SettingsError

app = typer.Typer(
    help="The NovaVMS gateway: the box on site that checks, watches and records cameras.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of the gateway's identity, journal and clips (mode 700). "
        "[default: $NOVAVMS_GATEWAY_DATA_DIR or ~/.local/share/novavms-gateway]",
        show_default=False,
    ),
]


def _stop(sentence: str, code: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _settings(data_dir: Path | None) -> Settings:
    try:
        settings = settings_module.from_environment(os.environ)
    except SettingsError as error:
        _stop(str(error), 2)
    return replace(settings, data_dir=(data_dir or settings.data_dir).expanduser().absolute())


def _version() -> str:
    from importlib.metadata import version

    return version("novavms-gateway")


@app.command()
def pair(
    server: Annotated[str, typer.Option(help="The server's address, like https://novavms.example.com")],
    code: Annotated[
        str, typer.Option(help="The pairing code from the console, like A7B3CX; good for 10 minutes")
    ],
    data_dir: DataDir = None,
    force: Annotated[bool, typer.Option(help="Replace the pairing that is there already")] = False,
) -> None:
    """Make this box a gateway of a site, with a pairing code from the console. Once."""
    from novavms_gateway.facts import gateway_facts
    from novavms_gateway.kit.machine import Machine
    from novavms_gateway.link import pairing

    settings = _settings(data_dir)
    try:
        server_url = pairing.clean_server_url(server)
        identity = pairing.pair(
            server_url=server_url,
            code=code,
            data_dir=settings.data_dir,
            facts=gateway_facts(Machine(settings.data_dir), server_url),
            version=_version(),
            force=force,
        )
    except pairing.PairingError as error:
        _stop(str(error))
    typer.echo(f"Paired as “{identity.name}” ({identity.gateway_id}). Start it with: novavms-gateway run")
    if server_url.startswith("http://"):
        typer.echo(
            "Note: the server's address is http://, so the gateway's token travels unencrypted.", err=True
        )


@app.command()
def run(
    data_dir: DataDir = None,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when the process that started this one is gone")
    ] = False,
) -> None:
    """Run the gateway: watch its cameras, record on order, keep in touch with the server. Stops on SIGTERM.

    Logs go to stderr. A second SIGTERM stops at once, without a goodbye to the cameras.
    """
    from novavms_gateway.kit.clock import SystemClock
    from novavms_gateway.kit.files import make_private_folder
    from novavms_gateway.kit.logs import set_up_logs
    from novavms_gateway.kit.memory import use_one_arena
    from novavms_gateway.kit.process import FolderInUseError, hold_folder, run_until_stopped
    from novavms_gateway.storage.identity import IdentityUnreadableError, find_identity

    use_one_arena()
    settings = _settings(data_dir)
    set_up_logs(settings.log_level)
    for variable in settings_module.unknown_variables(os.environ):
        logging.getLogger("novavms_gateway").warning(
            "unknown setting", extra={"facts": {"variable": variable}}
        )
    try:
        make_private_folder(settings.data_dir)
        identity = find_identity(settings.data_dir)
        if identity is None:
            _stop(f"No pairing in {settings.data_dir}: run novavms-gateway pair first.")
        with hold_folder(settings.data_dir):
            from novavms_gateway.running import run_gateway

            work = run_gateway(identity, settings, clock=SystemClock(), version=_version())
            code = _run_loop(run_until_stopped(work, exit_with_parent=exit_with_parent))
    except (IdentityUnreadableError, FolderInUseError) as error:
        _stop(f"{error}.")
    except (OSError, sqlite3.Error) as error:
        _stop(f"The folder {settings.data_dir} cannot be used: {error}")
    raise typer.Exit(code)


@app.command()
def new_volume(data_dir: DataDir = None) -> None:
    """Begin to record on a new, empty disk, mounted where $NOVAVMS_GATEWAY_RECORDINGS_DIR says.

    A gateway never takes an empty folder for its footage by itself: it could be a disk that is not mounted. Restart it after this.
    """
    from novavms_gateway.kit.clock import SystemClock
    from novavms_gateway.kit.disk import SystemDisk, Threads
    from novavms_gateway.storage.identity import IdentityUnreadableError, find_identity
    from novavms_gateway.storage.volume import HINTS, Volume

    settings = _settings(data_dir)
    root = settings.recordings_root

    async def make(gateway_id: UUID) -> str | None:
        threads = Threads(1)
        volume = Volume(root, gateway_id=gateway_id, disk=SystemDisk(), off_loop=threads, clock=SystemClock())
        try:
            await volume.open(None)
        finally:
            await threads.close()
        return None if volume.trouble is None else HINTS[volume.trouble]

    try:
        identity = find_identity(settings.data_dir)
    except (IdentityUnreadableError, OSError) as error:
        _stop(f"{error}.")
    if identity is None:
        _stop(f"No pairing in {settings.data_dir}: run novavms-gateway pair first.")
    trouble = asyncio.run(make(identity.gateway_id))
    if trouble is not None:
        _stop(f"{root}: {trouble}.")
    typer.echo(f"{root} is a volume of this gateway now. Restart the gateway to record on it.")


@app.command()
def check(
    address: Annotated[str, typer.Argument(help="rtsp://host[:port]/path or onvif://host[:port]")],
    username: Annotated[str | None, typer.Option(help="The camera's user")] = None,
    transport: Annotated[
        str, typer.Option(help="tcp, udp, or auto: over TCP, where the camera refuses that over UDP")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, and nothing else")] = False,
    allow_loopback: Annotated[bool, typer.Option(help="Let the address be on this machine")] = False,
) -> None:
    """Check a camera from this box, stage by stage, without a server.

    The password comes from NOVAVMS_CAMERA_PASSWORD, else it is asked for when a user is given. Ends with 0 where the camera
    is fine, 1 where not, 2 where the address is none. NO_COLOR=1 prints without colours.
    """
    from novavms_gateway.checking import AddressError, check_as_json, check_in_terminal, source_of

    password = os.environ.get("NOVAVMS_CAMERA_PASSWORD")
    if password is None and username is not None:
        password = str(typer.prompt("Password", hide_input=True, default="", show_default=False, err=True))
    try:
        source = source_of(address, username=username, password=password, transport=transport)
    except AddressError as error:
        _stop(str(error), 2)
    if json:
        ok, report = asyncio.run(check_as_json(source, allow_loopback=allow_loopback))
        typer.echo(report)
    else:
        ok = asyncio.run(check_in_terminal(source, allow_loopback=allow_loopback))
    raise typer.Exit(0 if ok else 1)


def _run_loop(work: Coroutine[Any, Any, int]) -> int:
    """On uvloop where there is one: half the CPU per packet of the standard loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


if __name__ == "__main__":
    app()
