"""Turns a body, query or path that does not fit its type into a 400 that names every bad field in plain words.

Litestar and msgspec stop at the first problem and speak of types; people who fill in 14 fields want all problems at once.
So the fast path is msgspec's own decoding, and only when it fails is the input looked at field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta
from msgspec import inspect as shapes

from novavms_server.kit.errors import FieldProblem, ValidationError

PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""No control characters (Unicode's category Cc) but tab and line breaks."""
_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
"""Nor what breaks a line, or turns the text that follows it around on somebody else's screen."""
_SEEN = r"[^\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
"""Nor what has no shape at all."""

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=f"^{_LINE}*{_SEEN}{_LINE}*$",
        description="1 to 100 characters, not only blanks, no control characters",
    ),
]


class Problems(ValueError):
    """Carries a body's own findings through msgspec, which lets only ValueError out of __post_init__."""

    def __init__(self, found: list[FieldProblem]) -> None:
        super().__init__(found[0].message)
        self.found = found


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of every request body: unknown fields are refused, and `problems()` holds the rules across fields."""

    def __post_init__(self) -> None:
        found = list(self.problems())
        if found:
            raise Problems(found)

    def problems(self) -> Iterator[FieldProblem]:
        """What is wrong although each field by itself is right."""
        return iter(())


def explain_body(raw: bytes, kind: Any) -> None:
    """Always raises: every problem that `raw` has with being a `kind`: a struct, or one that may be left out."""
    kind = next((part for part in get_args(kind) if part is not type(None)), kind)
    try:
        loose = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ValidationError("The body is not valid JSON.") from None
    if not isinstance(loose, dict):
        raise ValidationError("The body must be a JSON object.")
    found = list(problems_of(loose, kind))
    if not found:
        try:
            msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as error:
            found = error.__cause__.found if isinstance(error.__cause__, Problems) else []
    raise ValidationError(found or "The body does not fit.")


def problems_of(loose: Mapping[str, Any], kind: Any) -> Iterator[FieldProblem]:
    """Every field of `loose` that does not fit the Struct `kind`, in the struct's order; unknown fields last."""
    known = set()
    for field in msgspec.structs.fields(kind):
        known.add(field.encode_name)
        if field.encode_name not in loose:
            if field.required:
                yield FieldProblem(field.encode_name, f"{field.encode_name} is required")
            continue
        problem = problem_with(field.encode_name, loose[field.encode_name], field.type)
        if problem:
            yield problem
    for name in loose:
        if name not in known:
            shown = (
                name
                if len(name) <= 60 and name.isprintable()
                else name[:60].encode("unicode_escape").decode()
            )
            yield FieldProblem(shown, f"{shown} is not a field of this request")


def problem_with(name: str, value: Any, kind: Any, *, strict: bool = True) -> FieldProblem | None:
    """Why `value` is no `kind`, or None."""
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        words = sentence(kind)
        if words is None and not isinstance(value, list):
            words = "must be a list" if isinstance(_bare(kind), shapes.ListType) else None
        return FieldProblem(name, f"{name} {words or 'is not valid: ' + _plain(str(error))}")
    return None


def sentence(kind: Any) -> str | None:
    """`must be …` for a type (its own, where it has `extra={"words": …}`), None where msgspec's own words are better."""
    own = getattr(shapes.type_info(kind), "extra", None) or {}
    return own["words"] if "words" in own else _words(_bare(kind))


def _bare(kind: Any) -> shapes.Type:
    """What a type is without its marks, and without the choice of leaving it out."""
    shape = shapes.type_info(kind)
    while isinstance(shape, shapes.Metadata):
        shape = shape.type
    if isinstance(shape, shapes.UnionType):
        options = [
            option for option in shape.types if not isinstance(option, shapes.NoneType | shapes.CustomType)
        ]
        options = [option for option in options if "Unset" not in type(option).__name__]
        if len(options) != 1:
            return shape
        shape = options[0]
        while isinstance(shape, shapes.Metadata):
            shape = shape.type
    return shape


def _words(shape: shapes.Type) -> str | None:
    if isinstance(shape, shapes.StrType):
        low, high = shape.min_length, shape.max_length
        length = (
            f"of {low or 0} to {high} characters"
            if high is not None
            else f"of at least {low} characters"
            if low
            else ""
        )
        free = ", without control characters" if shape.pattern and r"\x00" in shape.pattern else ""
        form = "" if free or not shape.pattern else f" matching {shape.pattern}"
        blank = ", not blank" if shape.pattern and r"\s" in shape.pattern else ""
        return f"must be a string {length}".rstrip() + blank + free + form
    if isinstance(shape, shapes.IntType | shapes.FloatType):
        kind = "an integer" if isinstance(shape, shapes.IntType) else "a number"
        if shape.ge is not None and shape.le is not None:
            return f"must be {kind} from {shape.ge} to {shape.le}"
        return f"must be {kind}" + (f" of at least {shape.ge}" if shape.ge is not None else "")
    if isinstance(shape, shapes.LiteralType):
        return "must be one of: " + ", ".join(str(value) for value in shape.values)
    if isinstance(shape, shapes.EnumType):
        return "must be one of: " + ", ".join(str(item.value) for item in shape.cls)
    for type_, words in (
        (shapes.BoolType, "must be true or false"),
        (shapes.UUIDType, "must be a UUID"),
        (shapes.DateTimeType, "must be an RFC 3339 time, such as 2026-01-31T12:00:00Z"),
        (shapes.ListType, None),
    ):
        if isinstance(shape, type_):
            return words
    return None


def _plain(text: str) -> str:
    return text.replace("`", "").split(" - at ")[0][:200]
