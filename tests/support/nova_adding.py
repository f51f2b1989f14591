"""Bodies that add a camera of a scripted gateway, and what adding leaves in the database."""

from __future__ import annotations

from typing import Any

from nova_gateway import ScriptedGateway
from nova_world import World

PASSWORD = "pä$$ w@rd:/#?%-one"


def onvif(gateway: ScriptedGateway, **more: Any) -> dict[str, Any]:
    return {
        **{
            "site_id": str(gateway.site_id),
            "gateway_id": str(gateway.id),
            "name": "Front door",
            "type": "onvif",
        },
        **{"host": "192.0.2.10", "onvif_username": "viewer", "onvif_password": PASSWORD},
        **more,
    }


def rtsp(gateway: ScriptedGateway, **more: Any) -> dict[str, Any]:
    return {
        **{"site_id": str(gateway.site_id), "gateway_id": str(gateway.id), "name": "Yard", "type": "rtsp"},
        **{"rtsp_url": "rtsp://192.0.2.11:554/stream1"},
        **more,
    }


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


async def traces(world: World) -> dict[str, int]:
    """Rows of every table but those that count requests."""
    names = await world.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    counted = {}
    for (name,) in names:
        if (
            name not in ("idempotency_keys", "schema_migrations", "nova_migrations")
            and "migration" not in name
        ):
            counted[name] = (await world.sql(f"SELECT count(*) FROM {name}"))[0][0]
    state = await world.sql("SELECT id, state_version FROM gateways ORDER BY id")
    return {**counted, **{f"state of {row[0]}": row[1] for row in state}}
