"""The API's document and its pages: what they say as a whole, and the routes that serve them."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from litestar import Controller, Litestar, Request, Response, get

from novavms_server.kit.docs_page import render_page, security_policy
from novavms_server.kit.http import PUBLIC
from novavms_server.kit.openapi import Document, Example, make_document

VERSION = "1.2.0"
"""Of the API; rises with the contract, not with every release."""

TAGS = [
    {"name": "Cameras", "description": "Add a camera, and it is checked for real before you get an answer."},
    {"name": "Recordings", "description": "What footage there is, and why where there is none."},
    {"name": "Live", "description": "Pictures as they come, at any distance from the camera."},
    {"name": "Grids", "description": "Which cameras stand where on a wall of live pictures, kept by name."},
    {"name": "Events", "description": "Something noticed or asked for, with at most one clip."},
    {
        "name": "Stream",
        "description": "What changes, as it happens, by server-sent events or a WebSocket; resumable.",
    },
    {
        "name": "Exports",
        "description": "Footage as evidence: signed, and verified offline by `novavms-verify`.",
    },
    {
        "name": "Sites",
        "description": "Places, each with a time zone. Viewers see the sites they were granted.",
    },
    {"name": "Gateways", "description": "Our boxes on site: they find, check, watch and record cameras."},
    {"name": "Auth", "description": "Log in, refresh, log out, passwords."},
    {"name": "Users", "description": "The people of the organization, and where they are logged in."},
    {"name": "Service accounts", "description": "Programs that call the API, and their keys."},
    {"name": "Organization", "description": "The caller's own organization, and who owns it."},
]

DESCRIPTION = """\
The REST API of NovaVMS, an open multi-tenant cloud video management system.

**Who asks.** `Authorization: Bearer …` with an API key (`sk_live_…`; `sk_test_…` in a sandbox organization) or an access \
token from `POST /api/v1/auth/login`. Roles, each with the powers of those after it: owner, admin, operator, viewer. \
Viewers see the sites they were granted. A change of role, grant or key holds from the next request.

**Errors** have one shape: `error` is a stable word to match on, `message` is for people, `request_id` finds the request \
in our log (it is in `X-Request-Id` of every answer). A `validation_error` lists all bad fields in `details`.

**Pages.** Lists take `limit` (1–100, 20) and `cursor`, and answer `data`, `next_cursor` (null on the last page) and \
`total`. No row comes twice and none is skipped while rows come and go.

**Safe to repeat.** `Idempotency-Key` on a POST: the first answer is kept for 24 hours and given again. Objects have an \
`ETag`; `If-Match` on PATCH and DELETE answers 409 when it is stale, `If-None-Match` on GET answers 304.

**Limits.** 1000 requests a minute for each key or user, 100 at once; `X-RateLimit-…` in every answer, `Retry-After` with \
a 429. Bodies are at most 1 MiB.

**Examples** run as they stand, once `NOVAVMS_BASE_URL` (this server) and `NOVAVMS_API_KEY` are set: with `curl`; with \
`pip install novavms`; with `npm install @novavms/sdk`. Where only a person may ask, `NOVAVMS_ACCESS_TOKEN` is of their login. \
Ids, passwords and tokens in them are made up.

Ids are UUIDs, times RFC 3339 in UTC."""

_LANGUAGES = {
    "curl": ("Shell", "curl"),
    "python": ("Python", "Python"),
    "typescript": ("TypeScript", "TypeScript"),
}
"""Of samples: the language, and what it is called."""


def collect_examples(controllers: Iterable[type[Controller]]) -> dict[str, Example]:
    """`EXAMPLES` of the `examples.py` beside each controller's module."""
    found: dict[str, Example] = {}
    for module in dict.fromkeys(controller.__module__ for controller in controllers):
        name = module.rsplit(".", 1)[0] + ".examples"
        if importlib.util.find_spec(name) is not None:
            found.update(importlib.import_module(name).EXAMPLES)
    return found


def document_of(app: Litestar, controllers: Iterable[type[Controller]]) -> Document:
    info = {
        "title": "NovaVMS API",
        "version": VERSION,
        "description": DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    document = make_document(app, info=info, tags=TAGS, examples=collect_examples(controllers))
    add_samples(document)
    return document


def add_samples(document: Document) -> None:
    """`x-codeSamples` of each operation, as Redocly writes them: samples.json, made by tools/samples from the rest of this
    document. An operation that is newer than that file has none yet."""
    text = resources.files("novavms_server").joinpath("samples.json").read_text(encoding="utf-8")
    samples = json.loads(text)
    for item in document["paths"].values():
        for operation in item.values():
            operation["x-codeSamples"] = [
                dict(zip(("lang", "label", "source"), (*_LANGUAGES[name], source), strict=True))
                for name, source in samples.get(operation["operationId"], {}).items()
            ]


class Documentation:
    """Made on first use: it takes a moment, and most servers are asked rarely."""

    def __init__(self, controllers: Iterable[type[Controller]]) -> None:
        self._controllers = list(controllers)
        self._made: tuple[bytes, bytes, str] | None = None

    def of(self, app: Litestar) -> tuple[bytes, bytes, str]:
        """The document, its page, the page's Content-Security-Policy."""
        if self._made is None:
            document = document_of(app, self._controllers)
            page = render_page(document)
            self._made = json.dumps(document, ensure_ascii=False).encode(), page.encode(), security_policy()
        return self._made


def document_controller(documentation: Documentation) -> type[Controller]:
    class DocumentController(Controller):
        path = "/"
        include_in_schema = False

        @get("/api/v1/openapi.json", opt=PUBLIC, sync_to_thread=False)
        def openapi_json(self, request: Request[Any, Any, Any]) -> Response[bytes]:
            """The document for programs."""
            return Response(documentation.of(request.app)[0], media_type="application/json")

        @get("/docs", opt=PUBLIC, sync_to_thread=False)
        def docs(self, request: Request[Any, Any, Any]) -> Response[bytes]:
            """The document for people."""
            _, page, policy = documentation.of(request.app)
            return Response(page, media_type="text/html", headers={"Content-Security-Policy": policy})

    return DocumentController
