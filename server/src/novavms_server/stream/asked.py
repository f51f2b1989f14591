"""What a reader asks for: the same words for both ways in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from uuid import UUID

from novavms_server.feed.log import ITEM_TYPES
from novavms_server.kit.errors import FieldProblem, ValidationError
from novavms_server.kit.validation import problem_with
from novavms_server.stream.reader import Wanted

_NAMES: Final = ("types", "camera_id", "site_id", "last_event_id")


class Asked(NamedTuple):
    wanted: Wanted
    last_event_id: str | None


def read_types(text: str | None) -> frozenset[str] | None:
    """Raises ValidationError on `types`."""
    if text is None:
        return None
    types = frozenset(part.strip() for part in text.split(","))
    if not types <= set(ITEM_TYPES):
        raise ValidationError.of(
            "types", "types must be some of these, separated by commas: " + ", ".join(ITEM_TYPES)
        )
    return types


def read_asked(pairs: Iterable[tuple[str, str]]) -> Asked:
    """A WebSocket's query, which no framework has looked at. Raises ValidationError, naming all that is wrong."""
    given: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for name, value in pairs:
        if name not in _NAMES:
            problems.append(FieldProblem(name[:60], f"{name[:60]} is not a query parameter of this path"))
        elif name in given:
            problems.append(FieldProblem(name, f"{name} is given more than once"))
        given[name] = value
    for name in ("camera_id", "site_id"):
        problem = problem_with(name, given[name], UUID, strict=False) if name in given else None
        if problem is not None:
            problems.append(problem)
    try:
        types = read_types(given.get("types"))
    except ValidationError as error:
        problems.append(FieldProblem("types", error.message))
    if problems:
        raise ValidationError(problems)
    ids = {name: UUID(given[name]) for name in ("camera_id", "site_id") if name in given}
    return Asked(Wanted(types, **ids), given.get("last_event_id"))
