"""Where each operation of the API is found in the SDK. The table itself is sdk/python/surface.toml, one for both SDKs: a new operation is
one line there (and a new resource one sentence here).

Path arguments come first, in the path's order; query and body are one object after them. Names are in snake_case here, as in Python's SDK.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

SURFACE = Path(__file__).resolve().parent.parent.parent / "sdk" / "python" / "surface.toml"
BY_HAND = {"streamEvents": "stream.events"}
"""Written by hand altogether: nothing is made for them. `operationId: method`, with the same names."""


def _methods() -> dict[str, str]:
    table = tomllib.loads(SURFACE.read_text())
    found = {
        operation: f"{resource}.{method}"
        for resource, methods in table["resources"].items()
        for method, operation in methods.items()
    }
    return {name: method for name, method in (found | table["hand"]).items() if name not in BY_HAND}


METHODS = _methods()
"""`operationId: resource.method`."""

EXTENDED = {
    "cameras": ("Cameras", "resources/cameras"),
    "events": ("Events", "resources/events"),
    "auth": ("Auth", "resources/auth"),
    "stream": ("Stream", "resources/stream"),
    "webhooks": ("Webhooks", "webhooks"),
}
"""Resources with something written by hand: the class that is used instead, and its module. Where there are operations, too, it extends theirs."""

BARE = {"Webhooks"}
"""Of those: classes that need no connection."""

WORDS = {
    "cameras": "Cameras: add one, and it is checked for real before you get an answer.",
    "events": "Something noticed or asked for, with at most one clip.",
    "events.shares": "Links by which others see an event.",
    "sites": "Places, each with a time zone. Viewers see the sites they were granted.",
    "gateways": "Our boxes on site: they find, check, watch and record cameras.",
    "auth": "Log in, refresh, log out, passwords.",
    "users": "The people of the organization.",
    "users.sessions": "Where a user is logged in.",
    "service_accounts": "Programs that call the API.",
    "service_accounts.keys": "A service account's API keys.",
    "org": "The caller's own organization.",
    "org.owner_nomination": "Handing the organization over to another owner.",
    "stream": "What happens, as it happens.",
    "webhooks": "Checking that a webhook is from NovaVMS.",
}
"""A sentence for each resource."""
