"""A check as it runs: its stages, one line each, as they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.text import Text

from novavms._cli.output import Terminal
from novavms.types import CheckReport, CheckStage, CheckWarning

MARKS = {True: ("✓", "green"), False: ("✗", "red")}


def stages_shown(terminal: Terminal) -> Callable[[CheckStage], None] | None:
    """What the library's `on_stage` is; None where nobody looks."""
    if terminal.as_json or not terminal.err.is_terminal:
        return None
    return lambda stage: terminal.err.print(_line(stage))


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
    tell_warnings(terminal, report.warnings)


def tell_warnings(terminal: Terminal, warnings: Iterable[CheckWarning]) -> None:
    """It works, but will disappoint."""
    for warning in warnings:
        terminal.say(f"! {warning.message or warning.code}", "yellow")
