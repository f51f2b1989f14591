"""What `novavms-simcam run` does: cameras from options or a file, a ready file, a control server, until told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from novavms_simcam.camera import SimCam, SimCamFleet
from novavms_simcam.config import DEFAULT_USERNAME, Audio, Auth, SimCamConfig
from novavms_simcam.control import Control
from novavms_simcam.faults import Faults, FaultValue

PARENT_CHECK_SEC: Final = 0.5


class CameraSpec(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One camera of a JSON config file. All but `name` may be left out; identity fields follow from the name."""

    name: str
    type: Literal["rtsp", "onvif"] = "onvif"
    username: str = DEFAULT_USERNAME
    password: str | None = None
    media: str = "h264"
    audio: Audio = "aac"
    auth: Auth = "digest"
    host: str = "127.0.0.1"
    rtsp_port: int = 0
    rtsps_port: int | None = None
    onvif_port: int = 0
    onvif_https: bool = False
    discovery_port: int | None = None
    manufacturer: str = "NovaVMS"
    model: str = "SimCam"
    firmware: str = "1.0.0"
    serial: str = ""
    mac: str = ""
    endpoint_reference: str = ""
    session_timeout_sec: float = 60.0
    faults: dict[str, bool | int | float | str] = {}

    def to_config(self, default_password: str) -> SimCamConfig:
        """The camera's configuration. ValueError names a wrong fault."""
        values: dict[str, Any] = msgspec.structs.asdict(self)
        kind, faults, media = values.pop("type"), values.pop("faults"), values.pop("media")
        values["password"] = default_password if self.password is None else self.password
        values["onvif_port"] = self.onvif_port if kind == "onvif" else None
        return SimCamConfig(media=media_source(media), faults=make_faults(faults), **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How the program itself runs, beside its cameras."""

    control_port: int | None = None
    ready_file: Path | None = None
    exit_with_parent: bool = False


def media_source(text: str) -> Literal["h264", "h265"] | Path:
    return text if text in ("h264", "h265") else Path(text)  # type: ignore[return-value]


def make_faults(values: dict[str, FaultValue]) -> Faults:
    faults = Faults()
    for name, value in values.items():
        faults.set(name, value)
    return faults


def read_config(text: str, default_password: str) -> list[SimCamConfig]:
    """Cameras from JSON: a list of objects. ValueError says what is wrong, without quoting the text (it holds passwords)."""
    try:
        specs = msgspec.json.decode(text.encode(), type=list[CameraSpec])
    except msgspec.DecodeError as bad:
        raise ValueError(f"the camera list is not right: {bad}") from None
    if not specs:
        raise ValueError("the camera list is empty")
    return [spec.to_config(default_password) for spec in specs]


def facts(camera: SimCam) -> dict[str, Any]:
    """One camera as the ready file tells it, password included."""
    is_onvif = camera.onvif_port is not None
    return {
        "name": camera.config.name,
        "type": "onvif" if is_onvif else "rtsp",
        "host": camera.config.host,
        "port": camera.onvif_port if is_onvif else camera.rtsp_port,
        "username": camera.config.username,
        "password": camera.config.password,
        "rtsp_url": camera.rtsp_url,
        "rtsp_port": camera.rtsp_port,
        "rtsps_url": camera.rtsps_url,
        "onvif_port": camera.onvif_port,
        "discovery_port": camera.discovery_port,
    }


def write_ready_file(path: Path, cameras: Sequence[SimCam], control_url: str | None) -> None:
    """All at once (a reader sees nothing or the whole), readable by the owner only: it holds passwords."""
    data = {"cameras": [facts(c) for c in cameras], "control_url": control_url, "pid": os.getpid()}
    handle, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2)
            file.write("\n")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


async def run(
    configs: Sequence[SimCamConfig],
    options: RunOptions,
    on_ready: Callable[[Sequence[SimCam], str | None], None],
) -> None:
    """Run the cameras until SIGTERM or SIGINT, or until the parent is gone. OSError and ValueError as `SimCam.start`."""
    parent = os.getppid()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with SimCamFleet(configs) as fleet:
        control = Control(fleet.cameras, options.control_port) if options.control_port is not None else None
        try:
            if control is not None:
                await control.start()
            url = control.url if control else None
            if options.ready_file is not None:
                await asyncio.to_thread(write_ready_file, options.ready_file, fleet.cameras, url)
            on_ready(fleet.cameras, url)
            await _until(stop, parent if options.exit_with_parent else None)
        finally:
            if control is not None:
                control.stop()


async def _until(stop: asyncio.Event, parent: int | None) -> None:
    """Wait for the event, or for the parent to be another. Polled: Linux's parent-death signal follows the starting thread, which may end before its process."""
    while not stop.is_set() and (parent is None or os.getppid() == parent):
        try:
            await asyncio.wait_for(stop.wait(), None if parent is None else PARENT_CHECK_SEC)
        except TimeoutError:
            pass
