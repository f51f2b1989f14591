"""Objects as people call them: by name, or by id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import typer

from novavms import Client


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def pick(kind: str, asked: str, items: Iterable[Any]) -> str:
    """The id of the one that is called so, upper and lower case alike. Raises BadParameter for none, and for several."""
    found = [item for item in items if item.name.casefold() == asked.casefold()]
    if len(found) == 1:
        return str(found[0].id)
    if not found:
        raise typer.BadParameter(f"There is no {kind} “{asked}”.")
    ids = ", ".join(str(item.id) for item in found)
    raise typer.BadParameter(f"{len(found)} {kind}s are called “{asked}”; name one by its id: {ids}")


def site_id(client: Client, asked: str) -> str:
    return asked if is_id(asked) else pick("site", asked, client.sites.list(limit=100))


def gateway_id(client: Client, asked: str) -> str:
    return asked if is_id(asked) else pick("gateway", asked, client.gateways.list(limit=100))


def camera_id(client: Client, asked: str) -> str:
    return asked if is_id(asked) else pick("camera", asked, client.cameras.list(q=asked[:100], limit=100))
