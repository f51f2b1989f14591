"""A check as it runs: its stages, one line each, as they pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from rich.text import Text

from novavms import Client, NotFoundError, NovaVMSError
from novavms._cli.output import Terminal
from novavms.types import CheckReport, CheckStage

T = TypeVar("T")
WAIT_SEC = 10.0
MARKS = {True: ("✓", "green"), False: ("✗", "red")}


def followed(terminal: Terminal, client: Client, run: Callable[[str], T]) -> T:
    """`run(check_id)`, with the stages of its check shown meanwhile. Raises what `run` raises."""
    check_id = str(uuid4())
    if terminal.as_json or not terminal.err.is_terminal:
        return run(check_id)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(terminal, client, check_id, done), daemon=True)
    watcher.start()
    try:
        return run(check_id)
    finally:
        done.set()
        watcher.join(timeout=2)


def _watch(terminal: Terminal, client: Client, check_id: str, done: threading.Event) -> None:
    seen, shown_all = 0, False
    while not shown_all:
        try:
            answer = client.cameras.check_stages(check_id, after=seen, wait_sec=WAIT_SEC)
        except NotFoundError:
            if done.is_set():  # it never began: the server refused it before
                return
            continue
        except NovaVMSError:
            return  # the answer itself says what counts
        for stage in answer.stages:
            terminal.err.print(_line(stage))
        seen, shown_all = answer.next, answer.ended


def _line(stage: CheckStage) -> Text:
    mark, style = MARKS[stage.ok]
    why = f"  {stage.reason}" if stage.reason else ""
    return Text.assemble((f" {mark} ", style), f"{stage.name:10} {stage.ms:7.0f} ms", (why, style))


def tell_report(terminal: Terminal, report: CheckReport) -> None:
    """What a check found."""
    if terminal.as_json:
        terminal.json(report.to_dict())
        return
    facts = report.facts
    if report.ok:
        size = f"{facts.get('width')}×{facts.get('height')}"
        words = [facts.get("manufacturer"), facts.get("model"), facts.get("codec"), size]
        shown = " ".join(str(word) for word in words if word)
        terminal.say(f"The camera works: {shown} ({report.elapsed_ms / 1000:.1f} s)", "green")
    else:
        terminal.say(report.message or report.reason or "The check failed.", "red")
        if report.hint:
            terminal.say(f"→ {report.hint}", "yellow")
    for warning in report.warnings:
        terminal.say(f"! {warning.message or warning.code}", "yellow")
