"""Benchmarks, each against a named peer or floor, the ratio taken in one run. `make bench`; figures in docs/performance.md.

A module here offers `run(quick) -> list[Result]`. The machine may be busy with other things: what is compared is measured
in turns, and the middle of the turns counts.
"""

from __future__ import annotations

from typing import NamedTuple


class Result(NamedTuple):
    """One line of the table. `value` is held against `limit`: at most, or at least where `at_least`."""

    name: str
    ours: str
    other: str
    """The peer's or the floor's figure, with its name."""
    value: float
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit
