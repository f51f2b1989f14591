"""Schemas as TypeScript types, and as the shapes that say where keys are data."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.sdk_typescript.document import Document, Op, Parameter, Schema, Unfit, camel

KNOWN = {
    *("type", "properties", "required", "title", "description", "additionalProperties", "items", "enum", "anyOf", "oneOf"),
    *("$ref", "default", "examples", "example", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("discriminator",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems", "const", "allOf", "contentMediaType"),
}  # fmt: skip
BESIDE = ("CheckReport", "StreamItem")
"""Schemas of what comes beside answers: in errors, on the live stream."""
HEAD = "/** Made by `make sdk` from sdk/openapi.json. Do not edit. @module */\n"


class Types:
    """Writes types. Inputs take `undefined` and `Date`, too; answers are as strict as the document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.inputs = document.inputs()
        self._names = document.names()

    def file(self) -> str:
        answers = {op.answer for op in self.document.operations if op.answer}
        wanted = self.document.reached(answers) | self.inputs | self.document.reached(set(BESIDE))
        found = [
            self.interface(name)
            for name in sorted(wanted)
            if self.document.page_of(name) is None and name != "Error"
        ]
        return HEAD + "\n" + "\n".join(found)

    def interface(self, name: str) -> str:
        schema = self.document.schemas[name]
        if "properties" not in schema:
            return f"{self.comment(schema.get('description', ''))}export type {name} = {self.type(schema)};\n"
        lines = [f"{self.comment(schema.get('description', ''))}export interface {name} {{"]
        required = set(schema.get("required", []))
        for field, inside in schema["properties"].items():
            lines += self.field(field, inside, field in required, name in self.inputs)
        return "\n".join(lines) + "\n}\n"

    def field(self, name: str, schema: Schema, required: bool, is_input: bool) -> list[str]:
        words = self.comment(_described(schema), "  ").rstrip("\n")
        if required:
            line = f"  {camel(name)}: {self.type(schema, is_input)};"
        elif is_input:
            line = f"  {camel(name)}?: {self.type(schema, is_input)} | undefined;"
        else:
            line = f"  {camel(name)}?: {self.type(schema)};"
        return [words, line] if words else [line]

    def parameters(self, name: str, parameters: tuple[Parameter, ...], op: Op) -> str:
        """The interface of an operation's query."""
        lines = [f"/** What `{op.id}` can be asked. */", f"export interface {name} {{"]
        for item in parameters:
            schema = {**item.schema, "description": item.description or item.schema.get("description", "")}
            lines += self.field(item.name, schema, item.required, True)
        return "\n".join(lines) + "\n}\n"

    def type(self, schema: Schema, is_input: bool = False) -> str:
        unknown = set(schema) - KNOWN
        if unknown:
            raise Unfit(f"the generator does not know {', '.join(sorted(unknown))} of a schema")
        if "$ref" in schema:
            return str(schema["$ref"]).rsplit("/", 1)[1]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return _union([self.type(item, is_input) for item in schema[choice]])
        if "allOf" in schema:
            return " & ".join(self.type(item, is_input) for item in schema["allOf"])
        if "const" in schema:
            return _literal(schema["const"])
        if "enum" in schema:
            return _union([_literal(item) for item in schema["enum"]])
        kinds = schema.get("type", [])
        return _union(
            [self._kind(kind, schema, is_input) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
        )

    def _kind(self, kind: str, schema: Schema, is_input: bool) -> str:
        if kind == "string":
            timed = schema.get("format") == "date-time" or "RFC 3339" in str(schema.get("description", ""))
            return "string | Date" if is_input and timed else "string"
        if kind in ("integer", "number"):
            return "number"
        if kind in ("boolean", "null"):
            return kind
        if kind == "array":
            inside = self.type(schema.get("items", {}), is_input)
            return f"({inside})[]" if " " in inside else f"{inside}[]"
        if kind == "object":
            values = schema.get("additionalProperties", {})
            return f"Record<string, {self.type(values, is_input) if values not in (True, {}) else 'unknown'}>"
        raise Unfit(f"the generator does not know the type {kind}")

    def comment(self, text: str, indent: str = "") -> str:
        """A TSDoc comment, or nothing. Names in backquotes become camelCase."""
        text = self.words(text)
        if not text:
            return ""
        lines = text.split("\n")
        if len(lines) == 1 and len(text) < 120:
            return f"{indent}/** {text} */\n"
        inside = "\n".join(f"{indent} * {line}".rstrip() for line in lines)
        return f"{indent}/**\n{inside}\n{indent} */\n"

    def words(self, text: str) -> str:
        def renamed(found: re.Match[str]) -> str:
            return re.sub(
                r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b",
                lambda word: camel(word[0]) if word[0] in self._names else word[0],
                found[0],
            )

        return re.sub(r"`[^`]*`", renamed, text).replace("*/", "* /").strip()


def _union(kinds: list[str]) -> str:
    found = list(dict.fromkeys(kinds))
    return " | ".join(found) if found else "unknown"


def _literal(value: Any) -> str:
    return (
        "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        if isinstance(value, str)
        else json.dumps(value)
    )


def _described(schema: Schema) -> str:
    text = str(schema.get("description", ""))
    default = schema.get("default")
    if default not in (None, "", [], {}) and "properties" not in schema:
        text = f"{text}{' ' if text else ''}Default: {json.dumps(default)}."
    return text


def shape(document: Document, schema: Schema, within: tuple[str, ...] = ()) -> Any:
    """See casing.ts: 0, a dict of what is not plain, or None where all keys are names."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        if name in within:
            raise Unfit(f"the schema {name} contains itself, which shapes cannot say yet")
        return shape(document, document.schemas[name], (*within, name))
    found: dict[str, Any] = {}
    for choice in ("anyOf", "oneOf", "allOf"):
        for item in schema.get(choice, []):
            inside = shape(document, item, within)
            if inside == 0:
                return 0
            found |= inside or {}
    if "items" in schema:
        return shape(document, schema["items"], within)
    for name, item in schema.get("properties", {}).items():
        inside = shape(document, item, within)
        if inside is not None:
            found[name] = inside
    values = schema.get("additionalProperties", False)
    if "properties" not in schema and "object" in schema.get("type", ""):
        if values in (True, False, {}):
            return 0
        inside = shape(document, values, within)
        return {"*": inside if inside is not None else {}}
    return found or None


def shape_text(value: Any) -> str:
    if value == 0 and not isinstance(value, dict):
        return "0"
    inside = ", ".join(
        f"{name if re.fullmatch(r'[a-z_][a-z0-9_]*', name) else repr(name)}: {shape_text(item)}"
        for name, item in value.items()
    )
    return f"{{ {inside} }}" if inside else "{}"
