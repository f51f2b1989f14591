"""The published OpenAPI 3.1 document, made from what Litestar generates and from what our routes declare.

Added here, because every route has it: the error answers that can occur, the common headers, `Idempotency-Key` on POST,
`If-None-Match` where there is an `ETag`, who may call (`x-required-role`), an example for every body. A domain's
`examples.py` may hold better examples, and the errors of its own: `EXAMPLES = {operation_id: Example(…)}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from novavms_server.kit import errors
from novavms_server.kit.schemas import describe, example_of, public_name, tidy, without_null

Document = dict[str, Any]
_Kinds = list[type[errors.ApiError]]
_SCHEMAS = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")
_REQUEST_ID = "req_4f1c2d3e5a6b7c8d9e0f1a2b"
_TITLES = {
    400: "The request is not valid.",
    401: "No credential, or one that is not (or no longer) good.",
    403: "Role or site grants do not allow it.",
    404: "There is no such object in the caller's organization.",
    409: "The state of things is another than the request assumes.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json.",
    429: "Too many requests.",
    500: "Something of ours failed.",
    503: "Not available right now.",
}


class Example(NamedTuple):
    """What a route's documentation shows. None: made up from the schema."""

    request: Any = None
    response: Any = None
    errors: tuple[type[errors.ApiError], ...] = ()
    """Beyond those that follow from its declaration."""


def make_document(
    app: Litestar, *, info: Document, tags: list[Document], examples: Mapping[str, Example]
) -> Document:
    """The same for the same source, whatever the machine."""
    raw = tidy(app.openapi_schema.to_schema())
    handlers = {handler.operation_id: handler for handler in _handlers(app)}
    schemas = {public_name(name): schema for name, schema in raw["components"]["schemas"].items()}
    for handler in handlers.values():
        for name, schema in _item_schemas(handler).items():
            schemas.setdefault(name, schema)
    for name, schema in schemas.items():
        schema["title"] = name
        if not schema.get("required"):
            schema.pop("required", None)
    describe(schemas)
    schemas["Error"] = _error_schema()
    used: dict[str, tuple[int, _Kinds]] = {}
    paths: Document = {}
    for path, item in raw["paths"].items():
        operations = {method: item[method] for method in _METHODS if method in item}
        for method, operation in operations.items():
            handler = handlers[operation["operationId"]]
            example = examples.get(operation["operationId"], Example())
            _Operation(method, path, operation, handler, example, schemas, used).complete()
        paths[path] = operations
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [
            {"url": "/", "description": "This server"},
            {"url": "https://novavms.novalien.com", "description": "Example host"},
        ],
        "security": [{"bearerAuth": []}],
        "tags": tags,
        "paths": _sorted_paths(paths, [tag["name"] for tag in tags]),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "headers": _HEADERS,
            "responses": {name: _error_answer(*answer) for name, answer in sorted(used.items())},
            "examples": _error_examples(used),
            "securitySchemes": {
                "bearerAuth": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (`sk_live_…`, `sk_test_…`) or an access token from `POST /api/v1/auth/login`.",
                }
            },
        },
    }


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if isinstance(handler, HTTPRouteHandler) and handler.operation_id:
                yield handler


def _item_schemas(handler: HTTPRouteHandler) -> dict[str, Any]:
    """Of what an event stream sends (`opt` `items`: a type by name), in the generator's own way of writing them."""
    kinds = list(handler.opt.get("items", {}).items())
    shapes, parts = msgspec.json.schema_components(
        [kind for _, kind in kinds], ref_template=_SCHEMAS + "{name}"
    )
    named = {name: shape for (name, _), shape in zip(kinds, shapes, strict=True)}
    found = {name: tidy(_as_generated(shape)) for name, shape in {**parts, **named}.items()}
    for shape in found.values():
        shape.pop("description", None)  # `describe` has it tidier
    return found


