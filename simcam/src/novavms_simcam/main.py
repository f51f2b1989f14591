"""The command line of novavms-simcam."""

import typer

app = typer.Typer(help="novavms-simcam", no_args_is_help=True)
