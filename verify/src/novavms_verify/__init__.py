"""Checks evidence exported from NovaVMS, offline. `verify_file` for programs, `novavms-verify` for people."""

from novavms_verify.evidence import Envelope, EvidenceError, fingerprint
from novavms_verify.verdict import Finding, Verdict, verify_file

__all__ = ["Envelope", "EvidenceError", "Finding", "Verdict", "fingerprint", "verify_file"]
