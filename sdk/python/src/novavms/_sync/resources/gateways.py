# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.gateways`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms._sync.resource import Resource
from novavms.types import Discovered, Gateway, Paired, PairingCode, TelemetryPoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from novavms._sync.pages import Page
    from novavms.types import GatewayStatus, HardwareFacts


class GatewaysResource(Resource):
    """`client.gateways`"""

    def list(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        site_id: str | UUID | None = None,
        status: GatewayStatus | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[Gateway]:
        """List gateways.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            site_id: Only gateways on this site.
            status: Only gateways in this state.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            "/api/v1/gateways",
            Gateway,
            query={"cursor": cursor, "limit": limit, "site_id": site_id, "status": status},
            timeout=timeout,
        )

    def get(self, gateway_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> Gateway:
        """Get a gateway.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET", f"/api/v1/gateways/{segment(gateway_id)}", Gateway, timeout=timeout
        )

    def update(
        self,
        gateway_id: str | UUID,
        *,
        name: str | NotGiven = NOT_GIVEN,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Gateway:
        """Rename a gateway.

        Needs the role operator or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "PATCH",
            f"/api/v1/gateways/{segment(gateway_id)}",
            Gateway,
            body={"name": name},
            if_match=if_match,
            timeout=timeout,
        )

    def delete(
        self, gateway_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Remove a gateway.

        Needs the role operator or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/gateways/{segment(gateway_id)}", if_match=if_match, timeout=timeout
        )

    def generate_pairing_code(
        self,
        *,
        site_id: str | UUID,
        name: str | NotGiven | None = NOT_GIVEN,
        gateway_id: str | UUID | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> PairingCode:
        """Make a code that pairs a gateway.

        For a new gateway (`name`, `site_id`), or with `gateway_id` for new hardware of one that exists.

        Needs the role operator or higher.

        Args:
            name: 1 to 100 characters, not only blanks, no control characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            "/api/v1/gateways/generate-pairing-code",
            PairingCode,
            body={"site_id": site_id, "name": name, "gateway_id": gateway_id},
            key=idempotency_key,
            timeout=timeout,
        )

    def pair(
        self,
        *,
        pairing_code: str,
        version: str | NotGiven = NOT_GIVEN,
        hardware: HardwareFacts | Mapping[str, Any] | NotGiven = NOT_GIVEN,
        timeout: Timeout = NOT_GIVEN,
    ) -> Paired:
        """Spend a pairing code.

        Called by the gateway itself. Works once; the token is shown once.

        Args:
            pairing_code: At most 6 characters.
            version: At most 255 characters; default "".
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            "/api/v1/gateways/pair",
            Paired,
            body={"pairing_code": pairing_code, "version": version, "hardware": hardware},
            timeout=timeout,
        )

    def discover(
        self,
        gateway_id: str | UUID,
        *,
        hosts: Sequence[str] | NotGiven = NOT_GIVEN,
        ports: Sequence[int] | NotGiven = NOT_GIVEN,
        timeout_sec: float | NotGiven = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Discovered:
        """Find ONVIF cameras on the gateway's network.

        Needs the role operator or higher.

        Args:
            timeout_sec: 1 to 10; default 4.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            f"/api/v1/gateways/{segment(gateway_id)}/discover",
            Discovered,
            body={"hosts": hosts, "ports": ports, "timeout_sec": timeout_sec},
            key=idempotency_key,
            timeout=timeout,
        )

    def telemetry(
        self,
        gateway_id: str | UUID,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[TelemetryPoint]:
        """How a gateway was, minute by minute.

        Args:
            cursor: `next_cursor` of the page before.
            limit: Rows on a page; 1 to 100; default 20.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            f"/api/v1/gateways/{segment(gateway_id)}/telemetry",
            TelemetryPoint,
            query={"cursor": cursor, "limit": limit},
            timeout=timeout,
        )
