"""The command line of novavms-simcam."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from novavms_simcam.camera import SimCam
from novavms_simcam.config import DEFAULT_PASSWORD, DEFAULT_USERNAME, Audio, Auth, SimCamConfig
from novavms_simcam.faults import FAULTS
from novavms_simcam.program import RunOptions, make_faults, media_source, read_config, run

PASSWORD_VARIABLE = "NOVAVMS_SIMCAM_PASSWORD"  # noqa: S105 - a variable's name

app = typer.Typer(
    help="Simulated cameras: real RTSP and ONVIF on this machine, with faults to switch on.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.command("run")
def run_command(
    count: Annotated[int, typer.Option(min=1, max=2000, help="How many cameras.")] = 1,
    kind: Annotated[
        str, typer.Option("--type", help="onvif (with RTSP behind it), or rtsp alone.")
    ] = "onvif",
    name: Annotated[
        str, typer.Option(help="Name; several cameras get a number behind it.")
    ] = "Simulated camera",
    username: Annotated[str, typer.Option(help="Login name.")] = DEFAULT_USERNAME,
    media: Annotated[
        str, typer.Option(help="h264, h265 (bundled footage), or a file in H.264 or H.265.")
    ] = "h264",
    audio: Annotated[str, typer.Option(help="aac, pcma, pcmu or none.")] = "aac",
    auth: Annotated[
        str, typer.Option(help="digest, basic, both, digest-sha256, digest-both or none.")
    ] = "digest",
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Anything but loopback shows the camera to your network."),
    ] = "127.0.0.1",
    rtsp_port: Annotated[
        int, typer.Option(min=0, max=65535, help="RTSP port of the first camera, counting up; 0: any.")
    ] = 0,
    rtsps_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port for RTSP over TLS, counting up; 0: any. Off if not given."),
    ] = None,
    onvif_port: Annotated[
        int, typer.Option(min=0, max=65535, help="ONVIF port of the first camera, counting up; 0: any.")
    ] = 0,
    onvif_https: Annotated[
        bool, typer.Option("--onvif-https", help="ONVIF over https, with a self-signed certificate.")
    ] = False,
    discovery_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="UDP port for WS-Discovery probes (3702 by standard). Off if not given."
        ),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME=VALUE; may be repeated. `faults` lists them.")
    ] = None,
    control_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Control server on 127.0.0.1; 0: any port. Off if not given."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write what runs where, as JSON with passwords, once all listen.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(help="JSON list of cameras instead of the options above; - reads standard input."),
    ] = None,
    exit_with_parent: Annotated[
        bool, typer.Option("--exit-with-parent", help="Stop when the process that started this one is gone.")
    ] = False,
) -> None:
    """Run simulated cameras until Ctrl-C.

    The password comes from NOVAVMS_SIMCAM_PASSWORD or from the JSON config, never from the command line; without either it is
    "simcam-Passw0rd".
    """
    password = os.environ.get(PASSWORD_VARIABLE) or DEFAULT_PASSWORD
    options = RunOptions(control_port=control_port, ready_file=ready_file, exit_with_parent=exit_with_parent)
    try:
        if config is not None:
            text = sys.stdin.read() if config == "-" else Path(config).read_text(encoding="utf-8")
            configs = read_config(text, password)
        else:
            _check_choice("--type", kind, ("onvif", "rtsp"))
            _check_choice("--audio", audio, get_args(Audio))
            _check_choice("--auth", auth, get_args(Auth))
            faults = _parse_faults(fault or [])
            configs = [
                SimCamConfig(
                    name=name if count == 1 else f"{name} {i + 1}",
                    username=username,
                    password=password,
                    media=media_source(media),
                    audio=audio,  # type: ignore[arg-type]  # checked above
                    auth=auth,  # type: ignore[arg-type]
                    host=host,
                    rtsp_port=rtsp_port + i if rtsp_port else 0,
                    rtsps_port=rtsps_port + i if rtsps_port else rtsps_port,
                    onvif_port=None if kind == "rtsp" else onvif_port + i if onvif_port else 0,
                    onvif_https=onvif_https,
                    discovery_port=discovery_port + i if discovery_port else discovery_port,
                    faults=make_faults(dict(faults)),
                )
                for i in range(count)
            ]
        _run_loop(configs, options, quiet_password=password == DEFAULT_PASSWORD and config is None)
    except (OSError, ValueError, OverflowError) as wrong:
        typer.echo(f"novavms-simcam: {wrong}", err=True)
        raise typer.Exit(2) from None


def _run_loop(configs: Sequence[SimCamConfig], options: RunOptions, *, quiet_password: bool) -> None:
    def on_ready(cameras: Sequence[SimCam], control_url: str | None) -> None:
        for cam in cameras[:20]:
            onvif = f"  ONVIF {cam.config.host}:{cam.onvif_port}" if cam.onvif_port is not None else ""
            faults = "".join(f" {k}={v}" for k, v in cam.faults.active().items())
            typer.echo(f"{cam.config.name}:  {cam.rtsp_url}{onvif}  user {cam.config.username}")
            if faults:
                typer.echo(f"    faults:{faults}")
        if len(cameras) > 20:
            typer.echo(f"… and {len(cameras) - 20} more; --ready-file FILE lists all")
        shown = f'"{DEFAULT_PASSWORD}" (the default)' if quiet_password else "as configured"
        typer.echo(f"Password: {shown}. Control: {control_url or 'off'}. Ctrl-C stops.")

    main = run(configs, options, on_ready)
    try:
        import uvloop
    except ImportError:  # Windows
        asyncio.run(main)
    else:
        uvloop.run(main)


@app.command("faults")
def faults_command() -> None:
    """List every fault, what its bare name stands for, and what the camera then does."""
    table = Table("Fault", "Bare name means", "What the camera does")
    for spec in FAULTS.values():
        table.add_row(spec.name, str(spec.metadata["on"]).lower(), spec.metadata["what"])
    Console().print(table)


def _check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{option} is one of {', '.join(choices)}, not {value!r}")


def _parse_faults(texts: Sequence[str]) -> dict[str, bool | int | float | str]:
    values: dict[str, bool | int | float | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        values[name.strip()] = value.strip() if equals else True
    return values
