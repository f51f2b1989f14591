"""In which order the files of tests are handed to the workers of `make test`."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import settings

settings.register_profile("nova", deadline=None)
settings.load_profile("nova")

LONG = 20
"""A test that takes over half a minute counts as so many slow ones."""
LONG_LIMIT_SEC = 300
"""And may take so long, where it says nothing else: on a busy machine it takes twice its time."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file goes to one worker, which makes what its tests share once; those that take long begin first, so that the last to end is
    not a long one. Side by side are then files of many kinds: some wait while others calculate."""
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.nodeid.partition("::")[0]].append(item)
    for name, tests in files.items():
        for test in tests:
            if test.get_closest_marker("xdist_group") is None:
                test.add_marker(pytest.mark.xdist_group(name))
            if test.get_closest_marker("long") and test.get_closest_marker("timeout") is None:
                test.add_marker(pytest.mark.timeout(LONG_LIMIT_SEC))
    items[:] = [test for tests in sorted(files.values(), key=_weight, reverse=True) for test in tests]


def _weight(tests: list[pytest.Item]) -> int:
    return sum(
        LONG if test.get_closest_marker("long") else 1 for test in tests if test.get_closest_marker("slow")
    )
