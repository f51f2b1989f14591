"""The command line as a whole: logging in, and who is logged in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from novavms import NovaVMSError, __version__
from novavms._cli import account, cameras, others
from novavms._cli.cameras import terminal_of
from novavms._cli.output import Terminal, failures

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="NovaVMS by hand and by script: cameras, sites, gateways, events and clips.",
)
app.add_typer(cameras.app, name="cameras")
app.add_typer(others.events, name="events")
app.add_typer(others.gateways, name="gateways")
app.add_typer(others.sites, name="sites")
app.add_typer(others.exports, name="exports")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"novavms {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    server: Annotated[
        str | None, typer.Option(help="The server's address; else NOVAVMS_BASE_URL, or that of the login.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """What every command has."""
    del version
    context.obj = Terminal(as_json, server)


@app.command()
def login(
    context: typer.Context,
    email: Annotated[str | None, typer.Option(help="Asked for if not given.")] = None,
    api_key: Annotated[
        bool, typer.Option("--api-key", help="Keep an API key instead of logging in.")
    ] = False,
    remember: Annotated[bool, typer.Option("--remember", help="For 30 days instead of 7.")] = False,
) -> None:
    """Log in, and stay so: what is kept is readable by you alone."""
    terminal = terminal_of(context)
    with failures(terminal):
        if api_key:
            key = str(typer.prompt("API key", hide_input=True, err=True)).strip()
            with account.client_of(api_key=key, base_url=terminal.base_url) as client:
                me = client.auth.me()
                account.save(account.Account(client.base_url, api_key=key))
        else:
            with account.client_of(api_key=None, base_url=terminal.base_url) as client:
                terminal.say(f"Logging in to {client.base_url}", "dim")
                who = email or str(typer.prompt("Email", err=True))
                password = str(typer.prompt("Password", hide_input=True, err=True))
                if client.auth.login(who, password, remember_me=remember).user.must_change_password:
                    chosen = choose_password(terminal)
                    client.auth.change_password(current_password=password, new_password=chosen)
                    client.auth.login(who, chosen, remember_me=remember)
                tokens = client.tokens
                assert tokens is not None, "a login leaves tokens"
                account.save(
                    account.Account(client.base_url, None, tokens.access_token, tokens.refresh_token)
                )
                me = client.auth.me()
        terminal.one(me, ("email", "display_name", "role", "org_id"))


def choose_password(terminal: Terminal) -> str:
    """Instead of a temporary one."""
    terminal.say("Your password is a temporary one. Choose your own.")
    again = "New password, once more"
    return str(typer.prompt("New password", hide_input=True, confirmation_prompt=again, err=True))


@app.command()
def logout(context: typer.Context) -> None:
    """End the session, and forget what was kept of it."""
    terminal = terminal_of(context)
    with failures(terminal):
        kept = account.load()
        if kept is not None and kept.access_token:
            try:
                with account.connect() as client:
                    client.auth.logout()
            except (NovaVMSError, account.WrongUseError):
                pass  # it has ended already, or the server is away: forgotten it is all the same
        account.forget()
        terminal.say("Logged out.")


@app.command()
def whoami(context: typer.Context) -> None:
    """Show who is logged in."""
    terminal = terminal_of(context)
    with failures(terminal), terminal.client() as client:
        terminal.one(client.auth.me(), ("email", "display_name", "role", "org_id"))


def run() -> None:
    """Ctrl-C ends quietly, as it does programs that run for ever."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
