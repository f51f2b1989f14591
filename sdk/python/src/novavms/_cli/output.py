"""What people and scripts see: tables, or JSON; sentences and codes for what went wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from novavms import APIConnectionError, APIError, CameraCheckError, Client, NovaVMSError
from novavms._cli.account import NotLoggedInError, connect
from novavms._model import Model

FAILED, WRONG_USE, CHECK_FAILED, PARTLY = 1, 2, 3, 4
COLOURS = {
    "online": "green",
    "ready": "green",
    "offline": "red",
    "error": "red",
    "failed": "red",
    "pending": "yellow",
    "recording": "yellow",
    "uploading": "yellow",
    "disabled": "dim",
}


@dataclass
class Terminal:
    """How this run talks. People's words go to stderr where stdout is a script's."""

    as_json: bool = False
    base_url: str | None = None

    def __post_init__(self) -> None:
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)

    def client(self) -> Client:
        return connect(self.base_url)

    def rows(self, items: Iterable[Model], columns: Sequence[str]) -> None:
        """A table of `columns` (members' names), or a JSON array of all there is."""
        found = list(items)
        if self.as_json:
            self.json([item.to_dict() for item in found])
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            is_id = name == "id"  # in one piece, to be copied; in a narrow window the others give way
            table.add_column(name.replace("_", " "), overflow="fold", no_wrap=is_id)
        for item in found:
            table.add_row(*(cell(getattr(item, name, None)) for name in columns))
        self.out.print(table)
        self.err.print(f"{len(found)} in all", style="dim")

    def one(self, item: Model, columns: Sequence[str]) -> None:
        """An object: its members below one another, or JSON."""
        if self.as_json:
            self.json(item.to_dict())
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        for name in columns:
            table.add_row(Text(name.replace("_", " "), style="bold"), cell(getattr(item, name, None)))
        self.out.print(table)

    def json(self, value: Any) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
        sys.stdout.flush()

    def line(self, value: Any) -> None:
        """One JSON value a line, for what goes on."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()

    def say(self, sentence: str, style: str = "") -> None:
        """For people; a script that reads stdout does not see it."""
        self.err.print(Text(sentence), style=style or None)

    @contextmanager
    def download(self, path: Path) -> Generator[Callable[[int, int | None], None]]:
        """A bar; yields what the library's `progress` is."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(path.name, total=None)

            def progress(so_far: int, total: int | None) -> None:
                bar.update(task, completed=so_far, total=total)

            yield progress


def cell(value: Any) -> Text:
    """As people read it. Always Text: what comes from elsewhere is no markup."""
    if value is None:
        return Text("–", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, datetime):
        return Text(value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    if isinstance(value, (list, tuple)):
        return Text(", ".join(str(item) for item in value))  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))
    return Text(shown, style=COLOURS.get(shown, ""))


@contextmanager
def failures(terminal: Terminal) -> Generator[None]:
    """Whatever goes wrong inside becomes a sentence (or JSON) and an exit code."""
    try:
        yield
    except NotLoggedInError as error:
        terminal.say(str(error), "red")
        raise typer.Exit(WRONG_USE) from None
    except CameraCheckError as error:
        tell_failure(terminal, error)
        raise typer.Exit(CHECK_FAILED) from None
    except NovaVMSError as error:
        tell_failure(terminal, error)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        terminal.say(f"{error.filename or 'The disk'}: {error.strerror or error}", "red")
        raise typer.Exit(FAILED) from None


def tell_failure(terminal: Terminal, error: NovaVMSError) -> None:
    if terminal.as_json:
        terminal.json({"error": describe(error)})
        return
    if isinstance(error, APIConnectionError):
        terminal.say(f"The server cannot be reached: {error}", "red")
    elif isinstance(error, APIError):
        terminal.say(error.message, "red")
        for detail in error.details[1:]:
            terminal.say(f"  {detail.field}: {detail.message}", "red")
        if error.hint:
            terminal.say(f"→ {error.hint}", "yellow")
        if error.request_id:
            terminal.say(f"request {error.request_id}", "dim")
    else:
        terminal.say(str(error), "red")


def describe(error: NovaVMSError) -> dict[str, Any]:
    """For scripts."""
    if not isinstance(error, APIError):
        return {"type": type(error).__name__, "message": str(error)}
    return {
        "type": type(error).__name__,
        "status": error.status,
        "code": error.code,
        "message": error.message,
        "reason": error.reason,
        "hint": error.hint,
        "request_id": error.request_id,
        "details": [detail._asdict() for detail in error.details],
    }
