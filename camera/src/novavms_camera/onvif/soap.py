"""SOAP 1.2 envelopes: written with a WS-Security UsernameToken, read without trusting them.

Sources: ONVIF Core Specification 5.9.3 (UsernameToken), OASIS WSS UsernameToken Profile 1.0, SOAP 1.2 part 1, 5.4.
Elements are found by their local name: cameras mix up prefixes and even namespaces, and no two that we read clash.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Never
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.sax.saxutils import escape

from novavms_camera.faults import CameraFault
from novavms_camera.secret import Secret

DEVICE_NS = "http://www.onvif.org/ver10/device/wsdl"
MEDIA1_NS = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2_NS = "http://www.onvif.org/ver20/media/wsdl"

MAX_TEXT = 256
"""Longest text that is taken over from a camera into facts and messages."""

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_TOKEN_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"  # noqa: S105
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_NOT_XML_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARED_ENCODING = re.compile(rb'<\?xml[^>]{0,100}?encoding=["\']([A-Za-z0-9._-]{1,20})["\']')


def envelope(body: str, *, header: str = "") -> bytes:
    """A SOAP 1.2 envelope around `body`, which is XML already."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def username_token(username: str, password: Secret, *, created: datetime, nonce: bytes | None = None) -> str:
    """The WS-Security header. `created` is now by the camera's own clock: most refuse one 5 to 300 s off.

    PasswordDigest = Base64(SHA-1(nonce + created + password)); the password itself is never sent.
    """
    nonce = nonce if nonce is not None else secrets.token_bytes(16)
    stamp = created.strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond // 1000:03d}Z"
    digest = hashlib.sha1(nonce + stamp.encode() + password.reveal().encode(), usedforsecurity=False).digest()
    return (
        f'<wsse:Security s:mustUnderstand="1" xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}"><wsse:UsernameToken>'
        f"<wsse:Username>{escape(username)}</wsse:Username>"
        f'<wsse:Password Type="{_TOKEN_PROFILE}#PasswordDigest">{base64.b64encode(digest).decode()}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{stamp}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def parse(body: bytes, where: str) -> Element:
    """The first element inside the SOAP Body (a Fault too). Raises CameraFault(not_onvif) for anything else.

    Entities and DTDs are refused. Bytes that are not the declared encoding, and control characters, are
    replaced rather than refused: cameras with a Chinese or German name in GB2312 or Latin-1 declare UTF-8.
    """
    root = parse_xml(body)
    if root is None:
        raise CameraFault("not_onvif", f"{where} answered with something that is not a SOAP message.")
    soap_body = child(root, "Body")
    content = next(iter(soap_body), None) if soap_body is not None else None
    if local(root) != "Envelope" or content is None:
        raise CameraFault("not_onvif", f"{where} answered with XML that is not a SOAP message.")
    return content


def parse_xml(body: bytes) -> Element | None:
    """The document's root, or None where it is not XML or uses entities."""
    declared = _DECLARED_ENCODING.match(body.lstrip()[:200])
    try:
        text = body.decode(declared[1].decode() if declared else "utf-8", errors="replace")
    except LookupError:
        text = body.decode("utf-8", errors="replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"), count=1)
    try:
        parser = XMLParser(target=_WithoutDoctype())  # noqa: S314 - that is what makes it safe
        parser.feed(_NOT_XML_CHARACTERS.sub("\ufffd", text).strip())
        root: Element = parser.close()
    except (ParseError, _DoctypeRefused, ValueError, RecursionError):
        return None
    return root


class _DoctypeRefused(Exception):
    pass


class _WithoutDoctype(TreeBuilder):
    """Ends the parsing where a document type begins. Entities, of which attacks by XML are made, can be declared nowhere else
    (XML 1.0, 2.8 and 4.2); so nothing is ever expanded or fetched. Half the time of defusedxml, which parses in Python."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> Never:
        raise _DoctypeRefused


def fault_text(content: Element) -> str | None:
    """Codes and reason of a SOAP Fault (1.2 or 1.1) as one line, or None where `content` is no fault."""
    if local(content) != "Fault":
        return None
    names = {"Value", "Text", "faultcode", "faultstring"}
    texts = [text_of(element) for element in content.iter() if local(element) in names]
    return " · ".join(text for text in texts if text)[:MAX_TEXT] or "SOAP fault without a text"


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child(parent: Element, name: str) -> Element | None:
    qualified = "}" + name
    for element in parent:
        tag = element.tag
        if tag.endswith(qualified) or tag == name:
            return element
    return None


def find(parent: Element, *names: str) -> Element | None:
    """The child of a child of … by local names; None where one is missing."""
    element: Element | None = parent
    for name in names:
        element = child(element, name) if element is not None else None
    return element


def each(parent: Element, name: str, limit: int) -> Iterator[Element]:
    """Descendants of that name, at most `limit`: a camera does not decide how long we loop."""
    qualified = "}" + name
    for element in parent.iter():
        tag = element.tag
        if tag.endswith(qualified) or tag == name:
            yield element
            limit -= 1
            if limit == 0:
                return


def text_of(element: Element | None) -> str | None:
    """The element's text without surrounding space and line breaks, at most MAX_TEXT characters; None where empty."""
    if element is None or not element.text:
        return None
    return " ".join(element.text.split())[:MAX_TEXT] or None


def text_at(parent: Element, *names: str) -> str | None:
    return text_of(find(parent, *names))


def int_at(parent: Element, *names: str) -> int | None:
    number = float_at(parent, *names)
    return int(number) if number is not None else None


def float_at(parent: Element, *names: str) -> float | None:
    """A number of a sane size, or None."""
    try:
        number = float(text_at(parent, *names) or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e12 else None
