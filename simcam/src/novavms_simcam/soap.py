"""SOAP 1.2 envelopes: taking a call apart, putting answers and faults together (ONVIF Core sections 5.8 and 5.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from novavms_simcam.auth import UsernameToken

ENVELOPE: Final = "http://www.w3.org/2003/05/soap-envelope"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TDS: Final = "http://www.onvif.org/ver10/device/wsdl"
TRT: Final = "http://www.onvif.org/ver10/media/wsdl"
TR2: Final = "http://www.onvif.org/ver20/media/wsdl"
NAMES: Final = {TDS: "tds", TRT: "trt", TR2: "tr2"}

_OPEN: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<env:Envelope xmlns:env="{ENVELOPE}" xmlns:tds="{TDS}" xmlns:trt="{TRT}" xmlns:tr2="{TR2}" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
)


class NotSoap(Exception):
    """The body is no SOAP envelope."""


class SoapFault(Exception):
    """An answer that is a fault: `code` Sender or Receiver, `subcodes` from the outside in, a reason, the HTTP status."""

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason
        self.status = status

    def encode(self) -> bytes:
        sub = ""
        for subcode in reversed(self.subcodes):
            sub = f"<env:Subcode><env:Value>{subcode}</env:Value>{sub}</env:Subcode>"
        return envelope(
            f"<env:Fault><env:Code><env:Value>env:{self.code}</env:Value>{sub}</env:Code>"
            f'<env:Reason><env:Text xml:lang="en">{escape(self.reason)}</env:Text></env:Reason></env:Fault>'
        )


@dataclass(slots=True)
class Call:
    """One operation: its prefix ("tds", "trt", "tr2") and name, its element, the token that came with it, its MessageID."""

    prefix: str
    name: str
    element: Element
    token: UsernameToken | None
    message_id: str

    def text(self, name: str) -> str:
        """The text of the first descendant called `name` in any namespace, "" if there is none."""
        found = find(self.element, name)
        return (found.text or "").strip() if found is not None else ""


def envelope(body: str, header: str = "") -> bytes:
    head = f"<env:Header>{header}</env:Header>" if header else ""
    return f"{_OPEN}{head}<env:Body>{body}</env:Body></env:Envelope>".encode()


def recode(body: bytes, charset: str) -> bytes:
    """An answer as the fault `wrong_charset` has it; the model's name brings letters that differ."""
    text = body.decode()
    if charset == "bom":
        return b"\xef\xbb\xbf" + body
    if charset == "declared":
        return text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"', 1).encode("latin-1", "replace")
    return text.encode("latin-1" if charset == "latin1" else "gb2312", "replace")


def find(root: Element, name: str) -> Element | None:
    """The first element called `name`, whatever its namespace."""
    return next((e for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == name), None)


def parse(data: bytes) -> Call:
    """The operation that a request asks for. Raises NotSoap."""
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as bad:
        raise NotSoap(str(bad)) from None
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) == 0:
        raise NotSoap("no SOAP 1.2 body")
    namespace, _, name = body[0].tag.lstrip("{").rpartition("}")
    header = root.find(f"{{{ENVELOPE}}}Header")
    message_id = find(header, "MessageID") if header is not None else None
    return Call(
        prefix=NAMES.get(namespace, ""),
        name=name,
        element=body[0],
        token=_token(header),
        message_id=(message_id.text or "") if message_id is not None else "",
    )


def _token(header: Element | None) -> UsernameToken | None:
    token = header.find(f".//{{{WSSE}}}UsernameToken") if header is not None else None
    if token is None:
        return None

    def text(namespace: str, name: str) -> str:
        return token.findtext(f"{{{namespace}}}{name}") or ""

    password = token.find(f"{{{WSSE}}}Password")
    kind = password.get("Type", "") if password is not None else ""
    return UsernameToken(
        username=text(WSSE, "Username"),
        password=text(WSSE, "Password"),
        is_digest=kind.endswith("#PasswordDigest"),
        nonce=text(WSSE, "Nonce").strip(),
        created=text(WSU, "Created").strip(),
    )
