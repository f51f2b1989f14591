"""Writes _async/resources/: a class for each resource, a method for each operation."""

from __future__ import annotations

import re
import textwrap

from tools.sdk_python.document import Argument, Document, Operation, Resource
from tools.sdk_python.models import paragraph

_OPTIONS = {
    "key": (
        "idempotency_key",
        "str | None = None",
        "Of your own, to make the call safe to repeat beyond its own retries.",
    ),
    "if_match": (
        "if_match",
        "str | None = None",
        "The `etag` of what you read: a ConflictError if it was changed since.",
    ),
    "timeout": ("timeout", "Timeout = NOT_GIVEN", "Seconds, for this call; the client's if not given."),
    "on_stage": (
        "on_stage",
        "Callable[[CheckStage], object] | None = None",
        "Told each stage of the check as it passes, before this returns; with threads, in another one.",
    ),
}


def resource_text(document: Document, resource: Resource) -> str:
    methods = "\n\n".join(_method(name, operation) for name, operation in resource.methods.items())
    children = "".join(_child(child) for child in resource.children)
    body = f"class {resource.made_class}(AsyncResource):\n"
    body += f'    """`client.{resource.name}`"""\n\n' + children + methods + "\n"
    return _imports(document, resource, body) + "\n\n" + body


def _imports(document: Document, resource: Resource, body: str) -> str:
    used = set(re.findall(r"\w+", body))
    answers = {o.answer for o in resource.methods.values() if o.form in ("object", "page")}
    named = {*document.schemas, *document.surface["words"]} & used
    lines = [
        f'"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.{resource.name}`."""',
        "",
    ]
    lines += ["from __future__ import annotations", ""]
    abstract = sorted(used & {"Callable", "Sequence", "Mapping"})
    checked = [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
    times = sorted(used & {"date", "datetime"})
    checked += [f"from datetime import {', '.join(times)}"] if times else []
    typing = sorted(used & {"Any", "Literal"})
    if resource.children:
        lines += ["from functools import cached_property"]
    lines += [f"from typing import {', '.join(['TYPE_CHECKING', *typing])}", ""]
    if "followed" in used:
        lines += ["from novavms._async.following import followed"]
    lines += ["from novavms._async.resource import AsyncResource"]
    requested = sorted(used & {"NOT_GIVEN", "NotGiven", "Timeout", "segment"})
    lines += [f"from novavms._request import {', '.join(requested)}"]
    if answers:
        lines += [f"from novavms.types import {', '.join(sorted(answers))}"]
    if "UUID" in used:
        checked += ["from uuid import UUID"]
    checked += [""]
    if "Content" in used:
        checked += ["from novavms._content import Content"]
    if "AsyncPage" in used:
        checked += ["from novavms._async.pages import AsyncPage"]
    for child in resource.children:
        made = Resource(child, {}, False)
        checked += [f"from novavms._async.resources.{made.module} import {made.public_class}"]
    if named - answers:
        checked += [f"from novavms.types import {', '.join(sorted(named - answers))}"]
    if any(checked):
        lines += ["", "if TYPE_CHECKING:", *(f"    {line}" if line else "" for line in checked)]
    return "\n".join(lines) + "\n"


def _child(name: str) -> str:
    made = Resource(name, {}, False)
    attribute = name.rpartition(".")[2]
    return textwrap.indent(
        f"@cached_property\ndef {attribute}(self) -> {made.public_class}:\n"
        f"    from novavms._async.resources.{made.module} import {made.public_class}\n\n"
        f"    return {made.public_class}(self._transport)\n\n",
        "    ",
    )


def _method(name: str, operation: Operation) -> str:
    options = _options(operation)
    signature = ["self", *(f"{one.name}: {one.annotation}" for one in operation.among("path"))]
    order = {"body": 0, "query": 1}
    free = [one for one in operation.arguments if one.place != "path"]
    keywords = [_parameter(one) for one in sorted(free, key=lambda one: (not one.required, order[one.place]))]
    keywords += [f"{option}: {kind}" for option, kind, _ in options]
    text = f"async def {name}({', '.join([*signature, '*', *keywords])}) -> {_result(operation)}:\n"
    text += textwrap.indent(_docstring(operation, options) + "\n" + _body(operation), "    ")
    return textwrap.indent(text, "    ")


def _options(operation: Operation) -> list[tuple[str, str, str]]:
    wanted = [name for name, on in (("key", operation.keyed), ("if_match", operation.if_match)) if on]
    if _is_followed(operation):
        wanted.insert(0, "on_stage")
    return [_OPTIONS[name] for name in [*wanted, "timeout"]]


def _is_followed(operation: Operation) -> bool:
    """Whether it has a camera checked, and the stages of that can be asked for meanwhile."""
    return any(one.json == "check_id" for one in operation.among("query"))


def _parameter(argument: Argument) -> str:
    if argument.required:
        return f"{argument.name}: {argument.annotation}"
    if argument.place == "query":
        kind = (
            argument.annotation if argument.annotation.endswith("| None") else f"{argument.annotation} | None"
        )
        return f"{argument.name}: {kind} = None"
    kind, null = argument.annotation.removesuffix(" | None"), argument.annotation.endswith(" | None")
    return f"{argument.name}: {kind} | NotGiven{' | None' if null else ''} = NOT_GIVEN"


def _result(operation: Operation) -> str:
    return {
        "object": operation.answer,
        "page": f"AsyncPage[{operation.answer}]",
        "nothing": "None",
        "location": "str",
        "content": "Content",
    }[operation.form]


def _docstring(operation: Operation, options: list[tuple[str, str, str]]) -> str:
    text = operation.summary.rstrip(".") + "."
    if operation.description:
        text += "\n\n" + "\n".join(textwrap.wrap(operation.description, 100))
    if operation.role not in ("public", "viewer"):
        text += f"\n\nNeeds the role {operation.role}" + ("." if operation.role == "owner" else " or higher.")
    notes = [(one.name, one.about) for one in operation.arguments if one.about]
    notes += [(name, about) for name, _, about in options]
    text += "\n\nArgs:\n" + "\n".join(f"    {name}: {_line(about)}" for name, about in notes)
    return '"""' + text.replace("\\", "\\\\") + '\n"""'


def _line(about: str) -> str:
    about = about if about.startswith("rtsp") else about[0].upper() + about[1:]
    return paragraph(" ".join(about.split())).replace("\\\\", "\\")


def _body(operation: Operation) -> str:
    path = re.sub(r"{(\w+)}", r"{segment(\1)}", operation.path)
    where = f'f"{path}"' if "{" in path else f'"{path}"'
    arguments = _mapping("query", operation.among("query")) + _mapping("body", operation.among("body"))
    if operation.keyed:
        arguments.append("key=idempotency_key")
    if operation.if_match:
        arguments.append("if_match=if_match")
    arguments.append("timeout=timeout")
    if operation.form == "object":
        lead = ["object", f'"{operation.method}"', where, operation.answer]
    elif operation.form == "page":
        lead = ["page", where, operation.answer]
    elif operation.form == "nothing":
        lead = ["nothing", f'"{operation.method}"', where]
    elif operation.form == "location":
        lead = ["location", where]
    else:
        lead = ["content", where, f'"{operation.answer}"']
    call = f"self._transport.{lead[0]}({', '.join([*lead[1:], *arguments])})"
    if _is_followed(operation):
        call = f"followed(self._transport, check_id, on_stage, lambda check_id: {call})"
    call = f"await {call}"
    return call if operation.form == "nothing" else f"return {call}"


def _mapping(name: str, arguments: list[Argument]) -> list[str]:
    if not arguments:
        return []
    return [f"{name}={{" + ", ".join(f'"{one.json}": {one.name}' for one in arguments) + "}"]


def index_text(resources: list[Resource]) -> str:
    """The resources as the client's attributes."""
    top = [resource for resource in resources if "." not in resource.name]

    def module(resource: Resource) -> str:
        place = "" if resource.by_hand else "resources."
        return f"from novavms._async.{place}{resource.module} import {resource.public_class}"

    lines = [
        '"""Made by tools/sdk_python from surface.toml; not to be edited: the resources of a client."""',
        "",
    ]
    lines += ["from __future__ import annotations", "", "from functools import cached_property"]
    lines += ["from typing import TYPE_CHECKING", "", "if TYPE_CHECKING:"]
    lines += [f"    {module(resource)}" for resource in top]
    lines += ["    from novavms._async.transport import AsyncTransport", "", ""]
    lines += [
        "class AsyncResources:",
        '    """What a client can be asked for; each is imported when it is first used."""',
        "",
    ]
    lines += ["    _transport: AsyncTransport", ""]
    for resource in top:
        lines += ["    @cached_property", f"    def {resource.name}(self) -> {resource.public_class}:"]
        lines += [
            f"        {module(resource)}",
            "",
            f"        return {resource.public_class}(self._transport)",
            "",
        ]
    return "\n".join(lines)
