"""The command line of novavms-server."""

import typer

app = typer.Typer(help="novavms-server", no_args_is_help=True)
