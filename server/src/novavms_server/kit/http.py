"""How a route is declared: who may call it, how its failures are rendered, what it is given.

A handler's `opt` says who may: `opt=role("operator")`, or `opt=PUBLIC`. Without either it does not start: there is no
route that forgot to ask.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta

from novavms_server.kit import errors
from novavms_server.kit.caller import Role
from novavms_server.kit.database import DATABASE_AWAY, away
from novavms_server.kit.edge import Exchange
from novavms_server.kit.validation import Body, explain_body, problem_with, sentence
from novavms_server.kit.work import CallerChanged, Work

log = logging.getLogger("novavms.http")
Limit = Annotated[int, Meta(ge=1, le=100), QueryParameter(ge=1, le=100, description="Rows on a page.")]
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before.")]
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description="The ETag that the change is based on.")
]

PUBLIC: Final[dict[str, Any]] = {"public": True}
"""No credential is asked for (log in, pair, health)."""

SOCKET: Final[dict[str, Any]] = {"public": True, "socket": True}
"""A WebSocket: its handler finds out by itself who asks, before it accepts."""


def role(least: str, **more: Any) -> dict[str, Any]:
    """`opt` of a handler: the least role that may call it, and further marks for the API document."""
    return {"role": Role[least], **more}


def exchange_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Exchange:
    exchange: Exchange = connection.scope["state"]["exchange"]
    return exchange


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The first lock: who asks, and is the role high enough. Then: no query parameter that the route does not know.

    A coroutine, although it waits for nothing: Litestar runs plain functions in a thread, which costs every request more
    than all of this.
    """
    if str(connection.scope["type"]) == "websocket":
        if not handler.opt.get("public"):
            raise errors.NotFound  # the edge knows no caller of a WebSocket: its route asks by itself
        return
    exchange = exchange_of(connection)
    if connection.scope.get("method") == "OPTIONS":  # Litestar's own, answers only which methods there are
        return
    if not handler.opt.get("public"):
        if "role" not in handler.opt:  # none of ours (see check_declared)
            raise errors.NotFound
        if exchange.failure is not None:
            raise exchange.failure
        if exchange.caller is None:
            raise errors.AuthRequired
        if exchange.caller.role < handler.opt["role"]:
            raise errors.Forbidden
        if exchange.caller.must_change_password and not handler.opt.get("before_password_change"):
            raise errors.Forbidden("Change your temporary password first: POST /api/v1/auth/change-password")
    if exchange.replaying:
        exchange.admitted = True
        raise errors.Conflict  # goes nowhere: the edge gives the kept answer in its place
    if connection.scope["query_string"]:
        _refuse_unknown_query(connection, handler)
    body = handler.opt.get("body")
    if body is not None and (exchange.body or not handler.opt.get("body_may_be_empty")):
        # Litestar converts leniently ("80" for 80), which is right for queries and wrong for JSON.
        try:
            msgspec.json.decode(exchange.body, type=body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            explain_body(exchange.body, body)


def _refuse_unknown_query(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    if handler.opt.get("any_query"):
        return
    known = handler.opt["query_names"]
    pairs = parse_qsl(connection.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    names = [name for name, _ in pairs]
    problems = [
        errors.FieldProblem(name[:60], f"{name[:60]} is not a query parameter of this path")
        for name in dict.fromkeys(names)
        if name not in known
    ]
    problems += [
        errors.FieldProblem(name, f"{name} is given more than once")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    # msgspec reads the word null as no value where a value may be left out, which would be a filter that filters nothing.
    nulls = [name for name, value in pairs if value.lower() == "null" and name in known]
    problems += [problem for name in nulls if (problem := _problem_with_null(handler, name))]
    # It also reads 1e2 and 5.0 as integers.
    whole = handler.opt["query_integers"]
    problems += [
        errors.FieldProblem(name, f"{name} {sentence(whole[name])}")
        for name, value in pairs
        if name in whole and not INTEGER.fullmatch(value) and names.count(name) == 1
    ]
    if not problems and CONTROL.search(unquote_plus(connection.scope["query_string"].decode("latin-1"))):
        problems.append(errors.FieldProblem("query", "query values must not contain control characters"))
    if problems:
        raise errors.ValidationError(problems)


def _problem_with_null(handler: BaseRouteHandler, name: str) -> errors.FieldProblem | None:
    """Free text may be the word null; anything else may not."""
    field = handler.parsed_fn_signature.parameters.get(name)
    if field is None:
        return None
    parts = get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else ()
    given = [part for part in parts if part is not type(None)] or [field.annotation]
    return problem_with(name, "null", given[0], strict=False)


NOT_QUERY = frozenset(
    {"data", "work", "request", "exchange", "scope", "headers", "cookies", "state", "socket"}
)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
INTEGER = re.compile(r"-?[0-9]{1,19}")


def _query_names(handler: BaseRouteHandler) -> frozenset[str]:
    """As callers write them: what is declared a query parameter, or is left for Litestar to take from there."""
    found = set()
    for name, item in handler.parsed_fn_signature.parameters.items():
        kind = item.kwarg_definition
        if isinstance(kind, QueryParameter):
            found.add(kind.query or kind.name or name)
        elif kind is None and name not in NOT_QUERY and f"{{{name}:" not in "".join(handler.paths):
            found.add(name)
    return frozenset(found)


def resolve_in_turn(routes: Iterable[Any]) -> None:
    """Give handlers their dependencies one after the other. Ours are looked up, never waited for; Litestar would start a
    task for each of them and a task group around them, in every request."""
    for route in routes:
        for _, model in getattr(route, "route_handler_map", {}).values():
            model.dependency_batches = [{item} for batch in model.dependency_batches for item in batch]


def provide_work(request: Request[Any, Any, Any]) -> Work:
    work = exchange_of(request).work
    assert work is not None, "a public route has no Work"
    return work


def render(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The one renderer: any exception of a route to the error body."""
    exchange = exchange_of(request)
    if isinstance(error, CallerChanged):
        exchange.rerun = True
        answer: errors.ApiError = errors.Unavailable(retry_after_sec=1)
    else:
        answer = translate(request, error, exchange)
    body = msgspec.json.encode(answer.body(exchange.request_id))
    return Response(body, status_code=answer.status, media_type="application/json", headers=answer.headers)


def translate(request: Request[Any, Any, Any], error: Exception, exchange: Exchange) -> errors.ApiError:
    if isinstance(error, errors.ApiError):
        return error
    if isinstance(error, ValidationException):
        return _explain(request, error, exchange)
    if isinstance(error, MethodNotAllowedException):
        return errors.MethodNotAllowed(headers={"Allow": (error.headers or {}).get("allow", "")})
    if isinstance(error, NotFoundException):
        return errors.NotFound("There is nothing at this path.")
    if isinstance(error, SerializationException | HTTPException) and getattr(error, "status_code", 400) < 500:
        return _explain(request, error, exchange)
    if isinstance(error, DATABASE_AWAY):
        log.warning("request %s: database away: %s", exchange.request_id, type(error).__name__)
        return away(error)
    log.error("request %s failed", exchange.request_id, exc_info=error)
    return errors.Internal()


def _explain(request: Request[Any, Any, Any], error: Exception, exchange: Exchange) -> errors.ApiError:
    """All problems of path, query and body."""
    handler = request.scope.get("route_handler")
    fields = handler.parsed_fn_signature.parameters if handler is not None else {}
    problems = []
    for item in getattr(error, "extra", None) or []:
        key, source = item.get("key", ""), str(getattr(item.get("source"), "value", item.get("source")))
        if source == "body" or key not in fields:
            continue
        given = {**request.path_params, **dict(request.query_params)}.get(key)
        problem = None
        if given is None and key not in request.query_params:
            problem = errors.FieldProblem(key, f"{key} is required")
        else:
            problem = problem_with(key, given, fields[key].raw, strict=False)
        problems.append(problem or errors.FieldProblem(key, f"{key}: {item.get('message', 'not valid')}"))
    if "data" in fields:
        try:
            explain_body(exchange.body, fields["data"].annotation)
        except errors.ValidationError as found:
            if not problems:
                return found
            problems += [
                errors.FieldProblem(each["field"], each["message"]) for each in found.extra.get("details", [])
            ]
    return errors.ValidationError(problems or "The request is not valid.")


def check_declared(handlers: list[BaseRouteHandler]) -> None:
    """Refuse to start with a route that does not say who may call it. Notes which query parameters and which
    body each one takes."""
    for handler in handlers:
        names = _query_names(handler)
        handler.opt.setdefault("query_names", names)
        kinds = {name: item.raw for name, item in handler.parsed_fn_signature.parameters.items()}
        handler.opt["query_integers"] = {
            name: kinds[name]
            for name in names
            if name in kinds and "an integer" in (sentence(kinds[name]) or "")
        }
        data = handler.parsed_fn_signature.parameters.get("data")
        if data is not None and isinstance(data.annotation, type) and issubclass(data.annotation, Body):
            handler.opt.setdefault("body", data.annotation)
        if handler.fn.__module__.startswith("litestar."):
            continue
        if not handler.opt.get("public") and "role" not in handler.opt:
            raise RuntimeError(f"{handler} declares neither a role nor PUBLIC")


__all__ = [
    "PUBLIC",
    "SOCKET",
    "Cursor",
    "FromPath",
    "FromQuery",
    "IfMatch",
    "JSONBody",
    "Limit",
    "NamedDependency",
    "check_declared",
    "exchange_of",
    "guard",
    "provide_work",
    "render",
    "resolve_in_turn",
    "role",
]
