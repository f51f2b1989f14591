"""`novavms-verify FILE…`: what is claimed, and whether it is so."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from novavms_verify.evidence import EvidenceError
from novavms_verify.verdict import Verdict, verify_file

GENUINE, ALTERED, UNREADABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 genuine, 1 altered, 2 nothing to verify."""
    parser = argparse.ArgumentParser(
        prog="novavms-verify",
        description="Checks evidence exported from NovaVMS, offline: who made it, and whether a byte was altered.",
        epilog="exit code: 0 not a byte was altered; 1 altered; 2 no evidence in it, it cannot be read, or wrong use",
    )
    parser.add_argument("file", type=Path, nargs="+", help="an exported MP4 or ZIP")
    parser.add_argument(
        "--fingerprint",
        metavar="HEX",
        type=_fingerprint,
        help="the SHA-256 of the key that must have signed, as the organization names it",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    return max(_verify(path, options.fingerprint, as_json=options.json) for path in options.file)


def _fingerprint(text: str) -> str:
    """A part of one proves nothing, and must not look like another key."""
    if not re.fullmatch("[0-9A-Fa-f]{64}", text.replace(":", "")):
        raise argparse.ArgumentTypeError("it must be the whole fingerprint of 64 hex digits")
    return text


def _verify(path: Path, fingerprint: str | None, *, as_json: bool) -> int:
    try:
        verdict = verify_file(path, expected_fingerprint=fingerprint)
    except (EvidenceError, OSError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        if as_json:
            _print(json.dumps({"name": path.name, "ok": None, "error": reason}))
        else:
            print(f"{path.name}: {reason}", file=sys.stderr)  # noqa: T201
        return UNREADABLE
    if as_json:
        _print(json.dumps({"ok": verdict.is_genuine, **asdict(verdict)}, ensure_ascii=False))
    else:
        for line in report(verdict, is_key_known=fingerprint is not None):
            _print(line)
    return GENUINE if verdict.is_genuine else ALTERED


def report(verdict: Verdict, *, is_key_known: bool) -> Iterator[str]:
    """The verdict for people, line by line."""
    yield from _claims(verdict.name, verdict.manifest)
    yield f"  signed by     key {verdict.fingerprint or 'none'}"
    for finding in verdict.findings:
        yield f"  ALTERED       {finding.message}"
    for file in verdict.files:
        yield from _claims(file.name, file.manifest)
        for finding in file.findings:
            yield f"  ALTERED       {finding.message}"
    if not verdict.is_genuine:
        yield "NOT GENUINE: this is not what was exported."
    elif is_key_known:
        yield "GENUINE: not a byte was altered, and the expected key signed it."
    else:
        yield "GENUINE: not a byte was altered since it was signed. Compare the key's fingerprint with the organization's."


def _claims(name: str, manifest: dict[str, Any]) -> Iterator[str]:
    yield name
    camera, span, clock = (_dict(manifest, key) for key in ("camera", "range", "clock"))
    facts = {
        "organization": _dict(manifest, "org").get("name"),
        "camera": " · ".join(
            str(camera[key]) for key in ("name", "site", "manufacturer", "model", "serial") if camera.get(key)
        ),
        "from": span.get("from"),
        "to": span.get("to"),
        "exported": " by ".join(
            str(word) for word in (manifest.get("made_at"), _dict(manifest, "made_by").get("name")) if word
        ),
        "case": manifest.get("case_reference"),
        "clock": _clock(clock),
    }
    for label, value in facts.items():
        if value:
            yield f"  {label:13} {value}"
    gaps = manifest.get("gaps")
    for gap in gaps if isinstance(gaps, list) else []:
        if isinstance(gap, dict):
            yield f"  no footage    {gap.get('start')} to {gap.get('end')}: {gap.get('reason')}"
    losses = manifest.get("losses")
    for loss in losses if isinstance(losses, list) else []:
        if isinstance(loss, dict):
            yield f"  pictures lost {loss.get('start')} to {loss.get('end')}: {loss.get('pictures')} on their way here"


def _clock(clock: dict[str, Any]) -> str | None:
    source, offset_ms = clock.get("source"), clock.get("offset_ms")
    if not source:
        return None
    told = {"rtcp": "times by the camera's clock", "arrival": "times by the recorder's clock"}.get(
        str(source), str(source)
    )
    if type(offset_ms) is not int or abs(offset_ms) >= 10**15:
        return f"{told}; the camera's was not told"
    return f"{told}; the camera's was {abs(offset_ms) / 1000:.3f} s {'ahead' if offset_ms >= 0 else 'behind'}"


def _dict(manifest: dict[str, Any], key: str) -> dict[str, Any]:
    value = manifest.get(key)
    return value if isinstance(value, dict) else {}


def _print(line: str) -> None:
    """Control characters of a claim must not play tricks on the reader's terminal."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    sys.stdout.write(shown + "\n")


if __name__ == "__main__":
    sys.exit(main())
