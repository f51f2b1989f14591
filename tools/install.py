"""Make the virtual environment: uv, then every dependency by hash from requirements.lock, then our packages.

Run by the Makefile with any Python 3.11 or later. Says what it does; fails with a sentence.
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from pathlib import Path

PACKAGES = ("protocol", "camera", "server", "gateway", "simcam", "sdk/python", "verify")


def step(text: str) -> None:
    print(f"install: {text}", flush=True)


def run(what: str, *command: str) -> None:
    result = subprocess.run(command, check=False)
    if result.returncode:
        sys.exit(f"install: {what} failed (exit {result.returncode}); the lines above say why")


def main(folder: Path) -> None:
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"install: Python 3.11 or later is needed, this is {found}; name one: make PYTHON=python3.12 …"
        )
    started = time.monotonic()
    python = folder / "bin" / "python"
    if not python.exists():
        step(f"making {folder} with Python {sys.version_info[0]}.{sys.version_info[1]}")
        try:
            venv.create(folder, with_pip=True, symlinks=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"install: no virtual environment ({error}); on Debian: apt-get install python3-venv")
    uv = folder / "bin" / "uv"
    if not uv.exists():
        step("fetching uv with pip")
        run(
            "fetching uv",
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "uv>=0.13",
        )
    step("fetching the locked dependencies, checked by hash (some 100 MB the first time)")
    run(
        "fetching the dependencies",
        *(str(uv), "pip", "sync", "--python", str(python), "--require-hashes", "requirements.lock"),
    )
    step("installing this workspace's packages in place")
    editable = [word for name in PACKAGES for word in ("-e", f"./{name}")]
    run(
        "installing the packages",
        *(str(uv), "pip", "install", "--python", str(python), "--no-deps", "--no-build-isolation", *editable),
    )
    step(f"done in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".venv"))
