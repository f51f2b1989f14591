"""JSON Schemas as the API document shows them: tidied, described by the docstrings in the source, with examples."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec

Schema = dict[str, Any]
_PAGE = re.compile(r"^Page_.*\.(\w+)_$")
_REF = "#/components/schemas/"


def tidy(value: Any) -> Any:
    """Without what the generator leaves over: single or nullable oneOf, whole numbers written as floats, module paths in
    names."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return msgspec.to_builtins(value)  # a default may be a struct
    found = {key: tidy(item) for key, item in value.items()}
    if "$ref" in found:
        found["$ref"] = _REF + public_name(found["$ref"].removeprefix(_REF))
    options = found.get("oneOf")
    if isinstance(options, list):
        found = _merge(found, options)
    if isinstance(found.get("type"), list) and "null" in found["type"]:
        found["type"] = [item for item in found["type"] if item != "null"] + ["null"]
    return found


def _merge(schema: Schema, options: list[Schema]) -> Schema:
    rest = {key: item for key, item in schema.items() if key != "oneOf"}
    solid = [option for option in options if option != {"type": "null"}]
    if len(solid) == 1 and len(options) == 1:
        return {**solid[0], **rest}
    if len(solid) == 1 and isinstance(solid[0].get("type"), str) and "enum" not in solid[0]:
        return {**solid[0], "type": [solid[0]["type"], "null"], **rest}
    return {"anyOf": options, **rest}


def without_null(schema: Schema) -> Schema:
    """For parameters: leaving one out is how nothing is said."""
    found = dict(schema)
    if isinstance(found.get("type"), list):
        kinds = [item for item in found["type"] if item != "null"]
        found["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in found:
        found["enum"] = [item for item in found["enum"] if item is not None]
    options = [option for option in found.pop("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        found = {**options[0], **found}
    elif options:
        found["anyOf"] = options
    return found


def public_name(name: str) -> str:
    """`Page_novavms_server.sites.models.Site_` is called SitePage."""
    page = _PAGE.match(name)
    return f"{page[1]}Page" if page else name.rsplit(".", 1)[-1].strip("_")


def describe(schemas: dict[str, Schema]) -> None:
    """Put the docstrings of our structs and their fields into their schemas; refuse unknown fields where we do."""
    structs = {struct.__name__: struct for struct in _structs(msgspec.Struct)}
    for name, schema in schemas.items():
        struct = structs.get(name)
        if struct is None or schema.get("type") != "object":
            continue
        doc = inspect.cleandoc(struct.__doc__) if "__doc__" in vars(struct) and struct.__doc__ else ""
        if doc:
            schema.setdefault("description", doc)
        if struct.__struct_config__.forbid_unknown_fields:
            schema["additionalProperties"] = False
        for field, text in _field_docs(struct).items():
            shape = schema.get("properties", {}).get(field)
            if shape is not None and "$ref" not in shape:
                shape.setdefault("description", text)


def _structs(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for struct in base.__subclasses__():
        if struct.__module__.startswith("novavms_") and struct.__module__.endswith("models"):
            yield struct
        yield from _structs(struct)


@cache
def _field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """`name: type` followed by a string: that string. Those of base classes, too."""
    found: dict[str, str] = {}
    for kind in reversed(struct.__mro__):
        if not kind.__module__.startswith("novavms_"):
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
        except (OSError, TypeError, SyntaxError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, after in pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[field.target.id] = " ".join(str(after.value.value).split())
    return found


_BY_FORMAT = {
    "uuid": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e",
    "date-time": "2026-03-01T12:00:00Z",
    "binary": "",
}
_BY_NAME = {
    "name": "Harbour",
    "display_name": "Ada Lovelace",
    "email": "ada@example.com",
    "timezone": "Europe/Berlin",
    "address": "Quay 3",
    "message": "A sentence for people.",
    "host": "192.168.1.64",
    "url": "https://novavms.novalien.com/…",
    "prefix": "sk_live_Xk7m",
    "next_cursor": None,
    "total": 1,
}


def example_of(schema: Schema, schemas: dict[str, Schema], name: str = "", depth: int = 0) -> Any:
    """A value that fits: the schema's own example, else one made up from its kind."""
    if "$ref" in schema:
        target = schemas.get(schema["$ref"].removeprefix(_REF), {})
        return example_of(target, schemas, name, depth + 1) if depth < 8 else None
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "default" in schema:
        return schema["default"]
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return example_of(options[0], schemas, name, depth + 1)
    return _made_up(schema, schemas, name, depth)


def _made_up(schema: Schema, schemas: dict[str, Schema], name: str, depth: int) -> Any:
    kinds = schema.get("type")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if name in _BY_NAME and kind in ("string", "integer"):
        return _BY_NAME[name]
    match kind:
        case "object":
            fields = schema.get("properties", {})
            return {key: example_of(item, schemas, key, depth + 1) for key, item in fields.items()}
        case "array":
            return [example_of(schema.get("items", {}), schemas, name, depth + 1)]
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "text")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return None
