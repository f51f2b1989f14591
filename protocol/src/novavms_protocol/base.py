"""What every message has in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""With its zone: a time without one means another moment on each machine."""


def _snake(name: str) -> str:
    return "".join(
        ("_" if index and char.isupper() else "") + char.lower() for index, char in enumerate(name)
    )


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=_snake, kw_only=True):
    """Base of all tagged messages: frozen, unknown fields ignored, `type` is the snake_case class name."""
