"""Hundreds of cameras from a CSV file, and a file beside it of what became of each.

The results file grows a line at a time while a run goes on, and the last line of a row counts; a run that comes to its end leaves one
line a row. Before a camera is asked for, its line says `adding` with the Idempotency-Key that is used: a run that was cut off there asks
with the same key again, and so adds none twice; so does one after a failure that does not say whether the camera was made. A row that was
refused is asked for anew, under another key. A row is known by a hash of it, without the password: one that was changed is a new one.
"""

from __future__ import annotations

import csv
import hashlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from novavms import APIError, CameraCheckError, Client, NovaVMSError
from novavms._cli import names
from novavms._cli.output import Terminal
from novavms.types import CheckWarning

NEEDED = ("name", "site", "address")
KNOWN = (*NEEDED, "gateway", "username", "password", "recording_mode", "retention_days")

REFUSALS = (400, 404, 409, 413)
"""Answers that say that no camera was made, and that come again for the same Idempotency-Key."""


@dataclass(frozen=True)
class Row:
    """One camera to add. `number` is its line in the file."""

    number: int
    values: dict[str, str]

    @property
    def digest(self) -> str:
        """Of all it says but the password, which could be guessed from it."""
        known = (name for name in KNOWN if name != "password")
        text = "\0".join(f"{name}={self.values.get(name, '')}" for name in known)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    """A line of the results file. `status`: adding, added, failed, works (dry run)."""

    line: int
    name: str
    status: str
    camera_id: str = ""
    reason: str = ""
    message: str = ""
    hint: str = ""
    request_id: str = ""
    row: str = ""
    key: str = ""
    warnings: str = ""
    """`code: sentence` of each, separated by line ends: it works, but not as hoped."""


