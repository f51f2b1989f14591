"""Made by tools/sdk_python from surface.toml; not to be edited: the resources of a client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novavms._async.auth import AsyncAuthResource
    from novavms._async.cameras import AsyncCamerasResource
    from novavms._async.events import AsyncEventsResource
    from novavms._async.exports import AsyncExportsResource
    from novavms._async.resources.gateways import AsyncGatewaysResource
    from novavms._async.resources.grids import AsyncGridsResource
    from novavms._async.resources.org import AsyncOrgResource
    from novavms._async.resources.service_accounts import AsyncServiceAccountsResource
    from novavms._async.resources.sites import AsyncSitesResource
    from novavms._async.resources.users import AsyncUsersResource
    from novavms._async.stream import AsyncStreamResource
    from novavms._async.transport import AsyncTransport
    from novavms._async.webhooks import AsyncWebhooksResource


class AsyncResources:
    """What a client can be asked for; each is imported when it is first used."""

    _transport: AsyncTransport

    @cached_property
    def cameras(self) -> AsyncCamerasResource:
        from novavms._async.cameras import AsyncCamerasResource

        return AsyncCamerasResource(self._transport)

    @cached_property
    def events(self) -> AsyncEventsResource:
        from novavms._async.events import AsyncEventsResource

        return AsyncEventsResource(self._transport)

    @cached_property
    def grids(self) -> AsyncGridsResource:
        from novavms._async.resources.grids import AsyncGridsResource

        return AsyncGridsResource(self._transport)

    @cached_property
    def sites(self) -> AsyncSitesResource:
        from novavms._async.resources.sites import AsyncSitesResource

        return AsyncSitesResource(self._transport)

    @cached_property
    def gateways(self) -> AsyncGatewaysResource:
        from novavms._async.resources.gateways import AsyncGatewaysResource

        return AsyncGatewaysResource(self._transport)

    @cached_property
    def auth(self) -> AsyncAuthResource:
        from novavms._async.auth import AsyncAuthResource

        return AsyncAuthResource(self._transport)

    @cached_property
    def exports(self) -> AsyncExportsResource:
        from novavms._async.exports import AsyncExportsResource

        return AsyncExportsResource(self._transport)

    @cached_property
    def stream(self) -> AsyncStreamResource:
        from novavms._async.stream import AsyncStreamResource

        return AsyncStreamResource(self._transport)

    @cached_property
    def webhooks(self) -> AsyncWebhooksResource:
        from novavms._async.webhooks import AsyncWebhooksResource

        return AsyncWebhooksResource(self._transport)

    @cached_property
    def users(self) -> AsyncUsersResource:
        from novavms._async.resources.users import AsyncUsersResource

        return AsyncUsersResource(self._transport)

    @cached_property
    def service_accounts(self) -> AsyncServiceAccountsResource:
        from novavms._async.resources.service_accounts import AsyncServiceAccountsResource

        return AsyncServiceAccountsResource(self._transport)

    @cached_property
    def org(self) -> AsyncOrgResource:
        from novavms._async.resources.org import AsyncOrgResource

        return AsyncOrgResource(self._transport)
