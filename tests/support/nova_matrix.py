"""Every fault of the simulated camera, by every way that a camera is checked: what a case is, how it is run, what is left after it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest
from nova_system import Gateway, System, make_system, until

from novavms_simcam import SimCam, SimCamConfig

Way = Literal["create", "patch", "direct", "test"]
WAYS: Final[tuple[Way, ...]] = ("create", "patch", "direct", "test")
AT_ONCE: Final = 10
TIME_CAP_MS: Final = 15_000
MARGIN_MS: Final = 2000
"""A busy machine's: a check that waits for the last moment of the cap is told of it late."""
CLEAN_SEC: Final = 20.0
"""By when a camera that was deleted, or never added, is left alone."""

WATCH_SEC: Final = 15.0
"""By when the gateway plays what it was just told of."""

FaultSetting = Any | Callable[[SimCam], Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A camera and what is to be said of it. `reason` None: it works. Faults may be functions of the started camera."""

    name: str
    kind: Literal["rtsp", "onvif"]
    reason: str | None = None
    stage: str | None = None
    """The stage that fails, where the name of it matters."""
    warnings: frozenset[str] = frozenset()
    camera: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, FaultSetting] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    """Changes to what is sent; a value may be a function of the camera, None leaves the field out."""
    patch: dict[str, Any] = field(default_factory=dict)
    """As `body`, by PATCH alone: it takes stream_transport, which POST does not."""
    before: Callable[[SimCam], None] | None = None
    """Done to the camera before it is checked."""
    facts: dict[str, Any] = field(default_factory=dict)
    failed_logins: int = 0
    """How many wrong logins the camera may count at most."""
    tears_down: bool = True
    """False where the camera's fault keeps it from hearing the TEARDOWN."""
    ways: tuple[Way, ...] = WAYS


@dataclass
class Outcome:
    """What one case showed by one way."""

    status: int
    report: dict[str, Any]
    body: dict[str, Any]
    rows: int = 0
    """Cameras of that name (or, by PATCH, that stream) in the database, after a check that failed."""
    unchanged: bool = True
    watched: bool = False
    """By create and PATCH: the gateway had a session of its own, with frames, after the check."""
    failed_logins: int = 0
    not_torn_down: int = 0
    """By test, where the check's sessions are the only ones: how many ended without a TEARDOWN."""
    leftovers: dict[str, int] = field(default_factory=dict)
    """RTSP sessions and connections that stand at the end."""

    @property
    def warnings(self) -> frozenset[str]:
        """Without duplicate_device: a PATCH towards a camera of the same serial has it, and that is another test."""
        return frozenset(w["code"] for w in self.report["warnings"]) - {"duplicate_device"}


class Matrix:
    """A running system, and everything that it said."""

    def __init__(self, system: System, gateway: Gateway, database_url: str) -> None:
        self.system = system
        self.gateway = gateway
        self._database_url = database_url
        self.secrets: set[str] = set()
        self.said: list[str] = []
        self._room = asyncio.Semaphore(AT_ONCE)
        self.client = system.client("operator")
        self.client.timeout = httpx.Timeout(40)
        self.client.event_hooks["response"].append(self._hear)

    async def _hear(self, response: httpx.Response) -> None:
        await response.aread()
        self.said.append(f"{response.headers} {response.text}")

    def password(self, label: str) -> str:
        """One of its own for each camera, so that a leak names its source."""
        secret = f"{label}-S3@:/#?%é€\"'"
        self.secrets.add(secret)
        return secret

    async def run(self, case: Case, way: Way, number: int) -> Outcome:
        config = SimCamConfig(
            name=f"{case.name} by {way}",
            password=self.password(f"{number}{way[0]}"),
            onvif_port=0 if case.kind == "onvif" else None,
            **case.camera,
        )
        async with self._room, SimCam(config) as cam:
            for fault, value in case.faults.items():
                cam.set_fault(fault, value(cam) if callable(value) else value)
            if case.before is not None:
                case.before(cam)
            failed_before = cam.login_attempts.failed
            run = {"create": self._create, "patch": self._patch, "direct": self._direct, "test": self._test}[
                way
            ]
            outcome = await run(case, cam)
            outcome.failed_logins -= failed_before
            outcome.leftovers = await leftovers(cam)
            return outcome

    def body(self, case: Case, cam: SimCam, gateway: Gateway | None) -> dict[str, Any]:
        body = self.system.body(cam, gateway)
        for name, value in case.body.items():
            body[name] = value(cam) if callable(value) else value
        return {name: value for name, value in body.items() if value is not None}

    async def _create(self, case: Case, cam: SimCam) -> Outcome:
        answer = await self.client.post("/cameras", json=self.body(case, cam, self.gateway))
        body = answer.json()
        outcome = Outcome(answer.status_code, body["check"], body, failed_logins=cam.login_attempts.failed)
        outcome.rows = await self.rows("name = %s", cam.config.name)
        outcome.watched = answer.status_code == 201 and await watched(cam)
        await self._forget(body)
        return outcome

    async def _patch(self, case: Case, cam: SimCam) -> Outcome:
        """A camera that works is told to be `cam` from now on."""
        async with SimCam(
            SimCamConfig(
                name=f"{cam.config.name}, before",
                password=self.password("before"),
                onvif_port=0 if case.kind == "onvif" else None,
            )
        ) as base:
            camera_id = await self.system.add(base, self.gateway)
            before = (await self.client.get(f"/cameras/{camera_id}")).json()
            body = self.body(case, cam, None)
            for name in ("site_id", "connection_mode", "name", "type"):
                del body[name]
            body |= case.patch
            answer = await self.client.patch(f"/cameras/{camera_id}", json=body)
            after = (await self.client.get(f"/cameras/{camera_id}")).json()
            said = answer.json()
            outcome = Outcome(answer.status_code, said.get("check") or {}, said)
            outcome.failed_logins = cam.login_attempts.failed
            moving = {"last_seen_at", "status", "status_at", "status_reason", "status_message"}
            for camera in (before, after):  # measured meanwhile
                camera["check"]["facts"].pop("keyframe_interval_sec", None)
            outcome.unchanged = [(k, v) for k, v in before.items() if k not in moving] == [
                (k, v) for k, v in after.items() if k not in moving
            ]
            port = urlsplit(body.get("rtsp_url", "")).port or body.get("port")
            outcome.rows = await self.rows("name = %s AND port = %s", base.config.name, port)
            outcome.watched = answer.status_code == 200 and await watched(cam)
            await self._forget(before)
            return outcome

    async def _direct(self, case: Case, cam: SimCam) -> Outcome:
        answer = await self.client.post("/cameras", json=self.body(case, cam, None))
        body = answer.json()
        assert answer.status_code in {201, 400}, body
        if answer.status_code == 400:
            rows = await self.rows("name = %s", cam.config.name)
            return Outcome(400, body["check"], body, rows)
        assert (body["status"], body["check"]) == ("pending", None)

        async def settled() -> dict[str, Any] | None:
            found: dict[str, Any] = (await self.client.get(f"/cameras/{body['id']}")).json()
            return found if found["check"] else None

        found = await until(settled, within=90, what=f"{case.name}: direct camera checked")
        outcome = Outcome(201, found["check"], found, failed_logins=cam.login_attempts.failed)
        await self._forget(found)
        return outcome

    async def _test(self, case: Case, cam: SimCam) -> Outcome:
        body = self.body(case, cam, self.gateway)
        del body["name"], body["site_id"]
        answer = await self.client.post("/cameras/test", json=body)
        outcome = Outcome(answer.status_code, answer.json(), answer.json())
        outcome.failed_logins = cam.login_attempts.failed
        outcome.rows = await self.rows("name = %s", cam.config.name)
        outcome.not_torn_down = cam.stats.sessions_total - cam.stats.teardowns
        return outcome

    async def _forget(self, body: dict[str, Any]) -> None:
        if "id" in body:
            answer = await self.client.delete(f"/cameras/{body['id']}")
            assert answer.status_code == 204, answer.text

    async def rows(self, where: str, *values: Any) -> int:
        found = await self.system.world.sql(f"SELECT count(*) FROM cameras WHERE {where}", *values)
        return int(found[0][0])

    async def run_all(
        self, keys: Sequence[tuple[Case, Way]]
    ) -> dict[tuple[str, Way], Outcome | BaseException]:
        """Each case by its way; what goes wrong in one is its outcome, and stops no other."""
        runs = [self.run(case, way, number) for number, (case, way) in enumerate(keys)]
        found = await asyncio.gather(*runs, return_exceptions=True)
        return {(case.name, way): outcome for (case, way), outcome in zip(keys, found, strict=True)}

    async def leaks(self, logs: str) -> dict[str, list[str]]:
        """Where any password shows, in any spelling: answers, logs, the gateway's log, every table."""
        places = {
            "answers": "\n".join(self.said),
            "the server's log": logs,
            "the gateway's log": self.gateway.log.read_text(),
            "the database": await self._database_text(),
        }
        assert all(places.values()), "nothing to look through"
        return {
            place: found
            for place, text in places.items()
            if (found := [s for s in self.secrets if any(spelling in text for spelling in spellings(s))])
        }

    async def _database_text(self) -> str:
        """Every row of every table, as the database's owner sees it."""
        rows: list[tuple[str]] = []
        async with await psycopg.AsyncConnection.connect(self._database_url) as connection:
            tables = await connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            for (table,) in await tables.fetchall():
                query = f"SELECT row_to_json(t)::text FROM {table} t"
                rows += await (await connection.execute(query.encode())).fetchall()
        return "\n".join(row[0] for row in rows)


def spellings(secret: str) -> set[str]:
    """A password as it might be written down: plain, in JSON, in a URL, in a Basic login, as bytes in hex."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote(secret),
        base64.b64encode(f"admin:{secret}".encode()).decode(),
        secret.encode().hex(),
    }


async def watched(cam: SimCam) -> bool:
    """Whether frames go out in a session that the check did not open, soon."""
    deadline, sent = time.monotonic() + WATCH_SEC, cam.stats.frames_sent
    while time.monotonic() < deadline:
        if cam.sessions and cam.stats.frames_sent > sent:
            return True
        await asyncio.sleep(0.02)
    return False


async def leftovers(cam: SimCam) -> dict[str, int]:
    """Sessions and connections that still stand after a fair time."""

    def standing() -> dict[str, int]:
        return {
            "sessions": cam.sessions,
            "connections": sum(len(port.transports) for port in cam._ports()),
        }

    deadline = time.monotonic() + CLEAN_SEC
    while any(standing().values()) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return standing()


class Ear(logging.Handler):
    """Keeps what is logged, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@asynccontextmanager
async def open_matrix(database_url: str, folder: Path) -> AsyncIterator[Matrix]:
    """A server, and a gateway that logs all it can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOVAVMS_GATEWAY_LOG_LEVEL", "DEBUG")
        async with make_system(database_url, folder) as system:
            yield Matrix(system, await system.gateway(), database_url)
