"""The camera's ONVIF face over HTTP: logins, dispatch, faults; and its snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from novavms_simcam import onvif_device, onvif_media
from novavms_simcam.auth import Verdict
from novavms_simcam.http import Reply
from novavms_simcam.soap import Call, NotSoap, SoapFault, envelope, parse, recode
from novavms_simcam.wire import Request

if TYPE_CHECKING:
    from novavms_simcam.camera import SimCam

HUGE_BYTES: Final = 4 * 1024 * 1024
SOAP_TYPE: Final = "application/soap+xml; charset=utf-8"
_SERVICES: Final = {
    "tds": onvif_device.OPERATIONS,
    "trt": onvif_media.MEDIA1,
    "tr2": onvif_media.MEDIA2,
}
_CALL_STAGES: Final = {
    "GetSystemDateAndTime": "clock",
    "GetDeviceInformation": "login",
    "GetNetworkInterfaces": "identity",
    "GetEndpointReference": "identity",
}
_WEB_PAGE: Final = b"<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>"


class OnvifFace:
    """Answers the HTTP requests of one camera."""

    def __init__(self, camera: SimCam) -> None:
        self._camera = camera
        self._stage = ""
        """The stage of a check that the call now answered belongs to, for `slow_stage`."""

    def handle(self, request: Request, local: str) -> Reply | None:
        faults = self._camera.faults
        if faults.silent:
            return None
        if faults.not_onvif:
            return Reply(404, _WEB_PAGE, "text/html")
        reply = self._route(request, local)
        if faults.wrong_charset and reply.content_type == SOAP_TYPE:
            reply.body = recode(reply.body, faults.wrong_charset)
        if faults.huge_answer and reply.content_type == SOAP_TYPE:
            reply.body += b"<!--" + b" " * HUGE_BYTES + b"-->"
        if faults.broken_xml and reply.content_type == SOAP_TYPE:
            half = len(reply.body) * 2 // 3
            reply.body = reply.body[:half] + b"<tt:Name>\xff\xfe\xc3\x28</tt:Nam"
        reply.delay_sec += faults.slow_answer_sec if faults.slow_stage in {"", self._stage} else 0.0
        reply.body_sec = faults.slow_body_sec
        if reply.status == 401 and faults.close_after_401:
            reply.closes = True
        return reply

    def _route(self, request: Request, local: str) -> Reply:
        self._stage = ""
        path = request.uri.split("?", 1)[0]
        if path.startswith("/snapshot/") and request.method == "GET":
            return self._snapshot(request, path)
        if not path.startswith("/onvif/"):
            return Reply(404, _WEB_PAGE, "text/html")
        if request.method != "POST":
            return Reply(405, headers=[("Allow", "POST")])
        try:
            call = parse(request.body)
            self._camera.count(f"{call.prefix}:{call.name}")
            self._stage = _CALL_STAGES.get(call.name, "profiles")
            refusal = self._refuse(request, call)
            if refusal is not None:
                return refusal
            return Reply(200, self._answer(call, local), SOAP_TYPE)
        except NotSoap:
            return _fault(SoapFault("Sender", ("ter:WellFormed",), "The request is no SOAP 1.2 envelope"))
        except SoapFault as fault:
            return _fault(fault)

    def _answer(self, call: Call, local: str) -> bytes:
        faults = self._camera.faults
        hidden = {"trt"} if faults.media2_only else {"tr2"} if faults.media1_only else set()
        operation = None if call.prefix in hidden else _SERVICES.get(call.prefix, {}).get(call.name)
        if operation is None:
            raise SoapFault("Receiver", ("ter:ActionNotSupported",), f"{call.name} is not supported", 500)
        inside = operation(self._camera, call, local)
        return envelope(f"<{call.prefix}:{call.name}Response>{inside}</{call.prefix}:{call.name}Response>")

    # -- logins ----------------------------------------------------------------------------------------
    def _refuse(self, request: Request, call: Call) -> Reply | None:
        """None for someone who may; else a fault. Without any login 401 with a challenge, as Core section 5.9.4 asks; for a wrong
        token 400 (or what `not_authorized_status` says), as most cameras do."""
        if call.prefix == "tds" and call.name in onvif_device.PUBLIC:
            return None
        faults, keeper = self._camera.faults, self._camera.gatekeeper
        header = request.headers.get("authorization")
        if call.token is not None and header is None and not faults.no_ws_token:
            verdict, status = keeper.check_token(call.token), faults.not_authorized_status
        else:
            verdict, status = keeper.check_header(request.method, request.uri, header), 401
        if verdict == "ok":
            no_rights = faults.no_rights and call.prefix in {"trt", "tr2"}
            return self._refusal("forbidden", faults.not_authorized_status) if no_rights else None
        return self._refusal(verdict, status)

    def _refusal(self, verdict: Verdict | Literal["forbidden"], status: int) -> Reply:
        if verdict == "locked":
            return _fault(
                SoapFault(
                    "Sender",
                    ("ter:OperationProhibited",),
                    "The account is locked after too many failed logins",
                    403,
                )
            )
        reply = _fault(SoapFault("Sender", ("ter:NotAuthorized",), "Sender not Authorized", status))
        if status == 401:
            challenges = self._camera.gatekeeper.challenges(with_qop=True, stale=verdict == "stale")
            reply.headers += [("WWW-Authenticate", value) for value in challenges]
        if verdict == "wrong":
            reply.delay_sec += self._camera.faults.slow_refusal_sec
        return reply

    def _snapshot(self, request: Request, path: str) -> Reply:
        tier = path.removeprefix("/snapshot/").removesuffix(".jpg")
        if tier not in self._camera.media:
            return Reply(404, _WEB_PAGE, "text/html")
        verdict = self._camera.gatekeeper.check_header(
            request.method, request.uri, request.headers.get("authorization")
        )
        if verdict != "ok":
            return self._refusal(verdict, 401)
        return Reply(200, self._camera.snapshot(tier), "image/jpeg")


def _fault(fault: SoapFault) -> Reply:
    return Reply(fault.status, fault.encode(), SOAP_TYPE)
