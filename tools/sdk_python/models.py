"""Writes types.py: a frozen dataclass for each object of the API."""

from __future__ import annotations

import json
import keyword
import re

from tools.sdk_python.document import Document, Schema

HEAD = '''"""The objects of the API, made from sdk/openapi.json by tools/sdk_python; not to be edited.

Sets of words are `Literal`s; a newer server may send a word that is not among them, which arrives as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from novavms._model import Model

'''

_OTHER_ITEM = '''

@dataclass(frozen=True, kw_only=True, repr=False)
class OtherItem(Model):
    """Of a kind that this version of the library does not know; `name` is the kind's."""

    type: Literal["other"]
    id: str | None
    at: datetime
    name: str
    data: dict[str, Any]
'''


def types_text(document: Document, names: list[str]) -> str:
    words = document.surface["words"]
    text = HEAD
    text += (
        "__all__ = ["
        + ", ".join(f'"{name}"' for name in sorted([*names, *words, "OtherItem", "StreamItem"]))
        + "]\n\n"
    )
    for name, values in words.items():
        text += f"{name} = Literal[{', '.join(json.dumps(value) for value in values)}]\n"
    text += _OTHER_ITEM
    for name in names:
        text += "\n\n" + _class(document, name, document.schemas[name])
    kinds = document.stream_items()
    text += "\n\nStreamItem = " + " | ".join([*kinds.values(), "OtherItem"]) + "\n"
    text += '"""Something that happened, as the live stream tells it. `type` says which."""\n'
    text += "STREAM_ITEMS: dict[str, type[Model]] = {"
    return text + ", ".join(f'"{kind}": {name}' for kind, name in kinds.items()) + "}\n"


def _class(document: Document, name: str, schema: Schema) -> str:
    about = paragraph(schema.get("description") or f"{_spaced(name)}.")
    lines = [
        "@dataclass(frozen=True, kw_only=True, repr=False)",
        f"class {name}(Model):",
        f'    """{about}"""',
        "",
    ]
    members = schema.get("properties", {})
    hidden = secrets_of(document, name, list(members))
    if hidden:
        lines += [
            f"    _secret: ClassVar[frozenset[str]] = frozenset({{{', '.join(map(json.dumps, hidden))}}})",
            "",
        ]
    needed = schema.get("required", [])
    for member, form in members.items():
        lines += _member(document, member, form, member in needed)
    return "\n".join(lines) + "\n"


def _member(document: Document, name: str, schema: Schema, required: bool) -> list[str]:
    kind = document.annotation(schema, given=False)
    default = ""
    if not required:
        if kind.startswith(("list[", "dict[")):
            default = f" = field(default_factory={kind})"
        elif schema.get("default") is not None:
            default = f" = {schema['default']!r}"
        else:
            kind, default = (kind if kind.endswith("None") else f"{kind} | None"), " = None"
    python = f"{name}_" if keyword.iskeyword(name) else name
    lines = [f"    {python}: {kind}{default}"]
    if schema.get("description"):
        lines.append(f'    """{paragraph(schema["description"])}"""')
    return lines


def secrets_of(document: Document, name: str, members: list[str]) -> list[str]:
    rules = document.surface["secrets"]
    known = rules["members"]
    return (
        []
        if name in rules["not_in"]
        else [one for one in members if one in known or f"{name}.{one}" in known]
    )


def paragraph(text: str) -> str:
    """On lines of its own where it has several; never ending a docstring with a quote or a backslash."""
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    text = "\n".join(
        f"    {line.strip()}" if number and line.strip() else line.strip()
        for number, line in enumerate(text.splitlines())
    )
    text = text if text.endswith((".", ":", "!", "?", "`")) else text + "."
    return text + ("\n    " if "\n" in text else "")


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
