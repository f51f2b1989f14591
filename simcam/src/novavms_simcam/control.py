"""The control server: switch faults and pull plugs from another process. JSON over HTTP, on loopback, without a login."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from novavms_simcam.camera import SimCam
from novavms_simcam.http import HttpConnection, Reply
from novavms_simcam.port import Port
from novavms_simcam.wire import Request

HOST: Final = "127.0.0.1"


class Control:
    """Serves GET /cameras, and under /cameras/{n} (n counts from 0): POST fault, unplug, plug, freeze, thaw, drop; DELETE faults."""

    def __init__(self, cameras: Sequence[SimCam], port: int) -> None:
        self._cameras = cameras
        self._port = Port(HOST, port, lambda transports: HttpConnection(self.handle, transports))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port.number}"

    async def start(self) -> None:
        self._port.open()
        await self._port.opened()

    def stop(self) -> None:
        self._port.release()

    def handle(self, request: Request, local: str) -> Reply | None:
        """Answer one request; anything wrong with it is a 4xx with one sentence."""
        if "origin" in request.headers:  # a web page must not reach it through its reader's browser
            return _error(403, "requests from web pages are refused")
        match request.method, request.uri.split("?", 1)[0].strip("/").split("/"):
            case "GET", ["cameras"]:
                return _json([_describe(i, cam) for i, cam in enumerate(self._cameras)])
            case method, ["cameras", number, *rest]:
                if not number.isdecimal() or int(number) >= len(self._cameras):
                    return _error(404, f"there is no camera {number}; there are {len(self._cameras)}, from 0")
                try:
                    known = _act(self._cameras[int(number)], method, rest, request.body)
                except ValueError as wrong:
                    return _error(400, str(wrong))
                if known:
                    return _json(_describe(int(number), self._cameras[int(number)]))
        return _error(404, f"unknown: {request.method} {request.uri}")


def _act(cam: SimCam, method: str, rest: list[str], body: bytes) -> bool:
    """Do what the rest of the path asks. False: unknown. ValueError: a sentence on what is wrong."""
    data: Any = json.loads(body) if body else {}
    if not isinstance(data, dict):
        raise ValueError("the body is a JSON object")
    match method, rest:
        case "GET", []:
            pass
        case "POST", ["fault"]:
            name, value = data.get("name"), data.get("value", True)
            if not isinstance(name, str) or not isinstance(value, bool | int | float | str | None):
                raise ValueError('the body is {"name": "...", "value": ...}')
            cam.set_fault(name, value)
        case "POST", ["unplug"]:
            cam.unplug_now(silent=bool(data.get("silent", False)))
        case "POST", ["plug"]:
            cam.plug_now()
        case "POST", ["freeze"]:
            cam.freeze()
        case "POST", ["thaw"]:
            cam.thaw()
        case "POST", ["drop"]:
            cam.drop_sessions_now()
        case "DELETE", ["faults"]:
            cam.clear_faults()
        case "DELETE", ["faults", name]:
            cam.clear_faults(name)
        case _:
            return False
    return True


def _describe(number: int, cam: SimCam) -> dict[str, Any]:
    attempts = cam.login_attempts
    return {
        "number": number,
        "name": cam.config.name,
        "rtsp_url": cam.rtsp_url,
        "rtsps_url": cam.rtsps_url,
        "onvif_port": cam.onvif_port,
        "plugged": cam.is_plugged,
        "frozen": cam.state.frozen,
        "faults": cam.faults.active(),
        "sessions": cam.sessions,
        "connections": cam.stats.connections,
        "login_attempts": {"ok": attempts.ok, "failed": attempts.failed},
        "frames_sent": cam.stats.frames_sent,
        "frames_dropped": cam.stats.frames_dropped,
        "requests": cam.stats.requests,
    }


def _json(data: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode() + b"\n", "application/json")


def _error(status: int, message: str) -> Reply:
    return _json({"error": message}, status)
