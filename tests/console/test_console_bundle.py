"""What the browser has to fetch, and the rule that data comes through the SDK only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nova_browser import CONSOLE, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CONSOLE / "index.html").is_file(), reason="the console is not built (make console)"
    ),
]
MOST_BYTES = 250_000


def fetched_first(manifest: dict[str, Any]) -> set[str]:
    """The scripts and styles of the first page: of the entry, and all that it imports before it can begin."""
    files: set[str] = set()
    waiting = [name for name, chunk in manifest.items() if chunk.get("isEntry")]
    seen = set(waiting)
    while waiting:
        chunk = manifest[waiting.pop()]
        files |= {chunk["file"], *chunk.get("css", [])}
        fresh = set(chunk.get("imports", [])) - seen
        seen |= fresh
        waiting += fresh
    return files


def test_the_first_page_is_small() -> None:
    manifest = json.loads((CONSOLE / "manifest.json").read_text())
    files = fetched_first(manifest)
    sizes = {name: (CONSOLE / f"{name}.gz").stat().st_size for name in files}
    total = sum(sizes.values()) + (CONSOLE / "index.html.gz").stat().st_size
    assert total < MOST_BYTES, sizes
    # by the beginning, for a hash may hold any letters
    assert not any(Path(name).name.startswith("hls") for name in files), (
        "the player of recordings comes with the first recording"
    )


@pytest.mark.parametrize(
    "code",
    [
        "export const cameras = () => fetch('/api/v1/cameras');\n",
        "export const cameras = () => window.fetch('/api/v1/cameras');\n",
        "export const socket = () => new WebSocket('/api/v1/stream');\n",
        "export const told = () => new EventSource('/api/v1/stream');\n",
        "export const asked = () => new XMLHttpRequest();\n",
    ],
)
def test_the_lint_rule_lets_no_data_in_but_by_the_sdk(tmp_path: Path, code: str) -> None:
    source = tmp_path / "page.ts"
    source.write_text(code)
    config = ROOT / "console" / ".oxlintrc.json"
    command = [
        sys.executable,
        str(ROOT / "tools" / "node.py"),
        "run",
        "oxlint",
        "--config",
        str(config),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Data comes through @novavms/sdk" in done.stdout
