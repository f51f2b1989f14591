"""What is told of gateways on the feed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from novavms_server.feed.log import Moment, NewItem
from novavms_server.gateways.models import GatewayRef, Status


class GatewayStatusData(msgspec.Struct, kw_only=True):
    """A gateway came or went. `since` is when it got into this state. Heartbeats are not told."""

    gateway_id: UUID
    site_id: UUID
    status: Status
    since: Moment


class GatewayData(msgspec.Struct, kw_only=True):
    """A gateway was made, renamed, paired (`updated`), or deleted: then `name` is null."""

    change: Literal["created", "updated", "deleted"]
    gateway_id: UUID
    site_id: UUID
    name: str | None


def gateway_status_item(gateway: GatewayRef, status: Status, since: Moment) -> NewItem:
    data = GatewayStatusData(gateway_id=gateway.id, site_id=gateway.site_id, status=status, since=since)
    return NewItem("gateway_status", gateway.site_id, data)


def gateway_item(
    change: Literal["created", "updated", "deleted"], gateway_id: UUID, site_id: UUID, name: str | None
) -> NewItem:
    data = GatewayData(change=change, gateway_id=gateway_id, site_id=site_id, name=name)
    return NewItem("gateway", site_id, data)
