"""Lines for a shell."""

from __future__ import annotations

import json
from urllib.parse import quote

from tools.samples.asked import Asked


def curl(asked: Asked) -> str:
    lines = [" ".join(["curl", *_options(asked), f'"$NOVAVMS_BASE_URL{asked.path}{_query(asked)}"'])]
    if not asked.public:
        token = "NOVAVMS_ACCESS_TOKEN" if asked.person else "NOVAVMS_API_KEY"
        lines.append(f'  -H "Authorization: Bearer ${token}"')
    if asked.body is not None:
        text = json.dumps(asked.body, indent=2, ensure_ascii=False).replace("'", "'\\''")
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{text}'"]
    return " \\\n".join(lines)


def _options(asked: Asked) -> list[str]:
    if asked.verb != "GET":
        return ["-X", asked.verb]
    if asked.form == "stream":
        return ["-N"]
    if asked.file:
        return [*(["-L"] if asked.form == "location" else []), "-o", asked.file]
    if asked.form == "location":
        return ["-w", "'%{redirect_url}\\n'"]
    return []


def _query(asked: Asked) -> str:
    pairs = [
        f"{name}={quote(','.join(value) if isinstance(value, list) else str(value), safe=':,')}"
        for name, value in asked.query.items()
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""