class Results:
    """The file of what became of each row. One writer at a time; every line is on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.last: dict[str, Result] = {}
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                for record in csv.DictReader(file):
                    known = {item.name: record.get(item.name) or "" for item in fields(Result)}
                    line = int(known.pop("line") or 0)
                    result = Result(line=line, **known)
                    self.last[result.row] = result
        is_new = not path.exists() or path.stat().st_size == 0
        self._file = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, [item.name for item in fields(Result)])
        if is_new:
            self._writer.writeheader()

    def write(self, result: Result) -> None:
        with self._lock:
            self.last[result.row] = result
            self._writer.writerow(asdict(result))
            self._file.flush()
            os.fsync(self._file.fileno())

    def tidy(self, rows: Iterable[Row]) -> None:
        """One line for each of these rows; of others, what was added is kept."""
        order = {row.digest: None for row in rows}
        kept = [self.last[digest] for digest in order if digest in self.last]
        kept += [one for digest, one in self.last.items() if digest not in order and one.status == "added"]
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [item.name for item in fields(Result)])
            writer.writeheader()
            writer.writerows(asdict(one) for one in kept)
            file.flush()
            os.fsync(file.fileno())
        self.close()
        fresh.replace(self.path)

    def close(self) -> None:
        self._file.close()


def read_rows(path: Path) -> list[Row]:
    """Raises BadParameter with the line that is wrong."""
    try:
        return _read_rows(path)
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path.name} is not UTF-8; save it as “CSV UTF-8”") from None


def _read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        head = file.read(4096)
        file.seek(0)
        separator = ";" if head.partition("\n")[0].count(";") > head.partition("\n")[0].count(",") else ","
        reader = csv.DictReader(file, delimiter=separator)
        columns = [(name or "").strip().lower() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        missing = [name for name in NEEDED if name not in columns]
        unknown = [name for name in columns if name not in KNOWN]
        if missing or unknown:
            wrong = [f"no column {name}" for name in missing] + [
                f"unknown column {name!r}" for name in unknown
            ]
            raise typer.BadParameter(f"{path.name}: {'; '.join(wrong)}. Columns: {', '.join(KNOWN)}")
        rows: list[Row] = []
        for record in reader:
            values = {name: (record.get(name) or "") for name in columns}
            values = {name: value if name == "password" else value.strip() for name, value in values.items()}
            if not any(values.values()):
                continue
            empty = [name for name in NEEDED if not values[name]]
            if empty:
                raise typer.BadParameter(f"{path.name}, line {reader.line_num}: {empty[0]} is empty")
            days = values.get("retention_days", "")
            if days and not days.isdecimal():
                raise typer.BadParameter(
                    f"{path.name}, line {reader.line_num}: retention_days is no number: {days}"
                )
            rows.append(Row(reader.line_num, values))
    return rows


def import_file(
    terminal: Terminal, client: Client, path: Path, results_path: Path | None, *, at_once: int, dry_run: bool
) -> int:
    """How many failed. Raises BadParameter for a file that is wrong as a whole, before anything is asked for."""
    from novavms._cli.cameras import camera_body

    rows = read_rows(path)
    sites = {name: names.site_id(client, name) for name in _each(rows, "site")}
    gateways = {name: names.gateway_id(client, name) for name in _each(rows, "gateway")}
    bodies: dict[int, dict[str, Any]] = {}
    for row in rows:
        values = row.values
        gateway = gateways.get(values.get("gateway", ""))
        body = camera_body(
            client, values["address"], gateway, values.get("username") or None, values.get("password") or None
        )
        for name, kind in (("recording_mode", str), ("retention_days", int)):
            if values.get(name):
                body[name] = kind(values[name])
        bodies[row.number] = body
    results = Results(results_path or path.with_name(f"{path.stem}.results.csv"))

    def one(row: Row) -> Result:
        before = results.last.get(row.digest)
        if before is not None and before.status == "added" and not dry_run:
            return before
        blank = Result(row.number, row.values["name"], "adding", row=row.digest)
        if dry_run:
            return _tested(client, blank, bodies[row.number])
        key = (before.key if before is not None else "") or str(uuid4())
        results.write(replace(blank, key=key))
        site = sites[row.values["site"]]
        result = _added(
            client, blank, {**bodies[row.number], "name": row.values["name"], "site_id": site}, key
        )
        results.write(result)
        return result

    try:
        done = _run(terminal, rows, one, at_once)
        if not dry_run:
            results.tidy(rows)
    except KeyboardInterrupt:
        terminal.say("Interrupted. Run it again to go on: none is added twice.", "yellow")
        raise
    finally:
        results.close()
    _tell(terminal, done, results.path, dry_run=dry_run)
    return sum(result.status == "failed" for result in done)


def _run(terminal: Terminal, rows: list[Row], one: Any, at_once: int) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done: list[Result] = []
    with (
        Progress(*columns, console=terminal.err, transient=True) as bar,
        ThreadPoolExecutor(at_once) as pool,
    ):
        task = bar.add_task("cameras", total=len(rows))
        try:
            for future in as_completed([pool.submit(one, row) for row in rows]):
                result: Result = future.result()
                done.append(result)
                bar.advance(task)
                failed = sum(each.status == "failed" for each in done)
                bar.update(task, description=f"cameras, {failed} failed" if failed else "cameras")
        except BaseException:
            bar.update(task, description="finishing what has begun")
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return sorted(done, key=lambda result: result.line)


def _added(client: Client, blank: Result, body: dict[str, Any], key: str) -> Result:
    try:
        camera = client.cameras.create(**body, idempotency_key=key)
    except NovaVMSError as error:
        refused = isinstance(error, APIError) and error.status in REFUSALS
        return replace(_failed(blank, error), key="" if refused else key)
    warned = _warned(camera.check.warnings if camera.check else [])
    return replace(blank, status="added", camera_id=camera.id, key=key, warnings=warned)


def _tested(client: Client, blank: Result, body: dict[str, Any]) -> Result:
    extra = ("recording_mode", "retention_days")
    try:
        report = client.cameras.test(**{name: value for name, value in body.items() if name not in extra})
    except NovaVMSError as error:
        return _failed(blank, error)
    return replace(
        blank,
        status="works" if report.ok else "failed",
        reason=report.reason or "",
        message=report.message or "",
        hint=report.hint or "",
        warnings=_warned(report.warnings),
    )


def _warned(warnings: Iterable[CheckWarning]) -> str:
    return "\n".join(f"{one.code}: {one.message or one.code}" for one in warnings)


def _failed(blank: Result, error: NovaVMSError) -> Result:
    if not isinstance(error, APIError):
        return replace(blank, status="failed", reason="connection", message=str(error))
    return replace(
        blank,
        status="failed",
        reason=error.reason or error.code,
        message=error.message,
        hint=(error.hint or "") if isinstance(error, CameraCheckError) else "",
        request_id=error.request_id or "",
    )


def _tell(terminal: Terminal, done: Iterable[Result], results: Path, *, dry_run: bool) -> None:
    found = list(done)
    if terminal.as_json:
        shown = [
            {key: value for key, value in asdict(result).items() if key not in ("row", "key")}
            for result in found
        ]
        terminal.json(shown)
        return
    failed = [result for result in found if result.status == "failed"]
    good = len(found) - len(failed)
    terminal.say(
        f"{good} {'work' if dry_run else 'added'}, {len(failed)} failed", "green" if not failed else "yellow"
    )
    for result in failed:
        terminal.say(f"line {result.line}  {result.name}: {result.reason}. {result.message}", "red")
        if result.hint:
            terminal.say(f"    → {result.hint}", "yellow")
    _tell_warnings(terminal, found)
    if not dry_run:
        terminal.say(f"What became of each: {results}")


def _tell_warnings(terminal: Terminal, found: Iterable[Result]) -> None:
    """One line for all that have the same one: hundreds of cameras often do. What a sentence names may be another camera's."""
    kinds: dict[tuple[str, str], list[Result]] = {}
    for result in found:
        for warning in filter(None, result.warnings.split("\n")):
            code, _, sentence = warning.partition(": ")
            kinds.setdefault((code, sentence), []).append(result)
    for (_, sentence), told in kinds.items():
        lines = ", ".join(str(result.line) for result in told[:20]) + (" …" if len(told) > 20 else "")
        terminal.say(f"! line {lines}: {sentence}", "yellow")


def _each(rows: list[Row], column: str) -> list[str]:
    return sorted({row.values[column] for row in rows if row.values.get(column)})
