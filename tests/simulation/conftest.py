"""`pytest tests/simulation --seed N` plays one seed; `make simulate SEED=N` does."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="the simulation's seed to play")
