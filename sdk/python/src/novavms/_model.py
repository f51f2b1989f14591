"""Objects of the API: frozen dataclasses (see types.py), and how JSON becomes one.

Made for servers newer and older than this library: a member that is not known yet is an attribute all the same, without a
type; one that an older server does not send is None (or empty). What lacks most of what it must have is not that object and
raises `Unreadable`.
"""

from __future__ import annotations

import keyword
import sys
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from datetime import datetime, timezone
from operator import itemgetter
from typing import (
    Any,
    ClassVar,
    TypeGuard,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

_M = TypeVar("_M", bound="Model")
_Convert = Callable[[Any], Any]
_READS_Z = sys.version_info >= (3, 11)


class Unreadable(ValueError):
    """What came is not what the API says. The message names the member, never its value."""


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Of JSON; said so that mypy and pyright both see it."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


class Model:
    """What the API answers. Compared by value; cannot be changed. Secrets in it print as `***`."""

    _secret: ClassVar[frozenset[str]] = frozenset()

    @property
    def etag(self) -> str | None:
        """The version that this object was read at, for `if_match=`; None where it came as part of another."""
        return cast("str | None", self.__dict__.get(".etag"))

    def to_dict(self) -> dict[str, Any]:
        """As the API wrote it: names and plain JSON values. With its secrets, because it was asked for."""
        return {
            json_name(name): _plain(value)
            for name, value in self.__dict__.items()
            if not name.startswith(".")
        }

    def __repr__(self) -> str:
        known = ((member.name, getattr(self, member.name)) for member in fields(cast("Any", self)))
        shown = (
            f"{name}={'***' if name in self._secret and value is not None else repr(value)}"
            for name, value in known
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def json_name(name: str) -> str:
    """The API's name of a Python one: `from_` is `from`."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


class _Plan:
    """How a class is read."""

    def __init__(self, cls: type[Model]) -> None:
        hints = get_type_hints(cls)
        members = fields(cast("Any", cls))
        self.names = [member.name for member in members]
        self.json = [json_name(name) for name in self.names]
        self.look: Callable[[dict[str, Any]], object] = itemgetter(*self.json)
        """Raises KeyError where a member is missing."""
        self.renamed = [
            (json, name) for json, name in zip(self.json, self.names, strict=True) if json != name
        ]
        converters = [(name, _converter(hints[name])) for name in self.names]
        self.converted = [(name, convert) for name, convert in converters if convert is not None]
        self.missing = [_if_missing(member, hints[member.name]) for member in members]
        self.required = [
            name
            for name, member in zip(self.json, members, strict=True)
            if member.default is MISSING and member.default_factory is MISSING
        ]

    def fill(self, cls: type[Model], value: dict[str, Any], members: dict[str, Any]) -> None:
        """In what is missing. Raises Unreadable where that is most of it."""
        if sum(name not in value for name in self.required) * 2 > len(self.required):
            raise Unreadable(f"this is no {cls.__name__}: most of its members are missing")
        for json, missing in zip(self.json, self.missing, strict=True):
            if json not in value:
                members[json] = missing()


_PLANS: dict[type, _Plan] = {}


def read(cls: type[_M], value: Any, etag: str | None = None) -> _M:
    """The object that this JSON is. Raises Unreadable."""
    plan = _PLANS.get(cls)
    if plan is None:
        plan = _PLANS[cls] = _Plan(cls)
    if not is_object(value):
        raise Unreadable(f"{cls.__name__} is not an object")
    made = object.__new__(cls)
    members = made.__dict__
    members.update(value)  # around the frozen __setattr__, which takes a microsecond a field
    try:
        plan.look(value)
    except KeyError:
        plan.fill(cls, value, members)
    for json, name in plan.renamed:
        members[name] = members.pop(json)
    for name, convert in plan.converted:
        member = members[name]
        if member is not None:
            members[name] = convert(member)
    if etag is not None:
        members[".etag"] = etag
    return made


def _if_missing(member: Field[Any], hint: Any) -> Callable[[], Any]:
    """What makes the value of a member that was not sent."""
    if member.default_factory is not MISSING:
        return member.default_factory
    if member.default is not MISSING:
        default = member.default
        return lambda: default
    empty = get_origin(hint)
    return empty if empty in (list, dict) else lambda: None


def _converter(hint: Any) -> _Convert | None:
    """Of a value that is not null; None where JSON's own is right."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [_converter(one) for one in arguments if one is not type(None)]
        return inner[0] if len(inner) == 1 else None
    if origin is list:
        return _list_of(_converter(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, Model):
        return _object_of(hint)
    return parse_time if hint is datetime else None


def _object_of(cls: type[Model]) -> _Convert:
    return lambda value: read(cls, value)


def _list_of(convert: _Convert | None) -> _Convert:
    def run(value: Any) -> Any:
        if not is_list(value):
            raise Unreadable("a list is not a list")
        return value if convert is None else [convert(one) for one in value]

    return run


def parse_time(value: Any) -> datetime:
    """An RFC 3339 time, always with its zone. Raises Unreadable."""
    try:
        found = datetime.fromisoformat(value if _READS_Z else _with_offset(value))
    except (TypeError, ValueError, AttributeError, IndexError):
        raise Unreadable("a time is not RFC 3339") from None
    if found.tzinfo is None:
        raise Unreadable("a time has no zone")
    return found


def _with_offset(text: str) -> str:
    """As Python 3.10 reads it, too: an offset for Z, and six digits of a second or none."""
    if text[-1] in "Zz":
        text = text[:-1] + "+00:00"
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC. Raises ValueError for a time without a zone: it could be any."""
    if value.tzinfo is None:
        raise ValueError("a datetime needs a time zone, such as datetime.now(timezone.utc)")
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return format_time(value)
    if is_list(value):
        return [_plain(one) for one in value]
    return value
