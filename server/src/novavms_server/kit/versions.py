"""`ETag` and `If-Match`. A tag is `"<version>"` or `"<version>-<seq>"`: version counts what people change, seq what the object
does by itself (a camera's status). `If-None-Match` compares all of it, `If-Match` only the version, so that an edit is not
refused because a camera went offline meanwhile."""

from __future__ import annotations

import re

from novavms_server.kit.errors import Conflict, ValidationError

_TAG = re.compile(r'^(?:W/)?"(\d{1,9})(?:-\d{1,10})?"$')


def etag(version: int, seq: int | None = None) -> str:
    return f'"{version}"' if seq is None else f'"{version}-{seq}"'


def require_match(if_match: str | None, version: int) -> None:
    """Raises Conflict when the caller edits another version than it thinks; a tag that is none of ours is a 400."""
    if if_match is None or if_match.strip() == "*":
        return
    for part in if_match.split(","):
        found = _TAG.match(part.strip())
        if found is None:
            raise ValidationError.of("If-Match", 'If-Match must be an ETag as given, such as "3"')
        if int(found[1]) == version:
            return
    raise Conflict("The object was changed meanwhile; read it again.", headers={"ETag": etag(version)})
