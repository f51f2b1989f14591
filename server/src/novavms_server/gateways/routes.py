"""/gateways"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, WebSocket, delete, get, patch, post, websocket
from litestar.params import QueryParameter

from novavms_server.gateways.link import GatewayDoor
from novavms_server.gateways.models import (
    Discovered,
    DiscoverRequest,
    Gateway,
    GatewayUpdate,
    Paired,
    PairingCode,
    PairingCodeCreate,
    PairRequest,
    Status,
    TelemetryPoint,
)
from novavms_server.gateways.pairing import PairingService
from novavms_server.gateways.service import GatewayService
from novavms_server.kit.http import (
    PUBLIC,
    SOCKET,
    Cursor,
    FromPath,
    IfMatch,
    JSONBody,
    Limit,
    NamedDependency,
    exchange_of,
    role,
)
from novavms_server.kit.pages import Page
from novavms_server.kit.work import Work

SiteFilter = Annotated[UUID | None, QueryParameter(description="Only gateways on this site.")]
StatusFilter = Annotated[Status | None, QueryParameter(description="Only gateways in this state.")]


_SEARCH = DiscoverRequest()
"""What a request without a body asks for."""


class GatewayController(Controller):
    path = "/gateways"
    tags = ("Gateways",)

    @get("/", opt=role("viewer"), operation_id="listGateways", summary="List gateways")
    async def list_gateways(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        site_id: SiteFilter = None,
        status: StatusFilter = None,
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[Gateway]:
        return await gateways.list(work, site_id, status, cursor, limit)

    @post(
        "/generate-pairing-code",
        opt=role("operator"),
        operation_id="generatePairingCode",
        summary="Make a code that pairs a gateway",
        description="For a new gateway (`name`, `site_id`), or with `gateway_id` for new hardware of one that exists.",
    )
    async def generate_pairing_code(
        self,
        work: NamedDependency[Work],
        pairing: NamedDependency[PairingService],
        data: JSONBody[PairingCodeCreate],
    ) -> PairingCode:
        return await pairing.generate(work, data)

    @post(
        "/pair",
        opt=PUBLIC,
        operation_id="pairGateway",
        summary="Spend a pairing code",
        description="Called by the gateway itself. Works once; the token is shown once.",
    )
    async def pair_gateway(
        self,
        request: Request[Any, Any, Any],
        pairing: NamedDependency[PairingService],
        data: JSONBody[PairRequest],
    ) -> Paired:
        return await pairing.pair(data, exchange_of(request).client)

    @get("/{gateway_id:str}", opt=role("viewer"), operation_id="getGateway", summary="Get a gateway")
    async def get_gateway(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        gateway_id: FromPath[UUID],
    ) -> Response[Gateway]:
        gateway, tag = await gateways.get(work, gateway_id)
        return Response(gateway, headers={"ETag": tag})

    @patch(
        "/{gateway_id:str}", opt=role("operator"), operation_id="updateGateway", summary="Rename a gateway"
    )
    async def update_gateway(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        gateway_id: FromPath[UUID],
        data: JSONBody[GatewayUpdate],
        if_match: IfMatch = None,
    ) -> Response[Gateway]:
        gateway, tag = await gateways.update(work, gateway_id, data, if_match)
        return Response(gateway, headers={"ETag": tag})

    @delete(
        "/{gateway_id:str}", opt=role("operator"), operation_id="deleteGateway", summary="Remove a gateway"
    )
    async def delete_gateway(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        gateway_id: FromPath[UUID],
        if_match: IfMatch = None,
    ) -> None:
        await gateways.delete(work, gateway_id, if_match)

    @get(
        "/{gateway_id:str}/telemetry",
        opt=role("viewer"),
        operation_id="listGatewayTelemetry",
        summary="How a gateway was, minute by minute",
    )
    async def list_telemetry(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        gateway_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = 20,
    ) -> Page[TelemetryPoint]:
        return await gateways.telemetry(work, gateway_id, cursor, limit)

    @post(
        "/{gateway_id:str}/discover",
        opt=role("operator", body_may_be_empty=True),
        status_code=200,
        operation_id="discoverCameras",
        summary="Find ONVIF cameras on the gateway's network",
    )
    async def discover_cameras(
        self,
        work: NamedDependency[Work],
        gateways: NamedDependency[GatewayService],
        gateway_id: FromPath[UUID],
        data: JSONBody[DiscoverRequest] = _SEARCH,
    ) -> Discovered:
        return await gateways.discover(work, gateway_id, data)

    @websocket("/{gateway_id:str}/ws", opt=SOCKET)
    async def gateway_socket(
        self, socket: WebSocket[Any, Any, Any], gateway_door: NamedDependency[GatewayDoor]
    ) -> None:
        await gateway_door.serve(
            socket.path_params["gateway_id"], socket.headers.get("authorization"), socket
        )
