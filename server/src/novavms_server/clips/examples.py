"""What the API's document shows of an event's clip and picture."""

from __future__ import annotations

from novavms_server.clips.errors import ClipNotReady
from novavms_server.kit.openapi import Example

EXAMPLES = {"getEventClip": Example(errors=(ClipNotReady,))}
