"""What people and scripts see: tables, or JSON; sentences and codes for what went wrong."""

from __future__ import annotations

import json
import os
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
from novavms._cli.account import WrongUseError, connect
from novavms._model import Model

FAILED, WRONG_USE, CHECK_FAILED, PARTLY = 1, 2, 3, 4
UNFOLDED = 1000
"""Columns of what is no terminal: each row is one line there."""
NOTHING = "–"
GAP = 2
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
        piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        self.out = Console(highlight=False, width=UNFOLDED if piped else None)
        self.err = Console(stderr=True, highlight=False)

    def client(self) -> Client:
        return connect(self.base_url)

    def rows(self, items: Iterable[Model], columns: Sequence[str]) -> None:
        """A table of `columns` (members' names), or a JSON array of all there is."""
        found = list(items)
        if self.as_json:
            self.json([item.to_dict() for item in found])
            return
        cells = {name: [cell(getattr(item, name, None)) for item in found] for name in columns}
        shown = fitting(cells, self.out.width)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name, title in shown.items():
            is_id = name == "id"  # in one piece, to be copied; in a narrow window the others give way
            table.add_column(title, overflow="fold", no_wrap=is_id)
        for row in zip(*(cells[name] for name in shown), strict=True):
            table.add_row(*row)
        self.out.print(table)
        left = ", ".join(name.replace("_", " ") for name in columns if name not in shown)
        more = f"; a wider window, or --json, has {left}, too" if left else ""
        self.err.print(f"{len(found)} in all{more}", style="dim")

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


def fitting(cells: dict[str, list[Text]], width: int) -> dict[str, str]:
    """The columns that fit side by side, and their heads. In a narrow window heads are in two lines, and if need be columns are left
    out: first those with nothing in them, then from the right. The first stays, and the id."""

    def needed(columns: Iterable[str], mark: str) -> int:
        widths = (
            max(
                [
                    *(len(word) for word in head(name, mark).split("\n")),
                    *(text.cell_len for text in cells[name]),
                ]
            )
            for name in columns
        )
        return sum(each + GAP for each in widths) - GAP

    shown = list(cells)
    if needed(shown, " ") <= width:
        return {name: head(name, " ") for name in shown}
    others = [name for name in reversed(shown[1:]) if name != "id"]
    for name in sorted(others, key=lambda name: any(text.plain != NOTHING for text in cells[name])):
        if needed(shown, "\n") <= width:
            break
        shown.remove(name)
    return {name: head(name, "\n") for name in shown}


def head(column: str, mark: str) -> str:
    return column.replace("_", mark)


def cell(value: Any) -> Text:
    """As people read it. Always Text: what comes from elsewhere is no markup."""
    if value is None:
        return Text(NOTHING, style="dim")
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
    except WrongUseError as error:
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
