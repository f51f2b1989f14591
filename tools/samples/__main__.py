"""Writes what the API document shows of each operation in curl, Python and TypeScript: `python -m tools.samples [--check]`.

sdk/openapi.json (its examples) + sdk/python/surface.toml (the methods) → server/src/novavms_server/samples.json, which the
server puts into its document as `x-codeSamples`. tests/contract/test_contract_samples.py runs every one of them.
"""

from __future__ import annotations

import json
import sys

from tools.samples.asked import Asked, read_asked
from tools.samples.curl import curl
from tools.samples.python import python
from tools.samples.typescript import typescript
from tools.sdk_python.document import ROOT, Document, Unknown

FILE = ROOT / "server/src/novavms_server/samples.json"
LANGUAGES = {"curl": curl, "python": python, "typescript": typescript}


def samples_of(asked: list[Asked]) -> dict[str, dict[str, str]]:
    """By operation, then by language."""
    return {each.id: {name: write(each) for name, write in LANGUAGES.items()} for each in asked}


def main(check: bool) -> int:
    try:
        made = samples_of(read_asked(Document()))
    except Unknown as problem:
        sys.exit(f"samples: {problem}")
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    name = FILE.relative_to(ROOT)
    same = FILE.exists() and FILE.read_text(encoding="utf-8") == text
    if check:
        return 0 if same else _say(f"samples: {name} is not what sdk/openapi.json says: make openapi")
    if not same:
        FILE.write_text(text, encoding="utf-8")
        print(f"samples: wrote {name}")
    return 0


def _say(problem: str) -> int:
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
