"""Where each operation of the API is found in the SDK. The table itself is sdk/python/surface.toml, one for both SDKs: a new operation is
one line there.

Path arguments come first, in the path's order; query and body are one object after them. Names are in snake_case here, as in Python's SDK.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

SURFACE = Path(__file__).resolve().parent.parent.parent / "sdk" / "python" / "surface.toml"
BY_HAND = {"streamChanges": "stream.events"}
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
    "cameras": "Cameras",
    "events": "Events",
    "exports": "Exports",
    "auth": "Auth",
    "stream": "Stream",
    "webhooks": "Webhooks",
}
"""Resources with something written by hand, in src/resources/: the class that is used instead. Where there are operations, it extends
theirs, which is called `CamerasOperations`, for one."""

WORDS = {
    "events.shares": "Links by which others see an event.",
    "users.sessions": "Where a user is logged in.",
    "service_accounts.keys": "A service account's API keys.",
    "org.owner_nomination": "Handing the organization over to another owner.",
    "stream": "What happens, as it happens.",
    "webhooks": "Checking that a webhook is from NovaVMS.",
}
"""A sentence for each resource that is no tag of the document: those have theirs there."""
