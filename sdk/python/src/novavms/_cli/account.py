"""Who asks: from the environment, or kept in a file of the user's that nobody else can read."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from novavms import Client, Tokens

try:
    import fcntl
except ImportError:  # Windows: two programs that renew in the same second log out
    fcntl = None  # type: ignore[assignment]

KEEP = ("NOVAVMS_API_KEY", "NOVAVMS_BASE_URL", "NOVAVMS_CREDENTIALS")


class WrongUseError(Exception):
    """Nothing was asked of a server. `str` is a sentence that says why."""


class NotLoggedInError(WrongUseError):
    """`str` is a sentence that says what to do."""


@dataclass(frozen=True)
class Account:
    """What a login leaves. An API key, or the tokens of a session."""

    base_url: str
    api_key: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return f"Account({self.base_url!r})"


def place() -> Path:
    """`NOVAVMS_CREDENTIALS`, else below the user's configuration folder (XDG Base Directory)."""
    given = os.environ.get("NOVAVMS_CREDENTIALS")
    if given:
        return Path(given)
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "novavms" / "credentials.json"


def load() -> Account | None:
    """What was kept; None where there is nothing, or nothing of ours."""
    try:
        fields: Any = json.loads(place().read_text(encoding="utf-8"))
        known = cast("dict[str, Any]", fields)
        texts = {name: known.get(name) for name in Account.__dataclass_fields__}
        return Account(
            str(known["base_url"]), texts["api_key"], texts["access_token"], texts["refresh_token"]
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(account: Account) -> None:
    """Replaces the file whole, mode 600 from its first byte."""
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({name: getattr(account, name) for name in Account.__dataclass_fields__}, file)
    fresh.replace(path)


@contextmanager
def alone() -> Generator[Tokens | None]:
    """For one program of the user's at a time; yields the tokens that are kept now. A refresh token that is used twice ends its
    session: `cameras watch`, which runs for hours, must not renew by one that another command has used."""
    path = place().with_suffix(".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w") as held:
        if fcntl is not None:
            fcntl.flock(held, fcntl.LOCK_EX)  # let go of when it is closed
        kept = load()
        yield Tokens(kept.access_token, kept.refresh_token) if kept and kept.access_token else None


def forget() -> None:
    place().unlink(missing_ok=True)


def client_of(**given: Any) -> Client:
    """What `Client` makes of it. Raises WrongUseError where it is no address, or no key."""
    try:
        return Client(**given)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def connect(base_url: str | None = None) -> Client:
    """A client of whoever is logged in; the environment's key wins. Raises NotLoggedInError, WrongUseError."""
    key = os.environ.get("NOVAVMS_API_KEY")
    kept = load()
    url = base_url or os.environ.get("NOVAVMS_BASE_URL") or (kept.base_url if kept else None)
    if key:
        return client_of(api_key=key, base_url=url)
    if kept is None or (base_url is not None and base_url != kept.base_url):
        raise NotLoggedInError("Log in first: novavms login (or set NOVAVMS_API_KEY)")
    if kept.api_key:
        return client_of(api_key=kept.api_key, base_url=url)

    def keep(tokens: Tokens | None) -> None:
        if tokens is None:
            forget()
        else:
            save(Account(kept.base_url, None, tokens.access_token, tokens.refresh_token))

    client = client_of(
        access_token=kept.access_token, refresh_token=kept.refresh_token, base_url=url, on_tokens=keep
    )
    client._transport.session.shared = alone  # pyright: ignore[reportPrivateUsage]
    return client
