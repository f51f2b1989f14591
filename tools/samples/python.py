"""Programs for Python's library."""

from __future__ import annotations

import json
import keyword
from typing import Any

from tools.samples.asked import Asked

WIDTH = 76


def python(asked: Asked) -> str:
    head = ["from novavms import Client", "", "client = Client()"]
    if asked.form == "content":
        head = ["from pathlib import Path", "", *head]
    if asked.person:
        head.append(f'client.auth.login("{asked.person}", "Correct-Horse-1")')
    return "\n".join([*head, *_lines(asked)])


def _lines(asked: Asked) -> list[str]:
    if asked.id == "login":
        body = asked.body or {}
        call = f"client.auth.login({literal(body['email'])}, {literal(body['password'])})"
    elif asked.id == "refreshSession":
        call = "client.auth.refresh()"
    else:
        call = _call(asked)
    if asked.form == "page":
        return [f"for {asked.name} in {call}:", f"    print({asked.name})"]
    if asked.form == "stream":
        return [
            f"with {call} as stream:",
            "    for item in stream:",
            "        print(item.type, item.at, item.data)",
        ]
    if asked.form == "content":
        return [f"picture = {call}", f'Path("{asked.file}").write_bytes(picture)']
    if asked.form == "nothing":
        return [call]
    shown = ", ".join(f"{asked.name}.{member}" for member in asked.shown) or asked.name
    return [f"{asked.name} = {call}", f"print({shown})"]


def _call(asked: Asked) -> str:
    words = [literal(one) for one in asked.ids]
    for name, value in {**asked.query, **(asked.body or {})}.items():
        words.append(f"{name}_={literal(value)}" if keyword.iskeyword(name) else f"{name}={literal(value)}")
    line = f"client.{asked.method}({', '.join(words)})"
    if len(line) <= WIDTH:
        return line
    return f"client.{asked.method}(\n" + "".join(f"    {word},\n" for word in words) + ")"


def literal(value: Any) -> str:
    """JSON as Python writes it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(name)}: {literal(item)}' for name, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
