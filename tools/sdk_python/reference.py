"""Writes docs/reference/sdk-python.md from the library itself: its signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

from tools.sdk_python.document import Document, Operation, Resource

HEAD = """# Reference of the Python library

Made from the library by tools/sdk_python; not to be edited. How to begin: [sdk/python/README.md](../../sdk/python/README.md).
`AsyncClient` has the same methods, to be awaited; `stream.events` is iterated in both without one.

Every method also takes `timeout`, in seconds; every one that POSTs takes `idempotency_key`, and most that change or delete take `if_match`
(an object's `etag`). A parameter whose default is `NOT_GIVEN` is left out of the request; `None` sends null.
"""
# Of methods that are written by hand.
EXAMPLES = {
    "auth.login": 'client.auth.login("ada@example.com", "Correct-Horse-1")',
    "auth.logout": "client.auth.logout()",
    "auth.refresh": "client.auth.refresh()",
    "cameras.wait_until": 'camera = client.cameras.wait_until(camera_id, "online", timeout=30)',
    "events.wait_for_clip": 'clip = client.events.wait_for_clip(event_id)\nclip.download("clip.mp4")',
    "events.download_clip": 'client.events.download_clip(event_id, "clip.mp4", progress=lambda now, all: print(now, all))',
    "events.download_snapshot": 'client.events.download_snapshot(event_id, "picture.jpg")',
    "exports.wait_until_ready": "export = client.exports.wait_until_ready(export_id)",
    "exports.download": 'client.exports.download(export_id, "evidence.mp4")',
    "stream.events": 'for item in client.stream.events(types=["camera_status", "clip"]):\n    print(item.type, item.at, item.data)',
}


def reference_text(document: Document) -> str:
    import novavms
    import novavms.errors
    import novavms.types
    from novavms import Client
    from novavms.webhooks import verify_signature

    parts = [HEAD, "## Client\n", _signature("Client", Client), _about(Client)]
    client: Any = Client(api_key="sk_live_…".replace("…", "x"), base_url="http://localhost")
    for resource in document.resources():
        found = client
        for word in resource.name.split("."):
            found = getattr(found, word)
        parts.append(f"## client.{resource.name}\n")
        for name in _methods(found, resource):
            parts += _method(resource, name, getattr(found, name))
    client.close()
    parts += [
        "## novavms.webhooks\n",
        "### verify_signature\n",
        _signature("verify_signature", verify_signature),
    ]
    parts += [
        _about(verify_signature),
        "## Page\n",
        _about(novavms.Page),
        _members(novavms.Page, ("next_page", "pages")),
    ]
    parts += [
        "## Content\n",
        f"{inspect.getdoc(novavms.Content)}\n",
        _members(novavms.Content, ()),
        "## Errors\n",
        "```text\n" + _tree(novavms.errors.__doc__ or "") + "\n```\n",
        _error_members(),
    ]
    parts.append("## Objects\n")
    for name in novavms.types.__all__:
        parts.append(_type(name, getattr(novavms.types, name)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _methods(found: Any, resource: Resource) -> list[str]:
    own = [name for name, _ in inspect.getmembers(type(found), callable) if not name.startswith("_")]
    first = list(resource.methods)
    return [*first, *sorted(name for name in own if name not in first and name != "verify_signature")]


def _method(resource: Resource, name: str, method: Any) -> list[str]:
    dotted = f"{resource.name}.{name}"
    example = EXAMPLES.get(dotted) or _example(dotted, resource.methods[name])
    return [
        f"### client.{dotted}\n",
        _signature(name, method),
        _about(method),
        f"```python\n{example}\n```\n",
    ]


def _example(dotted: str, operation: Operation) -> str:
    """The document's own."""
    words = [one.name for one in operation.among("path")]
    words += [
        f"{one.name}={operation.example[one.json]!r}"
        for one in operation.among("body")
        if one.json in operation.example
    ]
    words = [word.replace("'", '"') for word in words]
    result = {"page": "page = ", "nothing": ""}.get(operation.form, "answer = ")
    line = f"{result}client.{dotted}({', '.join(words)})"
    if len(line) > 100:
        line = f"{result}client.{dotted}(\n" + "".join(f"    {word},\n" for word in words) + ")"
    return line + ("\nfor item in page:\n    print(item)" if operation.form == "page" else "")


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    shown = [p for p in signature.parameters.values() if p.name != "self" and not _is_option(p)]
    if (shown and shown[-1].kind is inspect.Parameter.KEYWORD_ONLY) or any(
        p.kind is p.KEYWORD_ONLY for p in shown
    ):
        first = next(i for i, p in enumerate(shown) if p.kind is p.KEYWORD_ONLY)
        words = [*map(_parameter, shown[:first]), "*", *map(_parameter, shown[first:])]
    else:
        words = [_parameter(p) for p in shown]
    answer = signature.return_annotation
    arrow = (
        "" if inspect.isclass(function) else f" -> {answer if isinstance(answer, str) else answer.__name__}"
    )
    line = f"{name}({', '.join(words)}){arrow}"
    if len(line) > 100:
        line = f"{name}(\n" + "".join(f"    {word},\n" for word in words) + f"){arrow}"
    return f"```python\n{line}\n```\n"


def _is_option(parameter: inspect.Parameter) -> bool:
    """One of those that are told of once, at the top."""
    return parameter.name in ("idempotency_key", "if_match") or parameter.annotation == "Timeout"


def _parameter(parameter: inspect.Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def _about(thing: Any) -> str:
    """A docstring as Markdown: its arguments as a list."""
    text = inspect.getdoc(thing) or ""
    text, _, arguments = text.partition("Args:\n")
    options = [p.name for p in inspect.signature(thing).parameters.values() if _is_option(p)]
    lines = []
    for line in arguments.splitlines():
        name, _, about = line.strip().partition(": ")
        if name and name not in options:
            lines.append(f"- `{name}`: {about}")
    return f"{text.strip()}\n\n" + "\n".join(lines) + ("\n" if lines else "")


def _members(cls: Any, methods: tuple[str, ...]) -> str:
    lines = [
        f"- `{name}: {kind}`"
        for name, kind in inspect.get_annotations(cls).items()
        if not name.startswith("_")
    ]
    lines += [
        f"- `{name}()`: {(inspect.getdoc(getattr(cls, name)) or '').splitlines()[0]}" for name in methods
    ]
    return "\n".join(lines) + "\n"


def _tree(text: str) -> str:
    """The indented part of the module's docstring."""
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


def _error_members() -> str:
    from novavms.errors import APIError

    names = ", ".join(f"`{name}: {kind}`" for name, kind in inspect.get_annotations(APIError).items())
    return f"Every `APIError` has {names}.\n"


def _type(name: str, kind: Any) -> str:
    if not dataclasses.is_dataclass(kind):
        words = " | ".join(getattr(one, "__name__", None) or repr(one) for one in kind.__args__)
        return f"### {name}\n\n`{words}`\n"
    rows = [f"- `{member.name}: {member.type}`" for member in dataclasses.fields(kind)]
    return f"### {name}\n\n{inspect.getdoc(kind)}\n\n" + "\n".join(rows) + "\n"
