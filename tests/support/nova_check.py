"""The connection check of a simulated camera, with a password that is hard to carry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from novavms_camera.check import AddressPolicy, CheckReport, check_camera, validate_source
from novavms_camera.source import CameraSource
from novavms_simcam import SimCam, SimCamConfig
from novavms_simcam.faults import Faults

POLICY = AddressPolicy(allow_loopback=True)
PASSWORD = "p@:/#?%&\"'ss wörd-漢字"


@asynccontextmanager
async def camera(**fields: Any) -> AsyncIterator[SimCam]:
    faults = Faults()
    for name, value in fields.pop("faults", {}).items():
        faults.set(name, value)
    async with SimCam(SimCamConfig(password=PASSWORD, faults=faults, **fields)) as cam:
        yield cam


def onvif(cam: SimCam, password: str | None = PASSWORD, username: str | None = "admin") -> CameraSource:
    return validate_source(
        kind="onvif",
        host="127.0.0.1",
        port=cam.onvif_port,
        username=username,
        password=password,
        policy=POLICY,
    )


def rtsp(cam: SimCam, password: str | None = PASSWORD, **fields: Any) -> CameraSource:
    return validate_source(
        kind="rtsp", rtsp_url=cam.rtsp_url, username="admin", password=password, policy=POLICY, **fields
    )


async def check(source: CameraSource, **options: Any) -> CheckReport:
    return await check_camera(source, policy=POLICY, **options)


async def until(condition: Callable[[], bool], deadline_sec: float = 5) -> None:
    async with asyncio.timeout(deadline_sec):
        while not condition():
            await asyncio.sleep(0.005)


def names(report: CheckReport) -> list[str]:
    return [stage.name for stage in report.stages]


def codes(report: CheckReport) -> set[str]:
    return {warning.code for warning in report.warnings}