def _as_generated(value: Any) -> Any:
    """msgspec says anyOf where the generator says oneOf, which `tidy` knows; and not that the words of an enum are strings."""
    if isinstance(value, list):
        return [_as_generated(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {"oneOf" if key == "anyOf" else key: _as_generated(item) for key, item in value.items()}
    return {"type": "string", **found} if "enum" in found else found


def _sorted_paths(paths: Document, order: list[str]) -> Document:
    """By tag in the order of the tags, then by path."""

    def key(path: str) -> tuple[int, str]:
        tag = next(iter(paths[path].values()))["tags"][0]
        return order.index(tag) if tag in order else len(order), path

    return {path: paths[path] for path in sorted(paths, key=key)}


class _Operation:
    """Completes one operation in place."""

    def __init__(
        self,
        method: str,
        path: str,
        operation: Document,
        handler: HTTPRouteHandler,
        example: Example,
        schemas: dict[str, Any],
        used: dict[str, tuple[int, _Kinds]],
    ) -> None:
        self.method, self.path, self.operation, self.handler = method, path, operation, handler
        self.example, self.schemas, self.used = example, schemas, used
        self.public = bool(handler.opt.get("public"))
        self.body = operation.get("requestBody")

    def complete(self) -> None:
        operation = self.operation
        operation.pop("deprecated", None)
        if self.public:
            operation["security"] = []
        operation["x-required-role"] = "public" if self.public else self.handler.opt["role"].name
        tagged = self._complete_success()
        self._complete_parameters(tagged)
        self._complete_body()
        for status, kinds in sorted(self._errors().items()):
            name = "-".join(kind.code for kind in kinds)
            self.used.setdefault(name, (status, kinds))
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
        operation["responses"] = dict(sorted(operation["responses"].items()))

    def _complete_success(self) -> bool:
        """Answers whether the object has an ETag."""
        self.operation["responses"].pop("400", None)
        ((status, answer),) = self.operation["responses"].items()
        content = answer.get("content", {})
        if status == "204":
            answer.pop("content", None)
            content = {}
        answer["description"] = {
            "201": "Made.",
            "202": "Accepted.",
            "204": "Done; no body.",
            "302": "Go there.",
        }.get(status, "The answer.")
        for name in self.handler.opt.get("items", {}):
            stream = {"schema": {"type": "string"}, "example": self.example.response}
            answer["content"] = {"text/event-stream": {**stream, "x-item-schema": {"$ref": _SCHEMAS + name}}}
        headers = {name: _ref(name) for name in _COMMON}
        tagged = False
        for kind, media in content.items():
            shape = media.get("schema", {})
            fields = self.schemas.get(shape.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
            tagged = {"id", "version"} <= fields.keys() or bool(self.handler.opt.get("tagged"))
            if kind == "application/json":
                given = self.example.response
                media["example"] = given if given is not None else example_of(shape, self.schemas)
            else:
                media["schema"] = {"type": "string", "format": "binary"}
        if tagged:
            headers["ETag"] = _ref("ETag")
        if self._repeatable():
            headers["Idempotency-Replayed"] = _ref("Idempotency-Replayed")
        if status == "302":
            headers["Location"] = _ref("Location")
        answer["headers"] = headers
        if tagged and self.method == "get":
            self.operation["responses"]["304"] = {
                "description": "Not changed since the given ETag.",
                "headers": {name: _ref(name) for name in (*_COMMON, "ETag")},
            }
        return tagged

    def _complete_parameters(self, tagged: bool) -> None:
        parameters = []
        for item in self.operation.get("parameters", []):
            schema = without_null({key: part for key, part in item["schema"].items() if key != "description"})
            found = {"name": item["name"], "in": item["in"], "required": item.get("required", False)}
            if item.get("description"):
                found["description"] = item["description"]
            parameters.append({**found, "schema": schema})
        if self._repeatable():
            parameters.append(_IDEMPOTENCY_KEY)
        if tagged and self.method == "get":
            parameters.append(_IF_NONE_MATCH)
        rank = {"path": 0, "query": 1, "header": 2}
        parameters.sort(key=lambda item: (rank[item["in"]], item["name"]))
        self.operation.pop("parameters", None)
        if parameters:
            self.operation["parameters"] = parameters

    def _repeatable(self) -> bool:
        return self.method == "post" and not self.public

    def _complete_body(self) -> None:
        if self.body is None:
            return
        media = self.body["content"].get("application/json")
        if media is None:
            return
        options = media["schema"].get("anyOf", [])
        if {"type": "null"} in options:  # a body that may be left out
            media["schema"] = next(option for option in options if option != {"type": "null"})
            self.body["required"] = False
        given = self.example.request
        media["example"] = given if given is not None else example_of(media["schema"], self.schemas)

    def _errors(self) -> dict[int, _Kinds]:
        kinds: _Kinds = [errors.ValidationError]
        if not self.public:
            kinds += [errors.AuthRequired, errors.InvalidToken, errors.Forbidden]
        if "{" in self.path or self._names_objects():
            kinds.append(errors.NotFound)
        names = {item["name"] for item in self.operation.get("parameters", [])}
        if names & {"If-Match", "Idempotency-Key"}:
            kinds.append(errors.Conflict)
        if self.body is not None:
            kinds += [errors.PayloadTooLarge, errors.UnsupportedMediaType]
        kinds += [errors.RateLimited, errors.Internal, errors.Unavailable, *self.example.errors]
        found: dict[int, _Kinds] = {}
        for kind in dict.fromkeys(kinds):
            if all(kind.code != other.code for other in found.get(kind.status, [])):
                found.setdefault(kind.status, []).append(kind)
        return found

    def _names_objects(self) -> bool:
        """Whether the body or query points at other objects, which may not be there."""
        media = (self.body or {}).get("content", {}).get("application/json", {})
        shape = self.schemas.get(media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {})
        return not self.public and any(name.endswith(("_id", "_ids")) for name in shape.get("properties", {}))


def _error_answer(status: int, kinds: _Kinds) -> Document:
    named = {kind.code: {"$ref": f"#/components/examples/{kind.code}"} for kind in kinds}
    headers = {name: _ref(name) for name in _COMMON}
    if status in (429, 503):
        headers["Retry-After"] = _ref("Retry-After")
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "examples": named}}
    return {"description": _TITLES.get(status, "An error."), "headers": headers, "content": content}


def _ref(header: str) -> Document:
    return {"$ref": f"#/components/headers/{header}"}


def _error_schema() -> Document:
    text = {"type": "string"}
    problem = {
        "type": "object",
        "required": ["field", "message"],
        "properties": {"field": text, "message": text},
    }
    return {
        "title": "Error",
        "type": "object",
        "description": "The shape of every answer that is not a success. Further members may be added.",
        "required": ["error", "message", "request_id"],
        "properties": {
            "error": {"type": "string", "description": "Stable; match on this."},
            "message": {"type": "string", "description": "For people; names the first bad field."},
            "request_id": {
                "type": "string",
                "description": "As in X-Request-Id; finds the request in our log.",
            },
            "details": {
                "type": "array",
                "items": problem,
                "description": "Of a validation_error: all bad fields.",
            },
            "reason": {"type": "string", "description": "Of a failed camera check: the cause."},
            "hint": {"type": "string", "description": "Of a failed camera check: what to do."},
            "check": {"type": "object", "description": "Of a failed camera check: the whole report."},
        },
    }


def _error_examples(used: dict[str, tuple[int, _Kinds]]) -> Document:
    kinds = {kind.code: kind for _, kinds in used.values() for kind in kinds}
    # The plain error of a code stands for it, not one domain's sentence.
    kinds.update({kind.code: kind for kind in vars(errors).values() if getattr(kind, "code", None) in kinds})
    return {code: _error_example(kinds[code]) for code in sorted(kinds)}


def _error_example(kind: type[errors.ApiError]) -> Document:
    value: Document = {"error": kind.code, "message": kind.sentence, "request_id": _REQUEST_ID}
    if kind.code == "validation_error":
        text = "name must be a string of 1 to 100 characters, not blank, without control characters"
        value.update(message=text, details=[{"field": "name", "message": text}])
    return {"summary": kind.sentence, "value": value}


def _header(text: str, kind: str, example: Any) -> Document:
    return {"description": text, "schema": {"type": kind}, "example": example}


_COMMON = ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_HEADERS = {
    "X-Request-Id": _header("Names this request in our log.", "string", _REQUEST_ID),
    "X-RateLimit-Limit": _header("Requests a minute.", "integer", 1000),
    "X-RateLimit-Remaining": _header("Requests left at once.", "integer", 99),
    "X-RateLimit-Reset": _header("Unix seconds when the bucket is full again.", "integer", 1772366400),
    "Retry-After": _header("Whole seconds to wait.", "integer", 5),
    "ETag": _header("The object's version, for If-Match and If-None-Match.", "string", '"3"'),
    "Idempotency-Replayed": _header("`true`: this is the first answer, given again.", "string", "true"),
    "Location": _header("Where to go.", "string", "https://novavms.novalien.com/…"),
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes the request safe to repeat: the first answer is kept for 24 hours and given again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "An ETag that the caller has: 304 where it is still right.",
    "schema": {"type": "string"},
}
