"""Objects of the API: frozen dataclasses (see types.py), and how JSON becomes one.

Made for servers newer and older than this library: a member that is not known is left out, one that an older server does
not send is None (or empty). What lacks most of what it must have is not that object and raises `Unreadable`.
"""

from __future__ import annotations

import keyword
import types
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime, timezone
from typing import (
    Any,
    ClassVar,
    Literal,
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
_MISSING: Any = object()


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
        shown = (
            f"{name}={'***' if name in self._secret and value is not None else repr(value)}"
            for name, value in self.__dict__.items()
            if not name.startswith(".")
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def json_name(name: str) -> str:
    """The API's name of a Python one: `from_` is `from`."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def read(cls: type[_M], value: Any, etag: str | None = None) -> _M:
    """The object that this JSON is. Raises Unreadable."""
    plan = _PLANS.get(cls) or _plan(cls)
    if not is_object(value):
        raise Unreadable(f"{cls.__name__} is not an object")
    made = object.__new__(cls)
    lacking = 0
    members = made.__dict__  # around the frozen __setattr__, which takes a microsecond a field
    for name, json, convert, missing, required in plan:
        member = value.get(json, _MISSING)
        if member is _MISSING:
            lacking += required
            members[name] = missing() if callable(missing) else missing
        elif convert is None:
            members[name] = member
        else:
            members[name] = convert(member)
    if lacking and lacking * 2 > sum(step[-1] for step in plan):
        raise Unreadable(f"this is no {cls.__name__}: most of its members are missing")
    if etag is not None:
        members[".etag"] = etag
    return made


_Plan = list[tuple[str, str, _Convert | None, Any, bool]]
_PLANS: dict[type, _Plan] = {}


def _plan(cls: type[Model]) -> _Plan:
    """For each member: its name here and there, what makes it from JSON, what it is if missing, must it be there."""
    hints = get_type_hints(cls)
    plan: _Plan = []
    for member in fields(cast("Any", cls)):
        hint = hints[member.name]
        missing: Any = get_origin(hint) if get_origin(hint) in (list, dict) else None
        required = member.default is MISSING and member.default_factory is MISSING
        if member.default is not MISSING:
            missing = member.default
        elif member.default_factory is not MISSING:
            missing = member.default_factory
        plan.append((member.name, json_name(member.name), _converter(hint), missing, required))
    _PLANS[cls] = plan
    return plan


def _converter(hint: Any) -> _Convert | None:
    """None where JSON's own value is right."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [_converter(one) for one in arguments if one is not type(None)]
        if len(inner) > 1 or inner[0] is None:
            return None
        return _or_none(inner[0])
    if origin is list:
        return _list_of(_converter(arguments[0]))
    if origin is dict or origin is Literal:
        return None
    if isinstance(hint, type) and issubclass(hint, Model):
        return _object_of(hint)
    if hint is datetime:
        return parse_time
    return None


def _or_none(convert: _Convert) -> _Convert:
    return lambda value: None if value is None else convert(value)


def _object_of(cls: type[Model]) -> _Convert:
    return lambda value: read(cls, value)


def _list_of(convert: _Convert | None) -> _Convert:
    def run(value: Any) -> Any:
        if not is_list(value):
            raise Unreadable("a list is not a list")
        return value if convert is None else [convert(one) for one in value]

    return run


def parse_time(value: Any) -> datetime:
    """An RFC 3339 time, always with its zone."""
    try:
        return datetime.fromisoformat(_with_offset(value))
    except (TypeError, ValueError, AttributeError):
        raise Unreadable("a time is not RFC 3339") from None


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
