"""The connection check: from an address and a password to a report that says exactly what is wrong."""

from novavms_camera.address import AddressPolicy
from novavms_camera.check.report import (
    LONG_GOP_SEC,
    CheckReport,
    CheckWarning,
    Facts,
    ProfileFacts,
    Stage,
    is_interval_news,
    long_gop_message,
)
from novavms_camera.check.run import check_camera
from novavms_camera.check.validate import validate_source

__all__ = [
    "LONG_GOP_SEC",
    "AddressPolicy",
    "CheckReport",
    "CheckWarning",
    "Facts",
    "ProfileFacts",
    "Stage",
    "check_camera",
    "is_interval_news",
    "long_gop_message",
    "validate_source",
]
