"""Which of a camera's streams a viewer gets, as far as is known before the stream is there."""

from __future__ import annotations

from typing import Final, NamedTuple

from novavms_protocol.live import Tier
from novavms_server.kit.errors import ValidationError
from novavms_server.live.models import LiveCamera

CODECS: Final = ("h264", "h265")
NAMES: Final = {"h264": "H.264", "h265": "H.265"}


class Plan(NamedTuple):
    """`tier_reason` says why `tier` is another than the asked one; `message`, a sentence, why nothing can be shown. `codec` is None
    where it is not known."""

    tier: Tier
    codec: str | None
    tier_reason: str | None = None
    message: str | None = None


def read_codecs(text: str | None) -> frozenset[str]:
    """What a viewer can decode: `h264`, `h265` or both, separated by a comma. Raises ValidationError."""
    if text is None:
        return frozenset({"h264"})
    found = [each.strip() for each in text.split(",")]
    if not all(each in CODECS for each in found):
        raise ValidationError.of("codecs", "codecs must be h264, h265 or both, separated by a comma")
    return frozenset(found)


def plan_of(camera: LiveCamera, wanted: Tier, codecs: frozenset[str]) -> Plan:
    """`codecs`: what the viewer can decode."""
    tier: Tier = wanted if camera.has_sub else "main"
    reason = None if tier == wanted else "no_sub_stream"
    codec = camera.sub_codec if tier == "sub" else camera.codec
    if codec is None or codec in codecs:
        return Plan(tier, codec, reason)
    if tier == "main" and camera.has_sub and (camera.sub_codec is None or camera.sub_codec in codecs):
        return Plan("sub", camera.sub_codec, "codec")
    if tier == "sub" and (camera.codec is None or camera.codec in codecs):
        return Plan("main", camera.codec, "codec")
    return Plan(tier, codec, reason, unsupported(codec, camera.has_sub))


def unsupported(codec: str, has_sub: bool) -> str:
    """The sentence for a viewer that can't decode what the camera sends."""
    sends, other = NAMES.get(codec, codec), "H.264" if codec == "h265" else "another codec"
    also = "; its sub stream is no other" if has_sub else ""
    return f"The camera sends {sends}, which this viewer can't decode{also}. Use a viewer that can, or set the camera to {other}."
