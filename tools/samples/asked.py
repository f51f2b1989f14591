"""What a sample asks for, whatever its language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tools.sdk_python.document import Document, Operation, Schema, Unknown

QUERIES: dict[str, dict[str, Any]] = {
    "listCameras": {"status": "online"},
    "listEvents": {"trigger_type": "manual", "date_from": "2026-03-01"},
    "getCameraPlayback": {"from": "2026-03-01T10:00:00Z", "to": "2026-03-01T10:05:00Z"},
    "getCameraRecordings": {"from": "2026-03-01T10:00:00Z", "to": "2026-03-01T12:00:00Z"},
    "getCameraThumbnails": {"from": "2026-03-01T10:00:00Z", "to": "2026-03-01T11:00:00Z", "count": 6},
    "getSiteRecordings": {"from": "2026-03-01", "to": "2026-03-02"},
    "streamChanges": {"types": ["camera_status", "clip"]},
}
"""Parameters worth showing."""
SHOWN: dict[str, tuple[str, ...]] = {
    "createApiKey": ("prefix", "key"),
    "createUser": ("user.id", "temporary_password"),
    "generatePairingCode": ("pairing_code", "expires_at"),
    "issuePasswordReset": ("reset_token", "expires_at"),
    "login": ("user.display_name", "expires_at"),
    "pairGateway": ("gateway_id", "gateway_token"),
    "refreshSession": ("user.display_name", "expires_at"),
    "shareEvent": ("url", "expires_at"),
    "testCamera": ("ok", "reason", "hint"),
}
"""Members to print instead of the whole answer: what it was asked for, secrets among them, which print as *** with the rest."""
FILES = {
    "getCameraSnapshot": "camera.jpg",
    "getCameraThumbnails": "strip.jpg",
    "getEventClip": "clip.mp4",
    "getEventSnapshot": "event.jpg",
    "downloadExport": "evidence.mp4",
}
"""Where the bytes go."""
PEOPLE = {
    "nominateOwner": "grace@example.com",
    "withdrawOwnerNomination": "grace@example.com",
    "acceptOwnerNomination": "ada@example.com",
    "changePassword": "ada@example.com",
    "logout": "ada@example.com",
    "refreshSession": "ada@example.com",
}
"""What a key cannot ask for: a person does."""
MADE_UP = {"check_id": "0198f2d8-5f60-7a7b-8c8d-9e0f1a2b3c4d"}
"""Ids that callers make up themselves."""
NAMES = {
    "ApiKeyCreated": "key",
    "ApiKey": "key",
    "CameraDetail": "camera",
    "CameraSummary": "camera",
    "CheckReport": "report",
    "CheckStages": "check",
    "Discovered": "found",
    "EventDetail": "event",
    "Export": "evidence",
    "LoginAnswer": "session",
    "PairingCode": "code",
    "Paired": "gateway",
    "PasswordReset": "reset",
    "ServiceAccount": "account",
    "ShareCreated": "share",
    "SigningKey": "key",
    "TelemetryPoint": "point",
    "Triggered": "recording",
    "UserCreated": "created",
}
"""What an answer is called, by its schema; others by the schema's own name."""


@dataclass(frozen=True)
class Asked:
    id: str
    verb: str
    path: str
    """With its ids in it."""
    method: str
    """`resource.method`, snake_case."""
    ids: tuple[str, ...]
    query: dict[str, Any]
    body: dict[str, Any] | None
    form: str
    """object, page, nothing, location, content, or stream"""
    more: bool
    """Of a page: it says more than its items, and is an object to the TypeScript library, which then does not walk it."""
    name: str
    """What the answer is called."""
    shown: tuple[str, ...]
    file: str | None
    public: bool
    person: str | None
    """Who logs in to ask for it: their email."""


def read_asked(document: Document) -> list[Asked]:
    """Of every operation, in the document's order."""
    methods = {
        operation.id: (f"{resource.name}.{name}", operation)
        for resource in document.resources()
        for name, operation in resource.methods.items()
    }
    ids = example_ids(document.api) | MADE_UP
    return [
        _asked(raw, verb, path, ids, document, methods)
        for path, verbs in document.api["paths"].items()
        for verb, raw in verbs.items()
    ]


def _asked(
    raw: Schema,
    verb: str,
    path: str,
    ids: dict[str, str],
    document: Document,
    methods: dict[str, tuple[str, Operation]],
) -> Asked:
    identity = raw["operationId"]
    by_hand = document.surface["hand"].get(identity)
    method, operation = methods.get(identity, (by_hand, None))
    names = re.findall(r"{(\w+)}", path)
    unknown = [name for name in names if name not in ids]
    if unknown:
        raise Unknown(
            f"{identity}: no example shows a {unknown[0]}; give one, or add it to tools/samples/asked.py"
        )
    form, answer = (operation.form, operation.answer) if operation else _by_hand(identity)
    content = raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Asked(
        id=identity,
        verb=verb.upper(),
        path=re.sub(r"{(\w+)}", lambda found: ids[found[1]], path),
        method=str(method),
        ids=tuple(ids[name] for name in names),
        query=QUERIES.get(identity, {}),
        body=content.get("example"),
        form=form,
        more=form == "page" and _says_more(raw, document),
        name=NAMES.get(answer) or answer.lower() or "url",
        shown=SHOWN.get(identity, ()),
        file=FILES.get(identity),
        public=raw["x-required-role"] == "public",
        person=PEOPLE.get(identity),
    )


def _says_more(raw: Schema, document: Document) -> bool:
    shape = document.resolve(raw["responses"]["200"]["content"]["application/json"]["schema"])
    return len(shape["properties"]) > len(("data", "next_cursor", "total"))


def _by_hand(identity: str) -> tuple[str, str]:
    """Form and answer of a method that is written by hand."""
    found = {
        "login": ("object", "LoginAnswer"),
        "refreshSession": ("object", "LoginAnswer"),
        "logout": ("nothing", ""),
        "streamChanges": ("stream", "Item"),
    }
    if identity not in found:
        raise Unknown(f"{identity} is written by hand: say in tools/samples/asked.py what it answers")
    return found[identity]


def example_ids(api: Schema) -> dict[str, str]:
    """By the names of path parameters: the id of what the document shows at `…/{name}`, or in the list above it."""
    found: dict[str, str] = {}
    for path in api["paths"]:
        above, _, last = path.rpartition("/")
        name = last.strip("{}")
        if name == last:
            continue
        for place, inside in ((path, ()), (above, ("data", 0))):
            shown: Any = _shown(api["paths"].get(place, {}).get("get", {}))
            for step in inside:
                shown = shown[step] if shown else None
            if shown and "id" in shown:
                found.setdefault(name, shown["id"])
    return found


def _shown(operation: Schema) -> Any:
    content = operation.get("responses", {}).get("200", {}).get("content", {})
    return content.get("application/json", {}).get("example")
