"""The command line of novavms-gateway."""

import typer

app = typer.Typer(help="novavms-gateway", no_args_is_help=True)
