"""Settings: all from the environment, NOVAVMS_*, read once by `main`. docs/reference/settings.md has the same table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting that can't be used; the message names it."""


LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _setting(env: str, default: Any, doc: str, *, secret: bool = False) -> Any:
    metadata = {"env": env, "doc": doc, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a variable. `str | None` fields are None when unset or empty."""

    database_url: str | None = _setting(
        "NOVAVMS_DATABASE_URL",
        None,
        "PostgreSQL 15 or later, as its schema's owner. Unset: an embedded PostgreSQL in the data folder.",
        secret=True,
    )
    data_dir: Path = _setting(
        "NOVAVMS_DATA_DIR",
        Path("novavms-data"),
        "Folder of the embedded database, the secret key and local clips.",
    )
    host: str = _setting("NOVAVMS_HOST", "127.0.0.1", "Address to listen on.")
    port: int = _setting("NOVAVMS_PORT", 8080, "Port to listen on; 0 takes a free one.")
    public_url: str | None = _setting(
        "NOVAVMS_PUBLIC_URL",
        None,
        "How browsers and gateways reach this server, e.g. https://vms.example.org. Unset: relative URLs.",
    )
    secret_keys: str | None = _setting(
        "NOVAVMS_SECRET_KEYS",
        None,
        "Fernet keys, newest first, separated by commas; they seal camera passwords and sign tokens. Unset: one made in the data folder.",
        secret=True,
    )
    store_url: str | None = _setting(
        "NOVAVMS_STORE_URL",
        None,
        "Object store of clips: s3://, gs://, az:// or file://. Unset: clips/ in the data folder.",
    )
    go2rtc_url: str | None = _setting(
        "NOVAVMS_GO2RTC_URL",
        None,
        "go2rtc's API for direct-mode cameras, e.g. http://user:password@127.0.0.1:1984. Unset: built-in capture.",
        secret=True,
    )
    redis_url: str | None = _setting(
        "NOVAVMS_REDIS_URL",
        None,
        "Redis or Valkey that several servers share. Not supported yet: a server that is given one refuses to start.",
        secret=True,
    )
    workers: int = _setting(
        "NOVAVMS_WORKERS",
        1,
        "Server processes. More than one will need NOVAVMS_REDIS_URL, and is refused until that is supported.",
    )
    allow_loopback_cameras: bool = _setting(
        "NOVAVMS_ALLOW_LOOPBACK_CAMERAS",
        False,
        "Accept cameras on 127.0.0.0/8 and ::1: for tests and the demo only.",
    )
    direct_networks: str = _setting(
        "NOVAVMS_DIRECT_NETWORKS",
        "",
        "Private networks that direct-mode cameras may be on, e.g. 10.1.0.0/16,10.2.0.0/16.",
    )
    metrics_token: str | None = _setting(
        "NOVAVMS_METRICS_TOKEN",
        None,
        "Bearer token that /metrics asks for. Unset: only callers on this machine are answered.",
        secret=True,
    )
    trusted_proxies: str = _setting(
        "NOVAVMS_TRUSTED_PROXIES",
        "127.0.0.1",
        "Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas.",
    )
    gateway_offline_after_sec: float = _setting(
        "NOVAVMS_GATEWAY_OFFLINE_AFTER_SEC", 45.0, "Silence after which a gateway is offline."
    )
    # 100 cameras by HLS at 2 Mbit/s are 0.6 GB, and 500 cameras' last GOPs 0.25 GB: viewers that keep up stay below it.
    live_memory_mb: int = _setting(
        "NOVAVMS_LIVE_MEMORY_MB",
        1024,
        "Memory for pictures of live view, in MiB; where it is not enough, the slowest viewers lose pictures first.",
    )
    log_level: str = _setting("NOVAVMS_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR.")
    rate_per_min: int = _setting("NOVAVMS_RATE_PER_MIN", 1000, "Requests a minute for each API key or user.")
    rate_burst: int = _setting("NOVAVMS_RATE_BURST", 100, "Requests at once for each API key or user.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Raises SettingsError on a value of the wrong form and on NOVAVMS_ variables that do not exist."""
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = given.get(item.metadata["env"], "")
            if text != "":
                values[item.name] = _convert(item.metadata["env"], text, item.default)
        known = {item.metadata["env"] for item in fields(cls)}
        foreign = (
            "NOVAVMS_GATEWAY_",
            "NOVAVMS_SIMCAM_",
            "NOVAVMS_CAMERA_",
            "NOVAVMS_TEST_",
            "NOVAVMS_API_KEY",
            "NOVAVMS_BASE_URL",
        )
        unknown = [
            name
            for name in given
            if name.startswith("NOVAVMS_") and name not in known and not name.startswith(foreign)
        ]
        if unknown:
            raise SettingsError(f"{unknown[0]} is not a setting; docs/reference/settings.md lists them")
        values.update({name: value for name, value in overrides.items() if value is not None})
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        """Raises SettingsError on values that fit their type and still can't be."""
        for sound, sentence in (
            (0 <= self.port <= 65535, "NOVAVMS_PORT must be from 0 to 65535"),
            (self.workers >= 1, "NOVAVMS_WORKERS must be at least 1"),
            (self.log_level in LOG_LEVELS, f"NOVAVMS_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}"),
            (self.live_memory_mb >= 16, "NOVAVMS_LIVE_MEMORY_MB must be at least 16"),
            (self.rate_per_min >= 1, "NOVAVMS_RATE_PER_MIN must be at least 1"),
            (self.rate_burst >= 1, "NOVAVMS_RATE_BURST must be at least 1"),
            (self.gateway_offline_after_sec > 0, "NOVAVMS_GATEWAY_OFFLINE_AFTER_SEC must be more than 0"),
            (
                self.workers == 1 or self.redis_url,
                "NOVAVMS_WORKERS is more than 1: set NOVAVMS_REDIS_URL, which the workers share",
            ),
        ):
            if not sound:
                raise SettingsError(sentence)


def _convert(name: str, text: str, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                text.lower()
            ]
        if isinstance(default, int):
            return int(text)
        if isinstance(default, float):
            return float(text)
    except (KeyError, ValueError):
        kind = "1 or 0" if isinstance(default, bool) else "a number"
        raise SettingsError(f"{name} must be {kind}, not {text!r}") from None
    return Path(text) if isinstance(default, Path) else text


def reference_table() -> str:
    """The table of docs/reference/settings.md, as Markdown."""
    rows = ["| variable | default | what it does |", "|---|---|---|"]
    for item in fields(Settings):
        default = item.default
        if default is None or default == "":
            shown = "–"
        elif isinstance(default, bool):
            shown = f"`{int(default)}`"
        else:
            shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        mark = " Secret." if item.metadata["secret"] else ""
        rows.append(f"| `{item.metadata['env']}` | {shown} | {item.metadata['doc']}{mark} |")
    return "\n".join(rows)
