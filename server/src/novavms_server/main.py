"""The command line of novavms-server. Heavy imports are inside the commands: `--help` should not take a second."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from novavms_server.settings import Settings, SettingsError

app = typer.Typer(
    help="The NovaVMS server. Settings come from the environment, NOVAVMS_*; docs/reference/settings.md lists them.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
org_app = typer.Typer(help="Organizations, as the platform's admin.", no_args_is_help=True)
key_app = typer.Typer(help="API keys, as the platform's admin.", no_args_is_help=True)
app.add_typer(org_app, name="org")
app.add_typer(key_app, name="key")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of the embedded database, the secret key and local clips. [default: $NOVAVMS_DATA_DIR or novavms-data]",
        show_default=False,
    ),
]
ReadyFile = Annotated[
    Path | None, typer.Option("--ready-file", help="Write base_url and pid here as JSON once it answers.")
]


def _stop(sentence: str, code: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _settings(**overrides: Any) -> Settings:
    try:
        return Settings.from_environment(**overrides)
    except SettingsError as error:
        _stop(f"{error}.", 2)


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on. [default: $NOVAVMS_HOST or 127.0.0.1]", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port; 0 takes a free one. [default: $NOVAVMS_PORT or 8080]", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    ready_file: ReadyFile = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    Brings the database's schema up to date first. Without NOVAVMS_DATABASE_URL it starts its own PostgreSQL in the data
    folder. Logs go to stderr. Requests that run are given 20 s to end; a second signal stops at once.
    """
    settings = _settings(host=host, port=port, data_dir=data_dir)
    from novavms_server.kit.logs import set_up_logs
    from novavms_server.serving import CannotServe, serve_until_stopped

    set_up_logs(settings.log_level)
    try:
        serve_until_stopped(settings, ready_file=ready_file)
    except CannotServe as error:
        _stop(str(error))


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's schema up to date, under a lock. Each migration is applied whole or not at all."""
    settings = _settings(data_dir=data_dir)
    from novavms_server.serving import CannotServe, bring_up_to_date, database_of

    try:
        with database_of(settings) as url:
            applied = bring_up_to_date(url)
    except CannotServe as error:
        _stop(str(error))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "The schema is up to date.")


@org_app.command("create")
def org_create(
    name: Annotated[str, typer.Argument(help="The organization's name, 1 to 100 characters")],
    owner_email: Annotated[str, typer.Option(help="The first owner, who can log in at once")],
    owner_name: Annotated[str, typer.Option(help="The owner's name as others see it")] = "Owner",
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For trying out: its API keys begin with sk_test_")
    ] = False,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for the owner's password instead of making one")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Create an organization and its owner.

    Prints a temporary password once; the owner must change it at the first log-in. Run `novavms-server migrate` or `serve`
    once before.
    """
    settings = _settings(data_dir=data_dir)
    from novavms_server.accounts.passwords import RULE, fits_rule
    from novavms_server.platform import PlatformError, create_org_with_owner

    password: str | None = None
    if ask_password:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        if not fits_rule(str(password)):
            _stop(f"The password {RULE}.", 2)
    try:
        made = _run(
            settings, lambda url: create_org_with_owner(url, name, owner_email, owner_name, sandbox, password)
        )
    except PlatformError as error:
        _stop(str(error))
    typer.echo(f"org_id: {made.org_id}\nowner: {owner_email}")
    if made.temporary_password is not None:
        typer.echo(f"temporary password (shown once): {made.temporary_password}")


@key_app.command("create")
def key_create(
    org: Annotated[str, typer.Option(help="The organization: its id, or its name where only one has it")],
    role: Annotated[str, typer.Option(help="admin, operator or viewer")],
    name: Annotated[str, typer.Option(help="Of the service account that is made for the key")],
    site: Annotated[
        list[str] | None, typer.Option(help="For viewers: id of a site it sees; may be repeated")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a service account with an API key, and print the key, once. Nothing else goes to stdout."""
    settings = _settings(data_dir=data_dir)
    from novavms_server.platform import PlatformError, create_key_of

    try:
        made = _run(settings, lambda url: create_key_of(url, org, name, role, site or []))
    except PlatformError as error:
        _stop(str(error))
    typer.echo(f"service account {made.service_account_id}, key {made.key_id} (shown once):", err=True)
    typer.echo(made.key)


def _run(settings: Settings, make: Any) -> Any:
    from novavms_server.serving import CannotServe, database_of

    try:
        with database_of(settings) as url:
            return asyncio.run(make(url))
    except CannotServe as error:
        _stop(str(error))


@app.command()
def openapi(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; without: stdout")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail unless the file is what would be written")
    ] = False,
) -> None:
    """Write the OpenAPI 3.1 document of the API. Needs no database."""
    from novavms_server.platform import render_document

    text = render_document()
    if file is None:
        sys.stdout.write(text)
    elif not check:
        file.write_text(text, encoding="utf-8")
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        _stop(f"{file} is not what the server says; renew it with: make openapi")


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the server; 0 takes a free one")] = 8080,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Write all facts here as JSON once everything runs")
    ] = None,
) -> None:
    """Run the whole system on this machine: PostgreSQL, server, a paired gateway, three simulated cameras.

    Prints where it is, who may log in, and curl lines to paste. Ctrl-C stops all of it and leaves nothing.
    """
    from novavms_server.demo.children import DemoError
    from novavms_server.demo.run import run_demo

    try:
        asyncio.run(run_demo(port=port, ready_file=ready_file, say=typer.echo))
    except DemoError as error:
        _stop(f"demo: {error}")


if __name__ == "__main__":
    app()
