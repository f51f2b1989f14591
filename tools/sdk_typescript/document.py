"""The API document, as the generator needs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tools.sdk_typescript.surface import BY_HAND, METHODS

Schema = dict[str, Any]
PREFIX = "/api/v1"


class Unfit(Exception):
    """The document has something that the generator does not know: a sentence for people."""


@dataclass(frozen=True)
class Parameter:
    name: str
    schema: Schema
    required: bool
    description: str


@dataclass(frozen=True)
class Op:
    """One operation."""

    id: str
    method: str
    path: str
    resource: str
    name: str
    """Of the method, snake_case."""
    summary: str
    description: str
    role: str
    tag: str
    path_parameters: tuple[str, ...]
    query: tuple[Parameter, ...]
    body: str | None
    """Name of the body's schema."""
    body_required: bool
    keyed: bool
    open: bool
    reply: str
    answer: str | None
    """Name of the answer's schema."""
    request_example: Any
    response_example: Any


class Document:
    def __init__(self, text: Schema) -> None:
        self.schemas: dict[str, Schema] = text["components"]["schemas"]
        self.tags: dict[str, str] = {tag["name"]: tag.get("description", "") for tag in text["tags"]}
        found = [
            (path, method, operation)
            for path, methods in text["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]
        missing = sorted({item["operationId"] for _, _, item in found} - METHODS.keys() - BY_HAND.keys())
        if missing:
            raise Unfit(
                f"no method for {', '.join(missing)}: add a line each to sdk/python/surface.toml, then make sdk"
            )
        gone = sorted(METHODS.keys() - {item["operationId"] for _, _, item in found})
        if gone:
            raise Unfit(
                f"sdk/python/surface.toml names operations that the API does not have: {', '.join(gone)}"
            )
        made = [item for item in found if item[2]["operationId"] in METHODS]
        self.operations = [_operation(*item) for item in made]
        self._check_names()

    def page_of(self, schema: str | None) -> str | None:
        """The item's schema, where this is a page of a list."""
        properties = self.schemas[schema].get("properties", {}) if schema else {}
        if set(properties) != {"data", "next_cursor", "total"}:
            return None
        return ref(properties["data"]["items"])

    def reached(self, start: set[str]) -> set[str]:
        """Schemas that these lead to, themselves included."""
        seen: set[str] = set()
        waiting = list(start)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += _references(self.schemas[name])
        return seen

    def inputs(self) -> set[str]:
        return self.reached({op.body for op in self.operations if op.body})

    def names(self) -> set[str]:
        """Every name of a field or parameter, snake_case."""
        fields = {name for schema in self.schemas.values() for name in schema.get("properties", {})}
        asked = {parameter.name for op in self.operations for parameter in op.query}
        return fields | asked | {name for op in self.operations for name in op.path_parameters}

    def _check_names(self) -> None:
        for name in self.names():
            back = re.sub(r"(?<=[a-z0-9])[A-Z]", lambda found: f"_{found[0].lower()}", camel(name))
            if back != name:
                raise Unfit(f"the name {name} does not survive camelCase: it would come back as {back}")


def camel(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda found: found[1].upper(), name)


def pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[_.]", name))


def ref(schema: Schema) -> str:
    """The name that a `$ref` leads to."""
    if set(schema) - {"description"} != {"$ref"}:
        raise Unfit(f"a named schema was expected, not {schema}")
    return str(schema["$ref"]).rsplit("/", 1)[1]


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    if not isinstance(value, dict):
        return []
    own = [str(value["$ref"]).rsplit("/", 1)[1]] if isinstance(value.get("$ref"), str) else []
    skipped = ("example", "examples", "default", "enum")
    return own + [name for key, item in value.items() if key not in skipped for name in _references(item)]


def _operation(path: str, method: str, text: Schema) -> Op:
    identity = text["operationId"]
    resource, name = METHODS[identity].rsplit(".", 1)
    parameters = text.get("parameters", [])
    body = text.get("requestBody")
    content = body["content"]["application/json"] if body else {}
    reply, answer, example = _reply(identity, text["responses"])
    return Op(
        id=identity,
        method=method.upper(),
        path=re.sub(r"\{\w+\}", "{}", path.removeprefix(PREFIX)),
        resource=resource,
        name=name,
        summary=text.get("summary", ""),
        description=text.get("description", ""),
        role=text.get("x-required-role", ""),
        tag=next(iter(text.get("tags", [])), ""),
        path_parameters=tuple(re.findall(r"\{(\w+)\}", path)),
        query=tuple(
            Parameter(item["name"], item["schema"], item.get("required", False), item.get("description", ""))
            for item in parameters
            if item["in"] == "query"
        ),
        body=_body_name(identity, content["schema"]) if body else None,
        body_required=bool(body and body.get("required")),
        keyed=any(item["name"] == "Idempotency-Key" for item in parameters),
        open=text.get("security") == [],
        reply=reply,
        answer=answer,
        request_example=_example(content),
        response_example=example,
    )


def _body_name(identity: str, schema: Schema) -> str:
    either: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    choices = [item for item in either if item != {"type": "null"}]
    if len(choices) != 1:
        raise Unfit(f"{identity} takes one of several bodies, which the generator does not know")
    return ref(choices[0])


def _reply(identity: str, responses: dict[str, Schema]) -> tuple[str, str | None, Any]:
    good = [(status, answer) for status, answer in responses.items() if status < "400" and status != "304"]
    if len(good) != 1:
        raise Unfit(f"{identity} has {len(good)} kinds of success, which the generator does not know")
    status, answer = good[0]
    if status.startswith("3"):
        return "link", None, None
    content = answer.get("content", {})
    if not content:
        return "none", None, None
    if "application/json" in content:
        return "json", ref(content["application/json"]["schema"]), _example(content["application/json"])
    return "bytes", None, None


def _example(content: Schema) -> Any:
    if "example" in content:
        return content["example"]
    for example in content.get("examples", {}).values():
        return example.get("value")
    return None
