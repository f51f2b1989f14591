"""Footage as evidence: collected from the recording, signed, handed out (docs/design/evidence.md)."""
