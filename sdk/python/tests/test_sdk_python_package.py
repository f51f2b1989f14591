"""The package: what it exports, what importing it does, and that it builds and installs alone."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

import novavms
import novavms.errors
import novavms.types
import novavms.webhooks

SDK = Path(__file__).parents[1]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_what_is_exported_is_there_and_documented() -> None:
    for module in (novavms, novavms.types, novavms.webhooks):
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert hasattr(module, name), name
    errors = {
        name
        for name, value in vars(novavms.errors).items()
        if isinstance(value, type) and issubclass(value, novavms.NovaVMSError)
    }
    assert errors <= set(novavms.__all__)
    for name in errors | {"Client", "AsyncClient", "Page", "AsyncPage", "Tokens"}:
        assert getattr(novavms, name).__doc__
    listed = novavms.errors.__doc__ or ""
    assert all(name in listed for name in errors)


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]
    assert novavms.__version__ == project["version"]


def test_importing_it_brings_little_and_does_nothing() -> None:
    told = python(
        "import sys, threading, novavms; "
        "heavy = {'novavms.types', 'novavms._sync.cameras', 'anyio', 'typer', 'asyncio'} & set(sys.modules); "
        "import httpx; assert threading.active_count() == 1; "
        "print(sorted(heavy - {'asyncio', 'anyio'}))"
    )
    assert told.strip() == "[]"


def test_the_halves_have_the_same_surface() -> None:
    def words(client: type) -> set[str]:
        return {name for name in dir(client) if not name.startswith("_")} - {"close", "aclose"}

    assert words(novavms.Client) == words(novavms.AsyncClient)


@pytest.mark.slow
def test_it_builds_and_installs_into_an_empty_environment(tmp_path: Path) -> None:
    """Built as it is released; from the wheel, with nothing of the workspace around it."""
    uv = str(Path(sys.executable).parent / "uv")

    def run(*command: str, **options: Path) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=options.get("cwd", tmp_path)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(
        uv,
        "build",
        "--quiet",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        str(tmp_path),
        cwd=SDK,
    )
    (wheel,) = tmp_path.glob("novavms-*.whl")
    assert len(list(tmp_path.glob("novavms-*.tar.gz"))) == 1
    inside = zipfile.ZipFile(wheel).namelist()
    assert "novavms/py.typed" in inside
    assert all(name.startswith(("novavms/", "novavms-")) for name in inside)
    empty = tmp_path / "empty"
    run(uv, "venv", "--quiet", "--python", sys.executable, str(empty))
    run(uv, "pip", "install", "--quiet", "--python", str(empty / "bin/python"), str(wheel))
    code = (
        "import novavms, sys; c = novavms.Client(api_key='sk_live_x'); c.cameras, c.stream; "
        "assert 'empty' in novavms.__file__; print(novavms.__version__, repr(c))"
    )
    told = run(str(empty / "bin/python"), "-I", "-c", code)
    assert told.split()[0] == novavms.__version__
    run(
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(empty / "bin/python"),
        f"novavms[cli] @ {wheel.as_uri()}",
    )
    assert run(str(empty / "bin/novavms"), "--version").split() == ["novavms", novavms.__version__]
