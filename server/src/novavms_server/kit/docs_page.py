"""The API document as one page for people: everything in it, nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib import resources
from typing import Any

from novavms_server.kit.openapi import Document

_REF = "#/components/"


def _asset(name: str) -> str:
    return resources.files("novavms_server.kit").joinpath(name).read_text(encoding="utf-8")


def security_policy() -> str:
    """Only the page's own style and script run, by their hash."""

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    style, script = digest(_asset("docs_page.css")), digest(_asset("docs_page.js"))
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def render_page(document: Document) -> str:
    """The whole HTML."""
    page = _Page(document)
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_asset('docs_page.css')}</style></head><body>"
        f'<nav aria-label="Operations"><a class="brand" href="#top">{escape(info["title"])}</a>'
        '<input id="search" type="search" placeholder="Search (press /)" aria-label="Search operations">'
        f"{page.navigation()}</nav><main id='top'><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        '<p class="links"><a href="/api/v1/openapi.json">OpenAPI 3.1 document</a></p>'
        f"{_prose(info['description'])}{page.sections()}</main><script>{_asset('docs_page.js')}</script></body></html>"
    )


class _Page:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._groups: dict[str, list[tuple[str, str, Document]]] = {
            tag["name"]: [] for tag in document["tags"]
        }
        for path, item in document["paths"].items():
            for method, operation in item.items():
                self._groups.setdefault(operation["tags"][0], []).append((method, path, operation))

    def navigation(self) -> str:
        parts = []
        for tag, operations in self._groups.items():
            if not operations:
                continue
            links = "".join(
                f'<a href="#{escape(operation["operationId"])}" data-find="{escape(self._words(method, path, operation))}">'
                f'<b class="m {method}">{method.upper()}</b>{escape(operation["summary"])}</a>'
                for method, path, operation in operations
            )
            parts.append(f"<section><h2>{escape(tag)}</h2>{links}</section>")
        return "".join(parts)

    @staticmethod
    def _words(method: str, path: str, operation: Document) -> str:
        return f"{method} {path} {operation['summary']} {operation['operationId']}".lower()

    def sections(self) -> str:
        descriptions = {tag["name"]: tag["description"] for tag in self._document["tags"]}
        return "".join(
            f'<section class="tag"><h2>{escape(tag)}</h2>{_prose(descriptions.get(tag, ""))}'
            + "".join(self._operation(*operation) for operation in operations)
            + "</section>"
            for tag, operations in self._groups.items()
            if operations
        )

    def _operation(self, method: str, path: str, operation: Document) -> str:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        role = operation["x-required-role"]
        who = "no credential" if role == "public" else f"{role} or higher" if role != "owner" else "owner"
        shown = re.sub(r"\{(\w+)\}", r"<i>{\1}</i>", escape(path))
        left = (
            f"{_prose(operation.get('description', ''))}{self._parameters(operation)}{self._body(body)}"
            f"{self._answers(operation)}"
        )
        right = f"{_samples(operation)}{self._sample(operation)}"
        return (
            f'<article id="{escape(operation["operationId"])}"><header><h3>{escape(operation["summary"])}</h3>'
            f'<p class="line"><b class="m {method}">{method.upper()}</b><code>{shown}</code>'
            f'<span class="role">{escape(who)}</span></p></header>'
            f'<div class="two"><div>{left}</div><div class="side">{right}</div></div></article>'
        )

    def _parameters(self, operation: Document) -> str:
        rows = "".join(
            _row(item["name"], item["schema"], item.get("description", ""), item["required"], item["in"])
            for item in operation.get("parameters", [])
        )
        return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""

    def _body(self, media: Document | None) -> str:
        return f"<h4>Body</h4>{self._fields(media['schema'])}" if media else ""

    def _fields(self, schema: Document) -> str:
        shape = self._resolve(schema)
        needed = shape.get("required", [])
        rows = "".join(
            _row(name, self._resolve(item), item.get("description", ""), name in needed, "")
            for name, item in shape.get("properties", {}).items()
        )
        return f"<table>{rows}</table>" if rows else ""

    def _resolve(self, schema: Document) -> Document:
        if "$ref" not in schema:
            return schema
        found: Any = self._document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    def _answers(self, operation: Document) -> str:
        parts = []
        for status, item in operation["responses"].items():
            answer = self._resolve(item)
            media = answer.get("content", {}).get("application/json", {})
            codes = " ".join(f"<code>{escape(code)}</code>" for code in media.get("examples", {}))
            fields = self._fields(media["schema"]) if status < "300" and "schema" in media else ""
            text = f'<b class="s s{status[0]}">{status}</b> {codes or escape(answer["description"])}'
            parts.append(
                f"<details><summary>{text}</summary>{fields}</details>"
                if fields
                else f'<p class="answer">{text}</p>'
            )
        return f"<h4>Answers</h4>{''.join(parts)}"

    def _sample(self, operation: Document) -> str:
        for status, item in operation["responses"].items():
            answer = self._resolve(item)
            media = answer.get("content", {}).get("application/json", {})
            if "example" in media:
                text = json.dumps(media["example"], indent=2, ensure_ascii=False)
                return f"<h4>Answer {status}</h4><pre>{escape(text)}</pre>"
        return ""


