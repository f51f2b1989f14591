"""What the samples of the API document need to run as they stand: real objects for the ids they show, and a gateway that answers.

The gateway is scripted: no sample here is about a device. It says that every camera is fine, has footage of the morning of
2026-03-01, and finds the cameras that moved.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from nova_footage import Telling, add_camera, update
from nova_gateway import ScriptedGateway, connected, good_report, pair
from nova_people import PASSWORD, add_user, client_of, log_in
from nova_recorder import FOOTAGE, Recorder, event_when, recording
from nova_wire import telemetry
from nova_world import World

from novavms_protocol import CameraMoved, Check, Discover, ListSegments, SendThumbnails
from novavms_server.kit.ids import new_id

JPEG = b"\xff\xd8\xff\xe0 tiles"
OWNER, ADMIN = "grace@example.com", "ada@example.com"
MOVED = {"192.0.2.71": "a", "192.0.2.81": "a", "192.0.2.72": "b", "192.0.2.82": "b"}
"""Two cameras, by the addresses where they were and are."""


@dataclass
class Stage:
    """Objects of one org. `said` is what stands for what, for every sample; `said_in`: for one operation."""

    world: World
    gateway: ScriptedGateway
    camera_id: UUID
    said: dict[str, str] = field(default_factory=dict)
    said_in: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """Access tokens, by operation."""

    def text(self, operation: str, sample: str) -> str:
        """The sample with its made-up ids and secrets replaced by those of this stage."""
        for shown, real in {**self.said, **self.said_in.get(operation, {})}.items():
            sample = sample.replace(shown, real)
        return sample

    async def offer_again(self) -> None:
        """The owner nominates, after what was nominated had been withdrawn."""
        owner = await client_of(self.world, OWNER)
        body = {"user_id": self.said[NOMINEE]}
        assert (await owner.post("/api/v1/orgs/current/owner-nomination", json=body)).status_code == 201

    async def stir(self) -> None:
        """Something that the stream tells of."""
        (now,) = [each for each in self.gateway.states[-1].cameras if each.camera_id == self.camera_id]
        assert (
            await self.gateway.say(self.camera_id, "offline", revision=now.revision, reason="frozen") is None
        )
        assert await self.gateway.say(self.camera_id, "online", revision=now.revision) is None


NOMINEE = "0198f2a4-7d11-7a52-8c1f-5e6d7c8b9a00"
"""Ada; the other people's id is another."""


class Answers:
    """What the gateway does with what it is asked."""

    def __init__(self, world: World, token: str) -> None:
        self.world, self.token = world, token

    async def check(self, check: Check) -> dict[str, Any]:
        url = check.rtsp_url or f"rtsp://{check.host}:554/main"
        who = MOVED.get(str(check.host))
        known = {"serial": f"SN-{who}", "endpoint_reference": f"urn:uuid:{who}"} if who else {}
        return good_report(stream_url=url, **known)

    async def serve(self, body: Any) -> dict[str, Any] | str:
        if isinstance(body, Discover):
            return {"devices": [{"host": "10.0.0.63", "port": 2020, "name": "Tapo C200"}]}
        if isinstance(body, ListSegments):
            return {"segments": [], "more": False}
        if isinstance(body, SendThumbnails):
            await self.world.client(token=self.token).put(body.url, content=JPEG)
            return {"tiles": [at.isoformat() for at in body.times], "width": body.width, "height": 90}
        return {"started_at": datetime.now(UTC).isoformat()}


