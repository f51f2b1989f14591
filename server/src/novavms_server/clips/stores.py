"""Which store the settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from novavms_server.clips.links import Links
from novavms_server.clips.store import Store
from novavms_server.clips.store_cloud import CloudStore
from novavms_server.clips.store_local import LocalStore
from novavms_server.kit.clock import Clock
from novavms_server.kit.seal import Sealer
from novavms_server.settings import Settings, SettingsError


def make_store(settings: Settings, sealer: Sealer, clock: Clock) -> Store:
    """Nothing is touched yet. Raises SettingsError for a NOVAVMS_STORE_URL that is none."""
    url = settings.store_url
    scheme = urlsplit(url).scheme if url else "file"
    if scheme == "file":
        root = Path(unquote(urlsplit(url).path)) if url else settings.data_dir / "clips"
        links = Links(sealer.derive("store-urls"), clock, settings.public_url or "")
        return LocalStore(root.absolute(), links)
    assert url is not None
    if scheme not in ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss"):
        raise SettingsError("NOVAVMS_STORE_URL must begin with s3://, gs://, az:// or file://")
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    try:
        return CloudStore(from_url(url), clock)
    except (BaseError, ValueError) as error:
        raise SettingsError(f"NOVAVMS_STORE_URL can't be used: {error}") from None
