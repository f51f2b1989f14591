"""Writes what the TypeScript SDK has from sdk/openapi.json: types, methods, reference, the README's table. `python -m tools.sdk_typescript [--check]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.sdk_typescript.document import Document, Unfit
from tools.sdk_typescript.reference import reference, with_table
from tools.sdk_typescript.resources import Resources
from tools.sdk_typescript.types import Types

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = Path("sdk/typescript/src/generated")
README = Path("sdk/typescript/README.md")
REFERENCE = Path("docs/reference/sdk-typescript.md")


def made() -> dict[Path, str]:
    """Every file by its path below the root."""
    document = Document(json.loads((ROOT / "sdk" / "openapi.json").read_text()))
    resources = Resources(document, Types(document))
    files = {GENERATED / name: text for name, text in resources.files().items()}
    readme = with_table((ROOT / README).read_text(), resources)
    return files | {REFERENCE: reference(resources), README: readme}


def main(arguments: list[str]) -> int:
    try:
        files = made()
    except Unfit as error:
        sys.exit(f"sdk: {error}")
    there = {path.relative_to(ROOT) for path in (ROOT / GENERATED).glob("*.ts")}
    if "--check" in arguments:
        stale = [path for path, text in files.items() if not _same(path, text)] + sorted(there - files.keys())
        if stale:
            sys.exit(f"sdk: {', '.join(map(str, stale))} is not what sdk/openapi.json says: make sdk")
        return 0
    for path in there - files.keys():
        (ROOT / path).unlink()
    for path, text in files.items():
        if not _same(path, text):
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text)
            print(f"sdk: wrote {path}")
    return 0


def _same(path: Path, text: str) -> bool:
    try:
        return (ROOT / path).read_text() == text
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
