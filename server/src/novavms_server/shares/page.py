"""The page that a shared link opens in a browser: the clip, its camera and its time; nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

from novavms_server.shares.models import SharedEvent

_STYLE: Final = (
    ":root{color-scheme:light dark}body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f6f7f9;color:#14181f}"
    "main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem}h1{font-size:1.25rem;margin:0 0 .25rem}p{margin:.25rem 0;color:#4a5565}"
    "video,img{display:block;width:100%;max-height:75vh;margin:1rem 0;background:#000;border-radius:.5rem;object-fit:contain}"
    "@media(prefers-color-scheme:dark){body{background:#11151b;color:#eef1f5}p{color:#a4afbd}}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; media-src *; img-src *; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Of every answer to a link: its address is the credential, so it goes nowhere. Media may lie in an object store elsewhere."""


def render(event: SharedEvent) -> str:
    """HTML."""
    when = f"{event.triggered_at:%Y-%m-%d %H:%M:%S} UTC"
    return _page(
        f"{event.camera_name}, {when}",
        f"<h1>{escape(event.camera_name)}</h1><p>{when}</p>{_media(event)}"
        f"{f'<p>{escape(event.summary)}</p>' if event.summary else ''}"
        f"<p>This link works until {event.expires_at:%Y-%m-%d %H:%M} UTC.</p>",
    )


def render_failure(sentence: str) -> str:
    return _page("Link not valid", f"<h1>{escape(sentence)}</h1>")


def _media(event: SharedEvent) -> str:
    poster = event.snapshot_url
    if event.clip is not None and event.clip.url is not None:
        still = f' poster="{escape(poster)}"' if poster else ""
        return (
            f'<video controls playsinline preload="metadata" src="{escape(event.clip.url)}"{still}></video>'
        )
    picture = f'<img src="{escape(poster)}" alt="The first picture of the clip">' if poster else ""
    if event.clip is not None and event.clip.status != "failed":
        return picture + "<p>The clip is still being made; open the link again in a minute.</p>"
    return picture + "<p>There is no clip of this event.</p>"


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
