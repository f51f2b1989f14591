"""Settings: all from the environment, NOVAVMS_*, read once by `main`. docs/reference/settings.md has the same table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting that can't be used; the message names it."""


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
        "Redis or Valkey shared by several servers; more than one worker needs it.",
        secret=True,
    )
    workers: int = _setting("NOVAVMS_WORKERS", 1, "Server processes. More than one needs NOVAVMS_REDIS_URL.")
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
    gateway_offline_after_sec: float = _setting(
        "NOVAVMS_GATEWAY_OFFLINE_AFTER_SEC", 45.0, "Silence after which a gateway is offline."
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
        if settings.workers > 1 and not settings.redis_url:
            raise SettingsError(
                "NOVAVMS_WORKERS is more than 1: set NOVAVMS_REDIS_URL, which the workers share"
            )
        return settings


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
