"""An org, and the transfer of its ownership."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from novavms_server.kit.validation import Body, Name

MovedCameras = Literal["offer", "apply"]


class Org(msgspec.Struct):
    """The caller's organization."""

    id: UUID
    name: str
    sandbox: bool
    """Its API keys begin with sk_test_."""
    moved_cameras: MovedCameras
    """What happens when a gateway finds a missing camera at another address: `offer` it to people, or `apply` it."""
    version: int
    created_at: datetime
    updated_at: datetime


class OrgUpdate(Body):
    name: Name | UnsetType = UNSET
    moved_cameras: MovedCameras | UnsetType = UNSET


class Nomination(msgspec.Struct):
    """The owner wants this admin to be the owner."""

    user_id: UUID
    email: str
    display_name: str
    created_at: datetime
    expires_at: datetime


class NominationCreate(Body):
    user_id: UUID
