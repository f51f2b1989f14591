"""Runs the benchmarks named, or all: `python -m bench [--quick] [NAME…]`. Ends with 1 if a figure misses its limit."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

import bench
from bench import Result


def names() -> list[str]:
    """A package here is no benchmark: it has a program of its own (bench/soak)."""
    modules = [item.name for item in pkgutil.iter_modules(bench.__path__) if not item.ispkg]
    return [name for name in modules if not name.startswith("_")]


def main(arguments: list[str]) -> int:
    quick = "--quick" in arguments
    chosen = [name for name in arguments if not name.startswith("-")] or names()
    results: list[Result] = []
    for name in chosen:
        module = importlib.import_module(f"bench.{name}")
        began = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        results += module.run(quick=quick)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    show(results)
    return 0 if all(result.holds for result in results) else 1


def show(results: list[Result]) -> None:
    """A Markdown table, to paste into docs/performance.md."""
    print("| what | ours | beside | ratio | limit | |")
    print("|---|---|---|---|---|---|")
    for item in results:
        sign = "≥" if item.at_least else "≤"
        verdict = "holds" if item.holds else "**misses**"
        print(
            f"| {item.name} | {item.ours} | {item.other} | {item.value:.2f} | {sign} {item.limit:g} | {verdict} |"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
