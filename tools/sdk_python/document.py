"""The API document and the surface, read into what the writers need."""

from __future__ import annotations

import json
import keyword
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk/python"
PACKAGE = SDK / "src/novavms"
Schema = dict[str, Any]


class Unknown(Exception):
    """Something in the document that this tool has no form for yet."""


@dataclass
class Argument:
    name: str
    """In Python."""
    json: str
    annotation: str
    required: bool
    about: str
    place: str
    """path, query or body"""


@dataclass
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    role: str
    arguments: list[Argument]
    keyed: bool
    if_match: bool
    form: str
    """What the answer is: object, page, nothing, location, or content"""
    example: dict[str, Any] = field(default_factory=dict)
    """A body, from the document."""
    answer: str = ""
    """The class of an object or of a page's items; the media type of content"""

    def among(self, place: str) -> list[Argument]:
        return [argument for argument in self.arguments if argument.place == place]


@dataclass
class Resource:
    """`name` is dotted for one within another."""

    name: str
    methods: dict[str, Operation]
    by_hand: bool
    children: list[str] = field(default_factory=list)

    @property
    def module(self) -> str:
        return self.name.replace(".", "_")

    @property
    def made_class(self) -> str:
        """The class that is made from the document."""
        return f"Async{self._camel}Operations" if self.by_hand else self.public_class

    @property
    def public_class(self) -> str:
        return f"Async{self._camel}Resource"

    @property
    def _camel(self) -> str:
        return "".join(word.title() for word in re.split(r"[._]", self.name))