@asynccontextmanager
async def staged(world: World, shown: dict[str, str]) -> AsyncIterator[Stage]:
    """`shown`: the ids of the document by the names of path parameters."""
    identity, epoch = await pair(world, world.site), uuid4()
    answers = Answers(world, identity[1])
    async with connected(
        world, identity=identity, ledger_epoch=epoch, answer=answers.check, serve=answers.serve
    ) as gateway:
        camera_id = await add_camera(world, gateway)
        await gateway.say(camera_id, "online")
        morning = datetime(2026, 3, 1, 9, tzinfo=UTC)
        row = Telling(camera_id).row("span", morning, morning + timedelta(hours=4))
        assert await gateway.report(update(epoch, [row])) is None
        await world.sql(  # what a heartbeat leaves once a minute
            "INSERT INTO gateway_telemetry (org_id, gateway_id, at, data) VALUES (%s, %s, now(), %s)",
            *(world.org, gateway.id, msgspec.json.encode(telemetry()).decode()),
        )
        async with recording(world) as recorder:
            stage = Stage(world, gateway, camera_id)
            real = {"camera_id": camera_id, "gateway_id": gateway.id, "site_id": world.site}
            real |= await make_footage(world, recorder)
            real |= await make_accounts(world)
            real["check_id"] = new_id()
            real["grid_id"] = await make_grid(world, camera_id)
            for name, value in real.items():
                stage.said[shown[name]] = str(value)
            await make_people(stage)
            await make_what_goes(stage, shown)
            await make_secrets(stage)
            check = {"type": "rtsp", "gateway_id": str(gateway.id), "rtsp_url": "rtsp://192.0.2.12:554/s1"}
            url = f"/api/v1/cameras/test?check_id={real['check_id']}"
            assert (await world.client("operator").post(url, json=check)).status_code == 200
            yield stage


async def make_footage(world: World, recorder: Recorder) -> dict[str, UUID]:
    """An event with a clip and a picture, a link to it, an export."""
    event_id = (await recorder.trigger(duration_sec=15))["event_id"]
    await recorder.until_told(lambda: bool(recorder.orders))
    clip_id, data = recorder.orders[0].clip_id, FOOTAGE.read_bytes()
    await recorder.upload(clip_id, data)
    assert await recorder.report(recorder.ready(clip_id, data)) is None
    await event_when(world, event_id, lambda each: each["clip"]["status"] == "ready" and each["snapshot_url"])
    admin = world.client("admin")
    share = await admin.post(f"/api/v1/events/{event_id}/share", json={"expires_in": "1h"})
    export_id = new_id()
    await world.sql(
        "INSERT INTO exports (org_id, id, camera_ids, from_at, to_at, created_by, status, progress, file_name, store_key, size_bytes,"
        " sha256, deadline_at, created_at, updated_at, ready_at)"
        " SELECT org_id, %s, ARRAY[%s]::uuid[], now() - interval '1 hour', now(), 'system', 'ready', 1, 'dock.mp4', store_key, size_bytes,"
        " sha256, now(), now(), now(), now() FROM clips WHERE id = %s",
        *(export_id, recorder.camera_id, clip_id),
    )
    return {"event_id": UUID(event_id), "share_id": UUID(share.json()["id"]), "export_id": export_id}


async def make_grid(world: World, camera_id: UUID) -> UUID:
    body = {"name": "By day", "columns": 1, "cameras": [str(camera_id)]}
    made = await world.client("admin").post("/api/v1/grids", json=body)
    return UUID(made.json()["id"])


async def make_accounts(world: World) -> dict[str, UUID]:
    admin = world.client("admin")
    account = (await admin.post("/api/v1/service-accounts", json={"name": "A", "role": "operator"})).json()
    key = await admin.post(f"/api/v1/service-accounts/{account['id']}/keys", json={"name": "old"})
    user_id, session_id = (await add_user(world, "operator"))[0], new_id()
    await world.sql(
        "INSERT INTO sessions (org_id, id, user_id, client_type, expires_at) VALUES (%s, %s, %s, 'api', now() + interval '1 day')",
        *(world.org, session_id, user_id),
    )
    return {
        **{"account_id": UUID(account["id"]), "key_id": UUID(key.json()["id"])},
        **{"user_id": user_id, "session_id": session_id},
    }


async def make_people(stage: Stage) -> None:
    """An owner, and an admin who is nominated."""
    await add_user(stage.world, "owner", email=OWNER)
    stage.said[NOMINEE] = str((await add_user(stage.world, "admin", email=ADMIN))[0])