def _samples(operation: Document) -> str:
    """A tab for each language. Without scripts all of them are shown, one below the other, and no tabs."""
    name = escape(operation["operationId"])
    tabs, panels = "", ""
    for number, sample in enumerate(operation.get("x-codeSamples", [])):
        label, language = escape(sample["label"]), escape(sample["lang"].lower())
        own = f'aria-controls="{name}-{language}" id="{name}-{language}-tab" data-language="{language}"'
        chosen = 'aria-selected="true"' if number == 0 else 'aria-selected="false" tabindex="-1"'
        tabs += f'<button type="button" role="tab" {own} {chosen}>{label}</button>'
        panels += (
            f'<div role="tabpanel" id="{name}-{language}" aria-labelledby="{name}-{language}-tab" data-language="{language}">'
            f'<pre tabindex="0" aria-label="{label}">{escape(sample["source"])}</pre></div>'
        )
    if not tabs:
        return ""
    return f'<h4>Request</h4><div class="samples"><div role="tablist" aria-label="Language" hidden>{tabs}</div>{panels}</div>'


def _row(name: str, schema: Document, text: str, needed: bool, place: str) -> str:
    mark = '<em class="needed">required</em>' if needed else ""
    note = " · ".join(part for part in (_kind(schema), place) if part)
    return (
        f"<tr><th><code>{escape(name)}</code>{mark}<small>{escape(note)}</small></th>"
        f"<td>{_inline(text or schema.get('description', ''))}{_bounds(schema)}</td></tr>"
    )


def _kind(schema: Document) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    options = schema.get("anyOf")
    if options:
        return " or ".join(_kind(option) for option in options)
    kinds = schema.get("type", "any")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if kind.startswith("array"):
        return kind.replace("array", f"list of {_kind(schema.get('items', {}))}", 1)
    return kind.replace("string", schema.get("format", "string"), 1)


def _bounds(schema: Document) -> str:
    found = []
    if "enum" in schema:
        found.append("one of " + ", ".join(f"<code>{escape(str(item))}</code>" for item in schema["enum"]))
    for low, high, unit in (("minLength", "maxLength", " characters"), ("minimum", "maximum", "")):
        if low in schema or high in schema:
            found.append(f"{schema.get(low, 0)}–{schema.get(high, '∞')}{unit}")
    if schema.get("default") is not None:
        found.append(f"default <code>{escape(json.dumps(schema['default']))}</code>")
    return f'<small class="bounds">{"; ".join(found)}</small>' if found else ""


def _inline(text: str) -> str:
    """`code` and **bold** of Markdown."""
    safe = escape(text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", re.sub(r"`([^`]+)`", r"<code>\1</code>", safe))


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())
