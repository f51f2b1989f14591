"""Settings from the environment, and their table in the docs."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from novavms_server.settings import Settings, SettingsError, reference_table

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_table_in_the_docs_is_complete_and_true() -> None:
    assert reference_table() in DOCS.read_text(encoding="utf-8")
    for item in fields(Settings):
        assert f"`{item.metadata['env']}`" in DOCS.read_text(encoding="utf-8")


def test_values_are_read_by_their_kind_and_flags_win() -> None:
    settings = Settings.from_environment(
        {"NOVAVMS_PORT": "0", "NOVAVMS_ALLOW_LOOPBACK_CAMERAS": "yes", "NOVAVMS_HOST": "::1", "PATH": "/bin"},
        host="127.0.0.2",
        data_dir=None,
    )
    assert (settings.port, settings.allow_loopback_cameras, settings.host) == (0, True, "127.0.0.2")
    assert settings.data_dir == Path("novavms-data")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NOVAVMS_PORT": "http"}, "NOVAVMS_PORT must be a number"),
        ({"NOVAVMS_PORT": "65536"}, "NOVAVMS_PORT"),
        ({"NOVAVMS_ALLOW_LOOPBACK_CAMERAS": "maybe"}, "1 or 0"),
        ({"NOVAVMS_LOG_LEVEL": "LOUD"}, "NOVAVMS_LOG_LEVEL"),
        ({"NOVAVMS_WORKERS": "2"}, "NOVAVMS_REDIS_URL"),
        ({"NOVAVMS_WORKERS": "0"}, "NOVAVMS_WORKERS"),
        ({"NOVAVMS_RATE_PER_MIN": "0"}, "NOVAVMS_RATE_PER_MIN"),
        ({"NOVAVMS_LIVE_MEMORY_MB": "0"}, "NOVAVMS_LIVE_MEMORY_MB"),
        ({"NOVAVMS_DATABSE_URL": "postgresql://u:hidden@h/d"}, "NOVAVMS_DATABSE_URL is not a setting"),
    ],
)
def test_what_can_not_be_is_said_by_its_name(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as found:
        Settings.from_environment(environment)
    assert "hidden" not in str(found.value)


def test_secrets_do_not_print() -> None:
    secrets = {item.metadata["env"]: "s3cr3t-value" for item in fields(Settings) if item.metadata["secret"]}
    assert "NOVAVMS_DATABASE_URL" in secrets
    assert "s3cr3t-value" not in repr(Settings.from_environment(secrets))