async def make_what_goes(stage: Stage, shown: dict[str, str]) -> None:
    """Objects of their own for what deletes them or changes them for good."""
    world = stage.world
    moved = [await make_moved(stage, f"192.0.2.7{number}", f"192.0.2.8{number}") for number in (1, 2)]
    admin, event_id = world.client("admin"), new_id()
    box = {"name": "Never paired", "site_id": str(world.site)}
    unpaired = await admin.post("/api/v1/gateways/generate-pairing-code", json=box)
    await world.sql(
        "INSERT INTO events (org_id, id, camera_id, site_id, trigger_type, triggered_at) VALUES (%s, %s, %s, %s, 'manual', now())",
        *(world.org, event_id, stage.camera_id, world.site),
    )
    leaver = (await add_user(world, "operator", email="leaver@example.com"))[0]
    gone = await add_camera(world, stage.gateway, name="Gone", rtsp_url="rtsp://192.0.2.13:554/s1")
    stage.said_in |= {
        "acceptCameraMove": {shown["camera_id"]: moved[0]},
        "dismissCameraMove": {shown["camera_id"]: moved[1]},
        "deleteCamera": {shown["camera_id"]: str(gone)},
        "deleteEvent": {shown["event_id"]: str(event_id)},
        "deleteGateway": {shown["gateway_id"]: unpaired.json()["id"]},
        "deleteSite": {shown["site_id"]: str(world.ungranted_site)},
        "deleteUser": {shown["user_id"]: str(leaver)},
    }
    # What was said for all comes first, and would leave nothing to replace.
    for changes in stage.said_in.values():
        for name, value in list(changes.items()):
            changes[stage.said[name]] = value


async def make_moved(stage: Stage, before: str, after: str) -> str:
    body = {
        **{"site_id": str(stage.world.site), "gateway_id": str(stage.gateway.id), "name": before},
        **{"type": "onvif", "host": before, "onvif_username": "admin", "onvif_password": "s3cret"},
    }
    made = await stage.world.client("operator").post("/api/v1/cameras", json=body)
    assert made.status_code == 201, made.text
    camera_id = UUID(made.json()["id"])
    assert await stage.gateway.say(camera_id, "offline", reason="unreachable") is None
    found: dict[str, Any] = {"revision": 1, "port": 80, "matched_by": "endpoint_reference"}
    now = stage.world.server.clock.now()
    assert (
        await stage.gateway.report(CameraMoved(camera_id=camera_id, host=after, found_at=now, **found))
        is None
    )
    return str(camera_id)


async def make_secrets(stage: Stage) -> None:
    """A pairing code, a token to set a password with, tokens of people."""
    admin = stage.world.client("admin")
    box = {"name": "New box", "site_id": str(stage.world.site)}
    code = await admin.post("/api/v1/gateways/generate-pairing-code", json=box)
    user_id = (await add_user(stage.world, "operator", email="forgetful@example.com"))[0]
    reset = await admin.post(f"/api/v1/users/{user_id}/reset-password")
    stage.said["A7B3CX"] = code.json()["pairing_code"]
    stage.said["pr_made-up-for-this-page"] = reset.json()["reset_token"]


async def make_tokens(stage: Stage) -> None:
    """What shells have in NOVAVMS_ACCESS_TOKEN, a session for each who asks; and a refresh token."""
    for operation, email in (
        *(("nominateOwner", OWNER), ("withdrawOwnerNomination", OWNER), ("acceptOwnerNomination", ADMIN)),
        *(("changePassword", ADMIN), ("logout", ADMIN)),
    ):
        answer = await log_in(stage.world, email, PASSWORD)
        assert answer.status_code == 200, answer.text
        stage.tokens[operation] = answer.json()["access_token"]
    answer = await log_in(stage.world, ADMIN, PASSWORD)
    stage.said["rt_made-up-for-this-page"] = answer.json()["refresh_token"]
