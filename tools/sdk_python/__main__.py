"""Writes what of the Python library is made: `python -m tools.sdk_python`; `--check` only looks whether it is as it should be.

sdk/openapi.json + surface.toml → types.py, _async/resources/
_async/                         → _sync/
all of it                       → docs/reference/sdk-python.md
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.sdk_python.document import PACKAGE, ROOT, Document, Unknown
from tools.sdk_python.models import types_text
from tools.sdk_python.reference import reference_text
from tools.sdk_python.resources import index_text, resource_text
from tools.sdk_python.sync import to_sync

REFERENCE = ROOT / "docs/reference/sdk-python.md"
BY_HAND = {"runtime.py"}
"""Of _sync/."""


def made() -> dict[Path, str]:
    """Every file that is made, with its text."""
    document = Document()
    resources = document.resources()
    files = {PACKAGE / "types.py": types_text(document, document.classes(resources))}
    folder = PACKAGE / "_async/resources"
    files[folder / "__init__.py"] = (
        '"""Made from sdk/openapi.json by tools/sdk_python; not to be edited."""\n'
    )
    files[folder / "index.py"] = index_text(resources)
    for resource in (one for one in resources if one.methods):
        files[folder / f"{resource.module}.py"] = resource_text(document, resource)
    files = {path: formatted(path, text) for path, text in files.items()}
    return files | twins(files)


def twins(files: dict[Path, str]) -> dict[Path, str]:
    folder = PACKAGE / "_async"
    sources = {path: path.read_text() for path in folder.rglob("*.py")}
    sources = {path: text for path, text in sources.items() if path.parent != folder / "resources"} | {
        path: text for path, text in files.items() if folder in path.parents
    }
    made = {}
    for path, text in sources.items():
        if path.name not in BY_HAND:
            twin = PACKAGE / "_sync" / path.relative_to(folder)
            made[twin] = formatted(twin, to_sync(text))
    return made


def formatted(path: Path, text: str) -> str:
    ruff = [str(Path(sys.executable).parent / "ruff")]
    name = str(path.relative_to(ROOT))
    for command in (
        ["check", "--quiet", "--fix", "--unsafe-fixes", "--select", "I,RUF022,F401,UP028"],
        ["format"],
    ):
        run = [*ruff, *command, "--stdin-filename", name, "-"]
        text = subprocess.run(run, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def main(check: bool) -> int:
    try:
        files = made()
    except Unknown as problem:
        print(f"sdk-python: {problem}", file=sys.stderr)
        return 1
    known = {path for name in ("_sync", "_async/resources") for path in (PACKAGE / name).rglob("*.py")}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    gone = [path for path in known - set(files) if path.name not in BY_HAND]
    if not check:
        for path in gone:
            path.unlink()
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    text = reference_text(Document())  # of the library as it is now
    if not REFERENCE.exists() or REFERENCE.read_text() != text:
        stale.append(REFERENCE)
    if not check:
        REFERENCE.write_text(text)
        print(f"sdk-python: {len(stale)} of {len(files) + 1} files written")
        return 0
    for path in [*stale, *gone]:
        print(f"sdk-python: {path.relative_to(ROOT)} is not as made; run make sdk", file=sys.stderr)
    return 1 if stale or gone else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
