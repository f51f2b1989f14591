"""The guide for people and the code say the same: every reason with its hint, every warning, every stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from novavms_camera.check.report import StageName, WarningCode
from novavms_camera.faults import HINTS, REASONS

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/adding-cameras.md"


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