class Document:
    def __init__(self) -> None:
        self.api: Schema = json.loads((ROOT / "sdk/openapi.json").read_text())
        self.surface: dict[str, Any] = tomllib.loads((SDK / "surface.toml").read_text())
        self.schemas: dict[str, Schema] = self.api["components"]["schemas"]
        self.words: dict[tuple[str, ...], str] = {
            tuple(sorted(words)): name for name, words in self.surface["words"].items()
        }

    # ---- operations ----------------------------------------------------------------------------

    def resources(self) -> list[Resource]:
        operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in self.api["paths"].items()
            for method, operation in methods.items()
        }
        left = set(operations) - set(self.surface["hand"])
        found: dict[str, Resource] = {}
        for name, methods in self.surface["resources"].items():
            resource = Resource(name, {}, name in self.surface["by_hand"])
            for method, operation_id in methods.items():
                if operation_id not in operations:
                    raise Unknown(f"surface.toml names {operation_id}, which the document does not have")
                resource.methods[method] = self._operation(*operations[operation_id])
                left.discard(operation_id)
            found[name] = resource
            if "." in name:
                found[name.rpartition(".")[0]].children.append(name)
        if left:
            raise Unknown(f"surface.toml has no method for {', '.join(sorted(left))}")
        return list(found.values())

    def _operation(self, method: str, path: str, raw: Schema) -> Operation:
        arguments = [
            self._argument(p["name"], p["schema"], p["in"], p.get("required", False), p.get("description"))
            for p in raw.get("parameters", [])
            if p["in"] in ("path", "query")
        ]
        order = re.findall(r"{(\w+)}", path)
        arguments.sort(key=lambda one: order.index(one.json) if one.place == "path" else len(order))
        content = raw.get("requestBody", {}).get("content", {})
        if content:
            arguments += self._body(self.resolve(content["application/json"]["schema"]))
        headers = {p["name"] for p in raw.get("parameters", []) if p["in"] == "header"}
        form, answer = self._answer(raw)
        return Operation(
            raw["operationId"],
            method.upper(),
            path,
            raw["summary"],
            raw.get("description") or "",
            raw.get("x-required-role", "public"),
            arguments,
            "Idempotency-Key" in headers,
            "If-Match" in headers,
            form,
            content.get("application/json", {}).get("example", {}),
            answer,
        )

    def _body(self, schema: Schema) -> list[Argument]:
        needed = schema.get("required", [])
        found = [
            self._argument(name, member, "body", name in needed, member.get("description"))
            for name, member in schema.get("properties", {}).items()
        ]
        return sorted(found, key=lambda one: not one.required)

    def _argument(self, name: str, schema: Schema, place: str, required: bool, about: str | None) -> Argument:
        python = f"{name}_" if keyword.iskeyword(name) else name
        annotation = self.annotation(schema, given=True)
        if place == "query" and (name in ("from", "to") or name.startswith("date_")) and annotation == "str":
            annotation = "str | date | datetime"
        notes = [*([about.rstrip(".")] if about else []), *_bounds(schema)]
        return Argument(python, name, annotation, required, "; ".join(notes), place)

    def _answer(self, raw: Schema) -> tuple[str, str]:
        good = {status: answer for status, answer in raw["responses"].items() if status[0] in "23"}
        if "302" in good:
            return "location", ""
        content: Schema = next((a["content"] for a in good.values() if a.get("content")), {})
        if not content:
            return "nothing", ""
        media, body = next(iter(content.items()))
        if media != "application/json":
            return "content", media
        name = self.name_of(body["schema"])
        page = self.schemas[name]
        if set(page["properties"]) >= {"data", "next_cursor", "total"}:
            return "page", self.name_of(page["properties"]["data"]["items"])
        return "object", name

    # ---- schemas -------------------------------------------------------------------------------

    @staticmethod
    def name_of(schema: Schema) -> str:
        if "$ref" not in schema:
            raise Unknown(f"an object without a name: {schema}")
        return str(schema["$ref"].rpartition("/")[2])

    def resolve(self, schema: Schema) -> Schema:
        return self.schemas[self.name_of(schema)] if "$ref" in schema else schema

    def annotation(self, schema: Schema, *, given: bool) -> str:
        """The Python type of a schema: of what is `given` to the API (wide), or got from it (narrow)."""
        if "$ref" in schema:
            name = self.name_of(schema)
            return f"{name} | Mapping[str, Any]" if given else name
        if "anyOf" in schema or "oneOf" in schema:
            options = schema.get("anyOf") or schema["oneOf"]
            kinds = [self.annotation(option, given=given) for option in options]
            return " | ".join(sorted(dict.fromkeys(kinds), key=lambda kind: kind == "None"))
        types: list[Any] = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
        null = " | None" if "null" in types else ""
        kind = next((one for one in types if one != "null"), "null")
        if "const" in schema:
            return f"Literal[{json.dumps(schema['const'])}]"
        if "enum" in schema:
            return self._words([word for word in schema["enum"] if word is not None]) + null
        return self._plain(kind, schema, given) + null

    def _words(self, words: list[Any]) -> str:
        name = self.words.get(tuple(sorted(map(str, words))))
        return name or f"Literal[{', '.join(json.dumps(word) for word in words)}]"

    def _plain(self, kind: str | None, schema: Schema, given: bool) -> str:
        if kind == "string":
            if schema.get("format") == "uuid":
                return "str | UUID" if given else "str"
            if schema.get("format") == "date-time":
                return "datetime | str" if given else "datetime"
            return "str"
        if kind == "array":
            item = self.annotation(schema["items"], given=given)
            return f"Sequence[{item}]" if given else f"list[{item}]"
        if kind == "object":
            return "Mapping[str, Any]" if given else "dict[str, Any]"
        simple = {"integer": "int", "number": "float", "boolean": "bool", "null": "None", None: "Any"}
        if kind not in simple:
            raise Unknown(f"a schema of type {kind}: {schema}")
        return simple[kind]

    def stream_items(self) -> dict[str, str]:
        """The class of each kind of item that the live stream gives out."""
        kinds = self.schemas["StreamItem"]["discriminator"]["mapping"]
        return {
            kind: ref.rpartition("/")[2]
            for kind, ref in kinds.items()
            if kind not in ("hello", "ping", "end")
        }

    def classes(self, resources: list[Resource]) -> list[str]:
        """The schemas that answers and members of bodies are made of, those that others need first."""
        found: dict[str, None] = {}

        def add(name: str) -> None:
            if name in found:
                return
            for member in self.schemas[name].get("properties", {}).values():
                for inner in _references(member):
                    add(inner)
            found[name] = None

        for resource in resources:
            for operation in resource.methods.values():
                if operation.form in ("object", "page"):
                    add(operation.answer)
                for argument in operation.among("body"):
                    for name in re.findall(r"\w+", argument.annotation):
                        if name in self.schemas:
                            add(name)
        for name in (
            "CheckReport",
            "LoginAnswer",
            *self.stream_items().values(),
        ):  # of errors, and of what is written by hand
            add(name)
        return list(found)


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [str(schema["$ref"].rpartition("/")[2])] if "$ref" in schema else []
        return own + [name for value in schema.values() for name in _references(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _references(value)]
    return []


def _bounds(schema: Schema) -> list[str]:
    """What the document says of a value, for people."""
    notes = []
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        notes.append(f"{low} to {high}")
    elif "maxLength" in schema and "characters" not in (schema.get("description") or ""):
        notes.append(f"at most {schema['maxLength']} characters")
    if schema.get("default") is not None:
        notes.append(f"default {json.dumps(schema['default'])}")
    return notes
