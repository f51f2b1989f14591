"""The guide for people and the code say the same: every reason with its hint, every warning, every stage."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import get_args

from novavms_camera.check.report import StageName, WarningCode
from novavms_camera.faults import HINTS, REASONS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/guides/adding-cameras.md"


def table(heading: str) -> dict[str, str]:
    """First cell (without backquotes) to last cell of each row of the table under a heading."""
    section = GUIDE.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {re.sub(r"[`\s]", "", cells[0]): cells[-1].strip() for cells in rows}


def test_every_reason_has_its_hint_in_the_guide() -> None:
    assert set(HINTS) == set(REASONS)
    assert table("Reasons, and what to do") == HINTS


def test_every_warning_is_in_the_guide() -> None:
    assert set(table("Warnings")) == set(get_args(WarningCode))


def test_every_stage_is_in_the_guide_in_its_order() -> None:
    assert tuple(table("What is checked")) == get_args(StageName)


def special_hints() -> set[str]:
    """The texts of all constants called …_HINT."""
    found = set()
    package = ROOT / "camera/src"
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = [
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.endswith("_HINT")
        ]
        module = (
            importlib.import_module(".".join(path.relative_to(package).with_suffix("").parts))
            if names
            else None
        )
        found |= {getattr(module, name) for name in names}
    return {value for value in found if isinstance(value, str)}


def test_every_hint_of_a_case_is_in_the_guide() -> None:
    section = GUIDE.read_text().split("## Hints for some cases\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if " | `" in line]
    assert {cells[2].strip() for cells in rows} == special_hints()
    assert {cells[1].strip(" `") for cells in rows} <= set(REASONS)
