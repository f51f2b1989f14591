# Made from _async/ by tools/sdk_python; not to be edited.
"""Made by tools/sdk_python from surface.toml; not to be edited: the resources of a client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novavms._sync.auth import AuthResource
    from novavms._sync.cameras import CamerasResource
    from novavms._sync.events import EventsResource
    from novavms._sync.exports import ExportsResource
    from novavms._sync.resources.gateways import GatewaysResource
    from novavms._sync.resources.grids import GridsResource
    from novavms._sync.resources.org import OrgResource
    from novavms._sync.resources.service_accounts import ServiceAccountsResource
    from novavms._sync.resources.sites import SitesResource
    from novavms._sync.resources.users import UsersResource
    from novavms._sync.stream import StreamResource
    from novavms._sync.transport import Transport
    from novavms._sync.webhooks import WebhooksResource


class Resources:
    """What a client can be asked for; each is imported when it is first used."""

    _transport: Transport

    @cached_property
    def cameras(self) -> CamerasResource:
        from novavms._sync.cameras import CamerasResource

        return CamerasResource(self._transport)

    @cached_property
    def events(self) -> EventsResource:
        from novavms._sync.events import EventsResource

        return EventsResource(self._transport)

    @cached_property
    def grids(self) -> GridsResource:
        from novavms._sync.resources.grids import GridsResource

        return GridsResource(self._transport)

    @cached_property
    def sites(self) -> SitesResource:
        from novavms._sync.resources.sites import SitesResource

        return SitesResource(self._transport)

    @cached_property
    def gateways(self) -> GatewaysResource:
        from novavms._sync.resources.gateways import GatewaysResource

        return GatewaysResource(self._transport)

    @cached_property
    def auth(self) -> AuthResource:
        from novavms._sync.auth import AuthResource

        return AuthResource(self._transport)

    @cached_property
    def exports(self) -> ExportsResource:
        from novavms._sync.exports import ExportsResource

        return ExportsResource(self._transport)

    @cached_property
    def stream(self) -> StreamResource:
        from novavms._sync.stream import StreamResource

        return StreamResource(self._transport)

    @cached_property
    def webhooks(self) -> WebhooksResource:
        from novavms._sync.webhooks import WebhooksResource

        return WebhooksResource(self._transport)

    @cached_property
    def users(self) -> UsersResource:
        from novavms._sync.resources.users import UsersResource

        return UsersResource(self._transport)

    @cached_property
    def service_accounts(self) -> ServiceAccountsResource:
        from novavms._sync.resources.service_accounts import ServiceAccountsResource

        return ServiceAccountsResource(self._transport)

    @cached_property
    def org(self) -> OrgResource:
        from novavms._sync.resources.org import OrgResource

        return OrgResource(self._transport)
