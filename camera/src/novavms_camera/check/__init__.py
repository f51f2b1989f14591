"""The connection check: from an address and a password to a report that says exactly what is wrong."""

from novavms_camera.address import AddressPolicy
from novavms_camera.check.report import CheckReport, CheckWarning, Facts, ProfileFacts, Stage
from novavms_camera.check.run import check_camera
from novavms_camera.check.validate import validate_source

__all__ = [
    "AddressPolicy",
    "CheckReport",
    "CheckWarning",
    "Facts",
    "ProfileFacts",
    "Stage",
    "check_camera",
    "validate_source",
]
