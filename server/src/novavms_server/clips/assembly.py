"""All that clips are made of, put together for `server`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from novavms_server.clips.finishing import Finisher
from novavms_server.clips.keeper import Keeper
from novavms_server.clips.orders import Orders
from novavms_server.clips.reports import Reports
from novavms_server.clips.service import ClipService
from novavms_server.clips.serving import StoreDoor
from novavms_server.clips.store import Store
from novavms_server.clips.store_local import LocalStore
from novavms_server.clips.stores import make_store
from novavms_server.clips.uploads import Gateways, Uploads
from novavms_server.gateways.hub import GatewayHub
from novavms_server.kit.clock import Clock
from novavms_server.kit.database import Database
from novavms_server.kit.seal import Sealer
from novavms_server.settings import Settings


@dataclass(frozen=True, slots=True)
class ClipParts:
    """`orders.direct` is set by whoever records direct-mode cameras, before `start`."""

    clock: Clock
    store: Store
    service: ClipService
    uploads: Uploads
    door: StoreDoor
    orders: Orders
    keeper: Keeper

    async def start(self) -> None:
        if isinstance(self.store, LocalStore):
            await self.store.prepare(
                self.clock.now() - timedelta(hours=2)
            )  # no link to upload by is that old
        await self.orders.start()
        self.keeper.start()

    async def stop(self) -> None:
        await self.keeper.stop()
        await self.orders.stop()


def build_clips(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    sealer: Sealer,
    hub: GatewayHub,
    gateways: Gateways,
) -> ClipParts:
    """Nothing is started yet; the hub's reports are listened to from now on."""
    store = make_store(settings, sealer, clock)
    orders = Orders(database, store, clock, hub, settings.data_dir / "direct-clips")
    Reports(clock).register(hub)
    return ClipParts(
        clock=clock,
        store=store,
        service=ClipService(orders, store, settings.public_url or ""),
        uploads=Uploads(database, store, clock, gateways),
        door=StoreDoor(store, clock),
        orders=orders,
        keeper=Keeper(database, Finisher(database, store, clock), clock),
    )
