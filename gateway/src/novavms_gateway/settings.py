"""What can be set from outside: NOVAVMS_GATEWAY_* in the environment, read once, in `main`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from novavms_camera.secret import Secret

PREFIX = "NOVAVMS_GATEWAY_"
DEFAULT_DATA_DIR = "~/.local/share/novavms-gateway"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SEARCH_HOSTS_MAX = 256


class SettingsError(Exception):
    """A setting is wrong; `str` is a sentence that names it."""


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field is one variable: `data_dir` is NOVAVMS_GATEWAY_DATA_DIR. docs/reference/gateway-settings.md lists them."""

    data_dir: Path = _setting(
        Path(DEFAULT_DATA_DIR),
        "Folder of the gateway's identity, journal and clips; made with mode 700. `--data-dir` wins over it.",
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR. Logs go to stderr, one line each.")
    uploads_at_once: int = _setting(
        2, "Clips sent at the same time (1–16), the oldest first; as many fresh ones beside them."
    )
    uplink_max_kbps: int = _setting(
        0,
        "What clips, watched footage and live pictures may take of the uplink together, in kbit/s (of 1000 bit; 0: no limit). "
        "Fresh clips and what is being watched go before older clips; a live picture that it does not hold is shown from the sub "
        "stream; reports are few, and always go.",
    )
    disk_reserve_bytes: int = _setting(
        268_435_456, "Below this much free space no clip is begun; it fails with `disk_full`."
    )
    search_after_sec: int = _setting(
        60,
        "Seconds after which an ONVIF camera that does not answer is looked for at other addresses (1–3600; 0: never). "
        "Further searches follow after pauses that double, up to ten times this.",
    )
    search_multicast: bool = _setting(
        True, "`true` or `false`: whether searches use WS-Discovery's multicast."
    )
    search_hosts: tuple[str, ...] = _setting(
        (),
        "Further addresses to search: names, IP addresses, networks (`192.0.2.0/24`), separated by commas, 256 addresses in all. "
        "For cameras behind a router, which multicast does not pass.",
    )
    search_ports: tuple[int, ...] = _setting(
        (),
        "ONVIF ports tried at those and at the missing cameras' own addresses, separated by commas; empty: the usual ones.",
    )
    recordings_dir: Path | None = _setting(
        None, "Folder of the footage, best on a disk of its own; empty: `recordings` in the data folder."
    )
    recordings_max_bytes: int = _setting(0, "All footage together, at most; 0: as much as the disk takes.")
    recordings_reserve_bytes: int = _setting(
        1_073_741_824,
        "Kept free on the disk of the footage: below it the oldest footage goes, below half of it recording stops.",
    )
    retention_share_max: float = _setting(
        0.1,
        "The part of all footage that may be removed in an hour, beside as much as was recorded in it (0.01–1). More than that "
        "is held back and told as `retention_held`, unless the disk fills.",
    )

    go2rtc_url: Secret | None = _setting(
        None,
        "API of a go2rtc beside the gateway, e.g. `http://user:password@127.0.0.1:1984`: its cameras are then offered by WebRTC, too. "
        "It is given their addresses with passwords, when somebody watches so. Secret.",
    )

    @property
    def recordings_root(self) -> Path:
        """Where footage goes."""
        return self.recordings_dir or self.data_dir / "recordings"


def variables() -> dict[str, str]:
    """Every variable there is, with the field it sets."""
    return {f"{PREFIX}{item.name.upper()}": item.name for item in fields(Settings)}


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like ours and are none: most likely misspelt."""
    return sorted(key for key in environment if key.startswith(PREFIX) and key not in variables())


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError."""
    values: dict[str, Any] = {}
    for key, name in variables().items():
        text = environment.get(key)
        if text is None:
            continue
        match name:
            case "data_dir":
                values["data_dir"] = Path(text)
            case "log_level":
                if text.upper() not in LOG_LEVELS:
                    raise SettingsError(f"{key} must be one of {', '.join(LOG_LEVELS)}.")
                values["log_level"] = text.upper()
            case "uploads_at_once":
                values["uploads_at_once"] = _whole(key, text, 1, 16)
            case "uplink_max_kbps":
                values[name] = _whole(key, text, 0, 10**9)
            case "disk_reserve_bytes":
                values["disk_reserve_bytes"] = _whole(key, text, 0, 2**50)
            case "recordings_dir":
                values["recordings_dir"] = Path(text).expanduser().absolute() if text else None
            case "recordings_max_bytes" | "recordings_reserve_bytes":
                values[name] = _whole(key, text, 0, 2**60)
            case "retention_share_max":
                values["retention_share_max"] = _part(key, text)
            case "search_after_sec":
                values["search_after_sec"] = _whole(key, text, 0, 3600)
            case "search_multicast":
                if text.lower() not in ("true", "false"):
                    raise SettingsError(f"{key} must be true or false.")
                values["search_multicast"] = text.lower() == "true"
            case "search_hosts":
                values["search_hosts"] = _hosts(key, text)
            case "search_ports":
                values["search_ports"] = tuple(_whole(key, word, 1, 65535) for word in _words(text))
            case "go2rtc_url":
                values["go2rtc_url"] = _go2rtc(key, text) if text else None
    return Settings(**values)


def _whole(key: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingsError(f"{key} must be a whole number from {low} to {high}.")
    return value


def _part(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 1.0:
        raise SettingsError(f"{key} must be a number from 0.01 to 1.")
    return value


def _go2rtc(key: str, text: str) -> Secret:
    from novavms_camera.go2rtc import check_url  # brings httpx, which few commands need

    try:
        check_url(text, setting=key)
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
    return Secret(text)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _hosts(key: str, text: str) -> tuple[str, ...]:
    """Each address by itself, networks taken apart."""
    hosts: list[str] = []
    for word in _words(text):
        if "/" not in word:
            hosts.append(word)
            continue
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            raise SettingsError(f"{key}: {word} is no network such as 192.0.2.0/24.") from None
        if network.num_addresses > SEARCH_HOSTS_MAX:
            raise SettingsError(f"{key}: {word} has more than {SEARCH_HOSTS_MAX} addresses.")
        hosts.extend(str(address) for address in network.hosts())
    if len(hosts) > SEARCH_HOSTS_MAX:
        raise SettingsError(f"{key} names more than {SEARCH_HOSTS_MAX} addresses.")
    return tuple(hosts)


def reference_page() -> str:
    """docs/reference/gateway-settings.md, as it must read; `python -m novavms_gateway.settings` prints it."""
    rows = [
        f"| `{variable}` | {_shown(Settings.__dataclass_fields__[name].default)} | "
        f"{Settings.__dataclass_fields__[name].metadata['about']} |"
        for variable, name in variables().items()
    ]
    return "\n".join(
        [
            "# Settings of the gateway",
            "",
            "All come from the environment. The server's address and the gateway's identity are no settings: "
            "`novavms-gateway pair`",
            "writes them into the data folder. Proxies and certificate authorities are taken from the usual "
            "variables (`HTTPS_PROXY`,",
            "`NO_PROXY`, `SSL_CERT_FILE`). `novavms-gateway check` reads the camera's password from "
            "`NOVAVMS_CAMERA_PASSWORD`.",
            "",
            "| variable | default | what it does |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _shown(default: Any) -> str:
    return (
        "none"
        if default in ((), None)
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference_page())
